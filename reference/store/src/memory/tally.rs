//! What a shard counts.

use super::record::Record;
use crate::item::Marks;
use crate::store::StoreStatistics;
use crate::time::Expiry;

/// What was counted since the start or since `stats reset`; the names are those of [`StoreStatistics`]. Plain numbers: the
/// shard's lock is held whenever something happens that counts.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) total_items: u64,
    pub(super) outofmemory: u64,
    pub(super) get_expired: u64,
    pub(super) crawler_reclaimed: u64,
    evictions: u64,
    evicted_nonzero: u64,
    evicted_unfetched: u64,
    reclaimed: u64,
    expired_unfetched: u64,
}

impl Tally {
    /// An expired item was dropped.
    pub(super) fn reclaim(&mut self, record: &Record) {
        self.reclaimed += 1;
        self.expired_unfetched += u64::from(!record.marks().has(Marks::FETCHED));
    }

    /// A live item was dropped.
    pub(super) fn evict(&mut self, record: &Record) {
        self.evictions += 1;
        self.evicted_nonzero += u64::from(record.expiry() != Expiry::NEVER);
        self.evicted_unfetched += u64::from(!record.marks().has(Marks::FETCHED));
    }

    pub(super) fn add_to(&self, sum: &mut StoreStatistics) {
        sum.total_items += self.total_items;
        sum.outofmemory += self.outofmemory;
        sum.evictions += self.evictions;
        sum.evicted_nonzero += self.evicted_nonzero;
        sum.evicted_unfetched += self.evicted_unfetched;
        sum.reclaimed += self.reclaimed;
        sum.expired_unfetched += self.expired_unfetched;
        sum.get_expired += self.get_expired;
        sum.crawler_reclaimed += self.crawler_reclaimed;
    }
}
