//! Many worlds, on several threads.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::check::{Violation, judge};
use crate::history::Event;
use crate::plan::Plan;
use crate::world;

/// What came of a world.
#[derive(Debug)]
pub struct Outcome {
    /// Its plan.
    pub plan: Plan,
    /// What happened.
    pub events: Vec<Event>,
    /// What is wrong with it.
    pub violations: Vec<Violation>,
}

/// Runs the world of a seed and judges it.
pub fn run(seed: u64) -> Outcome {
    let plan = Plan::new(seed);
    let events = world::run(&plan);
    let violations = judge(&plan, &events);
    Outcome {
        plan,
        events,
        violations,
    }
}

/// Runs the worlds of all seeds, so many at a time, and passes each outcome to `tell`, in no order. Gives the seeds of those
/// with violations, in order.
pub fn run_all(seeds: Range<u64>, jobs: usize, tell: impl Fn(&Outcome) + Sync) -> Vec<u64> {
    let next = AtomicU64::new(seeds.start);
    let bad = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let outcome = run(seed);
                    if !outcome.violations.is_empty() {
                        bad.lock().unwrap_or_else(PoisonError::into_inner).push(seed);
                    }
                    tell(&outcome);
                }
            });
        }
    });
    let mut bad = bad.into_inner().unwrap_or_else(PoisonError::into_inner);
    bad.sort_unstable();
    bad
}
