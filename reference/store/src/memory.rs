//! The store in memory: shards of hash tables, bounded by bytes, evicting.

mod record;
mod shard;
mod tally;

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;

use crate::item::Item;
use crate::store::{Access, Change, FORESEEN_MAX, ScanPosition, Store, StoreStatistics};
use crate::time::Timestamp;
use crate::watch::Watchers;
use record::Record;
use shard::{Reach, Shard};

/// How a [`MemoryStore`] is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryOptions {
    /// What the items may take in all, in bytes: memcached's `-m`. 0 is no limit.
    pub limit_bytes: u64,
    /// How many parts the table has, each with a lock of its own: a power of two up to [`MemoryOptions::SHARDS_MAX`]; any
    /// other number is rounded up to one. More means fewer waits, and shorter ones while a part grows.
    pub shards: usize,
}

impl MemoryOptions {
    /// The most shards there can be.
    pub const SHARDS_MAX: usize = 1 << 16;
}

impl Default for MemoryOptions {
    /// 64 MiB, as memcached, in 256 shards.
    fn default() -> Self {
        MemoryOptions {
            limit_bytes: 64 << 20,
            shards: 256,
        }
    }
}

/// Why a change was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MemoryError {
    /// The item alone is larger than the limit of the store. The text is memcached's.
    #[error("out of memory storing object")]
    OutOfMemory,
}

/// Items in memory.
///
/// **Charges.** An item is charged with what it costs the process: 24 bytes of header, its key and its data in one
/// allocation (plus 8 bytes, rounded up to 16), and 40 bytes for its part of the hash table. When the charges come to more than
/// the limit, items are evicted at once, before the change that caused it returns; what threads are writing at that very
/// moment is the only excess there can be.
///
/// **Eviction** is CLOCK, with a bound on the work of one step. In each shard a hand goes over the table; an item that has
/// expired is dropped where it is met; one that was stored since the hand last came by stays for this turn, one that was
/// fetched for this and the next; what has no turn left goes. After 16 that stay in a row one of them goes: one that was never
/// fetched rather than one that was, and the least recently used of these. The order of the table is that of the hashes, so
/// a newcomer is anywhere in the circle and stays for one turn at least. A shard that holds more than its share gives first,
/// then all in turn. Where items are so few and large that a shard has no 16 of them, the shards together are one circle.
///
/// **Flushing** takes no time: it starts a new epoch. A shard drops what it holds from an earlier one when it is next
/// entered, so the work falls to many requests, a shard each. Before anything live is evicted, shards that nobody has entered
/// since are.
///
/// **Hashing** is the caller's: seeded at random in production (clients choose the keys), fixed in simulations. Each key is
/// hashed once per operation.
pub struct MemoryStore<H> {
    shards: Box<[Padded]>,
    hasher: H,
    limit_bytes: AtomicU64,
    /// Charges of all shards together. Each shard knows its own; this one is for seeing cheaply that there are too many.
    used_bytes: AtomicU64,
    /// The shard that evictions from all shards came to last.
    turn: AtomicUsize,
    /// How many flushes have been done.
    epoch: AtomicU64,
    /// The last epoch of which it is known that all shards are in it.
    swept: AtomicU64,
    /// When the next flush is due, in Unix milliseconds; `u64::MAX` if none is.
    flush_at_ms: AtomicU64,
    /// Held while a flush is noted or done.
    flushing: Mutex<()>,
    /// Who is told of evictions.
    watchers: Arc<Watchers>,
}

/// A shard on cache lines of its own.
#[repr(align(128))]
struct Padded(Mutex<Shard>);

impl<H: BuildHasher> MemoryStore<H> {
    /// An empty store.
    pub fn new(options: MemoryOptions, hasher: H) -> Self {
        let shards = options.shards.clamp(1, MemoryOptions::SHARDS_MAX).next_power_of_two();
        MemoryStore {
            shards: (0..shards).map(|_| Padded(Mutex::new(Shard::default()))).collect(),
            hasher,
            limit_bytes: AtomicU64::new(options.limit_bytes),
            used_bytes: AtomicU64::new(0),
            turn: AtomicUsize::new(0),
            epoch: AtomicU64::new(0),
            swept: AtomicU64::new(0),
            flush_at_ms: AtomicU64::new(u64::MAX),
            flushing: Mutex::new(()),
            watchers: Arc::default(),
        }
    }

    /// The same store, which tells `watchers` of what it evicts.
    #[must_use]
    pub fn watched(mut self, watchers: &Arc<Watchers>) -> Self {
        self.watchers = Arc::clone(watchers);
        self
    }

    /// The hash of a key and the shard that it belongs to.
    #[inline]
    fn locate(&self, key: &[u8]) -> (u64, usize) {
        let hash = self.hasher.hash_one(key);
        // The table uses the lowest bits and the seven highest; the shard is chosen by those between.
        let shard = (hash >> 32) as usize & (self.shards.len() - 1);
        (hash, shard)
    }

    /// Locks a shard and brings it into the current epoch. What has been flushed is dropped here, so a flush that has been
    /// answered is seen by all that begins later. A poisoned lock is taken all the same: should a caller's closure panic, the
    /// table is whole while it runs.
    #[inline]
    fn enter(&self, shard: usize) -> MutexGuard<'_, Shard> {
        let shard = self.shards[shard].0.lock();
        let mut shard = shard.unwrap_or_else(PoisonError::into_inner);
        let freed = shard.enter(self.epoch.load(Ordering::Acquire));
        if freed != 0 {
            self.release(freed);
        }
        shard
    }

    /// Does the flush that has become due, if any.
    #[inline]
    fn settle(&self, now: Timestamp) {
        if now.unix_ms() >= self.flush_at_ms.load(Ordering::Acquire) {
            let _flushing = self.flushing.lock().unwrap_or_else(PoisonError::into_inner);
            if now.unix_ms() >= self.flush_at_ms.load(Ordering::Acquire) {
                self.epoch.fetch_add(1, Ordering::AcqRel);
                self.flush_at_ms.store(u64::MAX, Ordering::Release);
            }
        }
    }

    fn release(&self, bytes: usize) {
        self.used_bytes.fetch_sub(bytes as u64, Ordering::Relaxed);
    }

    /// How many bytes there are too many.
    #[inline]
    fn excess(&self) -> u64 {
        match self.limit_bytes.load(Ordering::Relaxed) {
            0 => 0,
            limit => self.used_bytes.load(Ordering::Relaxed).saturating_sub(limit),
        }
    }

    /// Evicts from `shard`, which is `home`, what it has beyond its share, sparing the item in bucket `spared`.
    #[cold]
    fn evict_at_home(&self, shard: &mut Shard, spared: usize, now: Timestamp) {
        let share = self.limit_bytes.load(Ordering::Relaxed) / self.shards.len() as u64;
        let surplus = (shard.bytes() as u64).saturating_sub(share);
        let wanted = self.excess().min(surplus);
        let freed = shard.evict(wanted as usize, (Reach::Unused, Some(spared)), &self.watchers, now);
        self.release(freed);
    }

    /// Whether no shard holds what has been flushed.
    fn is_swept(&self) -> bool {
        self.swept.load(Ordering::Acquire) >= self.epoch.load(Ordering::Acquire)
    }

    /// Has shards drop what has been flushed, until there is no excess: it goes before anything that is live.
    fn sweep(&self) {
        let epoch = self.epoch.load(Ordering::Acquire);
        for shard in 0..self.shards.len() {
            if self.excess() == 0 {
                return;
            }
            drop(self.enter(shard));
        }
        self.swept.fetch_max(epoch, Ordering::AcqRel);
    }

    /// Evicts from all shards, a little from each, until there is no excess; then again with no bound, until nothing is left
    /// but the item under the `spared` key.
    #[cold]
    fn evict_anywhere(&self, spared: Option<&[u8]>, now: Timestamp) {
        if !self.is_swept() {
            self.sweep();
        }
        let spared = spared.map(|key| (key, self.locate(key)));
        let shards = self.shards.len();
        let mut at = self.turn.load(Ordering::Relaxed);
        // An item has two turns at most, which two rounds take away.
        for (round, reach) in [Reach::Unused, Reach::Unused, Reach::Unused, Reach::All]
            .into_iter()
            .enumerate()
        {
            for _ in 0..shards {
                let wanted = match (self.excess(), round) {
                    (0, _) => return,
                    (excess, 0) => excess.div_ceil(shards as u64),
                    (excess, _) => excess,
                };
                at = (at + 1) % shards;
                self.turn.store(at, Ordering::Relaxed);
                let mut shard = self.enter(at);
                let spared = spared.filter(|(_, (_, home))| *home == at);
                let spared = spared.and_then(|(key, (hash, _))| shard.bucket(hash, key));
                let freed = shard.evict(wanted as usize, (reach, spared), &self.watchers, now);
                self.release(freed);
            }
        }
    }
}

impl<H: BuildHasher> Store for MemoryStore<H> {
    type Error = MemoryError;

    #[inline]
    fn read<R>(
        &self,
        key: &[u8],
        now: Timestamp,
        look: impl FnOnce(Option<Item<'_>>) -> (Access, R),
    ) -> Result<R, MemoryError> {
        self.settle(now);
        let (hash, home) = self.locate(key);
        let mut shard = self.enter(home);
        let (result, freed) = shard.read(hash, key, now, look);
        if freed != 0 {
            self.release(freed);
        }
        Ok(result)
    }

    #[inline]
    fn update<'d, R>(
        &self,
        key: &[u8],
        now: Timestamp,
        decide: impl FnOnce(Option<Item<'_>>) -> (Change<'d>, R),
    ) -> Result<R, MemoryError> {
        self.settle(now);
        let (hash, home) = self.locate(key);
        let mut shard = self.enter(home);
        let room = match self.limit_bytes.load(Ordering::Relaxed) {
            0 => u64::MAX,
            limit => limit,
        };
        let rehash = |record: &Record| self.hasher.hash_one(record.key());
        let (result, outcome) = shard.update((hash, key), now, room, rehash, decide);
        if outcome.grown != 0 {
            // Wraps when it shrinks, which is the same as subtracting.
            self.used_bytes.fetch_add(outcome.grown as u64, Ordering::Relaxed);
            if outcome.grown > 0 && self.excess() > 0 {
                if self.is_swept() {
                    self.evict_at_home(&mut shard, outcome.bucket, now);
                }
                drop(shard);
                self.evict_anywhere(Some(key), now);
            }
        }
        if outcome.refused {
            return Err(MemoryError::OutOfMemory);
        }
        Ok(result)
    }

    /// Looks the keys up in all their shards together: each of a lookup's three waits for memory (tags, slot, record) is then
    /// one for all keys, where the locks between commands would have them wait one after the other. A shard that somebody
    /// else has, or an earlier one of the keys, is passed over: nobody is waited for with a lock in hand.
    fn foresee(&self, keys: &[&[u8]]) {
        let mut held = [const { None }; FORESEEN_MAX];
        for (place, key) in held.iter_mut().zip(keys) {
            let (hash, shard) = self.locate(key);
            *place = self.shards[shard].0.try_lock().ok().map(|shard| (shard, hash, *key));
        }
        for (shard, hash, key) in held.iter().flatten() {
            shard.touch(*hash, key);
        }
    }

    fn flush(&self, at: Timestamp, now: Timestamp) -> Result<(), MemoryError> {
        self.settle(now);
        let _flushing = self.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        if at <= now {
            self.epoch.fetch_add(1, Ordering::AcqRel);
            self.flush_at_ms.store(u64::MAX, Ordering::Release);
        } else {
            self.flush_at_ms.store(at.unix_ms(), Ordering::Release);
        }
        Ok(())
    }

    fn scan(
        &self,
        from: ScanPosition,
        now: Timestamp,
        visit: impl FnMut(Item<'_>),
    ) -> Result<Option<ScanPosition>, MemoryError> {
        self.settle(now);
        let shards = self.shards.len() as u64;
        if from.0 >= shards {
            return Ok(None);
        }
        // A whole shard at a time: items move within it when it grows.
        let freed = self.enter(from.0 as usize).scan(now, visit);
        self.release(freed);
        Ok(Some(ScanPosition(from.0 + 1)).filter(|next| next.0 < shards))
    }

    fn statistics(&self) -> StoreStatistics {
        let mut sum = StoreStatistics {
            limit_bytes: self.limit_bytes.load(Ordering::Relaxed),
            ..StoreStatistics::default()
        };
        for shard in 0..self.shards.len() {
            self.enter(shard).add_statistics(&mut sum);
        }
        sum
    }

    fn set_limit(&self, limit_bytes: u64, now: Timestamp) -> bool {
        self.limit_bytes.store(limit_bytes, Ordering::Relaxed);
        self.evict_anywhere(None, now);
        true
    }

    fn reset_statistics(&self) {
        for shard in 0..self.shards.len() {
            self.enter(shard).reset_statistics();
        }
    }
}
