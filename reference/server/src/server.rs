//! The whole server on tokio: sockets bound, memory store made, ready to serve.

use std::future::Future;
use std::sync::Arc;

use refcached_store::{MemoryOptions, MemoryStore};
use tokio::sync::watch;

use crate::bind::{self, BindError, SocketFile};
use crate::clock::SystemClock;
use crate::config::{Config, Listen};
use crate::listener::{Endpoint, Listener, Tcp, Unix};
use crate::service::Service;

/// Keys come from clients: a seed that they cannot know keeps them from choosing keys that collide.
type Hasher = foldhash::fast::RandomState;

/// A server with its sockets. They are bound and clients can connect from [`Server::bind`] on; they are answered while
/// [`Server::serve`] runs.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use refcached::{Config, Listen, ListenAddress, Server};
///
/// let listen = Listen::Tcp(vec![ListenAddress::parse("127.0.0.1:0", 0)?]);
/// let server = Server::bind(Config { listen, ..Config::default() }).await?;
/// let address = server.local_addrs()[0].clone();
/// let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
/// let serving = tokio::spawn(server.serve(async { drop(stopped.await) }));
/// println!("talk to {address}");
/// drop(stop);
/// serving.await?;
/// # Ok(()) }
/// ```
pub struct Server {
    service: Arc<Service<MemoryStore<Hasher>>>,
    sockets: Sockets,
}

enum Sockets {
    Tcp(Vec<Tcp>),
    Unix(Unix, SocketFile),
}

impl Server {
    /// Makes an empty memory store and binds all sockets. Needs a tokio runtime with its I/O and its time enabled.
    ///
    /// # Errors
    /// When one of the addresses cannot be listened on; then none is.
    pub async fn bind(config: Config) -> Result<Server, BindError> {
        let sockets = match &config.listen {
            Listen::Tcp(addresses) => Sockets::Tcp(bind::tcp(addresses, config.backlog).await?),
            Listen::Unix { path, mode } => {
                let (unix, file) = bind::unix(path, *mode, config.backlog)?;
                Sockets::Unix(unix, file)
            }
        };
        let store = MemoryStore::new(
            MemoryOptions {
                limit_bytes: config.memory_bytes,
                ..MemoryOptions::default()
            },
            Hasher::default(),
        );
        let service = Service::new(&config, store, SystemClock::new(), sockets.endpoints());
        Ok(Server { service, sockets })
    }

    /// Where the server listens, with the ports that the kernel chose. Never empty.
    pub fn local_addrs(&self) -> Vec<Endpoint> {
        self.sockets.endpoints()
    }

    /// The level that a client last set with the `verbosity` command.
    pub fn verbosity(&self) -> watch::Receiver<u32> {
        self.service.verbosity()
    }

    /// Serves until `shutdown` ends or a client sends an enabled `shutdown` command, then stops in good order: see
    /// [`Service::serve`]. The file of a Unix socket is gone when this returns.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        match self.sockets {
            Sockets::Tcp(listeners) => self.service.serve(listeners, shutdown).await,
            Sockets::Unix(listener, _file) => self.service.serve(vec![listener], shutdown).await,
        }
    }
}

impl Sockets {
    fn endpoints(&self) -> Vec<Endpoint> {
        match self {
            Sockets::Tcp(listeners) => listeners.iter().map(Listener::endpoint).collect(),
            Sockets::Unix(listener, _) => vec![listener.endpoint()],
        }
    }
}
