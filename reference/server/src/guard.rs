//! A store that can be told to refuse all changes.

use refcached_store::environment::Sink;
use refcached_store::item::{Item, Marks};
use refcached_store::store::{ScanPosition, StoreStatistics};
use refcached_store::{Access, Change, Store, Timestamp};

/// A store, or the read side of one. What changes nothing is answered either way: `incr` of a key that is not there is
/// `NOT_FOUND` on a server that is read-only, too.
#[derive(Debug)]
pub(crate) struct Guarded<S, C> {
    store: S,
    /// Why no change is made; none if they are.
    refusal: Option<C>,
    /// Whether what would change nothing is refused as well.
    even_if_nothing_changes: bool,
}

/// Why a guarded store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GuardedError<E, C> {
    /// The store's own.
    #[error("{0}")]
    Store(E),
    /// It would have been a change.
    #[error("{0}")]
    Refused(C),
}

/// The cause on a server that was started with `--readonly`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server is read-only")]
pub(crate) struct ReadOnly;

impl<S, C> Guarded<S, C> {
    pub(crate) fn new(store: S, refusal: Option<C>) -> Self {
        Guarded {
            store,
            refusal,
            even_if_nothing_changes: false,
        }
    }

    /// After changes were tried, and failed, and may be there all the same: nobody can be told whether a change would have
    /// changed something, so all are refused.
    pub(crate) fn after_failure(store: S, refusal: C) -> Self {
        Guarded {
            store,
            refusal: Some(refusal),
            even_if_nothing_changes: true,
        }
    }
}

impl<S, C> Store for Guarded<S, C>
where
    S: Store,
    C: std::error::Error + Clone,
{
    type Error = GuardedError<S::Error, C>;

    fn read<R>(
        &self,
        key: &[u8],
        now: Timestamp,
        look: impl FnOnce(Option<Item<'_>>) -> (Access, R),
    ) -> Result<R, Self::Error> {
        let read = if self.refusal.is_none() {
            self.store.read(key, now, look)
        } else {
            self.store.read(key, now, |item| look(item.map(beyond_winning)))
        };
        read.map_err(GuardedError::Store)
    }

    fn update<'d, R>(
        &self,
        key: &[u8],
        now: Timestamp,
        decide: impl FnOnce(Option<Item<'_>>) -> (Change<'d>, R),
    ) -> Result<R, Self::Error> {
        let Some(refusal) = &self.refusal else {
            return self.store.update(key, now, decide).map_err(GuardedError::Store);
        };
        if self.even_if_nothing_changes {
            return Err(GuardedError::Refused(refusal.clone()));
        }
        let decided = self.store.read(key, now, |item| {
            let (change, result) = decide(item.map(beyond_winning));
            let nothing_changes = matches!(change, Change::Keep) || matches!((change, item), (Change::Remove, None));
            (Access::Ignore, nothing_changes.then_some(result))
        });
        match decided {
            Ok(Some(result)) => Ok(result),
            Ok(None) => Err(GuardedError::Refused(refusal.clone())),
            Err(error) => Err(GuardedError::Store(error)),
        }
    }

    #[inline]
    fn foresee(&self, keys: &[&[u8]]) {
        self.store.foresee(keys);
    }

    fn flush(&self, at: Timestamp, now: Timestamp) -> Result<(), Self::Error> {
        match &self.refusal {
            None => self.store.flush(at, now).map_err(GuardedError::Store),
            Some(refusal) => Err(GuardedError::Refused(refusal.clone())),
        }
    }

    fn scan(
        &self,
        from: ScanPosition,
        now: Timestamp,
        visit: impl FnMut(Item<'_>),
    ) -> Result<Option<ScanPosition>, Self::Error> {
        self.store.scan(from, now, visit).map_err(GuardedError::Store)
    }

    fn statistics(&self) -> StoreStatistics {
        self.store.statistics()
    }

    fn details(&self, sink: &mut Sink<'_>) {
        self.store.details(sink);
    }

    fn set_limit(&self, limit_bytes: u64, now: Timestamp) -> bool {
        self.store.set_limit(limit_bytes, now)
    }

    fn reset_statistics(&self) {
        self.store.reset_statistics();
    }
}

/// Where nothing can be stored, no client can be told to recache a stale item: all are told that another one does.
fn beyond_winning(mut item: Item<'_>) -> Item<'_> {
    let marks = &mut item.attributes.marks;
    if marks.has(Marks::STALE) {
        *marks = marks.with(Marks::WON);
    }
    item
}

/// The store of a dataset that cannot be read at present.
#[derive(Debug)]
pub(crate) struct Broken<C> {
    cause: C,
}

impl<C> Broken<C> {
    pub(crate) fn new(cause: C) -> Self {
        Broken { cause }
    }
}

impl<C: std::error::Error + Clone> Store for Broken<C> {
    type Error = C;

    fn read<R>(
        &self,
        _key: &[u8],
        _now: Timestamp,
        _look: impl FnOnce(Option<Item<'_>>) -> (Access, R),
    ) -> Result<R, C> {
        Err(self.cause.clone())
    }

    fn update<'d, R>(
        &self,
        _key: &[u8],
        _now: Timestamp,
        _decide: impl FnOnce(Option<Item<'_>>) -> (Change<'d>, R),
    ) -> Result<R, C> {
        Err(self.cause.clone())
    }

    fn flush(&self, _at: Timestamp, _now: Timestamp) -> Result<(), C> {
        Err(self.cause.clone())
    }

    fn scan(
        &self,
        _from: ScanPosition,
        _now: Timestamp,
        _visit: impl FnMut(Item<'_>),
    ) -> Result<Option<ScanPosition>, C> {
        Err(self.cause.clone())
    }

    fn statistics(&self) -> StoreStatistics {
        StoreStatistics::default()
    }

    fn set_limit(&self, _limit_bytes: u64, _now: Timestamp) -> bool {
        false
    }

    fn reset_statistics(&self) {}
}
