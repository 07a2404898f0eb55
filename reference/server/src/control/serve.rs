//! Connections: how many, how long, and how they end. On any network.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use super::Limits;
use crate::listener::Listener;

/// The longest head of a request, in bytes, and the most headers in it.
const HEAD_BYTES_MAX: usize = 16 << 10;
const HEADERS_MAX: usize = 64;

/// Between attempts to accept, when one failed for a reason that is likely to come again at once: too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until `stop` is given. Then no more are accepted, requests that have begun are answered, and what is
/// left after the grace is cut.
pub async fn serve<L: Listener>(listener: L, routes: Router, limits: Limits, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = accept(&listener, &routes, &limits, &stop, &mut connections) => {}
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.stop_grace, ended).await.is_err() {
        tracing::warn!("connections to the control API that were still busy after the grace are cut");
        connections.shutdown().await;
    }
}

async fn accept<L: Listener>(
    listener: &L,
    routes: &Router,
    limits: &Limits,
    stop: &CancellationToken,
    connections: &mut JoinSet<()>,
) {
    let places = Arc::new(Semaphore::new(limits.connections_max));
    // The semaphore is never closed.
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection to the control API; trying again after a pause");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let serving = serve_connection(stream, routes.clone(), *limits, stop.clone());
        connections.spawn(async move {
            if let Err(error) = serving.await {
                tracing::debug!(%error, "a connection to the control API ended");
            }
            drop(place);
        });
    }
}

async fn serve_connection<T>(stream: T, routes: Router, limits: Limits, stop: CancellationToken) -> hyper::Result<()>
where
    T: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut stream = TimeoutStream::new(stream);
    // Of the reading side, hyper sees to heads, and handlers to bodies: while a switch is under way, nothing comes.
    stream.set_write_timeout(Some(limits.write_timeout));
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_timeout)
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(routes))
    );
    tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}
