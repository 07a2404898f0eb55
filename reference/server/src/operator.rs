//! The control API of the program: its sockets, and its beginning and its end beside the server's.

use std::sync::Arc;

use refcached::control::{self, Limits, Sockets, Token};
use refcached::{Administration, Endpoint};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::flags::ControlSettings;

/// A control API whose sockets are bound. Before the dataset is opened: a port that is taken is known at once, not after the
/// minutes that a large dataset takes.
pub(crate) struct Operator {
    sockets: Sockets,
    token: Option<Token>,
}

/// A control API that answers.
pub(crate) struct Operating {
    serving: JoinHandle<()>,
    stop: CancellationToken,
}

impl Operator {
    /// Binds what is wanted, if anything is.
    pub(crate) async fn bind(settings: Option<ControlSettings>) -> anyhow::Result<Option<Operator>> {
        let Some(ControlSettings { address, token }) = settings else {
            return Ok(None);
        };
        let sockets = Sockets::bind(&address).await?;
        Ok(Some(Operator { sockets, token }))
    }

    /// Begins to answer.
    pub(crate) fn start(self, administration: Arc<dyn Administration>) -> Operating {
        for endpoint in self.sockets.local_addrs() {
            let Endpoint::Tcp(address) = endpoint else { continue };
            tracing::info!(url = %format_args!("http://{address}/"), "the control API is there");
            if self.token.is_none() && !address.ip().is_loopback() {
                tracing::warn!(
                    "whoever reaches the control API on {address} can switch the dataset; ask for a token with \
                     --control-token-file, or choose an address of this machine alone"
                );
            }
        }
        let limits = Limits::default();
        let stop = CancellationToken::new();
        let routes = control::router(administration, self.token, limits);
        let serving = tokio::spawn(self.sockets.serve(routes, limits, stop.clone()));
        Operating { serving, stop }
    }
}

impl Operating {
    /// Stops it: to be called when the server has stopped, so that probes see it stopping until then.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the control API ended badly");
        }
    }
}
