//! The control API on tokio's sockets.

use axum::Router;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Limits, serve};
use crate::bind::{self, BindError};
use crate::config::ListenAddress;
use crate::listener::{Endpoint, Listener, Tcp};

/// Connections that the kernel keeps waiting for each listener.
const BACKLOG: u32 = 128;

/// The sockets of a control API: bound, and served from [`Sockets::serve`] on.
#[derive(Debug)]
pub struct Sockets {
    listeners: Vec<Tcp>,
}

/// Why the control API cannot listen.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot serve the control API on {address}: {reason}; choose another address with --control, or none with --control off"
)]
pub struct ListenError {
    address: String,
    reason: String,
}

impl Sockets {
    /// Binds `address`, all addresses of it if it is a name. Needs a tokio runtime with its I/O enabled.
    ///
    /// # Errors
    /// When one of them cannot be listened on.
    pub async fn bind(address: &ListenAddress) -> Result<Sockets, ListenError> {
        let listeners = bind::tcp(std::slice::from_ref(address), BACKLOG)
            .await
            .map_err(|error| ListenError::new(address, error))?;
        Ok(Sockets { listeners })
    }

    /// Where it listens, with the ports that the kernel chose. Never empty.
    pub fn local_addrs(&self) -> Vec<Endpoint> {
        self.listeners.iter().map(Listener::endpoint).collect()
    }

    /// Serves until `stop` is given: see [`serve()`]. The limits are those of each listener.
    pub async fn serve(self, routes: Router, limits: Limits, stop: CancellationToken) {
        let mut serving = JoinSet::new();
        for listener in self.listeners {
            serving.spawn(serve(listener, routes.clone(), limits, stop.clone()));
        }
        while serving.join_next().await.is_some() {}
    }
}

impl ListenError {
    fn new(address: &ListenAddress, error: BindError) -> ListenError {
        let reason = match error {
            BindError::PortInUse { .. } => "the port is in use".to_owned(),
            BindError::NotLocal { .. } => "no such address on this machine".to_owned(),
            BindError::PortDenied { .. } => "permission denied".to_owned(),
            BindError::Resolve { source, .. } => format!("the name does not resolve ({source})"),
            BindError::Tcp { source, .. } => source.to_string(),
            other => other.to_string(),
        };
        ListenError {
            address: address.to_string(),
            reason,
        }
    }
}
