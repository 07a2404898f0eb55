//! The whole server on tokio: sockets bound, dataset open, ready to serve.

use std::future::Future;
use std::hash::BuildHasher;
use std::pin::Pin;
use std::sync::Arc;

use refcached_store::redb::Durability;
use refcached_store::{MemoryOptions, RedbOptions};
use tokio::sync::watch;

use crate::administration::{Administration, SwitchError};
use crate::backend::Backend;
use crate::backend::memory::Memory;
use crate::backend::redb::Redb;
use crate::bind::{self, BindError, SocketFile};
use crate::blocking::Threads;
use crate::clock::SystemClock;
use crate::config::{self, Config, Listen};
use crate::files::DiskFiles;
use crate::listener::{Endpoint, Listener, Tcp, Unix};
use crate::service::Service;

/// Keys come from clients: a seed that they cannot know keeps them from choosing keys that collide.
type Hasher = foldhash::fast::RandomState;

/// The backends by name: what a [`Config::backend`] may be, and how a service over it is made.
const TABLE: [(&str, Start); 2] = [("memory", memory), ("redb", redb)];

/// The names of the backends.
pub const BACKENDS: [&str; TABLE.len()] = {
    let mut names = [""; TABLE.len()];
    let mut index = 0;
    while index < TABLE.len() {
        names[index] = TABLE[index].0;
        index += 1;
    }
    names
};

type Start = fn(&Config, Vec<Endpoint>) -> Result<Arc<dyn Serve>, StartError>;

fn memory(config: &Config, endpoints: Vec<Endpoint>) -> Result<Arc<dyn Serve>, StartError> {
    let options = MemoryOptions {
        limit_bytes: config.memory_bytes,
        ..MemoryOptions::default()
    };
    let backend = Memory::new(options, Hasher::default(), Threads);
    let clock = SystemClock::new();
    match data_files(config)? {
        Some(files) => Ok(Service::new(config, backend.with_files(files), clock, endpoints)?),
        None => Ok(Service::new(config, backend, clock, endpoints)?),
    }
}

fn redb(config: &Config, endpoints: Vec<Endpoint>) -> Result<Arc<dyn Serve>, StartError> {
    let (Some(files), Some(_)) = (data_files(config)?, &config.data) else {
        return Err(StartError::NoData);
    };
    let options = RedbOptions {
        cache_bytes: config.cache_bytes,
        durability: match config.durability {
            config::Durability::Immediate => Durability::Immediate,
            config::Durability::None => Durability::None,
        },
        // Keys come from clients here, too.
        hash_seed: Hasher::default().hash_one(0),
        ..RedbOptions::DEFAULT
    };
    let backend = Redb::new(files, options, config.threads, Threads);
    Ok(Service::new(config, backend, SystemClock::new(), endpoints)?)
}

fn data_files(config: &Config) -> Result<Option<DiskFiles>, SwitchError> {
    let Some(directory) = &config.data_dir else {
        return Ok(None);
    };
    let opened = DiskFiles::open(directory);
    opened.map(Some).map_err(|error| SwitchError::Io {
        name: directory.display().to_string(),
        cause: error.to_string(),
    })
}

/// A server that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot listen.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// It cannot serve its dataset.
    #[error("cannot serve the dataset: {0}")]
    Dataset(SwitchError),
    /// The backend's datasets are files, and none was named.
    #[error("no dataset to serve; name a file with --data, and the directory it is in with --data-dir")]
    NoData,
    /// There is no such backend.
    #[error("there is no backend {name:?}; choose one of {}", BACKENDS.join(", "))]
    NoSuchBackend {
        /// What was asked for.
        name: String,
    },
}

/// The text has the cause in it already: it is no source besides, which would be told a second time.
impl From<SwitchError> for StartError {
    fn from(error: SwitchError) -> StartError {
        StartError::Dataset(error)
    }
}

/// A service of some backend.
trait Serve: Send + Sync {
    fn verbosity(&self) -> watch::Receiver<u32>;
    fn administration(self: Arc<Self>) -> Arc<dyn Administration>;
    fn serve(self: Arc<Self>, sockets: Sockets, shutdown: Pin<Box<dyn Future<Output = ()> + Send>>) -> Serving;
}

type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<B: Backend> Serve for Service<B> {
    fn verbosity(&self) -> watch::Receiver<u32> {
        Service::verbosity(self)
    }

    fn administration(self: Arc<Self>) -> Arc<dyn Administration> {
        self
    }

    fn serve(self: Arc<Self>, sockets: Sockets, shutdown: Pin<Box<dyn Future<Output = ()> + Send>>) -> Serving {
        Box::pin(async move {
            match sockets {
                Sockets::Tcp(listeners) => Service::serve(&self, listeners, shutdown).await,
                Sockets::Unix(listener, _file) => Service::serve(&self, vec![listener], shutdown).await,
            }
        })
    }
}

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
    service: Arc<dyn Serve>,
    sockets: Sockets,
}

enum Sockets {
    Tcp(Vec<Tcp>),
    Unix(Unix, SocketFile),
}

impl Server {
    /// Binds all sockets and opens the dataset. Needs a tokio runtime with its I/O and its time enabled.
    ///
    /// # Errors
    /// When one of the addresses cannot be listened on, and then none is; when the dataset cannot be served.
    pub async fn bind(config: Config) -> Result<Server, StartError> {
        let Some((_, start)) = TABLE.iter().find(|(name, _)| *name == config.backend) else {
            return Err(StartError::NoSuchBackend { name: config.backend });
        };
        let sockets = match &config.listen {
            Listen::Tcp(addresses) => Sockets::Tcp(bind::tcp(addresses, config.backlog).await?),
            Listen::Unix { path, mode } => {
                let (unix, file) = bind::unix(path, *mode, config.backlog)?;
                Sockets::Unix(unix, file)
            }
        };
        let service = start(&config, sockets.endpoints())?;
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

    /// What whoever runs the server can ask of it.
    pub fn administration(&self) -> Arc<dyn Administration> {
        Arc::clone(&self.service).administration()
    }

    /// Serves until `shutdown` ends or a client sends an enabled `shutdown` command, then stops in good order: see
    /// [`Service::serve`]. The file of a Unix socket is gone when this returns.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) {
        self.service.serve(self.sockets, Box::pin(shutdown)).await;
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
