//! What whoever runs the server asks of it: switch the dataset, tell how it is.
//!
//! The seam between the control API, which speaks HTTP, and the service, which has the datasets. The API is tested over an
//! implementation of these types that is made up, the service without HTTP.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// A switch that has been asked for. It may take as long as a dataset takes to load and an old one to drain.
pub type Switching = Pin<Box<dyn Future<Output = Result<Switched, SwitchError>> + Send>>;

/// What a server can be asked by whoever runs it.
pub trait Administration: Send + Sync + 'static {
    /// Replaces the dataset by the one in `filename`, a path relative to the data directory.
    ///
    /// Switches are served one after another, in the order in which they were asked for. The future resolves after the old
    /// dataset has been closed, or its drain deadline has passed. From then on every command that a client sends is answered
    /// by the generation that it names, or by a later one. The future is polled to its end: a client that no longer waits for
    /// its answer does not cancel a switch.
    ///
    /// # Errors
    /// When the dataset was not replaced: the one that was served before is served still.
    fn switch(self: Arc<Self>, filename: String) -> Switching;

    /// How the server is at this moment. Takes no lock that is held over work on a disk.
    fn status(&self) -> Status;

    /// The figures behind it, in the order in which they are to be shown. Figures of one name, apart by their labels, follow
    /// each other.
    fn statistics(&self) -> Vec<Statistic>;
}

/// A dataset that has replaced another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switched {
    /// Its file, relative to the data directory.
    pub filename: String,
    /// Its number: one more than that of the dataset before.
    pub generation: u64,
    /// How many records it had when it was published.
    pub keys: u64,
    /// From the beginning of this switch, after those before it, until the dataset was open and checked.
    pub load: Duration,
    /// How long it took to put it in the place of the old one.
    pub publish: Duration,
    /// From then until the old one was closed, or until the deadline.
    pub drain: Duration,
    /// Whether the old dataset has been closed. If not, commands that had begun before the switch still read it; it is closed
    /// when the last of them ends.
    pub drained: bool,
}

/// Why a dataset was not replaced. Every text is one line and says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// What was given is not the name of a file.
    #[error("{name:?} names no file: {reason}; name a file in the data directory")]
    BadName {
        /// What was given.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The name leads out of the data directory: by an absolute path, by `..`, or by a link.
    #[error("{name:?} is outside the data directory; put the dataset into it")]
    Outside {
        /// What was given.
        name: String,
    },
    /// There is no such file.
    #[error(
        "there is no file {name:?} in the data directory; see how it is written, and whether it has been copied there"
    )]
    NotFound {
        /// What was given.
        name: String,
    },
    /// It is the file that is being served.
    #[error("{name:?} is being served already; name another file")]
    Same {
        /// What was given.
        name: String,
    },
    /// Another process has it open.
    #[error("{name:?} is open in another process; stop that one, or switch to a copy")]
    Locked {
        /// What was given.
        name: String,
    },
    /// The server may not read it, or not write where it has to.
    #[error("{name:?} cannot be opened: {cause}; see the permissions of the file and its directory")]
    Forbidden {
        /// What was given.
        name: String,
        /// What the system says.
        cause: String,
    },
    /// It is a file of another kind.
    #[error("{name:?} is not a dataset: {cause}; make one with `refcached load`")]
    NotADatabase {
        /// What was given.
        name: String,
        /// What is there in place of a dataset.
        cause: String,
    },
    /// It did not pass the check that comes before publishing.
    #[error("{name:?} is damaged: {cause}; make it again with `refcached load`, or copy it again")]
    Damaged {
        /// What was given.
        name: String,
        /// What the check found.
        cause: String,
    },
    /// It holds more than the server has memory for.
    #[error("{name:?} does not fit: {cause}; start the server with a higher -m")]
    DoesNotFit {
        /// What was given.
        name: String,
        /// How much there is, and how much may be.
        cause: String,
    },
    /// The server was started without a place to take datasets from.
    #[error("there is no data directory to take a dataset from; start the server with --data-dir")]
    NoDataDirectory,
    /// So many switches are waiting for their turn that this one was not taken.
    #[error("{waiting} switches are waiting for their turn; try again when they have been served")]
    Busy {
        /// How many.
        waiting: usize,
    },
    /// The server is stopping.
    #[error("the server is stopping; ask the one that follows it")]
    Stopping,
    /// Reading the dataset failed for a reason that lies neither with it nor with its name.
    #[error("{name:?} cannot be loaded: {cause}; see the disk, and the server's log")]
    Io {
        /// What was given.
        name: String,
        /// What failed.
        cause: String,
    },
}

impl SwitchError {
    /// Whether another name would help, and nothing else.
    pub(crate) fn is_by_client(&self) -> bool {
        matches!(
            self,
            SwitchError::BadName { .. }
                | SwitchError::Outside { .. }
                | SwitchError::NotFound { .. }
                | SwitchError::Same { .. }
        )
    }
}

/// How a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The name of the backend, as `--backend` takes it.
    pub backend: String,
    /// When open connections move to a new dataset, as `--swap-policy` takes it.
    pub policy: String,
    /// The file that is served, relative to the data directory; none for a memory that started empty.
    pub filename: Option<String>,
    /// The number of the dataset that is served.
    pub generation: u64,
    /// How many records it has; expired ones count until they are reclaimed.
    pub keys: u64,
    /// Clients' connections that are open.
    pub connections: u64,
    /// Since the server started.
    pub uptime: Duration,
    /// Whether changes are refused.
    pub read_only: bool,
    /// Switches under way or waiting for their turn.
    pub switching: u64,
    /// Datasets that were replaced and are not closed yet.
    pub draining: u64,
    /// Whether the server is stopping.
    pub stopping: bool,
}

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistic {
    /// What is counted or measured: lower case, digits and underscores, beginning with a letter, its unit last
    /// (`_bytes`, `_seconds`). Without the program's name before it and without `_total` behind it; who shows it adds these.
    pub name: &'static str,
    /// One sentence about it.
    pub help: &'static str,
    /// How it moves.
    pub kind: StatisticKind,
    /// What tells it from others of its name: names as in `name`, any values.
    pub labels: Vec<(&'static str, String)>,
    /// The figure.
    pub value: StatisticValue,
}

/// How a figure moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatisticKind {
    /// Upwards, from zero; `stats reset` or a new start may take it back to zero.
    Counter,
    /// Up and down.
    Gauge,
}

/// The value of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StatisticValue {
    /// A number of things.
    Count(u64),
    /// Anything measured.
    Measure(f64),
}

impl Statistic {
    /// A counter without labels.
    pub fn counter(name: &'static str, help: &'static str, count: u64) -> Statistic {
        Statistic::new(name, help, StatisticKind::Counter, StatisticValue::Count(count))
    }

    /// A gauge of a number of things, without labels.
    pub fn gauge(name: &'static str, help: &'static str, count: u64) -> Statistic {
        Statistic::new(name, help, StatisticKind::Gauge, StatisticValue::Count(count))
    }

    /// A gauge of something measured, without labels.
    pub fn measure(name: &'static str, help: &'static str, measure: f64) -> Statistic {
        Statistic::new(name, help, StatisticKind::Gauge, StatisticValue::Measure(measure))
    }

    /// The same figure with one more label.
    #[must_use]
    pub fn with_label(mut self, name: &'static str, value: impl Into<String>) -> Statistic {
        self.labels.push((name, value.into()));
        self
    }

    fn new(name: &'static str, help: &'static str, kind: StatisticKind, value: StatisticValue) -> Statistic {
        Statistic {
            name,
            help,
            kind,
            labels: Vec::new(),
            value,
        }
    }
}
