//! Requests that read, on a snapshot.

use std::ops::Bound;
use std::sync::Arc;

use super::error::{RedbError, UNREADABLE_RECORD};
use super::record::Record;
use super::statistics::Count;
use super::tables::{self, Fate, Stretch};
use super::{RedbStore, Snapshot};
use crate::environment::Sink;
use crate::item::{Item, access_time};
use crate::store::{Access, Change, ScanPosition, Store, StoreStatistics};
use crate::time::Timestamp;

/// A batch of requests that read, on the state that the last commit left. Several run at once, beside a writer.
///
/// What would change something is refused as [`RedbError::ReadOnly`]; what comes to changing nothing, such as deleting what is
/// not there, is not.
pub struct ReadBatch<'a> {
    pub(super) store: &'a RedbStore,
    pub(super) snapshot: Arc<Snapshot>,
    count: Count,
}

impl<'a> ReadBatch<'a> {
    pub(super) fn new(store: &'a RedbStore) -> Self {
        ReadBatch {
            store,
            snapshot: store.snapshot(),
            count: Count::default(),
        }
    }

    /// Visits the live items whose keys begin with `prefix`, in the order of their keys, until `visit` answers `false`. With
    /// `after`, only those whose keys come after that.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn range(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        now: Timestamp,
        visit: impl FnMut(Item<'_>) -> bool,
    ) -> Result<(), RedbError> {
        self.snapshot.range(self.store, prefix, after, now, visit)
    }

    /// Items in the file, with those that have expired and have not been met since.
    pub fn items(&self) -> u64 {
        self.snapshot.items
    }

    /// Passes the live item to `look`, and its hash and CAS value if it is there.
    fn find<R>(
        &self,
        key: &[u8],
        now: Timestamp,
        look: impl FnOnce(Option<Item<'_>>, Option<(u64, u64)>) -> R,
    ) -> Result<R, RedbError> {
        let hash = self.store.hash(key);
        if !self.snapshot.bloom.may_contain(hash) {
            self.count.add(|tally| tally.lookups_saved += 1);
            return Ok(look(None, None));
        }
        let Some(found) = self.snapshot.records.get(key)? else {
            self.count.add(|tally| tally.false_positives += 1);
            return Ok(look(None, None));
        };
        let record = Record::decode(found.value()).ok_or_else(|| RedbError::Damaged(UNREADABLE_RECORD.to_owned()))?;
        let fate = self.snapshot.facts.fate(&record, now);
        self.count.add(|tally| {
            tally.lookups_met += 1;
            tally.meet_dead(fate);
        });
        if fate != Fate::Live {
            return Ok(look(None, None));
        }
        let cas = record.attributes.cas;
        let item = record.item(key, self.store.accesses.last(hash, cas));
        Ok(look(Some(item), Some((hash, cas))))
    }
}

impl Drop for ReadBatch<'_> {
    fn drop(&mut self) {
        self.store.totals().add(&self.count.tally());
    }
}

impl Store for ReadBatch<'_> {
    type Error = RedbError;

    fn read<R>(
        &self,
        key: &[u8],
        now: Timestamp,
        look: impl FnOnce(Option<Item<'_>>) -> (Access, R),
    ) -> Result<R, RedbError> {
        self.find(key, now, |item, version| {
            let (access, result) = look(item);
            if let (Access::Note, Some((hash, cas))) = (access, version) {
                self.store.accesses.note(hash, cas, access_time(now));
            }
            result
        })
    }

    fn update<'d, R>(
        &self,
        key: &[u8],
        now: Timestamp,
        decide: impl FnOnce(Option<Item<'_>>) -> (Change<'d>, R),
    ) -> Result<R, RedbError> {
        self.find(key, now, |item, version| match (decide(item), version) {
            ((Change::Keep, result), _) | ((Change::Remove, result), None) => Ok(result),
            _ => Err(RedbError::ReadOnly),
        })?
    }

    fn flush(&self, _at: Timestamp, _now: Timestamp) -> Result<(), RedbError> {
        Err(RedbError::ReadOnly)
    }

    fn scan(
        &self,
        from: ScanPosition,
        now: Timestamp,
        mut visit: impl FnMut(Item<'_>),
    ) -> Result<Option<ScanPosition>, RedbError> {
        let after = self.store.scans.key(from)?;
        let from = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let facts = &self.snapshot.facts;
        let stopped = tables::walk(&*self.snapshot.records, from, Stretch::SCAN, |key, record| {
            if facts.fate(&record, now) == Fate::Live {
                visit(self.store.shown(key, &record));
            }
            true
        })?;
        Ok(stopped.map(|key| self.store.scans.pause(key)))
    }

    fn statistics(&self) -> StoreStatistics {
        self.count
            .statistics(self.store, self.snapshot.items, self.snapshot.bytes)
    }

    fn details(&self, sink: &mut Sink<'_>) {
        self.store.details().list(sink);
    }

    fn set_limit(&self, _limit_bytes: u64, _now: Timestamp) -> bool {
        false
    }

    fn reset_statistics(&self) {
        self.count.reset(self.store);
    }
}
