//! One part of the table, under one lock.

use hashbrown::HashTable;
use hashbrown::hash_table::OccupiedEntry;

use super::record::{Record, charge};
use super::tally::Tally;
use crate::item::{Attributes, Item, Marks, access_time};
use crate::store::{Access, Change, Data, StoreStatistics};
use crate::time::Timestamp;
use crate::watch::Watchers;

/// How many used items an eviction looks at before it takes one of them.
const EXAMINED_MAX: usize = 16;

/// What an eviction takes of a shard. A shard of few items says nothing of what the others hold: of its used ones none goes
/// while there may be unused ones elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// What is dead, what has no turn left, and the least used of [`EXAMINED_MAX`] that have.
    Unused,
    /// Anything, the least used of as many first.
    All,
}

/// The longest key that a record can hold; the protocol's limit is 250.
const KEY_BYTES_MAX: usize = 255;

/// What an update did to the shard.
#[derive(Clone, Copy)]
pub(super) struct Outcome {
    /// By how many bytes the charges grew; negative if they shrank.
    pub(super) grown: isize,
    /// Where the item is that was put. Without meaning if nothing was.
    pub(super) bucket: usize,
    /// Nothing was changed, because there can never be room for the item.
    pub(super) refused: bool,
}

impl Outcome {
    const NOTHING: Outcome = Outcome {
        grown: 0,
        bucket: 0,
        refused: false,
    };
    const REFUSED: Outcome = Outcome {
        refused: true,
        ..Outcome::NOTHING
    };
}

/// Some of the items, and what was counted of them.
#[derive(Default)]
pub(super) struct Shard {
    /// The epoch that the items belong to.
    epoch: u64,
    table: HashTable<Record>,
    /// The bucket that the next eviction looks at.
    hand: usize,
    /// Charges of the items in the table.
    bytes: usize,
    tally: Tally,
}

impl Shard {
    /// Charges of the items held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The bucket that `key` is in.
    pub(super) fn bucket(&self, hash: u64, key: &[u8]) -> Option<usize> {
        self.table.find_bucket_index(hash, |record| record.key() == key)
    }

    /// Looks `key` up for nothing but to have what that takes in the cache.
    #[inline]
    pub(super) fn touch(&self, hash: u64, key: &[u8]) {
        if let Some(record) = self.table.find(hash, |record| record.key() == key) {
            record.touch();
        }
    }

    /// Looks `key` up; answers what `look` did and how many bytes were freed because the item had died.
    #[inline]
    pub(super) fn read<R>(
        &mut self,
        hash: u64,
        key: &[u8],
        now: Timestamp,
        look: impl FnOnce(Option<Item<'_>>) -> (Access, R),
    ) -> (R, usize) {
        let Ok(mut entry) = self.table.find_entry(hash, |record| record.key() == key) else {
            return (look(None).1, 0);
        };
        if entry.get().expiry().is_past(now) {
            self.tally.get_expired += 1;
            let freed = bury(entry, &mut self.tally);
            self.bytes -= freed;
            return (look(None).1, freed);
        }
        let (access, result) = look(Some(entry.get().item()));
        if access == Access::Note {
            entry.get_mut().note_access(access_time(now));
        }
        (result, 0)
    }

    /// Lets `decide` change the item under `key`. A new item that cannot fit in `room` bytes is refused.
    #[inline]
    pub(super) fn update<'d, R>(
        &mut self,
        (hash, key): (u64, &[u8]),
        now: Timestamp,
        room: u64,
        rehash: impl Fn(&Record) -> u64,
        decide: impl FnOnce(Option<Item<'_>>) -> (Change<'d>, R),
    ) -> (R, Outcome) {
        let mut buried = 0;
        if let Ok(entry) = self.table.find_entry(hash, |record| record.key() == key) {
            if !entry.get().expiry().is_past(now) {
                let (change, result) = decide(Some(entry.get().item()));
                let outcome = self::change(entry, change, room);
                self.settle(outcome, &change);
                return (result, outcome);
            }
            buried = bury(entry, &mut self.tally);
        }
        let (change, result) = decide(None);
        let mut outcome = Outcome::NOTHING;
        if let Change::Put(attributes, data) = &change {
            outcome = self.create((hash, key), attributes, *data, room, rehash);
        }
        outcome.grown -= buried as isize;
        self.settle(outcome, &change);
        (result, outcome)
    }

    fn create(
        &mut self,
        (hash, key): (u64, &[u8]),
        attributes: &Attributes,
        data: Data<'_>,
        room: u64,
        rehash: impl Fn(&Record) -> u64,
    ) -> Outcome {
        let charge = charge(key.len(), data.len(0));
        if charge as u64 > room || key.len() > KEY_BYTES_MAX {
            return Outcome::REFUSED;
        }
        let record = Record::new(key, attributes, data, &[]);
        let entry = self.table.insert_unique(hash, record, rehash);
        Outcome {
            grown: charge as isize,
            bucket: entry.bucket_index(),
            refused: false,
        }
    }

    fn settle(&mut self, outcome: Outcome, change: &Change<'_>) {
        self.bytes = self.bytes.wrapping_add_signed(outcome.grown);
        if outcome.refused {
            self.tally.outofmemory += 1;
        } else if matches!(change, Change::Put(..)) {
            self.tally.total_items += 1;
        }
    }

    /// Drops items, dead or unused ones first, until `wanted` bytes have been freed or nothing is left but what is beyond
    /// `reach` and the item in bucket `spared`. Answers how many bytes were freed.
    pub(super) fn evict(
        &mut self,
        wanted: usize,
        (reach, spared): (Reach, Option<usize>),
        watchers: &Watchers,
        now: Timestamp,
    ) -> usize {
        let mut freed = 0;
        while freed < wanted {
            let Some(victim) = self.victim(reach, spared, now) else {
                break;
            };
            let Ok(entry) = self.table.get_bucket_entry(victim) else {
                break;
            };
            freed += if entry.get().expiry().is_past(now) {
                bury(entry, &mut self.tally)
            } else {
                self.tally.evict(entry.get());
                watchers.evicted(&entry.get().item(), now);
                entry.remove().0.charge()
            };
        }
        self.bytes -= freed;
        freed
    }

    /// The bucket of the item that goes next, or `None` if there is none within `reach` but the one in `spared`.
    fn victim(&mut self, reach: Reach, spared: Option<usize>, now: Timestamp) -> Option<usize> {
        let buckets = self.table.num_buckets();
        let mut least_used: Option<(bool, u32, usize)> = None;
        let mut examined = 0;
        for _ in 0..buckets {
            let at = self.hand % buckets;
            self.hand = at + 1;
            if Some(at) == spared {
                continue;
            }
            let Some(record) = self.table.get_bucket_mut(at) else {
                continue;
            };
            if record.expiry().is_past(now) || !record.take_turn() {
                return Some(at);
            }
            let fetched = record.marks().has(Marks::FETCHED);
            let candidate = (fetched, record.accessed_unix_s(), at);
            least_used = Some(least_used.map_or(candidate, |least| least.min(candidate)));
            examined += 1;
            if examined == EXAMINED_MAX {
                break;
            }
        }
        let (_, _, at) = least_used?;
        (reach == Reach::All || examined == EXAMINED_MAX).then_some(at)
    }

    /// Passes all live items to `visit` and drops the expired ones; answers how many bytes were freed.
    pub(super) fn scan(&mut self, now: Timestamp, mut visit: impl FnMut(Item<'_>)) -> usize {
        let tally = &mut self.tally;
        let mut freed = 0;
        self.table.retain(|record| {
            let live = !record.expiry().is_past(now);
            if live {
                visit(record.item());
            } else {
                tally.reclaim(record);
                tally.crawler_reclaimed += 1;
                freed += record.charge();
            }
            live
        });
        self.bytes -= freed;
        freed
    }

    /// Drops all items, the table's memory too, if they belong to an earlier epoch; answers how many bytes were freed.
    #[inline]
    pub(super) fn enter(&mut self, epoch: u64) -> usize {
        if self.epoch == epoch {
            return 0;
        }
        self.epoch = epoch;
        self.table = HashTable::new();
        self.hand = 0;
        std::mem::take(&mut self.bytes)
    }

    pub(super) fn add_statistics(&self, sum: &mut StoreStatistics) {
        sum.curr_items += self.table.len() as u64;
        sum.bytes += self.bytes as u64;
        self.tally.add_to(sum);
    }

    pub(super) fn reset_statistics(&mut self) {
        self.tally = Tally::default();
    }
}

/// Does `change` to the live item in `entry`.
#[inline]
fn change(mut entry: OccupiedEntry<'_, Record>, change: Change<'_>, room: u64) -> Outcome {
    let before = entry.get().charge();
    match change {
        Change::Keep => Outcome::NOTHING,
        Change::Remove => {
            entry.remove();
            Outcome {
                grown: -(before as isize),
                ..Outcome::NOTHING
            }
        }
        Change::Put(attributes, data) => {
            let bucket = entry.bucket_index();
            let record = entry.get_mut();
            if !record.overwrite(&attributes, data) {
                let key_bytes = record.key().len();
                if charge(key_bytes, data.len(record.data().len())) as u64 > room {
                    return Outcome::REFUSED;
                }
                *record = Record::new(record.key(), &attributes, data, record.data());
            }
            Outcome {
                grown: record.charge() as isize - before as isize,
                bucket,
                refused: false,
            }
        }
    }
}

/// Drops an item that has expired; answers how many bytes that frees.
fn bury(entry: OccupiedEntry<'_, Record>, tally: &mut Tally) -> usize {
    let (record, _) = entry.remove();
    tally.reclaim(&record);
    record.charge()
}
