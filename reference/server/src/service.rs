//! What all connections share: the engine, the clock, the counters, the limits, and the end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use refcached_protocol::Limits;
use refcached_store::{Engine, Environment, Options, Store, Timestamp};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::accept;
use crate::clock::Clock;
use crate::config::Config;
use crate::connection::{Connection, OUTPUT_BYTES_MAX};
use crate::connections::{Admission, Connections, Ends};
use crate::counters::Counters;
use crate::link::Link;
use crate::listener::{Endpoint, Listener};
use crate::process::Process;
use crate::signal::Signal;

/// What `version` and `stats` say.
///
/// The release whose dialect is spoken, and nothing behind it. Clients decide by this text what they may send, and while
/// libmemcached takes the three numbers and ignores the rest, a parser of dotted numbers may well refuse a suffix. Who must
/// know that this is not memcached finds `STAT server refcached/<version>` in `stats`.
pub const DIALECT: &str = "1.6.45";

/// Sent to a connection above the limit before it is closed. Memcached 1.6.45's own words.
const TOO_MANY_CONNECTIONS: &[u8] = b"ERROR Too many open connections\r\n";

/// How long that may take.
const REJECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A memcached service over some store, on any network: it is given listeners, or single streams, and serves them.
pub struct Service<S> {
    engine: Engine<S>,
    clock: Box<dyn Clock>,
    counters: Arc<Counters>,
    connections: Arc<Connections>,
    limits: Limits,
    idle_timeout: Option<Duration>,
    stop_grace: Duration,
    shutdown_command: bool,
    verbosity: watch::Sender<u32>,
    stop: Signal,
    hang_up: Signal,
    tasks: TaskTracker,
}

impl<S: Store + Send + Sync + 'static> Service<S> {
    /// A service over `store`. `endpoints` is where it will listen, for `stats settings`; of `config.listen` nothing is used.
    pub fn new(config: &Config, store: S, clock: impl Clock, endpoints: Vec<Endpoint>) -> Arc<Self> {
        let counters = Arc::new(Counters::default());
        // Listeners have the numbers before those of connections.
        let first_number = endpoints.len() as u64 + 1;
        let connections = Connections::new(config.connections_max, first_number);
        let limits = limits(config);
        let options = Options {
            version: DIALECT.to_owned(),
            limits,
            reply_bytes_max: OUTPUT_BYTES_MAX,
            ..Options::default()
        };
        let started = clock.now();
        let verbosity = watch::Sender::new(0);
        let process = Process {
            config: config.clone(),
            endpoints,
            started,
            counters: Arc::clone(&counters),
            connections: Arc::clone(&connections),
            verbosity: verbosity.clone(),
        };
        let environment = Environment::new(options, Box::new(process), started);
        Arc::new(Service {
            engine: Engine::new(store, Arc::new(environment)),
            clock: Box::new(clock),
            counters,
            connections,
            limits,
            idle_timeout: config.idle_timeout,
            stop_grace: config.stop_grace,
            shutdown_command: config.shutdown_command,
            verbosity,
            stop: Signal::default(),
            hang_up: Signal::default(),
            tasks: TaskTracker::new(),
        })
    }

    /// Accepts from all `listeners` until `shutdown` ends or a client sends an enabled `shutdown` command; then closes
    /// them, lets every connection finish the command in hand, and hangs up on those that have not within
    /// [`Config::stop_grace`]. When this returns, no task of the service is left. To be called once.
    pub async fn serve<L: Listener>(self: &Arc<Self>, listeners: Vec<L>, shutdown: impl Future<Output = ()>) {
        let accepting = TaskTracker::new();
        for listener in listeners {
            tracing::info!(endpoint = %listener.endpoint(), "listening");
            accepting.spawn(accept::run(Arc::clone(self), listener));
        }
        accepting.close();
        {
            let shutdown = pin!(shutdown);
            tokio::select! {
                () = shutdown => {}
                () = self.stop.given() => {}
            }
        }
        self.stop();
        accepting.wait().await;
        self.drain().await;
    }

    /// Serves one connection until it ends, without a listener. It counts against the limit; above that it is told so and
    /// closed.
    pub async fn serve_stream<T>(self: &Arc<Self>, stream: T, peer: Endpoint)
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let ends = Ends { peer, listener: None };
        let admission = self.connections.admit(ends.clone(), self.now());
        self.serve_admitted(stream, ends, admission).await;
    }

    /// Serves one connection in a task of its own, which the end of the service waits for. Whether it has a place under the
    /// limit is decided before this returns: first come, first served.
    pub(crate) fn spawn_stream<T>(self: &Arc<Self>, stream: T, ends: Ends)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let admission = self.connections.admit(ends.clone(), self.now());
        let service = Arc::clone(self);
        self.tasks
            .spawn(async move { service.serve_admitted(stream, ends, admission).await });
    }

    async fn serve_admitted<T>(self: &Arc<Self>, stream: T, Ends { peer, .. }: Ends, admission: Option<Admission>)
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(admission) = admission else {
            return reject(stream, &peer).await;
        };
        let number = admission.number;
        tracing::debug!(number, %peer, "connection opened");
        let connection = Connection::new(Arc::clone(self), stream, admission);
        let ended = connection.run().await;
        tracing::debug!(number, %peer, reason = %ended, "connection closed");
    }

    async fn drain(&self) {
        self.tasks.close();
        let open = self.tasks.len();
        tracing::info!(open, "stopping");
        let all_done = self.tasks.wait();
        if tokio::time::timeout(self.stop_grace, all_done).await.is_err() {
            let open = self.tasks.len();
            tracing::warn!(open, "hanging up on connections that did not finish in time");
            self.hang_up.give();
            self.tasks.wait().await;
        }
        tracing::info!("stopped");
    }
}

impl<S> Service<S> {
    /// The engine that executes the commands.
    pub fn engine(&self) -> &Engine<S> {
        &self.engine
    }

    /// Begins to stop: see [`Service::serve`]. Returns at once.
    pub fn stop(&self) {
        self.stop.give();
    }

    /// The level that a client last set with the `verbosity` command: whoever owns the log may follow it.
    pub fn verbosity(&self) -> watch::Receiver<u32> {
        self.verbosity.subscribe()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn obeys_shutdown(&self) -> bool {
        self.shutdown_command
    }

    pub(crate) fn stop_signal(&self) -> &Signal {
        &self.stop
    }

    pub(crate) fn link<T: AsyncRead + AsyncWrite + Unpin>(&self, stream: T) -> Link<T> {
        Link::new(stream, self.stop.watch(), self.hang_up.watch(), self.idle_timeout)
    }
}

fn limits(config: &Config) -> Limits {
    Limits {
        item_bytes_max: config.item_bytes_max,
        ..Limits::default()
    }
}

/// Tells a client that there is no place for it.
async fn reject<T: AsyncWrite + Unpin>(mut stream: T, peer: &Endpoint) {
    tracing::debug!(%peer, "connection rejected: there are as many as the limit allows");
    let telling = async {
        stream.write_all(TOO_MANY_CONNECTIONS).await?;
        stream.shutdown().await
    };
    // The words fit into a fresh socket: a client that cannot be told at once is gone.
    match tokio::time::timeout(REJECT_TIMEOUT, telling).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%peer, %error, "it could not be told"),
        Err(_) => tracing::debug!(%peer, "it could not be told in time"),
    }
}
