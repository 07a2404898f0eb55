//! A refcached with a fault planted, served on a listener. All that touches the reference server's start is here.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use refcached::{Clock, Config, Endpoint, Listener, Service, SwitchError, SystemClock};
use refcached_protocol::Limits;
use refcached_store::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::fault::{Conn, Fault, Planted};
use crate::store::Faulty;
use crate::wire::Wire;

/// A mutant that serves.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

/// Why a mutant does not serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It cannot listen.
    #[error("cannot listen on {address}: {cause}; choose another port with -p")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// The service does not start.
    #[error("the reference server does not start: {0}")]
    Service(#[from] SwitchError),
}

/// Starts refcached with `fault` planted, or without a fault, at `address`; port 0 lets the kernel choose one.
///
/// # Errors
/// When it cannot listen, or the service does not start.
pub async fn start(fault: Option<&Fault>, address: SocketAddr) -> Result<Running, StartError> {
    let planted = fault.map(|fault| fault.planted);
    let listen = |cause| StartError::Listen { address, cause };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    let mut config = Config::default();
    if let Some(Planted::Config(edit)) = planted {
        edit(&mut config);
    }
    let backend = Faulty {
        planted,
        memory_bytes: config.memory_bytes,
    };
    let service = Service::new(
        &config,
        backend,
        FaultyClock::new(planted),
        vec![Endpoint::Tcp(address)],
    )?;
    let listener = FaultyListener {
        listener,
        address,
        planted,
        limits: Limits {
            item_bytes_max: config.item_bytes_max,
            ..Limits::default()
        },
        accepted: AtomicU64::new(0),
        shared: Arc::default(),
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(async move {
        service
            .serve(vec![listener], async {
                // Stopped by a word, or by the end of whoever would say it.
                let _ = stopped.await;
            })
            .await;
    });
    Ok(Running { address, stop, serving })
}

impl Running {
    /// Stops it, and returns when nothing of it is left.
    pub async fn stop(self) {
        // A server that has ended already needs no word; how its task ended is of no interest to a fault.
        let _ = self.stop.send(());
        let _ = self.serving.await;
    }
}

struct FaultyListener {
    listener: TcpListener,
    address: SocketAddr,
    planted: Option<Planted>,
    limits: Limits,
    accepted: AtomicU64,
    shared: Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>,
}

impl Listener for FaultyListener {
    type Stream = Wire<TcpStream>;

    async fn accept(&self) -> io::Result<(Self::Stream, Endpoint)> {
        let (stream, peer) = self.listener.accept().await?;
        stream.set_nodelay(true)?;
        let conn = Conn {
            number: self.accepted.fetch_add(1, Ordering::Relaxed),
            shared: Arc::clone(&self.shared),
            ..Conn::default()
        };
        Ok((Wire::new(stream, self.planted, self.limits, conn), Endpoint::Tcp(peer)))
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Tcp(self.address)
    }
}

struct FaultyClock {
    clock: SystemClock,
    started: Timestamp,
    planted: Option<Planted>,
}

impl FaultyClock {
    fn new(planted: Option<Planted>) -> Self {
        let clock = SystemClock::new();
        FaultyClock {
            started: clock.now(),
            clock,
            planted,
        }
    }
}

impl Clock for FaultyClock {
    fn now(&self) -> Timestamp {
        match self.planted {
            Some(Planted::Clock(edit)) => edit(self.clock.now(), self.started),
            _ => self.clock.now(),
        }
    }
}
