//! What all connections share: the datasets, the clock, the counters, the limits, and the end.

use std::fmt::Write as _;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use refcached_protocol::Limits;
use refcached_store::{Environment, Kinds, Options, Timestamp, Watchers};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::accept;
use crate::administration::SwitchError;
use crate::backend::{Backend, Dataset};
use crate::batch::{OUTPUT_BYTES_MAX, Offers};
use crate::clock::Clock;
use crate::config::Config;
use crate::connection::Connection;
use crate::connections::{Admission, Connections, Ends};
use crate::counters::Counters;
use crate::detained::Room;
use crate::link::{Ended, Link};
use crate::listener::{Endpoint, Listener};
use crate::process::Process;
use crate::signal::Signal;
use crate::swap::{Datasets, Surroundings};
use crate::swap_figures::SwapFigures;

/// What `version` and `stats` say.
///
/// The release whose dialect is spoken, and nothing behind it. Clients decide by this text what they may send, and while
/// libmemcached takes the three numbers and ignores the rest, a parser of dotted numbers may well refuse a suffix. Who must
/// know that this is not memcached finds `STAT server refcached/<version>` in `stats`.
pub const DIALECT: &str = "1.6.45";

/// Sent to a connection above the limit before it is closed. Memcached 1.6.45's own words.
const TOO_MANY_CONNECTIONS: &[u8] = b"ERROR Too many open connections\r\n";

/// How often a dataset is told to drop some of what has expired.
const TEND_PERIOD: Duration = Duration::from_secs(1);

/// How long that may take.
const REJECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A memcached service over the datasets of some backend, on any network: it is given listeners, or single streams, and
/// serves them.
pub struct Service<B: Backend> {
    datasets: Arc<Datasets<B>>,
    clock: Arc<dyn Clock>,
    started: Timestamp,
    counters: Arc<Counters>,
    connections: Arc<Connections>,
    limits: Limits,
    offers: Offers,
    watchers: Arc<Watchers>,
    room: Room,
    idle_timeout: Option<Duration>,
    stop_grace: Duration,
    verbosity: watch::Sender<u32>,
    stop: Signal,
    hang_up: Signal,
    tasks: TaskTracker,
}

impl<B: Backend> Service<B> {
    /// A service over the dataset [`Config::data`] of `backend`, which is opened before this returns: it blocks. `endpoints` is
    /// where it will listen, for `stats settings`; of `config.listen` nothing is used.
    ///
    /// # Errors
    /// When the dataset cannot be served.
    pub fn new(
        config: &Config,
        backend: B,
        clock: impl Clock,
        endpoints: Vec<Endpoint>,
    ) -> Result<Arc<Self>, SwitchError> {
        let counters = Arc::new(Counters::default());
        // Listeners have the numbers before those of connections.
        let first_number = endpoints.len() as u64 + 1;
        let connections = Connections::new(config.connections_max, first_number);
        let limits = limits(config);
        let options = Options {
            version: DIALECT.to_owned(),
            limits,
            watch_enabled: config.watch_command,
            reply_bytes_max: OUTPUT_BYTES_MAX,
            ..Options::default()
        };
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let started = clock.now();
        let verbosity = watch::Sender::new(0);
        let figures = Arc::new(SwapFigures::default());
        let process = Process {
            config: config.clone(),
            endpoints,
            started,
            counters: Arc::clone(&counters),
            connections: Arc::clone(&connections),
            swaps: Arc::clone(&figures),
            verbosity: verbosity.clone(),
        };
        let stop = Signal::default();
        let tasks = TaskTracker::new();
        let environment = Arc::new(Environment::new(options, Box::new(process), started));
        let watchers = Arc::clone(environment.watchers());
        let around = Surroundings {
            environment,
            clock: Arc::clone(&clock),
            figures,
            stop: stop.clone(),
            tasks: tasks.clone(),
        };
        Ok(Arc::new(Service {
            datasets: Datasets::open(config, backend, around)?,
            clock,
            started,
            counters,
            connections,
            limits,
            offers: Offers {
                shutdown: config.shutdown_command,
                watch: config.watch_command,
                extensions: config.extensions,
            },
            watchers,
            room: Room::default(),
            idle_timeout: config.idle_timeout,
            stop_grace: config.stop_grace,
            verbosity,
            stop,
            hang_up: Signal::default(),
            tasks,
        }))
    }

    /// Accepts from all `listeners` until `shutdown` ends or a client sends an enabled `shutdown` command; then closes
    /// them, lets every connection finish the command in hand, and hangs up on those that have not within
    /// [`Config::stop_grace`]. When this returns, no task of the service is left, and its dataset is closed. To be called once.
    pub async fn serve<L: Listener>(self: &Arc<Self>, listeners: Vec<L>, shutdown: impl Future<Output = ()>) {
        let accepting = TaskTracker::new();
        for listener in listeners {
            tracing::info!(endpoint = %listener.endpoint(), "listening");
            accepting.spawn(accept::run(Arc::clone(self), listener));
        }
        accepting.close();
        let tending = self
            .tasks
            .spawn(tend(Arc::clone(&self.datasets), Arc::clone(&self.clock)));
        {
            let shutdown = pin!(shutdown);
            tokio::select! {
                () = shutdown => {}
                () = self.stop.given() => {}
            }
        }
        self.stop();
        accepting.wait().await;
        tending.abort();
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
        self.tell_watchers(number, &peer, None);
        let connection = Connection::new(Arc::clone(self), stream, admission);
        let ended = connection.run().await;
        self.tell_watchers(number, &peer, Some(&ended));
        tracing::debug!(number, %peer, reason = %ended, "connection closed");
    }

    /// Tells those who watch connections that one has come, or has `ended`. `cfd` is its number here, and not that of a
    /// descriptor: not every network has those.
    fn tell_watchers(&self, number: u64, peer: &Endpoint, ended: Option<&Ended>) {
        self.watchers.tell(Kinds::CONNECTIONS, self.now(), |line| {
            let (ip, port, transport) = match peer {
                Endpoint::Tcp(address) => (address.ip().to_string(), address.port(), "tcp"),
                Endpoint::Unix(_) => ("unix".to_owned(), 0, "unix"),
            };
            // Writing to a string cannot fail.
            let _ = match ended {
                None => write!(
                    line,
                    "type=conn_new rip={ip} rport={port} transport={transport} cfd={number}"
                ),
                Some(ended) => write!(
                    line,
                    "type=conn_close rip={ip} rport={port} transport={transport} reason={} cfd={number}",
                    ended.word()
                ),
            };
        });
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
        self.datasets.close_current().await;
        tracing::info!("stopped");
    }
}

impl<B: Backend> Service<B> {
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

    pub(crate) fn offers(&self) -> Offers {
        self.offers
    }

    pub(crate) fn watchers(&self) -> &Arc<Watchers> {
        &self.watchers
    }

    pub(crate) fn room(&self) -> &Room {
        &self.room
    }

    pub(crate) fn datasets(&self) -> &Arc<Datasets<B>> {
        &self.datasets
    }

    pub(crate) fn connections(&self) -> &Connections {
        &self.connections
    }

    pub(crate) fn started(&self) -> Timestamp {
        self.started
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

/// Has the dataset that is served drop what has expired, a little at a time.
async fn tend<B: Backend>(datasets: Arc<Datasets<B>>, clock: Arc<dyn Clock>) {
    loop {
        tokio::time::sleep(TEND_PERIOD).await;
        let mut reader = datasets.reader();
        if let Some(dataset) = &reader.dataset().dataset {
            dataset.tend(clock.now()).await;
        }
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
