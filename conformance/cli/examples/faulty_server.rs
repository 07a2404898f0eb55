//! refcached with one planted fault of `conformance/mutants`, or with none: `faulty_server PORT [FAULT]`. For the tests of
//! mcspec as a gate, which need a server that gets better and worse.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context as _;
use mcspec_mutants::{faults, server};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().context("the port is missing")?.parse()?;
    let fault = match arguments.next() {
        None => None,
        Some(name) => Some(faults::named(&name).with_context(|| format!("there is no fault `{name}`"))?),
    };
    let running = server::start(fault, SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    // The test that asked for any port reads this line.
    println!("{}", running.address.port());
    tokio::signal::ctrl_c().await?;
    running.stop().await;
    Ok(())
}
