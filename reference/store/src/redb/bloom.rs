//! The filter that answers for most keys that are not there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastbloom::AtomicBloomFilter;

/// The fewest keys that a filter is made for.
const CAPACITY_MIN: u64 = 1 << 16;

/// A bloom filter that grows. Keys are inserted without a lock and never taken out; a filter without those that have gone is
/// made anew by [`super::RedbStore::reclaim`].
///
/// When the keys are more than the filter was made for, a layer with room for twice as many is put on it, and none of the keys
/// has to be read again. Each layer is made for half the rate of the one before, the first for half of what was asked
/// for: all together stay below that.
#[derive(Clone, Debug)]
pub(super) struct Bloom {
    layers: Vec<Arc<Layer>>,
    /// The rate that the next layer is made for.
    next_rate: f64,
}

#[derive(Debug)]
struct Layer {
    filter: AtomicBloomFilter,
    capacity: u64,
    /// Keys inserted; those that seemed to be there already are not counted.
    held: AtomicU64,
}

impl Bloom {
    /// An empty filter with room for twice `keys`, of whose answers for absent keys at most the share `rate` are wrong.
    pub(super) fn with_room_for(keys: u64, rate: f64) -> Bloom {
        let mut bloom = Bloom {
            layers: Vec::new(),
            next_rate: rate / 2.0,
        };
        bloom.grow(keys.saturating_mul(2).max(CAPACITY_MIN));
        bloom
    }

    /// Whether the key with this hash may be there; `false` is certain.
    #[inline]
    pub(super) fn may_contain(&self, hash: u64) -> bool {
        self.layers.iter().any(|layer| layer.filter.contains_hash(hash))
    }

    /// From now on the key with this hash may be there.
    #[inline]
    pub(super) fn insert(&self, hash: u64) {
        if let Some(layer) = self.layers.last()
            && !self.may_contain(hash)
        {
            layer.filter.insert_hash(hash);
            layer.held.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether there is no more room, so that more keys would make more answers wrong.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        let full = |layer: &Arc<Layer>| layer.held.load(Ordering::Relaxed) >= layer.capacity;
        self.layers.last().is_none_or(full)
    }

    /// The same filter with more room. What is inserted from now on is not in the filter it was made from.
    pub(super) fn grown(&self) -> Bloom {
        let mut bloom = self.clone();
        let capacity = self.layers.last().map_or(CAPACITY_MIN, |layer| layer.capacity);
        bloom.grow(capacity.saturating_mul(2));
        bloom
    }

    fn grow(&mut self, capacity: u64) {
        let expected = usize::try_from(capacity).unwrap_or(usize::MAX);
        let filter = AtomicBloomFilter::with_false_pos(self.next_rate).expected_items(expected);
        self.layers.push(Arc::new(Layer {
            filter,
            capacity,
            held: AtomicU64::new(0),
        }));
        self.next_rate /= 2.0;
    }

    /// How many layers there are.
    pub(super) fn layers(&self) -> usize {
        self.layers.len()
    }

    /// Bits of all layers.
    pub(super) fn bits(&self) -> u64 {
        self.layers.iter().map(|layer| layer.filter.num_bits() as u64).sum()
    }

    /// Keys that were inserted, but for a few that seemed to be there already.
    pub(super) fn held(&self) -> u64 {
        self.layers.iter().map(|layer| layer.held.load(Ordering::Relaxed)).sum()
    }

    /// The share of wrong answers for absent keys that is to be expected of a filter as full as this one.
    pub(super) fn expected_rate(&self) -> f64 {
        let right = |layer: &Arc<Layer>| {
            let held = usize::try_from(layer.held.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
            1.0 - layer.filter.expected_false_pos(held)
        };
        1.0 - self.layers.iter().map(right).product::<f64>()
    }
}
