//! refcached, the program: flags in, a server, an exit code out.
//!
//! # Layout
//! - `datasets`: `refcached load` and `refcached dump`.
//! - `flags`: memcached's command line.
//! - `log`: what is logged, and how it looks.
//! - `operator`: the control API, beside the server.
//! - `system`: the process's user and its limit on open files.

mod datasets;
mod flags;
mod log;
mod operator;
mod system;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use refcached::{Endpoint, Server};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::flags::{Order, Settings};
use crate::operator::Operator;

/// Memcached writes the ports it listens on to the file that this variable names.
const PORT_FILE_VARIABLE: &str = "MEMCACHED_PORT_FILENAME";

/// Exit code for anything that keeps the server from starting.
const CANNOT_START: u8 = 2;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line: the causes after the fault, joined by colons.
            eprintln!("refcached: {error:#}");
            ExitCode::from(CANNOT_START)
        }
    }
}

fn run() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args_os().collect();
    if datasets::is_meant(&arguments) {
        return datasets::run(&arguments);
    }
    let settings = match Order::parse(arguments)? {
        Order::Serve(settings) => *settings,
        Order::Print(text) => {
            // The reader may have gone away: there is nobody left to tell.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return Ok(());
        }
    };
    let log = log::start(settings.verbosity)?;
    // Before there are threads, and before there are sockets: they belong to the user that serves.
    system::raise_open_files_limit(settings.config.connections_max);
    if let Some(user) = &settings.user {
        system::become_user(user)?;
    }
    runtime(settings.config.threads)
        .context("cannot start the worker threads; ask for fewer with -t")?
        .block_on(serve(settings, log))
}

/// One thread needs none to share its work with: it serves on the program's own, and no task is woken across threads.
fn runtime(threads: usize) -> io::Result<Runtime> {
    let mut builder = match threads {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder
        .worker_threads(threads)
        .thread_name("refcached-worker")
        .enable_all()
        .build()
}

async fn serve(settings: Settings, log: log::Handle) -> anyhow::Result<()> {
    // Before the sockets: a signal that comes as soon as clients can connect must not kill what they have in hand.
    let terminate = listen_for(SignalKind::terminate())?;
    let interrupt = listen_for(SignalKind::interrupt())?;
    let operator = Operator::bind(settings.control).await?;
    let server = Server::bind(settings.config).await?;
    if let Some(path) = std::env::var_os(PORT_FILE_VARIABLE) {
        let path = Path::new(&path);
        write_ports(path, &server.local_addrs()).with_context(|| {
            format!(
                "cannot write {}, named by {PORT_FILE_VARIABLE}; name a file in a writable directory",
                path.display()
            )
        })?;
    }
    let following = tokio::spawn(log.follow(server.verbosity()));
    let operating = operator.map(|operator| operator.start(server.administration()));
    server.serve(first_of(terminate, interrupt)).await;
    if let Some(operating) = operating {
        operating.stop().await;
    }
    following.abort();
    Ok(())
}

fn listen_for(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("cannot install a signal handler; raise the limit on open files")
}

async fn first_of(mut terminate: Signal, mut interrupt: Signal) {
    let name = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    };
    tracing::info!(signal = name, "asked to stop");
}

/// Writes one line for each port, in memcached's format. The file appears whole: whoever waits for it can read it at once.
fn write_ports(path: &Path, endpoints: &[Endpoint]) -> std::io::Result<()> {
    let mut lines = String::new();
    for endpoint in endpoints {
        if let Endpoint::Tcp(address) = endpoint {
            let family = if address.is_ipv6() { "INET6" } else { "INET" };
            lines.push_str(&format!("TCP {family}: {}\n", address.port()));
        }
    }
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".lck");
    std::fs::write(&unfinished, lines)?;
    std::fs::rename(&unfinished, path)
}
