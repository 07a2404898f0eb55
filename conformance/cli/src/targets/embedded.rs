//! The reference server within this process.

use mcspec_suite::play::Address;
use refcached::{Config, Endpoint, Listen, ListenAddress, Server};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{Running, Started};
use crate::exit::Failure;

/// A server that stops when it is told.
pub(crate) struct Embedded {
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

/// Starts refcached on a free port of the loopback interface.
pub(super) async fn start() -> Result<Started, Failure> {
    let failed = |cause: String| Failure::unreachable(format!("the built-in reference server does not start: {cause}"));
    let listen = ListenAddress::parse("127.0.0.1:0", 0).map_err(|error| failed(error.to_string()))?;
    let config = Config {
        listen: Listen::Tcp(vec![listen]),
        ..Config::default()
    };
    let server = Server::bind(config).await.map_err(|error| failed(error.to_string()))?;
    let endpoint = server.local_addrs().into_iter().next();
    let Some(Endpoint::Tcp(socket)) = endpoint else {
        return Err(failed("it listens nowhere".to_owned()));
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));
    Ok(Started {
        address: Address::Tcp(socket.to_string()),
        name: "the built-in refcached".to_owned(),
        flag: String::new(),
        running: Running::Embedded(Embedded { stop, serving }),
    })
}

impl Embedded {
    pub(super) async fn stop(self) {
        // A server that has ended already needs no word, and its end is awaited all the same.
        let _ = self.stop.send(());
        let _ = self.serving.await;
    }
}
