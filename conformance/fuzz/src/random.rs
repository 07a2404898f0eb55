//! Numbers from a seed: the same on every machine.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};

/// A generator of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random(SplitMix64);

impl Random {
    /// The numbers of trial `trial` of the campaign with this seed.
    pub(crate) fn of(seed: u64, trial: u64) -> Self {
        let mut random = Random(SplitMix64::seed_from_u64(
            seed ^ trial.wrapping_mul(0xd134_2543_de82_ef95),
        ));
        random.next();
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        // The remainder is less than `end`, so it fits.
        (self.next() % end as u64) as usize
    }

    /// Whether one in `times` happens.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}
