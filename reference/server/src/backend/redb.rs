//! Datasets in files of redb.
//!
//! A batch is answered in place as far as that takes no look into the file: keys that the filter knows to be absent, commands
//! that ask for no item. From there on it is handed to a lane where work may block. The lane of the writer has one worker:
//! the batches that queue while a transaction is committed go into the next one together, and are answered after its
//! commit. The lane of readers has several, each on the state that the last commit left.
//!
//! # Layout
//! - `lane`: batches that wait for a worker.
//! - `routing`: which lane a command belongs to.
//! - `keeper`: the open file, and how it is opened anew after its disk has failed.
//! - `executor`: what the workers do.

mod executor;
mod keeper;
mod lane;
mod routing;

use std::future::Future;
use std::sync::Arc;

use refcached_store::RedbOptions;
use refcached_store::Timestamp;
use refcached_store::environment::Sink;
use refcached_store::store::StoreStatistics;

use crate::administration::SwitchError;
use crate::backend::{Backend, Dataset, Found, Opening, progress};
use crate::batch::{Batch, Outcome};
use crate::blocking::{Blocking, Unfinished};
use crate::extensions::RangeWalk;
use crate::files::{DataFile, FileAccess, Files};

use self::executor::Executor;
use self::keeper::Keeper;

pub(super) use self::keeper::explained;

/// Datasets in files of redb.
pub struct Redb<F> {
    files: F,
    options: RedbOptions,
    readers: usize,
    blocking: Arc<dyn Blocking>,
}

impl<F: Files> Redb<F> {
    /// A backend that takes its datasets from `files`. Of `options`, whether a file is created or only read is decided anew
    /// for each. `readers` batches are read at a time.
    pub fn new(files: F, options: RedbOptions, readers: usize, blocking: impl Blocking) -> Self {
        Redb {
            files,
            options,
            readers: readers.max(1),
            blocking: Arc::new(blocking),
        }
    }
}

/// A file that was found.
#[derive(Debug)]
pub struct RedbSource<F> {
    file: F,
    access: FileAccess,
}

impl<F: Files> Backend for Redb<F> {
    type Dataset = RedbDataset<F::File>;
    type Source = RedbSource<F::File>;

    fn name(&self) -> &'static str {
        "redb"
    }

    fn blocking(&self) -> Arc<dyn Blocking> {
        Arc::clone(&self.blocking)
    }

    fn empty(&self, _opening: &Opening) -> Option<Self::Dataset> {
        None
    }

    fn find(&self, name: &str, access: FileAccess) -> Result<Found<Self::Source>, SwitchError> {
        let file = self.files.find(name, access)?;
        Ok(Found {
            identity: file.identity(),
            source: RedbSource { file, access },
        })
    }

    fn open(&self, name: &str, source: Self::Source, opening: &Opening) -> Result<Self::Dataset, SwitchError> {
        let options = RedbOptions {
            create: source.access == FileAccess::Create,
            read_only: source.access == FileAccess::Read,
            ..self.options
        };
        let keeper = Keeper::open(source.file, options, opening.now, progress::opening(name));
        let keeper = keeper.map_err(|error| explained(error, name))?;
        let executor = Executor::new(keeper, opening, self.readers, Arc::clone(&self.blocking));
        Ok(RedbDataset {
            executor: Arc::new(executor),
        })
    }
}

/// A dataset in a file of redb.
pub struct RedbDataset<F: DataFile> {
    executor: Arc<Executor<F>>,
}

impl<F: DataFile> Dataset for RedbDataset<F> {
    fn answer<'a>(&'a self, batch: &'a mut Batch) -> impl Future<Output = Result<Outcome, Unfinished>> + Send + 'a {
        self.executor.answer(batch)
    }

    fn range<'a>(
        &'a self,
        walk: &'a mut RangeWalk,
        now: Timestamp,
        out: &'a mut Vec<u8>,
    ) -> impl Future<Output = Result<bool, Unfinished>> + Send + 'a {
        self.executor.range(walk, now, out)
    }

    fn statistics(&self) -> StoreStatistics {
        self.executor.statistics()
    }

    fn figures(&self, sink: &mut Sink<'_>) {
        self.executor.figures(sink);
    }

    fn tend(&self, now: Timestamp) -> impl Future<Output = ()> + Send + '_ {
        self.executor.reclaim(now)
    }

    fn close(self) -> Result<(), String> {
        self.executor.close().map_err(|error| error.to_string())
    }
}
