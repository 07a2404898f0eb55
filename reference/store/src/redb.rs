//! The store on a disk: a redb file, one writer, many readers, a bloom filter in front.
//!
//! # Layout
//! - `options`, `open`: how a file becomes a [`RedbStore`]; `gate`: nothing is written to it before it has passed its check.
//! - `tables`, `record`: what lies in the file.
//! - `read`, `write`: the two batches, which are [`Store`](crate::Store)s. `scans`: where paused scans stand.
//! - `bloom`, `accesses`: what is known of the keys in memory.
//! - `reclaim`: dropping what is gone.
//! - `statistics`, `error`: figures, and failures in words.

mod accesses;
mod bloom;
mod error;
mod gate;
mod open;
mod options;
mod read;
mod reclaim;
mod record;
mod scans;
mod statistics;
mod tables;
mod write;

use std::hash::BuildHasher;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use ::redb::{Database, ReadOnlyTable, ReadableDatabase};
use foldhash::quality::FixedState;

pub use self::error::{OpenError, RedbError};
pub use self::options::{Durability, OpenProgress, RedbOptions};
pub use self::read::ReadBatch;
pub use self::reclaim::Reclaimed;
pub use self::statistics::RedbStatistics;
pub use self::write::WriteBatch;

use self::accesses::Accesses;
use self::bloom::Bloom;
use self::reclaim::Walk;
use self::record::Record;
use self::scans::Scans;
use self::statistics::Tally;
use self::tables::{Facts, Fate, RECORDS, Stretch};
use self::write::State;
use crate::item::Item;
use crate::store::StoreStatistics;
use crate::time::Timestamp;

/// A dataset on a disk, open.
///
/// **Writing.** There is one writer at a time: [`RedbStore::write`] runs a batch of requests in one transaction and returns
/// when it is committed. A server collects what many clients have sent and answers them after that: a sync of the disk is
/// paid once for all of them. A batch that fails has not happened, none of it.
///
/// **Reading** goes on beside the writer, on the state that the last commit left. A key that is not there is answered
/// from the bloom filter, but for the share of wrong answers that was asked for; the others look into redb's cache, and into
/// the file if they must.
///
/// **Room.** The file grows as it has to: nothing is evicted, and [`StoreStatistics::limit_bytes`] is 0. What has expired, or
/// was flushed, is dropped where a writing batch meets it, and by [`RedbStore::reclaim`].
///
/// **Flushing** takes no time: the dataset enters a new epoch, which is a number in the file, and records of an earlier one are
/// not there any more. A flush that is still to come is in the file too.
///
/// **CAS values** survive a restart: see [`RedbStore::cas_ceiling`].
///
/// **Closing.** To drop the store closes the file, which writes to it: what is committed is there either way. Close
/// with [`RedbStore::close`] to hear of a failure.
pub struct RedbStore {
    database: Database,
    options: RedbOptions,
    hasher: FixedState,
    /// What the last commit left.
    current: RwLock<Arc<Snapshot>>,
    /// Held while a batch is written.
    writer: Mutex<Writer>,
    accesses: Accesses,
    totals: Mutex<Tally>,
    scans: Scans,
}

/// The state that a commit left, and a filter that holds all of its keys.
struct Snapshot {
    records: Arc<ReadOnlyTable<&'static [u8], &'static [u8]>>,
    facts: Facts,
    bloom: Arc<Bloom>,
    /// Records of the current epoch.
    items: u64,
    /// What they are charged with.
    bytes: u64,
}

/// What is known between one batch and the next.
#[derive(Default)]
struct Writer {
    /// How far the reclaiming of dead records has come.
    walk: Option<Walk>,
    unsynced_bytes: u64,
    unsynced_commits: u64,
}

/// The filter in use, and the one that is to take its place.
struct Filters {
    current: Arc<Bloom>,
    next: Option<Bloom>,
}

/// By how much the ceiling of CAS values is raised when it is reached: once in so many changes the facts are written.
const CAS_BLOCK: u64 = 1 << 20;

/// CAS values above were set by a client (flag `E`): no server counts that far.
const CAS_COUNTED_MAX: u64 = 1 << 62;

impl RedbStore {
    /// Runs `work` in a write transaction and commits that before it returns, with the store's durability. If `work` changes
    /// nothing, there is nothing to commit and nothing is written. Other writers wait, readers do not.
    ///
    /// # Errors
    /// When the transaction could not be begun, done or committed. None of the changes has been made then, whatever `work` was
    /// told, but for one case: if the disk fails during the commit ([`RedbError::Io`], [`RedbError::Full`]), they are not
    /// to be seen until the file is opened again, and may be there after that.
    pub fn write<R>(&self, work: impl FnOnce(&WriteBatch<'_>) -> R) -> Result<R, RedbError> {
        let mut writer = self.writer();
        self.write_as(&mut writer, work)
    }

    /// Runs `work` on the state that the last commit left. Whatever is committed meanwhile, that does not change.
    ///
    /// # Errors
    /// None at present: what goes wrong, goes wrong within `work`.
    pub fn read<R>(&self, work: impl FnOnce(&ReadBatch<'_>) -> R) -> Result<R, RedbError> {
        Ok(work(&ReadBatch::new(self)))
    }

    /// Whether there may be an item under `key`; `false` is certain, and takes no look at the file.
    #[inline]
    pub fn may_contain(&self, key: &[u8]) -> bool {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.bloom.may_contain(self.hash(key))
    }

    /// No CAS value in the dataset, and none that was acknowledged for it and has gone since, is larger; those apart that
    /// clients have set to more than 2^62. Give it to [`crate::Environment::raise_cas`] before the first request. A new dataset
    /// begins with a number made from the time, so that no two have values in common.
    pub fn cas_ceiling(&self) -> u64 {
        self.snapshot().facts.cas_ceiling
    }

    /// Items in the file, with those that have expired and have not been met since.
    pub fn items(&self) -> u64 {
        self.snapshot().items
    }

    /// How it was opened.
    pub fn options(&self) -> &RedbOptions {
        &self.options
    }

    /// Figures for `stats`.
    pub fn statistics(&self) -> StoreStatistics {
        let snapshot = self.snapshot();
        StoreStatistics {
            curr_items: snapshot.items,
            bytes: snapshot.bytes,
            ..self.totals().store
        }
    }

    /// Figures of the filter and of the file.
    pub fn details(&self) -> RedbStatistics {
        let (snapshot, tally) = (self.snapshot(), *self.totals());
        let rate = self.options.false_positive_rate;
        RedbStatistics::new(&snapshot.bloom, &tally, rate, self.options.cache_bytes)
    }

    /// With [`Durability::None`]: brings to the disk what has been committed.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn sync(&self) -> Result<(), RedbError> {
        let mut writer = self.writer();
        if writer.unsynced_commits == 0 {
            return Ok(());
        }
        let mut transaction = self.database.begin_write()?;
        set_durability(&mut transaction, ::redb::Durability::Immediate);
        transaction.commit()?;
        writer.synced();
        self.totals().synced_commits += 1;
        Ok(())
    }

    /// Closes the file; all that was committed is on the disk.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn close(self) -> Result<(), RedbError> {
        self.sync()?;
        if self.options.read_only {
            // To close it would be to write to it.
            return Ok(());
        }
        self.database.close()?;
        Ok(())
    }

    #[inline]
    fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    #[inline]
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What counts is whole by itself at any time, should a thread have panicked with it.
    fn totals(&self) -> MutexGuard<'_, Tally> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same holds: what a batch that panicked would have changed was never put here.
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The item of a record that a walk has come to.
    fn shown<'k>(&self, key: &'k [u8], record: &Record<'k>) -> Item<'k> {
        let accessed = self.accesses.last(self.hash(key), record.attributes.cas);
        record.item(key, accessed)
    }

    fn write_as<R>(&self, writer: &mut Writer, work: impl FnOnce(&WriteBatch<'_>) -> R) -> Result<R, RedbError> {
        if self.options.read_only {
            return Err(RedbError::ReadOnly);
        }
        let before = self.snapshot();
        let filters = Filters {
            current: Arc::clone(&before.bloom),
            next: writer.walk.as_ref().map(|walk| walk.bloom.clone()),
        };
        let mut transaction = self.database.begin_write()?;
        let batch = WriteBatch::new(self, &transaction, &before, filters)?;
        let result = work(&batch);
        let (mut state, mut tally) = batch.into_outcome();
        if let Some(error) = state.failed.take() {
            // After a failure of the disk this fails, too; the first cause is the one to tell.
            let _ = transaction.abort();
            return Err(error);
        }
        if state.changed {
            if state.facts_changed {
                state.facts.store(&transaction)?;
            }
            let sync = state.must_sync || self.must_sync(writer, &state);
            let durability = if sync {
                ::redb::Durability::Immediate
            } else {
                ::redb::Durability::None
            };
            set_durability(&mut transaction, durability);
            transaction.commit()?;
            tally.commits += 1;
            tally.synced_commits += u64::from(sync);
            writer.committed(&mut state, sync);
            self.publish(&state)?;
        } else {
            transaction.abort()?;
        }
        self.totals().add(&tally);
        Ok(result)
    }

    fn must_sync(&self, writer: &Writer, state: &State) -> bool {
        match self.options.durability {
            Durability::Immediate => true,
            Durability::None => {
                writer.unsynced_bytes + state.written_bytes >= Durability::UNSYNCED_BYTES_MAX
                    || writer.unsynced_commits + 1 >= Durability::UNSYNCED_COMMITS_MAX
            }
        }
    }

    /// Lets readers see what was committed.
    fn publish(&self, state: &State) -> Result<(), RedbError> {
        let snapshot = Snapshot {
            records: Arc::new(self.database.begin_read()?.open_table(RECORDS)?),
            facts: state.facts,
            bloom: Arc::clone(&state.filters.current),
            items: state.items,
            bytes: state.bytes,
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        Ok(())
    }
}

impl Writer {
    fn committed(&mut self, state: &mut State, synced: bool) {
        if let (Some(walk), Some(bloom)) = (&mut self.walk, state.filters.next.take()) {
            walk.bloom = bloom;
        }
        self.unsynced_bytes += state.written_bytes;
        self.unsynced_commits += 1;
        if synced {
            self.synced();
        }
    }

    fn synced(&mut self) {
        self.unsynced_bytes = 0;
        self.unsynced_commits = 0;
    }
}

impl Filters {
    #[inline]
    fn may_contain(&self, hash: u64) -> bool {
        self.current.may_contain(hash)
    }

    fn insert(&mut self, hash: u64) {
        if self.current.is_full() {
            self.current = Arc::new(self.current.grown());
        }
        self.current.insert(hash);
        if let Some(next) = &mut self.next {
            if next.is_full() {
                *next = next.grown();
            }
            next.insert(hash);
        }
    }
}

impl Snapshot {
    fn range(
        &self,
        store: &RedbStore,
        prefix: &[u8],
        after: Option<&[u8]>,
        now: Timestamp,
        mut visit: impl FnMut(Item<'_>) -> bool,
    ) -> Result<(), RedbError> {
        let visit = |key: &[u8], record: Record<'_>| {
            let within = key.starts_with(prefix);
            within && (self.facts.fate(&record, now) != Fate::Live || visit(store.shown(key, &record)))
        };
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        tables::walk(&*self.records, from, Stretch::ALL, visit)?;
        Ok(())
    }
}

/// Chooses how a transaction is committed.
fn set_durability(transaction: &mut ::redb::WriteTransaction, durability: ::redb::Durability) {
    // It refuses after a change of persistent savepoints, and there are none here.
    let _ = transaction.set_durability(durability);
}
