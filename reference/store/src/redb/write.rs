//! Requests that change something, in one transaction.

use std::cell::RefCell;
use std::ops::Bound;

use ::redb::{ReadableTable, Table, WriteTransaction};

use super::error::{RedbError, UNREADABLE_RECORD};
use super::record::{self, Record};
use super::statistics::{Count, Tally};
use super::tables::{self, Facts, Fate, RECORDS, Stretch};
use super::{CAS_BLOCK, CAS_COUNTED_MAX, Filters, RedbStore, Snapshot};
use crate::environment::Sink;
use crate::item::{Item, access_time};
use crate::store::{Access, Change, ScanPosition, Store, StoreStatistics};
use crate::time::Timestamp;

/// A batch of requests in one write transaction. Each sees what those before it have done; nobody else does before the
/// commit.
pub struct WriteBatch<'a> {
    store: &'a RedbStore,
    records: RefCell<Table<'a, &'static [u8], &'static [u8]>>,
    pub(super) state: RefCell<State>,
    count: Count,
    /// A record on its way into the table.
    scratch: RefCell<Vec<u8>>,
}

/// What becomes of the store when the batch is committed.
pub(super) struct State {
    pub(super) facts: Facts,
    pub(super) filters: Filters,
    pub(super) items: u64,
    pub(super) bytes: u64,
    pub(super) written_bytes: u64,
    pub(super) changed: bool,
    pub(super) facts_changed: bool,
    /// The change must be on the disk whatever the durability: CAS values rest on it.
    pub(super) must_sync: bool,
    /// What redb said when it failed. The transaction is not to be committed.
    pub(super) failed: Option<RedbError>,
}

/// What a change leaves to be done.
enum Step {
    Nothing,
    /// A record that is encoded takes the place of another, of which charge and fate are known.
    Insert {
        cas: u64,
        replaced: Option<(u64, Fate)>,
    },
    Remove {
        charge: u64,
        fate: Fate,
    },
}

impl<'a> WriteBatch<'a> {
    pub(super) fn new(
        store: &'a RedbStore,
        transaction: &'a WriteTransaction,
        snapshot: &Snapshot,
        filters: Filters,
    ) -> Result<Self, RedbError> {
        Ok(WriteBatch {
            store,
            records: RefCell::new(transaction.open_table(RECORDS)?),
            state: RefCell::new(State {
                facts: snapshot.facts,
                filters,
                items: snapshot.items,
                bytes: snapshot.bytes,
                written_bytes: 0,
                changed: false,
                facts_changed: false,
                must_sync: false,
                failed: None,
            }),
            count: Count::default(),
            scratch: RefCell::default(),
        })
    }

    pub(super) fn into_outcome(self) -> (State, Tally) {
        (self.state.into_inner(), self.count.tally())
    }

    /// Does the flush that has become due.
    fn settle(&self, now: Timestamp) {
        let state = &mut *self.state.borrow_mut();
        if state.facts.is_flush_due(now) {
            state.flush();
        }
    }

    /// Remembers that redb has failed: a request may swallow its error, and the others must not be committed without it.
    fn note_failure<T>(&self, outcome: Result<T, RedbError>) -> Result<T, RedbError> {
        if let Err(error) = &outcome
            && !matches!(error, RedbError::TooLarge | RedbError::ScanLost)
        {
            self.state.borrow_mut().failed.get_or_insert_with(|| error.again());
        }
        outcome
    }

    /// Drops the records of `keys` that are gone at `now`; answers how many.
    pub(super) fn drop_dead(&self, keys: &[Vec<u8>], now: Timestamp) -> Result<u64, RedbError> {
        self.settle(now);
        let mut dropped = 0;
        for key in keys {
            let gone = self.decide(key, now, self.store.hash(key), |_| (Change::Keep, ()));
            dropped += u64::from(self.note_failure(gone)?.1 != Fate::Live);
        }
        Ok(dropped)
    }

    /// Lets `decide` change a record; answers what it did, and the fate of the record that was there.
    fn decide<'d, R>(
        &self,
        key: &[u8],
        now: Timestamp,
        hash: u64,
        decide: impl FnOnce(Option<Item<'_>>) -> (Change<'d>, R),
    ) -> Result<(R, Fate), RedbError> {
        let mut table = self.records.borrow_mut();
        let mut scratch = self.scratch.borrow_mut();
        let (result, step, fate) = self.plan(&*table, key, (hash, now), decide, &mut scratch)?;
        self.carry_out(&mut table, key, hash, &step, &scratch)?;
        Ok((result, fate))
    }

    /// Lets `decide` say what is to be done; a record that is to be written is in `encoded` then.
    fn plan<'d, R>(
        &self,
        table: &impl ReadableTable<&'static [u8], &'static [u8]>,
        key: &[u8],
        (hash, now): (u64, Timestamp),
        decide: impl FnOnce(Option<Item<'_>>) -> (Change<'d>, R),
        encoded: &mut Vec<u8>,
    ) -> Result<(R, Step, Fate), RedbError> {
        let facts = self.state.borrow().facts;
        let Some(found) = self.look_up(table, key, hash)? else {
            let (change, result) = decide(None);
            let Change::Put(attributes, data) = change else {
                return Ok((result, Step::Nothing, Fate::Live));
            };
            record::encode(encoded, &attributes, facts.epoch, data, &[]);
            let step = Step::Insert {
                cas: attributes.cas,
                replaced: None,
            };
            return Ok((result, step, Fate::Live));
        };
        let bytes = found.value();
        let record = Record::decode(bytes).ok_or_else(|| RedbError::Damaged(UNREADABLE_RECORD.to_owned()))?;
        let charge = record::charge(key.len(), bytes.len());
        let fate = facts.fate(&record, now);
        let live = fate == Fate::Live;
        if !live {
            self.count.add(|tally| tally.drop_dead(fate, &record.attributes));
        }
        let accessed = self.store.accesses.last(hash, record.attributes.cas);
        let (change, result) = decide(live.then(|| record.item(key, accessed)));
        let step = match change {
            Change::Put(attributes, data) => {
                let current = if live { record.data } else { &[] };
                record::encode(encoded, &attributes, facts.epoch, data, current);
                Step::Insert {
                    cas: attributes.cas,
                    replaced: Some((charge, fate)),
                }
            }
            Change::Keep if live => Step::Nothing,
            Change::Keep | Change::Remove => Step::Remove { charge, fate },
        };
        Ok((result, step, fate))
    }

    fn look_up<'t>(
        &self,
        table: &'t impl ReadableTable<&'static [u8], &'static [u8]>,
        key: &[u8],
        hash: u64,
    ) -> Result<Option<::redb::AccessGuard<'t, &'static [u8]>>, RedbError> {
        if !self.state.borrow().filters.may_contain(hash) {
            self.count.add(|tally| tally.lookups_saved += 1);
            return Ok(None);
        }
        let found = table.get(key)?;
        self.count.add(|tally| match found {
            Some(_) => tally.lookups_met += 1,
            None => tally.false_positives += 1,
        });
        Ok(found)
    }

    fn carry_out(
        &self,
        table: &mut Table<'_, &'static [u8], &'static [u8]>,
        key: &[u8],
        hash: u64,
        step: &Step,
        encoded: &[u8],
    ) -> Result<(), RedbError> {
        let state = &mut *self.state.borrow_mut();
        match *step {
            Step::Nothing => return Ok(()),
            Step::Remove { charge, fate } => {
                table.remove(key)?;
                state.release(charge, fate);
            }
            Step::Insert { cas, replaced } => {
                // Before the record can be seen by anyone: a key that is there must never be answered for by the filter.
                state.filters.insert(hash);
                table.insert(key, encoded)?;
                self.store.accesses.forget(hash, cas);
                if let Some((charge, fate)) = replaced {
                    state.release(charge, fate);
                }
                let charge = record::charge(key.len(), encoded.len());
                state.items += 1;
                state.bytes += charge;
                state.written_bytes += charge;
                state.cover_cas(cas);
                self.count.add(|tally| tally.store.total_items += 1);
            }
        }
        state.changed = true;
        Ok(())
    }
}

impl State {
    fn flush(&mut self) {
        self.facts.epoch += 1;
        self.facts.flush_at = None;
        self.changed = true;
        self.facts_changed = true;
        self.items = 0;
        self.bytes = 0;
    }

    /// A record goes. What was flushed is not counted any more.
    fn release(&mut self, charge: u64, fate: Fate) {
        if fate != Fate::Flushed {
            self.items -= 1;
            self.bytes -= charge;
        }
    }

    /// Sees to it that no CAS value from `cas` down is given out again after a restart.
    fn cover_cas(&mut self, cas: u64) {
        if cas > self.facts.cas_ceiling && cas <= CAS_COUNTED_MAX {
            self.facts.cas_ceiling = (cas + CAS_BLOCK).min(CAS_COUNTED_MAX);
            self.facts_changed = true;
            self.must_sync = true;
        }
    }
}

impl Store for WriteBatch<'_> {
    type Error = RedbError;

    fn read<R>(
        &self,
        key: &[u8],
        now: Timestamp,
        look: impl FnOnce(Option<Item<'_>>) -> (Access, R),
    ) -> Result<R, RedbError> {
        self.settle(now);
        let hash = self.store.hash(key);
        let outcome = self.decide(key, now, hash, |item| {
            let cas = item.as_ref().map(|item| item.attributes.cas);
            let (access, result) = look(item);
            if let (Access::Note, Some(cas)) = (access, cas) {
                self.store.accesses.note(hash, cas, access_time(now));
            }
            (Change::Keep, result)
        });
        let (result, fate) = self.note_failure(outcome)?;
        self.count.add(|tally| tally.meet_dead(fate));
        Ok(result)
    }

    fn update<'d, R>(
        &self,
        key: &[u8],
        now: Timestamp,
        decide: impl FnOnce(Option<Item<'_>>) -> (Change<'d>, R),
    ) -> Result<R, RedbError> {
        self.settle(now);
        let outcome = self.decide(key, now, self.store.hash(key), decide);
        Ok(self.note_failure(outcome)?.0)
    }

    fn flush(&self, at: Timestamp, now: Timestamp) -> Result<(), RedbError> {
        self.settle(now);
        let state = &mut *self.state.borrow_mut();
        if at <= now {
            state.flush();
        } else {
            state.facts.flush_at = Some(at);
            state.changed = true;
            state.facts_changed = true;
        }
        Ok(())
    }

    fn scan(
        &self,
        from: ScanPosition,
        now: Timestamp,
        mut visit: impl FnMut(Item<'_>),
    ) -> Result<Option<ScanPosition>, RedbError> {
        self.settle(now);
        let after = self.store.scans.key(from)?;
        let from = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let facts = self.state.borrow().facts;
        let mut dead = Vec::new();
        let walked = tables::walk(&*self.records.borrow(), from, Stretch::SCAN, |key, record| {
            match facts.fate(&record, now) {
                Fate::Live => visit(self.store.shown(key, &record)),
                Fate::Expired | Fate::Flushed => dead.push(key.to_vec()),
            }
            true
        });
        let stopped = self.note_failure(walked)?;
        let before = self.count.tally().store.reclaimed;
        self.drop_dead(&dead, now)?;
        self.count
            .add(|tally| tally.store.crawler_reclaimed += tally.store.reclaimed - before);
        Ok(stopped.map(|key| self.store.scans.pause(key)))
    }

    fn statistics(&self) -> StoreStatistics {
        let state = self.state.borrow();
        self.count.statistics(self.store, state.items, state.bytes)
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
