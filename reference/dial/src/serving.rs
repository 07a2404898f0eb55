//! `wtfdial serve`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;
use wtfdial::http::{self, Limits, control};
use wtfdial::redb::Store;
use wtfdial::{Client, SystemClock};

use crate::flags::ServeFlags;
use crate::make_data_directory;

/// The store of a data directory.
pub(crate) fn store_file(data: &Path) -> PathBuf {
    data.join("dials.redb")
}

/// The socket of the process that serves a data directory.
pub(crate) fn control_socket(data: &Path) -> PathBuf {
    data.join("control.sock")
}

/// Serves until SIGTERM or SIGINT.
pub(crate) fn run(data: &Path, flags: &ServeFlags) -> anyhow::Result<()> {
    let filter = EnvFilter::builder()
        .with_default_directive(tracing::Level::WARN.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    make_data_directory(data)?;
    let store = Arc::new(Store::open(store_file(data))?);
    tokio::runtime::Runtime::new()
        .context("starting the runtime failed; see the limits on threads and open files")?
        .block_on(serve(data, store, flags))
}

async fn serve(data: &Path, store: Arc<Store>, flags: &ServeFlags) -> anyhow::Result<()> {
    let stop = stop_signal()?;
    let listener = TcpListener::bind(flags.listen).await.with_context(|| {
        format!(
            "listening on {} failed; choose another address with --listen",
            flags.listen
        )
    })?;
    let address = listener
        .local_addr()
        .context("asking for the own address failed; try again")?;
    let socket = control_socket(data);
    let control = control::listen(&socket).with_context(|| {
        format!(
            "making {} failed; choose a directory with a short path",
            socket.display()
        )
    })?;
    let limits = Limits {
        stop_grace: Duration::from_secs(flags.stop_grace),
        ..Limits::default()
    };
    let client = Client::new(store.clone(), store.clone(), Arc::new(SystemClock));
    let routes = http::router(client, limits, stop.clone());
    announce(&format!("http://{address}/"), data)?;
    // An answer is written whole: holding back its last segment could only delay it.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tokio::join!(
        http::serve(listener, routes, limits, stop.clone()),
        http::serve(control, control::router(store), limits, stop),
    );
    // It is of no use without a process; the next one would replace it.
    let _ = std::fs::remove_file(&socket);
    Ok(())
}

fn stop_signal() -> anyhow::Result<CancellationToken> {
    let stop = CancellationToken::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signal = signal(kind).context("waiting for signals failed; try again")?;
        let stop = stop.clone();
        tokio::spawn(async move {
            signal.recv().await;
            stop.cancel();
        });
    }
    Ok(stop)
}

fn announce(address: &str, data: &Path) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "wtfdial serves {address} from {}", store_file(data).display())
        .and_then(|()| out.flush())
        .context("writing to standard output failed; see where it leads")?;
    eprintln!(
        "wtfdial: add a user with `wtfdial --data {} user add NAME`; stop with Ctrl-C",
        data.display()
    );
    Ok(())
}
