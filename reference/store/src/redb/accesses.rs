//! Which items have been fetched, and when: kept in memory, so that a read costs no write.

use std::sync::atomic::{AtomicU64, Ordering};

/// A table of fixed size in which the latest fetch of a key takes the place of an earlier one of another key. What falls out,
/// or was there before a restart, is forgotten: such an item shows the time at which it was stored. A change of an item
/// writes what is known of it to the file.
///
/// A slot holds 32 bits that tell keys and their versions (by the CAS value) apart, and the second of the fetch.
#[derive(Debug)]
pub(super) struct Accesses(Box<[AtomicU64]>);

const NOTHING: u64 = 0;

impl Accesses {
    /// A table of so many slots of 8 bytes, rounded up to a power of two.
    pub(super) fn new(slots: usize) -> Accesses {
        let slots = slots.max(1).next_power_of_two();
        Accesses((0..slots).map(|_| AtomicU64::new(NOTHING)).collect())
    }

    /// The item with this hash and this CAS value is fetched.
    #[inline]
    pub(super) fn note(&self, hash: u64, cas: u64, at_unix_s: u32) {
        let entry = tag(hash, cas) | u64::from(at_unix_s);
        let slot = self.slot(hash);
        // Items that are fetched all the time stay clean in the caches of all processors.
        if slot.load(Ordering::Relaxed) != entry {
            slot.store(entry, Ordering::Relaxed);
        }
    }

    /// When it was last fetched, in seconds since the Unix epoch, as far as that is remembered.
    #[inline]
    pub(super) fn last(&self, hash: u64, cas: u64) -> Option<u32> {
        let entry = self.slot(hash).load(Ordering::Relaxed);
        let same = entry != NOTHING && entry & TAG == tag(hash, cas);
        same.then_some((entry & !TAG) as u32)
    }

    /// The item was stored anew.
    #[inline]
    pub(super) fn forget(&self, hash: u64, cas: u64) {
        if self.last(hash, cas).is_some() {
            self.slot(hash).store(NOTHING, Ordering::Relaxed);
        }
    }

    #[inline]
    fn slot(&self, hash: u64) -> &AtomicU64 {
        // The number of slots is a power of two.
        &self.0[hash as usize & (self.0.len() - 1)]
    }
}

const TAG: u64 = !(u32::MAX as u64);

#[inline]
fn tag(hash: u64, cas: u64) -> u64 {
    // The slot is chosen by the lower half of the hash. An odd factor with bits all over: neighbouring CAS values differ in the
    // upper half.
    (hash ^ cas.wrapping_mul(0x9e37_79b9_7f4a_7c15)) & TAG
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetch_is_known_of_that_version_of_that_key_until_another_takes_its_place() {
        let accesses = Accesses::new(3);
        let slots = accesses.0.len() as u64;
        assert_eq!(slots, 4);
        accesses.note(1, 10, 1000);
        assert_eq!(accesses.last(1, 10), Some(1000));
        for (hash, cas) in [(1, 11), (2, 10), (1 + slots, 10 + (1 << 40))] {
            assert_eq!(accesses.last(hash, cas), None);
        }
        accesses.forget(1, 11);
        assert_eq!(accesses.last(1, 10), Some(1000), "that was another version");
        accesses.forget(1, 10);
        assert_eq!(accesses.last(1, 10), None);
        accesses.note(1, 10, 1000);
        accesses.note((1 << 60) + 1, 10, 1001);
        assert_eq!(accesses.last(1, 10), None);
    }
}
