//! The server's own datasets, with a note in the history when one is sought, opened, closed or dropped.

use std::future::Future;
use std::sync::Arc;

use refcached_store::Timestamp;
use refcached_store::environment::Sink;
use refcached_store::store::StoreStatistics;

use crate::history::{History, What};
use crate::product::{
    Backend, Batch, Blocking, Dataset, FileAccess, Found, Opening, Outcome, RangeWalk, SwitchError, Unfinished,
};
use crate::shelf::Numbers;

/// A backend that is looked at.
pub struct Watched<B> {
    backend: B,
    history: History,
    numbers: Numbers,
}

impl<B> Watched<B> {
    /// Looks at a backend.
    pub fn new(backend: B, history: History, numbers: Numbers) -> Watched<B> {
        Watched {
            backend,
            history,
            numbers,
        }
    }
}

impl<B: Backend> Backend for Watched<B> {
    type Dataset = WatchedDataset<B::Dataset>;
    type Source = B::Source;

    fn name(&self) -> &'static str {
        self.backend.name()
    }

    fn blocking(&self) -> Arc<dyn Blocking> {
        self.backend.blocking()
    }

    fn empty(&self, _opening: &Opening) -> Option<Self::Dataset> {
        None
    }

    fn find(&self, name: &str, access: FileAccess) -> Result<Found<Self::Source>, SwitchError> {
        let filename = name.to_owned();
        self.history.note(What::Sought { filename });
        self.backend.find(name, access)
    }

    fn open(&self, name: &str, source: Self::Source, opening: &Opening) -> Result<Self::Dataset, SwitchError> {
        let dataset = self.backend.open(name, source, opening)?;
        let number = self.numbers.take();
        self.history.note(What::Opened {
            dataset: number,
            filename: name.to_owned(),
            keys: dataset.statistics().curr_items,
        });
        Ok(WatchedDataset {
            dataset: Some(dataset),
            number,
            history: self.history.clone(),
        })
    }
}

/// A dataset that is looked at.
pub struct WatchedDataset<D> {
    /// None once it is closed.
    dataset: Option<D>,
    number: u32,
    history: History,
}

impl<D: Dataset> WatchedDataset<D> {
    fn inner(&self) -> &D {
        // Only `close` takes it, and that takes all of this.
        self.dataset.as_ref().expect("a dataset is closed by value")
    }
}

impl<D: Dataset> Dataset for WatchedDataset<D> {
    fn answer<'a>(&'a self, batch: &'a mut Batch) -> impl Future<Output = Result<Outcome, Unfinished>> + Send + 'a {
        self.inner().answer(batch)
    }

    fn range<'a>(
        &'a self,
        walk: &'a mut RangeWalk,
        now: Timestamp,
        out: &'a mut Vec<u8>,
    ) -> impl Future<Output = Result<bool, Unfinished>> + Send + 'a {
        self.inner().range(walk, now, out)
    }

    fn statistics(&self) -> StoreStatistics {
        self.inner().statistics()
    }

    fn figures(&self, sink: &mut Sink<'_>) {
        self.inner().figures(sink);
    }

    fn tend(&self, now: Timestamp) -> impl Future<Output = ()> + Send + '_ {
        self.inner().tend(now)
    }

    fn close(mut self) -> Result<(), String> {
        let closed = self.dataset.take().map_or(Ok(()), Dataset::close);
        self.history.note(What::Closed {
            dataset: self.number,
            fault: closed.clone().err(),
        });
        closed
    }
}

impl<D> Drop for WatchedDataset<D> {
    fn drop(&mut self) {
        if self.dataset.is_some() {
            self.history.note(What::Dropped { dataset: self.number });
        }
    }
}
