//! The current dataset, the oldest generation that may answer, the readers that are open.

use std::collections::BTreeMap;
use std::fmt;
use std::mem;

use super::drain::Drain;
use super::lease::{Generation, Lease};
use super::reader::{Reader, Slot};
use super::signal::lock;
use super::sync::atomic::AtomicU64;
use super::sync::atomic::Ordering::Relaxed;
use super::sync::{Arc, Mutex};

/// When a connection that is open moves to the dataset that was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// At its next command.
    #[default]
    Command,
    /// When it ends: a connection keeps the dataset of its first command, until [`Drain::move_readers`] moves it.
    Connection,
}

/// Holds the dataset that is served. Clones are handles to the same cell.
///
/// When the last handle, reader and drain has gone, the current dataset is dropped with it, on that thread: a server keeps a
/// handle until its connections have ended.
pub struct SwapCell<D> {
    shared: Arc<Shared<D>>,
}

impl<D> SwapCell<D> {
    /// A cell with its first dataset.
    pub fn new(policy: Policy, data: D) -> Self {
        let first = Lease::new(Generation::FIRST, data);
        SwapCell {
            shared: Arc::new(Shared {
                oldest: OnItsOwnCacheLine(AtomicU64::new(first.generation().number())),
                current: Mutex::new(first),
                slots: Mutex::new(Slots {
                    next: 0,
                    open: BTreeMap::new(),
                }),
                policy,
            }),
        }
    }

    /// A way to the dataset for one connection. It takes a lease with its first command, not before.
    pub fn reader(&self) -> Reader<D> {
        Reader::new(Arc::clone(&self.shared))
    }

    /// The generation that is current.
    pub fn generation(&self) -> Generation {
        lock(&self.shared.current).generation()
    }

    /// When open connections move.
    pub fn policy(&self) -> Policy {
        self.shared.policy
    }

    /// Replaces the current dataset. Publishers that race are served one after another.
    ///
    /// When this has returned, every connection whose first command begins later is answered by this generation or a newer
    /// one, and under [`Policy::Command`] every other connection is, too. `data` is checked before: what was published is
    /// served.
    pub fn publish(&self, data: D) -> Drain<D> {
        let mut current = lock(&self.shared.current);
        let generation = current.generation().next();
        let replaced = mem::replace(&mut *current, Lease::new(generation, data));
        drop(current);
        if self.shared.policy == Policy::Command {
            self.shared.move_readers(generation);
        }
        let (dataset, released) = replaced.retire();
        Drain::new(Arc::clone(&self.shared), generation, dataset, released)
    }
}

impl<D> Clone for SwapCell<D> {
    fn clone(&self) -> Self {
        SwapCell {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<D> fmt::Debug for SwapCell<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SwapCell")
            .field("generation", &self.generation())
            .field("policy", &self.policy())
            .finish_non_exhaustive()
    }
}

/// What the handles, readers and drains of a cell share. No two of its locks, nor one of them and a slot's but for a sweep,
/// are ever held together.
pub(super) struct Shared<D> {
    /// The oldest generation that may answer a command that begins. Never newer than the current one, never falling.
    oldest: OnItsOwnCacheLine,
    current: Mutex<Lease<D>>,
    slots: Mutex<Slots<D>>,
    policy: Policy,
}

/// Every command reads it, so nothing that is written may lie beside it. Two lines of 64 bytes: processors fetch them in
/// pairs.
#[repr(align(128))]
struct OnItsOwnCacheLine(AtomicU64);

/// The readers that are open.
struct Slots<D> {
    next: u64,
    open: BTreeMap<u64, Arc<Slot<D>>>,
}

impl<D> Shared<D> {
    /// Relaxed is enough: nothing is read through this number. Who finds its lease too old locks `current`, where a newer
    /// one was put before the number rose; and who can know that a publisher has returned cannot read what was here before.
    pub(super) fn oldest_that_answers(&self) -> Generation {
        Generation::of(self.oldest.0.load(Relaxed))
    }

    /// A lease on the current dataset.
    pub(super) fn lease(&self) -> Lease<D> {
        lock(&self.current).clone()
    }

    /// From when this has returned, nobody answers a new command from a generation before `oldest`, and nobody who waits
    /// holds a lease on one.
    pub(super) fn move_readers(&self, oldest: Generation) {
        self.oldest.0.fetch_max(oldest.number(), Relaxed);
        let stale = self.sweep(oldest);
        // A last lease wakes whoever drains; no lock is held for that.
        drop(stale);
    }

    /// Takes back the parked leases on generations before `oldest`. One sweep suffices: who parks later sees the new number.
    fn sweep(&self, oldest: Generation) -> Vec<Lease<D>> {
        let slots = lock(&self.slots);
        let parked = slots.open.values();
        let is_stale = |lease: &mut Lease<D>| lease.generation() < oldest;
        parked.filter_map(|slot| lock(slot).take_if(is_stale)).collect()
    }

    pub(super) fn open_slot(&self) -> (u64, Arc<Slot<D>>) {
        let slot = Arc::new(Mutex::new(None));
        let mut slots = lock(&self.slots);
        let number = slots.next;
        slots.next += 1;
        slots.open.insert(number, Arc::clone(&slot));
        (number, slot)
    }

    pub(super) fn close_slot(&self, number: u64) {
        lock(&self.slots).open.remove(&number);
    }
}
