//! Many readers on real threads while datasets are swapped: every promise of the cell, counted.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;

use refcached_swap::{Policy, SwapCell};

const READERS: u64 = 8;
const PUBLISHERS: u64 = 2;
const SWAPS_PER_PUBLISHER: u64 = 1_000;

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

/// Swaps are over when all publishers have done theirs; readers go on until then, and once more.
fn swap_under_readers(policy: Policy) {
    let open = Arc::new(AtomicUsize::new(0));
    let published = AtomicU64::new(1);
    let publishing = AtomicU64::new(PUBLISHERS);
    let cell = SwapCell::new(policy, Data::new(&open));
    let start = Barrier::new((READERS + PUBLISHERS) as usize);
    thread::scope(|scope| {
        for number in 0..READERS {
            let (cell, start, published, publishing) = (&cell, &start, &published, &publishing);
            scope.spawn(move || {
                start.wait();
                let mut reader = cell.reader();
                let mut last = 0;
                for command in 0_u64.. {
                    let is_over = publishing.load(SeqCst) == 0;
                    let due = published.load(SeqCst);
                    let dataset = reader.dataset();
                    let generation = dataset.generation().number();
                    assert!(generation >= last, "promise 2: back from {last} to {generation}");
                    assert!(generation >= due, "promise 3: {due} was due, {generation} answers");
                    assert!(dataset.is_open.load(SeqCst), "promise 4: answered by a closed dataset");
                    last = generation;
                    match (command + number) % 64 {
                        0 => reader = cell.reader(),
                        1..16 => {
                            reader.park();
                            thread::yield_now();
                        }
                        _ => {}
                    }
                    if is_over {
                        assert_eq!(last, 1 + PUBLISHERS * SWAPS_PER_PUBLISHER);
                        break;
                    }
                }
            });
        }
        for _ in 0..PUBLISHERS {
            let (cell, start, published, publishing, open) = (&cell, &start, &published, &publishing, &open);
            scope.spawn(move || {
                start.wait();
                let mut last = 1;
                for _ in 0..SWAPS_PER_PUBLISHER {
                    let drain = cell.publish(Data::new(open));
                    let successor = drain.successor().number();
                    assert!(successor > last, "promise 8: {successor} after {last}");
                    last = successor;
                    drain.move_readers();
                    published.fetch_max(successor, SeqCst);
                    drop(drain.wait());
                }
                publishing.fetch_sub(1, SeqCst);
            });
        }
    });
    assert_eq!(open.load(SeqCst), 1, "all datasets but the last are closed");
    drop(cell);
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
