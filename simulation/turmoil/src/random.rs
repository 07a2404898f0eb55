//! Numbers that look random and come from a seed.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};

/// A source of numbers. Two of one seed give the same numbers.
#[derive(Clone, Debug)]
pub struct Random(SplitMix64);

impl Random {
    /// A source with a seed.
    pub fn new(seed: u64) -> Random {
        Random(SplitMix64::seed_from_u64(seed))
    }

    /// A source that is independent of this one, and of others with other numbers.
    pub fn branch(&self, number: u64) -> Random {
        let state = u64::from_le_bytes(self.0.state());
        let mut random = Random::new(state ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93));
        Random::new(random.draw())
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }

    /// A number from `low` to `high`, both included.
    pub fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// One of `all`, which is not empty.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_its_numbers_and_a_branch_gives_others() {
        let numbers = |mut random: Random| [random.draw(), random.draw()];
        let random = Random::new(7);
        assert_eq!(numbers(random.clone()), numbers(random.clone()));
        assert_ne!(numbers(random.branch(1)), numbers(random.branch(2)));
        assert_ne!(numbers(random.branch(0)), numbers(random.clone()));
        let mut random = random;
        for _ in 0..1000 {
            assert!((3..=5).contains(&random.within(3, 5)));
        }
    }
}
