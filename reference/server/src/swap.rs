//! The dataset that is served, and its replacement while connections stay open.
//!
//! Switches are served one after another by one task: load, which is done where work may block and which changes nothing if
//! it fails; publish; drain; close. The order of promises is that of [`refcached_swap`]; what is added here is the deadline.
//! At it, every connection is moved to the new dataset. One that is in the middle of a reply, because its client does not
//! read, must not finish it from another dataset, nor keep the old one open: it takes the rest of the reply into memory, and
//! is hung up on only if there is no room for that (see [`crate::detained`]).
//!
//! # Layout
//! - `queue`: switches that wait for their turn.

mod queue;

use std::future::poll_fn;
use std::mem;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use refcached_store::Environment;
use refcached_store::environment::Sink;
use refcached_store::store::StoreStatistics;
use refcached_swap::{Drain, Policy, Reader, SwapCell};
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;

use crate::administration::{SwitchError, Switched};
use crate::backend::{Backend, Dataset, FileIdentity, Found, Opening};
use crate::blocking;
use crate::clock::Clock;
use crate::config::Config;
use crate::files::FileAccess;
use crate::operations::policy_name;
use crate::signal::Signal;
use crate::swap_figures::SwapFigures;

use self::queue::Queue;

/// How long it may take, after the deadline, until the last command has let go of a dataset. None waits for its client any
/// more: what is left is work.
const LEAVE_GRACE: Duration = Duration::from_secs(1);

/// A dataset and what its connections have to know of it.
pub(crate) struct Served<D> {
    /// None once the server has stopped.
    pub(crate) dataset: Option<D>,
    /// Given at the drain deadline: no reply waits for its client any longer.
    pub(crate) leave: Signal,
}

/// The datasets of a service: the one that is served, those that drain, those that are to come.
pub(crate) struct Datasets<B: Backend> {
    backend: Arc<B>,
    cell: SwapCell<Served<B::Dataset>>,
    environment: Arc<Environment>,
    clock: Arc<dyn Clock>,
    read_only: bool,
    drain_timeout: Duration,
    current: Mutex<Current>,
    /// Files of datasets that were replaced and are not closed yet.
    leaving: Mutex<Vec<FileIdentity>>,
    queue: Mutex<Queue>,
    pub(crate) figures: Arc<SwapFigures>,
    /// Given when the server stops: no dataset is published any more.
    stop: Signal,
    tasks: TaskTracker,
}

/// What is known of the dataset that is served.
struct Current {
    filename: Option<String>,
    identity: Option<FileIdentity>,
    leave: Signal,
}

/// A dataset that was opened, and its file.
struct Opened<D> {
    dataset: D,
    identity: Option<FileIdentity>,
}

/// What the datasets share with the service around them.
pub(crate) struct Surroundings {
    pub(crate) environment: Arc<Environment>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) figures: Arc<SwapFigures>,
    pub(crate) stop: Signal,
    pub(crate) tasks: TaskTracker,
}

impl<B: Backend> Datasets<B> {
    /// Opens the first dataset. Blocks.
    pub(crate) fn open(config: &Config, backend: B, around: Surroundings) -> Result<Arc<Self>, SwitchError> {
        let opening = Opening {
            environment: Arc::clone(&around.environment),
            read_only: config.read_only,
            now: around.clock.now(),
        };
        let first = match &config.data {
            Some(name) => {
                let Found { identity, source } = backend.find(name, access(config.read_only, FileAccess::Create))?;
                Opened {
                    dataset: backend.open(name, source, &opening)?,
                    identity: Some(identity),
                }
            }
            None => Opened {
                dataset: backend.empty(&opening).ok_or(SwitchError::NoDataDirectory)?,
                identity: None,
            },
        };
        let leave = Signal::default();
        let served = Served {
            dataset: Some(first.dataset),
            leave: leave.clone(),
        };
        let cell = SwapCell::new(config.swap_policy, served);
        around.figures.generation.store(cell.generation().number(), Relaxed);
        Ok(Arc::new(Datasets {
            backend: Arc::new(backend),
            cell,
            environment: around.environment,
            clock: around.clock,
            read_only: config.read_only,
            drain_timeout: config.drain_timeout,
            current: Mutex::new(Current {
                filename: config.data.clone(),
                identity: first.identity,
                leave,
            }),
            leaving: Mutex::default(),
            queue: Mutex::default(),
            figures: around.figures,
            stop: around.stop,
            tasks: around.tasks,
        }))
    }

    /// A connection's way to the dataset.
    pub(crate) fn reader(&self) -> Reader<Served<B::Dataset>> {
        self.cell.reader()
    }

    pub(crate) fn backend(&self) -> &B {
        &self.backend
    }

    pub(crate) fn policy(&self) -> Policy {
        self.cell.policy()
    }

    pub(crate) fn read_only(&self) -> bool {
        self.read_only
    }

    /// The file that is served and its generation.
    pub(crate) fn served(&self) -> (Option<String>, u64) {
        let current = lock(&self.current);
        (current.filename.clone(), self.figures.generation.load(Relaxed))
    }

    /// What is the same for every dataset, and the file that is served now, for `dbstats`.
    pub(crate) fn describe(&self, sink: &mut Sink<'_>) {
        sink("backend", self.backend.name());
        sink("file", self.served().0.as_deref().unwrap_or(""));
        sink("swap_policy", policy_name(self.policy()));
        sink("read_only", if self.read_only { "yes" } else { "no" });
    }

    /// What the dataset holds and has counted.
    pub(crate) fn statistics(&self) -> StoreStatistics {
        let mut reader = self.cell.reader();
        let dataset = reader.dataset().dataset.as_ref();
        dataset.map(Dataset::statistics).unwrap_or_default()
    }

    /// Figures that only this kind of dataset has.
    pub(crate) fn figures_of_backend(&self, sink: &mut Sink<'_>) {
        if let Some(dataset) = &self.cell.reader().dataset().dataset {
            dataset.figures(sink);
        }
    }

    /// What the datasets share.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Replaces the dataset, and answers once the old one is closed or the deadline is over.
    async fn replace(self: Arc<Self>, filename: String) -> Result<Switched, SwitchError> {
        if self.stop.is_given() {
            return Err(SwitchError::Stopping);
        }
        tracing::info!(filename, "loading a dataset");
        let began = Instant::now();
        let Opened { dataset, identity } = self.load(&filename).await?;
        let load = began.elapsed();
        if self.stop.is_given() {
            self.close(dataset).await;
            return Err(SwitchError::Stopping);
        }
        let keys = dataset.statistics().curr_items;
        let (drain, old, publish) = self.publish(dataset, filename.clone(), identity);
        let generation = drain.successor().number();
        tracing::info!(
            filename,
            generation,
            keys,
            load_ms = load.as_millis(),
            "serving a new dataset"
        );
        let draining = Instant::now();
        let drained = self.drain(drain, old).await;
        let switched = Switched {
            filename,
            generation,
            keys,
            load,
            publish,
            drain: draining.elapsed(),
            drained,
        };
        self.figures.note(&switched);
        Ok(switched)
    }

    /// Opens and checks the file `name`.
    async fn load(&self, name: &str) -> Result<Opened<B::Dataset>, SwitchError> {
        let mut taken = lock(&self.leaving).clone();
        taken.extend(lock(&self.current).identity);
        let opening = Opening {
            environment: Arc::clone(&self.environment),
            read_only: self.read_only,
            now: self.clock.now(),
        };
        let backend = Arc::clone(&self.backend);
        let filename = name.to_owned();
        let loading = blocking::run(&*self.backend.blocking(), move || {
            let name = filename;
            let access = access(opening.read_only, FileAccess::Write);
            let Found { identity, source } = backend.find(&name, access)?;
            if taken.contains(&identity) {
                return Err(SwitchError::Same { name });
            }
            let dataset = backend.open(&name, source, &opening)?;
            Ok(Opened {
                dataset,
                identity: Some(identity),
            })
        });
        loading.await.unwrap_or_else(|error| {
            Err(SwitchError::Io {
                name: name.to_owned(),
                cause: error.to_string(),
            })
        })
    }

    /// Puts `dataset` in the place of the one that is served.
    fn publish(
        &self,
        dataset: B::Dataset,
        filename: String,
        identity: Option<FileIdentity>,
    ) -> (Drain<Served<B::Dataset>>, Current, Duration) {
        let leave = Signal::default();
        let began = Instant::now();
        let mut current = lock(&self.current);
        let drain = self.cell.publish(Served {
            dataset: Some(dataset),
            leave: leave.clone(),
        });
        let old = mem::replace(
            &mut *current,
            Current {
                filename: Some(filename),
                identity,
                leave,
            },
        );
        self.figures.generation.store(drain.successor().number(), Relaxed);
        drop(current);
        (drain, old, began.elapsed())
    }

    /// Waits until nobody reads the old dataset, and closes it; after the deadline nobody may. False if somebody did all the
    /// same: then it is closed later.
    async fn drain(self: &Arc<Self>, drain: Drain<Served<B::Dataset>>, old: Current) -> bool {
        self.figures.draining.fetch_add(1, Relaxed);
        lock(&self.leaving).extend(old.identity);
        if !drains_within(&drain, self.drain_timeout).await {
            let leases = drain.leases();
            tracing::info!(leases, "the drain deadline moves the connections that are left");
            self.figures.deadlines.fetch_add(1, Relaxed);
            drain.move_readers();
            old.leave.give();
            if !drains_within(&drain, LEAVE_GRACE).await {
                let leases = drain.leases();
                tracing::warn!(
                    leases,
                    "commands still read the old dataset; it is closed when they end"
                );
                let datasets = Arc::clone(self);
                self.tasks.spawn(async move { datasets.finish(drain, old).await });
                return false;
            }
        }
        self.finish(drain, old).await;
        true
    }

    /// Closes a dataset whose last reader has gone, or waits for that.
    async fn finish(&self, drain: Drain<Served<B::Dataset>>, old: Current) {
        poll_fn(|cx| drain.poll_drained(cx)).await;
        if let Ok(Served {
            dataset: Some(dataset), ..
        }) = drain.close()
        {
            self.close(dataset).await;
        }
        lock(&self.leaving).retain(|identity| Some(*identity) != old.identity);
        self.figures.draining.fetch_sub(1, Relaxed);
    }

    async fn close(&self, dataset: B::Dataset) {
        let closing = blocking::run(&*self.backend.blocking(), move || dataset.close());
        match closing.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(error, "a dataset was not closed in good order"),
            Err(error) => tracing::error!(%error, "a dataset was not closed in good order"),
        }
    }

    /// Closes the dataset that is served. To be called when the server has stopped and its connections have ended.
    pub(crate) async fn close_current(&self) {
        let nothing = Served {
            dataset: None,
            leave: Signal::default(),
        };
        let drain = self.cell.publish(nothing);
        drain.move_readers();
        poll_fn(|cx| drain.poll_drained(cx)).await;
        if let Ok(Served {
            dataset: Some(dataset), ..
        }) = drain.close()
        {
            self.close(dataset).await;
        }
    }
}

/// What a server opens a file for that would be opened for `access` if it took changes.
fn access(read_only: bool, access: FileAccess) -> FileAccess {
    if read_only { FileAccess::Read } else { access }
}

/// Whether the last lease goes within `time`.
async fn drains_within<D>(drain: &Drain<D>, time: Duration) -> bool {
    timeout(time, poll_fn(|cx| drain.poll_drained(cx))).await.is_ok()
}

/// Locks what no panic can leave half done: values are moved and copied under these locks, and nothing else.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
