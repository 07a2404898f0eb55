//! What is counted beside the figures of every store.

use std::cell::Cell;

use super::RedbStore;
use super::bloom::Bloom;
use super::tables::Fate;
use crate::environment::Sink;
use crate::item::{Attributes, Marks};
use crate::store::StoreStatistics;

/// What a batch counts, and what all batches have counted together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// But for `curr_items` and `bytes`, which are not summed up.
    pub(super) store: StoreStatistics,
    /// Looks that the filter answered.
    pub(super) lookups_saved: u64,
    /// Looks into the file that found nothing.
    pub(super) false_positives: u64,
    /// Looks into the file that found a record.
    pub(super) lookups_met: u64,
    /// Flushed records that were dropped.
    pub(super) flushed_dropped: u64,
    pub(super) commits: u64,
    pub(super) synced_commits: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Tally) {
        let (sum, more) = (&mut self.store, &other.store);
        sum.total_items += more.total_items;
        sum.reclaimed += more.reclaimed;
        sum.crawler_reclaimed += more.crawler_reclaimed;
        sum.expired_unfetched += more.expired_unfetched;
        sum.get_expired += more.get_expired;
        sum.get_flushed += more.get_flushed;
        sum.outofmemory += more.outofmemory;
        self.lookups_saved += other.lookups_saved;
        self.false_positives += other.false_positives;
        self.lookups_met += other.lookups_met;
        self.flushed_dropped += other.flushed_dropped;
        self.commits += other.commits;
        self.synced_commits += other.synced_commits;
    }

    /// A look met a record that is gone.
    pub(super) fn meet_dead(&mut self, fate: Fate) {
        match fate {
            Fate::Live => {}
            Fate::Expired => self.store.get_expired += 1,
            Fate::Flushed => self.store.get_flushed += 1,
        }
    }

    /// A record that is gone was dropped.
    pub(super) fn drop_dead(&mut self, fate: Fate, attributes: &Attributes) {
        match fate {
            Fate::Live => {}
            Fate::Expired => {
                self.store.reclaimed += 1;
                self.store.expired_unfetched += u64::from(!attributes.marks.has(Marks::FETCHED));
            }
            Fate::Flushed => self.flushed_dropped += 1,
        }
    }
}

/// What one batch counts, until the totals get it.
#[derive(Debug, Default)]
pub(super) struct Count(Cell<Tally>);

impl Count {
    pub(super) fn add(&self, count: impl FnOnce(&mut Tally)) {
        let mut tally = self.0.get();
        count(&mut tally);
        self.0.set(tally);
    }

    pub(super) fn tally(&self) -> Tally {
        self.0.get()
    }

    /// The figures of `store` with what was counted here, where the batch sees so many items of so many bytes.
    pub(super) fn statistics(&self, store: &RedbStore, curr_items: u64, bytes: u64) -> StoreStatistics {
        let mut tally = *store.totals();
        tally.add(&self.tally());
        StoreStatistics {
            curr_items,
            bytes,
            ..tally.store
        }
    }

    /// Forgets what was counted, here and in `store`.
    pub(super) fn reset(&self, store: &RedbStore) {
        self.0.take();
        *store.totals() = Tally::default();
    }
}

/// What a [`super::RedbStore`] counts beside [`StoreStatistics`]: figures of its filter and of its file.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct RedbStatistics {
    /// Bits of the bloom filter.
    pub bloom_bits: u64,
    /// Layers of the filter: more than one after it has grown, until [`super::RedbStore::reclaim`] has made it anew.
    pub bloom_layers: u64,
    /// Keys in the filter, with those that have gone since it was made.
    pub bloom_keys: u64,
    /// The share of wrong answers for absent keys that was asked for.
    pub bloom_rate_configured: f64,
    /// The share to be expected of a filter as full as this one is now.
    pub bloom_rate_expected: f64,
    /// Looks that were answered by the filter alone: lookups in the file that were saved.
    pub bloom_lookups_saved: u64,
    /// Looks into the file, sent there by the filter, for keys that were not there.
    pub bloom_false_positives: u64,
    /// Looks into the file that found a record.
    pub lookups_met: u64,
    /// Transactions committed.
    pub commits: u64,
    /// Those of them that were synced to the disk before they were acknowledged.
    pub synced_commits: u64,
    /// Flushed records that were dropped.
    pub flushed_dropped: u64,
    /// The most that redb's cache may take, in bytes.
    pub cache_bytes_max: u64,
}

impl RedbStatistics {
    pub(super) fn new(bloom: &Bloom, tally: &Tally, rate: f64, cache_bytes_max: usize) -> Self {
        RedbStatistics {
            bloom_bits: bloom.bits(),
            bloom_layers: bloom.layers() as u64,
            bloom_keys: bloom.held(),
            bloom_rate_configured: rate,
            bloom_rate_expected: bloom.expected_rate(),
            bloom_lookups_saved: tally.lookups_saved,
            bloom_false_positives: tally.false_positives,
            lookups_met: tally.lookups_met,
            commits: tally.commits,
            synced_commits: tally.synced_commits,
            flushed_dropped: tally.flushed_dropped,
            cache_bytes_max: cache_bytes_max as u64,
        }
    }

    /// The share of wrong answers among all that the filter has given for absent keys; `None` before the first.
    pub fn bloom_rate_measured(&self) -> Option<f64> {
        let absent = self.bloom_lookups_saved + self.bloom_false_positives;
        (absent > 0).then(|| self.bloom_false_positives as f64 / absent as f64)
    }

    /// The lines that `stats` shows: `bloom_*` and `redb_*`. Rates are shares from 0 to 1.
    pub fn list(&self, sink: &mut Sink<'_>) {
        let rate = |rate: f64| format!("{rate:.6}");
        for (name, value) in [
            ("bloom_bits", self.bloom_bits.to_string()),
            ("bloom_layers", self.bloom_layers.to_string()),
            ("bloom_keys", self.bloom_keys.to_string()),
            ("bloom_false_positive_rate_configured", rate(self.bloom_rate_configured)),
            ("bloom_false_positive_rate_expected", rate(self.bloom_rate_expected)),
            (
                "bloom_false_positive_rate_measured",
                rate(self.bloom_rate_measured().unwrap_or(0.0)),
            ),
            ("bloom_lookups_saved", self.bloom_lookups_saved.to_string()),
            ("bloom_false_positives", self.bloom_false_positives.to_string()),
            ("redb_lookups_met", self.lookups_met.to_string()),
            ("redb_commits", self.commits.to_string()),
            ("redb_commits_synced", self.synced_commits.to_string()),
            ("redb_flushed_dropped", self.flushed_dropped.to_string()),
            ("redb_cache_bytes_max", self.cache_bytes_max.to_string()),
        ] {
            sink(name, &value);
        }
    }
}
