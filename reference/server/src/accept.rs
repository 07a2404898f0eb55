//! The accept loop of one listener.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::Backend;
use crate::connections::Ends;
use crate::listener::Listener;
use crate::service::Service;

/// The first pause after an error that is likely to come again at once, such as too many open files.
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// Pauses double up to this.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Accepts connections until the service stops.
pub(crate) async fn run<B, L>(service: Arc<Service<B>>, listener: L)
where
    B: Backend,
    L: Listener,
{
    let mut stopped = service.stop_signal().watch();
    let mut stop = std::pin::pin!(std::future::poll_fn(|cx| stopped.poll(cx)));
    let mut pause = PAUSE_MIN;
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                pause = PAUSE_MIN;
                let listener = Some(listener.endpoint());
                service.spawn_stream(stream, Ends { peer, listener });
            }
            Err(error) if concerns_one_connection(&error) => {
                tracing::debug!(%error, "a connection was gone before it was accepted");
            }
            Err(error) => {
                tracing::warn!(
                    endpoint = %listener.endpoint(),
                    %error,
                    pause_ms = pause.as_millis(),
                    "cannot accept; trying again after a pause (raise the limit on open files if that is the cause)"
                );
                let waiting = async {
                    tokio::select! {
                        biased;
                        () = &mut stop => {}
                        () = tokio::time::sleep(pause) => {}
                    }
                };
                service.counters().pauses.during(pause, waiting).await;
                if service.stop_signal().is_given() {
                    return;
                }
                pause = (2 * pause).min(PAUSE_MAX);
            }
        }
    }
}

/// The peer has gone while its connection was waiting: the next one may well be fine.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}
