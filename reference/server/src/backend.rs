//! What holds the items: the seam between the service and its datasets.
//!
//! A backend opens datasets, and a dataset answers batches of commands. The service knows no more of either, so a third
//! backend is a module here and a line in the table of [`crate::server`].

pub(crate) mod memory;
mod progress;
pub(crate) mod redb;

use std::future::Future;
use std::sync::Arc;

use refcached_store::environment::Sink;
use refcached_store::store::StoreStatistics;
use refcached_store::{Environment, Timestamp};

use crate::administration::SwitchError;
use crate::batch::{Batch, Outcome};
use crate::blocking::{Blocking, Unfinished};
use crate::extensions::RangeWalk;
use crate::files::FileAccess;

/// Opens datasets. What it does with files blocks, and is called where [`Backend::blocking`] does such work.
pub trait Backend: Send + Sync + 'static {
    /// What it opens.
    type Dataset: Dataset;
    /// A file that was found and is open, but has not been read.
    type Source: Send + 'static;

    /// As `--backend` takes it.
    fn name(&self) -> &'static str;

    /// Where work is done that blocks.
    fn blocking(&self) -> Arc<dyn Blocking>;

    /// A dataset without a file; none from a backend whose datasets are files.
    fn empty(&self, opening: &Opening) -> Option<Self::Dataset>;

    /// Finds the file `name`, relative to the data directory, and holds on to it, so that what was found is what will be
    /// opened.
    ///
    /// # Errors
    /// When the name is bad or leads out of the directory, or there is no such file.
    fn find(&self, name: &str, access: FileAccess) -> Result<Found<Self::Source>, SwitchError>;

    /// Reads what was found under `name`, and checks it from end to end: what this gives is served.
    ///
    /// # Errors
    /// When it is no dataset, is damaged, or is in use elsewhere.
    fn open(&self, name: &str, source: Self::Source, opening: &Opening) -> Result<Self::Dataset, SwitchError>;
}

/// A file that was found.
#[derive(Debug)]
pub struct Found<S> {
    /// Which one it is, whatever its names.
    pub identity: FileIdentity,
    /// The file.
    pub source: S,
}

/// Two files are one if these numbers are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// Of the device it is on.
    pub device: u64,
    /// Its own on that device.
    pub inode: u64,
}

/// What a dataset has to know of the service that it is opened for.
#[derive(Clone)]
pub struct Opening {
    /// What its engine shares with those of the datasets before and after it.
    pub environment: Arc<Environment>,
    /// Whether changes are refused.
    pub read_only: bool,
    /// The time.
    pub now: Timestamp,
}

/// An open dataset.
pub trait Dataset: Send + Sync + 'static {
    /// Executes commands of `batch` until there is an [`Outcome`] to tell. A caller that gets [`Outcome::Paused`] asks the same dataset again. Does not block, but may wait; it then ends by itself, whatever
    /// clients do.
    ///
    /// # Errors
    /// When nobody knows how far the batch has come; the connection has to be closed.
    fn answer<'a>(&'a self, batch: &'a mut Batch) -> impl Future<Output = Result<Outcome, Unfinished>> + Send + 'a;

    /// Goes on with a `range`: lists some items in `out`, or none yet. Whether there is more to come; a caller asks the same
    /// dataset again then. Waits like [`Dataset::answer`].
    ///
    /// # Errors
    /// When nobody knows what became of `out`; the connection has to be closed.
    fn range<'a>(
        &'a self,
        walk: &'a mut RangeWalk,
        now: Timestamp,
        out: &'a mut Vec<u8>,
    ) -> impl Future<Output = Result<bool, Unfinished>> + Send + 'a;

    /// What it holds and has counted. Does not block.
    fn statistics(&self) -> StoreStatistics;

    /// Figures that only this kind of dataset has, for `stats` and `dbstats`. Does not block.
    fn figures(&self, _sink: &mut Sink<'_>) {}

    /// Drops some of what has expired, if this kind of dataset wants to be told to. Bounded work.
    fn tend(&self, _now: Timestamp) -> impl Future<Output = ()> + Send + '_ {
        std::future::ready(())
    }

    /// Makes all of it durable and lets go of its file. Blocks. No command is asked of it any longer.
    ///
    /// # Errors
    /// When it could not be made durable, with the cause. The file has been let go of all the same.
    fn close(self) -> Result<(), String>;
}
