//! Many readers on real threads while datasets are swapped: every promise of the cell, counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;

use refcached_swap::{Policy, SwapCell};

const READERS: u64 = 8;
const PUBLISHERS: u64 = 2;
const SWAPS_PER_PUBLISHER: u64 = 200;

/// Counts how many of its kind are open.
struct Data {
    open: Arc<AtomicUsize>,
    is_open: AtomicBool,
}

impl Data {
    fn new(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, SeqCst);
        Data {
            open: Arc::clone(open),
            is_open: AtomicBool::new(true),
        }
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        assert!(self.is_open.swap(false, SeqCst), "closed twice");
        self.open.fetch_sub(1, SeqCst);
    }
}

/// What readers and publishers share.
struct Swaps {
    cell: SwapCell<Data>,
    /// Open datasets.
    open: Arc<AtomicUsize>,
    /// The newest generation whose publisher has moved all readers.
    due: AtomicU64,
    /// Publishers that have not finished.
    publishing: AtomicU64,
    /// Commands that were answered, and how many of them by another generation than the one before.
    answered: AtomicU64,
    moves: AtomicU64,
}

/// Goes on until the publishers have finished, and once more.
fn read(swaps: &Swaps, number: u64) {
    let mut reader = swaps.cell.reader();
    let mut last = 0;
    for command in number.. {
        let is_over = swaps.publishing.load(SeqCst) == 0;
        let due = swaps.due.load(SeqCst);
        let dataset = reader.dataset();
        let generation = dataset.generation().number();
        assert!(generation >= last, "promise 2: back from {last} to {generation}");
        assert!(generation >= due, "promise 3: {due} was due, {generation} answers");
        assert!(dataset.is_open.load(SeqCst), "promise 4: answered by a closed dataset");
        swaps.moves.fetch_add(u64::from(generation != last), SeqCst);
        swaps.answered.fetch_add(1, SeqCst);
        last = generation;
        if is_over {
            break;
        }
        match command % 64 {
            0 => reader = swaps.cell.reader(),
            1..16 => {
                reader.park();
                thread::yield_now();
            }
            _ => {}
        }
    }
    assert_eq!(last, 1 + PUBLISHERS * SWAPS_PER_PUBLISHER);
}

/// Swaps so that every swap is seen by readers before the next one of the same publisher.
fn publish(swaps: &Swaps) {
    let _finishes = Finishes(&swaps.publishing);
    let mut last = 1;
    for _ in 0..SWAPS_PER_PUBLISHER {
        let drain = swaps.cell.publish(Data::new(&swaps.open));
        let successor = drain.successor().number();
        assert!(successor > last, "promise 8: {successor} after {last}");
        last = successor;
        drain.move_readers();
        swaps.due.fetch_max(successor, SeqCst);
        // Each reader may have one command in hand that began before; the others began after.
        let seen = swaps.answered.load(SeqCst) + 2 * READERS;
        drop(drain.wait());
        while swaps.answered.load(SeqCst) < seen {
            thread::yield_now();
        }
    }
}

/// A publisher has finished, even if it panicked: readers must not go on for ever.
struct Finishes<'a>(&'a AtomicU64);

impl Drop for Finishes<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

fn swap_under_readers(policy: Policy) {
    let open = Arc::new(AtomicUsize::new(0));
    let swaps = Swaps {
        cell: SwapCell::new(policy, Data::new(&open)),
        open: Arc::clone(&open),
        due: AtomicU64::new(1),
        publishing: AtomicU64::new(PUBLISHERS),
        answered: AtomicU64::new(0),
        moves: AtomicU64::new(0),
    };
    thread::scope(|scope| {
        for number in 0..READERS {
            let swaps = &swaps;
            scope.spawn(move || read(swaps, number));
        }
        for _ in 0..PUBLISHERS {
            scope.spawn(|| publish(&swaps));
        }
    });
    // Every swap of a publisher was seen by some reader, which moved for it.
    assert!(swaps.moves.load(SeqCst) >= SWAPS_PER_PUBLISHER);
    assert_eq!(open.load(SeqCst), 1, "all datasets but the last are closed");
    drop(swaps);
    assert_eq!(open.load(SeqCst), 0);
}

#[test]
fn no_promise_is_broken_when_connections_move_at_their_next_command() {
    swap_under_readers(Policy::Command);
}

#[test]
fn no_promise_is_broken_when_a_deadline_moves_connections() {
    swap_under_readers(Policy::Connection);
}
