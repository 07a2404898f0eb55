//! The trait that a backend implements.

use crate::environment::Sink;
use crate::item::{Attributes, Item};
use crate::time::Timestamp;

/// How many keys a store is told of at a time: see [`Store::foresee`].
pub const FORESEEN_MAX: usize = 8;

/// A map from keys to items. A backend knows nothing of `add`, `cas` or `incr`: it looks a key up, and it lets the caller
/// decide, atomically, what becomes of it.
///
/// The methods take `&self`, so that one memory store can serve every thread. A backend that executes a batch of requests
/// inside one write transaction implements the trait for the transaction (with a `RefCell` around its table: such a
/// store stays on one thread) and hands it to [`crate::Engine::on`].
///
/// Every method is given the time. To a caller an item that has expired, or that was flushed, is not there: a store never
/// shows one, and drops those it meets.
pub trait Store {
    /// Why the store could not do what it was asked. The client gets it as `SERVER_ERROR <text>`, so it is one line.
    type Error: std::error::Error;

    /// Looks `key` up and passes the live item, or `None`, to `look`. If that answers [`Access::Note`], the store remembers
    /// that the item was fetched at `now`: a backend to which that costs a write may keep it in memory alone or leave
    /// it out.
    ///
    /// # Errors
    /// When the store cannot be read. `look` may have been called by then.
    fn read<R>(
        &self,
        key: &[u8],
        now: Timestamp,
        look: impl FnOnce(Option<Item<'_>>) -> (Access, R),
    ) -> Result<R, Self::Error>;

    /// Passes the live item under `key`, or `None`, to `decide` and does what it answers, with nothing else happening to
    /// that key in between.
    ///
    /// # Errors
    /// When the change could not be made; then nothing has changed, whatever `decide` has answered.
    fn update<'d, R>(
        &self,
        key: &[u8],
        now: Timestamp,
        decide: impl FnOnce(Option<Item<'_>>) -> (Change<'d>, R),
    ) -> Result<R, Self::Error>;

    /// Says that these keys are about to be asked for, [`FORESEEN_MAX`] of them at most: a store may bring nearer what it needs
    /// for them, for all of them at once. Changes nothing.
    #[inline]
    fn foresee(&self, _keys: &[&[u8]]) {}

    /// From `at` on, all that was stored before `at` is gone; `at` may be later than `now`, and what is stored in the
    /// meantime goes too. Replaces a flush that is still to come. With `at <= now` it is done at once.
    ///
    /// # Errors
    /// When the flush could not be noted; then nothing has changed.
    fn flush(&self, at: Timestamp, now: Timestamp) -> Result<(), Self::Error>;

    /// Passes live items to `visit`, in no order, from where `from` stands, until the store thinks fit to pause: a call is
    /// bounded work. Answers where to go on, or `None` at the end. An item that is there all the time is visited
    /// once at least; it may be visited twice if the store changes meanwhile. Expired items that it meets are dropped, so a
    /// scan from end to end is what memcached calls a crawl.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn scan(
        &self,
        from: ScanPosition,
        now: Timestamp,
        visit: impl FnMut(Item<'_>),
    ) -> Result<Option<ScanPosition>, Self::Error>;

    /// Figures for `stats`.
    fn statistics(&self) -> StoreStatistics;

    /// More figures for `stats`, under names of the backend's own.
    fn details(&self, _sink: &mut Sink<'_>) {}

    /// Sets [`StoreStatistics::limit_bytes`] anew; `false` where that is not possible.
    fn set_limit(&self, limit_bytes: u64, now: Timestamp) -> bool;

    /// `stats reset`: what has been counted goes to zero; what is held stays.
    fn reset_statistics(&self);
}

/// A store that somebody else owns: a batch, say, that an engine works on for a while.
impl<S: Store> Store for &S {
    type Error = S::Error;

    #[inline]
    fn read<R>(
        &self,
        key: &[u8],
        now: Timestamp,
        look: impl FnOnce(Option<Item<'_>>) -> (Access, R),
    ) -> Result<R, S::Error> {
        (**self).read(key, now, look)
    }

    #[inline]
    fn update<'d, R>(
        &self,
        key: &[u8],
        now: Timestamp,
        decide: impl FnOnce(Option<Item<'_>>) -> (Change<'d>, R),
    ) -> Result<R, S::Error> {
        (**self).update(key, now, decide)
    }

    fn flush(&self, at: Timestamp, now: Timestamp) -> Result<(), S::Error> {
        (**self).flush(at, now)
    }

    fn scan(
        &self,
        from: ScanPosition,
        now: Timestamp,
        visit: impl FnMut(Item<'_>),
    ) -> Result<Option<ScanPosition>, S::Error> {
        (**self).scan(from, now, visit)
    }

    fn statistics(&self) -> StoreStatistics {
        (**self).statistics()
    }

    fn details(&self, sink: &mut Sink<'_>) {
        (**self).details(sink);
    }

    fn set_limit(&self, limit_bytes: u64, now: Timestamp) -> bool {
        (**self).set_limit(limit_bytes, now)
    }

    fn reset_statistics(&self) {
        (**self).reset_statistics();
    }
}

/// Whether a look counts as a use of the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It does: the item is marked as fetched, and kept longer.
    Note,
    /// It does not.
    Ignore,
}

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'d> {
    /// It stays as it is.
    Keep,
    /// It gets this item, whether there was one or not.
    Put(Attributes, Data<'d>),
    /// Its item goes; nothing happens if there was none.
    Remove,
}

/// The data of an item that is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data<'d> {
    /// What the item has. Of an item that was not there: nothing.
    Same,
    /// These bytes.
    Bytes(&'d [u8]),
    /// What the item has, between these.
    Around {
        /// Comes first.
        before: &'d [u8],
        /// Comes last.
        after: &'d [u8],
    },
}

impl Data<'_> {
    /// How many bytes this makes of an item that has `current` bytes.
    pub fn len(&self, current: usize) -> usize {
        match self {
            Data::Same => current,
            Data::Bytes(bytes) => bytes.len(),
            Data::Around { before, after } => before.len() + current + after.len(),
        }
    }
}

/// Where a scan stands; the default is the beginning. What the number means is the store's affair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanPosition(pub u64);

/// What a store counts. The names are those of memcached's `stats` but for `limit_bytes`, its `limit_maxbytes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StoreStatistics {
    /// Items held now. May count items that have expired or were flushed, until they are met.
    pub curr_items: u64,
    /// Items put since the start.
    pub total_items: u64,
    /// Bytes that the items take, overhead included.
    pub bytes: u64,
    /// The most that `bytes` may come to; 0 if there is no limit.
    pub limit_bytes: u64,
    /// Live items that were dropped to make room.
    pub evictions: u64,
    /// The same, of those that had an expiry.
    pub evicted_nonzero: u64,
    /// The same, of those that had never been fetched.
    pub evicted_unfetched: u64,
    /// Expired items that were dropped.
    pub reclaimed: u64,
    /// Those of them that a scan dropped.
    pub crawler_reclaimed: u64,
    /// Expired items that had never been fetched.
    pub expired_unfetched: u64,
    /// Looks that met an expired item.
    pub get_expired: u64,
    /// Looks that met a flushed item. 0 from a store that drops them unseen.
    pub get_flushed: u64,
    /// Items that were refused because there was no room for them.
    pub outofmemory: u64,
}
