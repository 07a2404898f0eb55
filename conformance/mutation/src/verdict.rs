//! The suite on a refcached within this process, up to the first failure.

use std::collections::BTreeSet;
use std::time::Duration;

use mcspec_suite::case::{Case, Library};
use mcspec_suite::play::{Address, Delivery};
use mcspec_suite::profile::Profile;
use mcspec_suite::run::{Options, run_on_several};
use mcspec_suite::target::{Target, probe};
use mcspec_suite::verdict::{CaseResult, Verdict};
use refcached::{Config, DIALECT, Endpoint, Listen, ListenAddress, Server};
use tempfile::TempDir;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

/// How long the server may do nothing while an answer is due: mutants beside it may keep the processors for long.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How many more servers there are at most for the exclusive cases of a stage: as many as `mcspec run` takes of one that it
/// starts within itself.
const MORE_MAX: usize = 8;

/// What of the suite is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All of it, in all deliveries.
    All,
    /// This case and what it rests on, in one delivery.
    Case(String, Delivery),
}

/// What was wrong first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The case that failed and how it was delivered; none if the server could not be asked at all.
    pub case: Option<(String, Delivery)>,
    /// What was wrong with it.
    pub what: String,
}

impl From<String> for Wrong {
    fn from(what: String) -> Self {
        Wrong { case: None, what }
    }
}

/// What the program that judges ends with when it cannot begin.
pub const WRONG_CALL: i32 = 2;

/// What holds the server's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// Its memory.
    Memory,
    /// A file of redb.
    Redb,
}

impl Backend {
    /// All there are.
    pub const ALL: [Backend; 2] = [Backend::Memory, Backend::Redb];

    /// Its name, which is also that of refcached's option.
    pub fn name(self) -> &'static str {
        match self {
            Backend::Memory => "memory",
            Backend::Redb => "redb",
        }
    }

    /// The target file that says what a server over it offers.
    fn profile(self) -> &'static str {
        match self {
            Backend::Memory => "refcached",
            Backend::Redb => "refcached-redb",
        }
    }
}

/// Runs the suite, or one case of it, on fresh refcacheds, demanding the answers of the release that they say they are. What is
/// quick comes first, and the first failure ends it.
///
/// The servers may still run when this returns, for a mutant may never stop: what follows is the end of the process.
///
/// # Errors
/// What was wrong first.
pub fn verdict(library: &Library, backend: Backend, selection: &Selection) -> Result<(), Wrong> {
    // Threads of its own: a server that never comes to an end must not keep the judge from seeing that.
    let runtime = threads()?;
    let judge = threads()?;
    let servers = Servers {
        backend,
        runtime: runtime.handle().clone(),
        data: tempfile::tempdir().map_err(|error| error.to_string())?,
    };
    let verdict = judge.block_on(judged(library, selection, &servers));
    runtime.shutdown_background();
    verdict
}

fn threads() -> Result<Runtime, String> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(|error| error.to_string())
}

/// The servers of one run, which hold nothing in common.
struct Servers {
    backend: Backend,
    runtime: Handle,
    /// Where those keep their files that have any.
    data: TempDir,
}

impl Servers {
    /// Starts one, which then runs until its runtime ends.
    async fn start(&self) -> Result<Address, String> {
        let config = self.config().map_err(|error| error.to_string())?;
        let started = self.runtime.spawn(async {
            let server = Server::bind(config).await.map_err(|error| error.to_string())?;
            let Some(Endpoint::Tcp(address)) = server.local_addrs().into_iter().next() else {
                return Err("the server listens nowhere".to_owned());
            };
            tokio::spawn(server.serve(std::future::pending()));
            Ok(Address::Tcp(address.to_string()))
        });
        started.await.map_err(|error| error.to_string())?
    }

    fn config(&self) -> anyhow::Result<Config> {
        let mut config = Config {
            listen: Listen::Tcp(vec![ListenAddress::parse("127.0.0.1:0", 0)?]),
            ..Config::default()
        };
        if self.backend == Backend::Redb {
            config.backend = self.backend.name().to_owned();
            config.data_dir = Some(tempfile::tempdir_in(&self.data)?.keep());
            config.data = Some("conformance.redb".to_owned());
        }
        Ok(config)
    }
}

async fn judged(library: &Library, selection: &Selection, servers: &Servers) -> Result<(), Wrong> {
    let address = servers.start().await?;
    let target = known(&address, servers.backend).await?;
    for (ids, deliveries) in stages(library, selection) {
        if let Some(failed) = first_failure(library, &ids, &target, servers, &deliveries).await {
            return Err(Wrong {
                what: format!("{:?}", failed.failure.map(|failure| failure.problem)),
                case: Some((failed.id, failed.delivery)),
            });
        }
    }
    Ok(())
}

/// What is run one after the other.
fn stages(library: &Library, selection: &Selection) -> Vec<(BTreeSet<String>, Vec<Delivery>)> {
    if let Selection::Case(id, delivery) = selection {
        return vec![(with_foundations(library, id), vec![*delivery])];
    }
    let quick = |case: &Case| case.waits().is_zero() && !case.exclusive;
    let (fast, slow): (Vec<_>, Vec<_>) = library.cases().partition(|(_, _, case)| quick(case));
    let [fast, slow] = [fast, slow].map(|cases| cases.into_iter().map(|(id, ..)| id).collect::<BTreeSet<_>>());
    let others = vec![Delivery::Pipelined, Delivery::Cuts, Delivery::Bytes];
    vec![
        (fast.clone(), vec![Delivery::Whole]),
        (slow.clone(), vec![Delivery::Whole]),
        (fast, others.clone()),
        (slow, others),
    ]
}

/// The case of this id and all that it rests on.
fn with_foundations(library: &Library, id: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut open = vec![id.to_owned()];
    while let Some(id) = open.pop() {
        if let Some((_, case)) = library.case(&id) {
            open.extend(case.rests_on.iter().cloned());
        }
        ids.insert(id);
    }
    ids
}

/// The server as a probe sees it, which must be all that its target file promises.
async fn known(address: &Address, backend: Backend) -> Result<Target, String> {
    let mut target = probe(address, TIMEOUT).await.map_err(|error| error.to_string())?;
    target.own();
    let profile = Profile::named(backend.profile()).map_err(|error| error.to_string())?;
    let faults = profile.expectations.declare(&mut target);
    match faults.into_iter().next() {
        None => Ok(target),
        Some(fault) => Err(format!("{fault:?}")),
    }
}

async fn first_failure(
    library: &Library,
    ids: &BTreeSet<String>,
    target: &Target,
    servers: &Servers,
    deliveries: &[Delivery],
) -> Option<CaseResult> {
    let options = Options {
        deliveries: deliveries.to_vec(),
        timeout: TIMEOUT,
        dialect: DIALECT.parse().ok(),
        ..Options::default()
    };
    let (found, mut failure) = oneshot::channel();
    let mut found = Some(found);
    let mut judge = |result: &CaseResult| {
        if !matches!(result.verdict, Verdict::Pass | Verdict::Unsupported)
            && let Some(found) = found.take()
        {
            // Whoever waits for it is this function.
            let _ = found.send(result.clone());
        }
    };
    let more = (0..MORE_MAX).map(async |_| servers.start().await.ok()).collect();
    let running = run_on_several(library, ids, target, more, &options, &mut judge);
    tokio::pin!(running);
    tokio::select! {
        biased;
        failed = &mut failure => failed.ok(),
        results = &mut running => results
            .into_iter()
            .find(|result| !matches!(result.verdict, Verdict::Pass | Verdict::Unsupported)),
    }
}
