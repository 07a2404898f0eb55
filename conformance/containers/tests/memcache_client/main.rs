//! The `memcache` crate, a client that people use, against each real release and the embedded reference server alike.
//!
//! Its claims are what a caller sees through it, and that includes its own quirks: they are asserted as they are, so
//! that a server which is blamed for one of them can be told from the client, and so that a new version of the client
//! which mends one shows itself.

#[path = "../harness/mod.rs"]
mod harness;

mod ascii;
mod binary;
mod meta;

use std::error::Error;
use std::net::SocketAddr;

use harness::{Harness, Outcome};
use libtest_mimic::{Arguments, Failed, Trial};
use mcspec_containers::Memcached;
use mcspec_suite::case::{Release, ReleaseRange};
use refcached::{Config, Endpoint, Listen, ListenAddress, Server};
use tokio::sync::oneshot;

/// What the client does against a server that nobody else uses.
pub(crate) type Claim = fn(SocketAddr) -> Outcome;

/// A protocol that the client speaks, with its claims by name.
pub(crate) struct Dialect {
    name: &'static str,
    /// The releases that speak it.
    releases: &'static str,
    claims: &'static [(&'static str, Claim)],
}

/// Names each claim by the function that states it.
macro_rules! claims {
    ($($claim:ident)*) => { &[$((stringify!($claim), $claim as crate::Claim)),*] };
}
pub(crate) use claims;

const DIALECTS: [Dialect; 5] = [
    ascii::DIALECT,
    binary::DIALECT,
    meta::DIALECT,
    meta::APPEND_CREATES,
    meta::APPEND_REFUSES,
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::from_args();
    let harness = Harness::new()?;
    let mut trials = Vec::new();
    for dialect in [&ascii::DIALECT, &meta::DIALECT, &meta::APPEND_CREATES] {
        trials.extend(
            dialect
                .claims
                .iter()
                .map(|claim| against_refcached(&harness, dialect, claim)),
        );
    }
    for release in &harness.releases {
        for dialect in &DIALECTS {
            if dialect.releases.parse::<ReleaseRange>()?.contains(release) {
                trials.extend(
                    dialect
                        .claims
                        .iter()
                        .map(|claim| against_release(&harness, release, dialect, claim)),
                );
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// The reference server needs no engine: it runs within this process.
fn against_refcached(harness: &Harness, dialect: &Dialect, claim: &(&str, Claim)) -> Trial {
    let (name, claim) = *claim;
    let runtime = harness.runtime.clone();
    let run = move || {
        let done: Outcome = runtime.block_on(async {
            let listen = Listen::Tcp(vec![ListenAddress::parse("127.0.0.1:0", 0)?]);
            let server = Server::bind(Config {
                listen,
                ..Config::default()
            })
            .await?;
            let address = match server.local_addrs().as_slice() {
                [Endpoint::Tcp(address)] => *address,
                other => return Err(format!("it was to listen on one port, and listens on {other:?}").into()),
            };
            let (stop, stopped) = oneshot::channel::<()>();
            let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));
            tokio::task::block_in_place(|| claim(address))?;
            drop(stop);
            Ok(serving.await?)
        });
        done.map_err(Failed::from)
    };
    Trial::test(format!("refcached::{}::{name}", dialect.name), run).with_kind("client")
}

fn against_release(harness: &Harness, release: &Release, dialect: &Dialect, claim: &(&str, Claim)) -> Trial {
    let (name, claim) = *claim;
    let release = release.clone();
    let name = format!("memcached_{release}::{}::{name}", dialect.name);
    harness.trial("client", name, move |_| async move {
        let server = Memcached::start(&release, &[]).await?;
        let address = server.address();
        tokio::task::block_in_place(|| claim(address))?;
        Ok(server.stop().await?)
    })
}
