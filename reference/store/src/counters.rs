//! Counters that threads do not fight over.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What is counted. The names are those of memcached's `stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
#[allow(
    missing_docs,
    reason = "memcached's documentation explains these names: protocol.txt, `General-purpose statistics`"
)]
pub enum Counter {
    GetHits,
    GetMisses,
    CmdSet,
    CmdFlush,
    CmdMeta,
    DeleteMisses,
    DeleteHits,
    IncrMisses,
    IncrHits,
    DecrMisses,
    DecrHits,
    CasMisses,
    CasHits,
    CasBadval,
    TouchHits,
    TouchMisses,
    StoreTooLarge,
    StoreNoMemory,
}

const COUNTERS: usize = Counter::StoreNoMemory as usize + 1;
const STRIPES: usize = 16;

/// One set of counters for some of the threads, on cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Stripe([AtomicU64; COUNTERS]);

/// The counters: several sets of them, each thread writing to one, added up when asked for.
#[derive(Default)]
pub struct Counters {
    stripes: [Stripe; STRIPES],
}

impl Counters {
    /// Counts one.
    #[inline]
    pub fn count(&self, counter: Counter) {
        self.stripes[stripe()].0[counter as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The sum over all threads.
    pub fn sum(&self, counter: Counter) -> u64 {
        let of_stripe = |stripe: &Stripe| stripe.0[counter as usize].load(Ordering::Relaxed);
        self.stripes.iter().map(of_stripe).sum()
    }

    /// All to zero, as `stats reset` asks.
    pub fn reset(&self) {
        for counter in self.stripes.iter().flat_map(|stripe| &stripe.0) {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

/// The stripe of this thread, dealt out in turn.
#[inline]
fn stripe() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    MINE.with(|mine| {
        if mine.get() == usize::MAX {
            mine.set(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
        }
        mine.get()
    })
}
