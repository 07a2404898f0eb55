//! `mutant-server --fault NAME -p PORT`: refcached with one planted fault.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context as _, bail};
use clap::Parser;
use mcspec_mutants::{faults, server};

/// refcached with one planted fault.
#[derive(Parser)]
struct Arguments {
    /// The fault; without one, the server is sound.
    #[arg(long, value_name = "NAME")]
    fault: Option<String>,
    /// The port to listen on; 0 lets the kernel choose one, which is printed.
    #[arg(short, long, default_value_t = 11211)]
    port: u16,
    /// The address to listen on.
    #[arg(short, long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen: IpAddr,
    /// Lists the faults: section, name, seam, the case and the delivery that must find it, what is wrong.
    #[arg(long)]
    list: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if arguments.list {
        return list();
    }
    let fault = match &arguments.fault {
        None => None,
        Some(name) => match faults::named(name) {
            Some(fault) => Some(fault),
            None => bail!("there is no fault `{name}`; --list shows them all"),
        },
    };
    let running = server::start(fault, SocketAddr::new(arguments.listen, arguments.port)).await?;
    println!("{}", running.address);
    tokio::signal::ctrl_c().await.context("cannot wait for an interrupt")?;
    running.stop().await;
    Ok(())
}

fn list() -> anyhow::Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    for (section, faults) in faults::SECTIONS {
        for fault in *faults {
            let written = writeln!(
                out,
                "{section}\t{}\t{}\t{}\t{}\t{}",
                fault.name,
                fault.planted.seam(),
                fault.killer,
                fault.delivery,
                fault.wrong
            );
            match written {
                // Whoever reads has seen enough.
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
                written => written?,
            }
        }
    }
    Ok(())
}
