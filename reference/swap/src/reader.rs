//! A connection's way to the dataset of its next command.

use std::fmt;

use super::cell::Shared;
use super::lease::{Dataset, Lease};
use super::signal::lock;
use super::sync::{Arc, Mutex};

/// Where a reader leaves its lease while it waits, for itself or for a sweep to take, whoever comes first. Only these two
/// ever lock it.
pub(super) type Slot<D> = Mutex<Option<Lease<D>>>;

/// One connection's way to the dataset.
///
/// It caches its lease, so that a command costs one comparison while nothing changes. [`Reader::dataset`] lends the dataset
/// for one command and borrows the reader for as long: a command cannot be answered from two datasets, nor waited in:
///
/// ```compile_fail,E0499
/// # let cell = refcached_swap::SwapCell::new(refcached_swap::Policy::Command, 1);
/// let mut reader = cell.reader();
/// let dataset = reader.dataset();
/// reader.park();
/// println!("{}", **dataset);
/// ```
///
/// **Call [`Reader::park`] before anything that may wait outside of a command**; a reader that waits with its lease in hand
/// keeps an old dataset open until it goes on.
pub struct Reader<D> {
    shared: Arc<Shared<D>>,
    number: u64,
    slot: Arc<Slot<D>>,
    /// None while parked, and before the first command.
    lease: Option<Lease<D>>,
}

impl<D> Reader<D> {
    pub(super) fn new(shared: Arc<Shared<D>>) -> Self {
        let (number, slot) = shared.open_slot();
        Reader {
            shared,
            number,
            slot,
            lease: None,
        }
    }

    /// The dataset to answer the next command from, whole: the one of the command before, or the current one if that may
    /// not answer any longer. A reader's first command binds it to the dataset that is current then. Ends a
    /// [`Reader::park`].
    pub fn dataset(&mut self) -> &Dataset<D> {
        let oldest = self.shared.oldest_that_answers();
        if self.lease.as_ref().is_some_and(|lease| lease.generation() < oldest) {
            self.lease = None;
        }
        self.lease
            .get_or_insert_with(|| renewed(&self.shared, &self.slot))
            .dataset()
    }

    /// Leaves the lease where a sweep can take it back while this connection waits. What was not taken is there again
    /// for the next command. Costs a lock that nobody else wants, about 20 ns; parking twice is harmless.
    pub fn park(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        let mut slot = lock(&self.slot);
        // With the slot locked: a sweep that has passed raised the generation before, one that comes will find the lease.
        if lease.generation() >= self.shared.oldest_that_answers() {
            *slot = Some(lease);
        }
    }
}

/// The lease that was parked, else one on the current dataset. A parked one that is too old was found before the sweep that is
/// about to take it; its publisher has not returned, so it may answer one more command.
#[cold]
fn renewed<D>(shared: &Shared<D>, slot: &Slot<D>) -> Lease<D> {
    let parked = lock(slot).take();
    parked.unwrap_or_else(|| shared.lease())
}

impl<D> Drop for Reader<D> {
    fn drop(&mut self) {
        // A sweep looks into slots only while it holds all of them, so a parked lease goes with the slot, right here.
        self.shared.close_slot(self.number);
    }
}

impl<D> fmt::Debug for Reader<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let generation = self.lease.as_ref().map(Lease::generation);
        f.debug_struct("Reader")
            .field("number", &self.number)
            .field("generation", &generation)
            .finish_non_exhaustive()
    }
}
