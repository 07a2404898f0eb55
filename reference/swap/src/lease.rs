//! What keeps a dataset open, and how the last of it is noticed.

use std::fmt;
use std::ops::Deref;

use super::signal::Signal;
use super::sync::Arc;

/// The number of a dataset in the order of publication. The first dataset of a cell has 1; no number is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u64);

impl Generation {
    pub(super) const FIRST: Generation = Generation(1);

    pub(super) fn of(number: u64) -> Self {
        Generation(number)
    }

    /// The one after this. At a swap in every nanosecond the numbers last for 584 years.
    pub(super) fn next(self) -> Self {
        Generation(self.0 + 1)
    }

    /// As a number, for reports: 1 is the first.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A published dataset and its generation.
#[derive(Debug)]
pub struct Dataset<D> {
    generation: Generation,
    data: D,
}

impl<D> Dataset<D> {
    /// When it was published, in the order of all datasets of its cell.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    pub(super) fn into_data(self) -> D {
        self.data
    }
}

impl<D> Deref for Dataset<D> {
    type Target = D;

    fn deref(&self) -> &D {
        &self.data
    }
}

/// Keeps a dataset open.
///
/// The fields are dropped in this order, and all rests on it: once the last token has gone, every lease has let go of the
/// dataset before, so that the drain holds the only reference.
pub(super) struct Lease<D> {
    dataset: Arc<Dataset<D>>,
    token: Arc<Token>,
}

impl<D> Lease<D> {
    pub(super) fn new(generation: Generation, data: D) -> Self {
        let released = Arc::new(Signal::new());
        Lease {
            dataset: Arc::new(Dataset { generation, data }),
            token: Arc::new(Token { released }),
        }
    }

    pub(super) fn generation(&self) -> Generation {
        self.dataset.generation
    }

    pub(super) fn dataset(&self) -> &Dataset<D> {
        &self.dataset
    }

    /// Ends this lease; gives the dataset for its drain, which is no lease, and the signal for the end of all others.
    pub(super) fn retire(self) -> (Arc<Dataset<D>>, Arc<Signal>) {
        let Lease { dataset, token } = self;
        let released = Arc::clone(&token.released);
        (dataset, released)
    }
}

impl<D> Clone for Lease<D> {
    fn clone(&self) -> Self {
        Lease {
            dataset: Arc::clone(&self.dataset),
            token: Arc::clone(&self.token),
        }
    }
}

/// Shared by all leases of one dataset; the last lease drops it.
struct Token {
    released: Arc<Signal>,
}

impl Drop for Token {
    fn drop(&mut self) {
        self.released.give();
    }
}
