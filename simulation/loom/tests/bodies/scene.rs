//! A cell, the datasets put into it, and what was seen of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use loom::thread::JoinHandle;

use super::super::cell::{Policy, SwapCell};
use super::super::drain::Drain;
use super::super::reader::Reader;

/// Labels of datasets are below this. The first dataset has 1.
const LABELS: usize = 6;

/// A dataset that tells when it is closed.
pub struct Data {
    pub label: usize,
    witness: Arc<Witness>,
}

impl Drop for Data {
    fn drop(&mut self) {
        // While a failed model unwinds there is nothing left to judge.
        if !std::thread::panicking() {
            let closed = self.witness.closed[self.label].fetch_add(1, SeqCst);
            assert_eq!(closed, 0, "dataset {} is closed twice", self.label);
        }
    }
}

/// How often each dataset was closed, by its label. Nothing decides by it before all threads have ended, so its atomics
/// need not be loom's, which would only multiply the executions. That no command is answered by a dataset that is closed is
/// the compiler's promise: a drain gives its dataset back by value.
pub struct Witness {
    closed: [AtomicUsize; LABELS],
}

impl Witness {
    /// Every dataset up to this label was closed, once.
    pub fn all_closed(&self, labels: usize) {
        for label in 1..=labels {
            let closed = self.closed[label].load(SeqCst);
            assert_eq!(closed, 1, "promise 4: closings of dataset {label}");
        }
    }
}

/// One cell and its witness.
#[derive(Clone)]
pub struct Scene {
    pub cell: SwapCell<Data>,
    witness: Arc<Witness>,
}

impl Scene {
    pub fn new(policy: Policy) -> Self {
        let witness = Arc::new(Witness {
            closed: std::array::from_fn(|_| AtomicUsize::new(0)),
        });
        let first = Data {
            label: 1,
            witness: Arc::clone(&witness),
        };
        Scene {
            cell: SwapCell::new(policy, first),
            witness,
        }
    }

    /// A dataset that was loaded.
    pub fn data(&self, label: usize) -> Data {
        Data {
            label,
            witness: Arc::clone(&self.witness),
        }
    }

    pub fn publish(&self, label: usize) -> Drain<Data> {
        self.cell.publish(self.data(label))
    }

    /// Drops the handle.
    pub fn without_the_cell(self) -> Arc<Witness> {
        self.witness
    }

    /// Drops the handle, which must be the last: all readers have ended and all drains are done.
    pub fn ends(self, labels: usize) {
        self.without_the_cell().all_closed(labels);
    }
}

/// One command. Gives the generation that answered it.
pub fn answer(reader: &mut Reader<Data>) -> u64 {
    reader.dataset().generation().number()
}

/// One command on a connection that was last answered by the generation `last`. Gives the generation that answered it.
pub fn next_answer(reader: &mut Reader<Data>, last: u64) -> u64 {
    let generation = answer(reader);
    assert!(
        generation >= last,
        "promise 2: back from generation {last} to {generation}"
    );
    generation
}

/// Waits for a drain, and closes what it gives.
pub fn close(drain: Drain<Data>) {
    let generation = drain.generation();
    assert_eq!(
        drain.successor().number(),
        generation.number() + 1,
        "promise 8: the order of publication"
    );
    drop(drain.wait());
}

/// What a thread ends with.
pub fn joined<T>(thread: JoinHandle<T>) -> T {
    thread.join().expect("a panic in any thread ends the model at once")
}
