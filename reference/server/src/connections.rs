//! Which connections there are, and how many there may be.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use refcached_store::Timestamp;

use crate::listener::Endpoint;

/// How many connections there are, were and may be, and what each is doing. A lock is taken when one comes or goes.
#[derive(Debug)]
pub(crate) struct Connections {
    pub(crate) max: usize,
    open: Mutex<BTreeMap<u64, Arc<Presence>>>,
    /// The number that the next connection gets. Unlike `total` it is never reset.
    next_number: AtomicU64,
    total: AtomicU64,
    rejected: AtomicU64,
}

/// The two ends of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Ends {
    pub(crate) peer: Endpoint,
    /// The listener that it came from; none if it was handed over as a stream.
    pub(crate) listener: Option<Endpoint>,
}

impl Connections {
    /// No connections yet. The first one gets the number `first_number`.
    pub(crate) fn new(max: usize, first_number: u64) -> Arc<Self> {
        Arc::new(Connections {
            max,
            open: Mutex::default(),
            next_number: AtomicU64::new(first_number),
            total: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
        })
    }

    /// Admits one more connection until the [`Admission`] is dropped, unless there are `max` already.
    pub(crate) fn admit(self: &Arc<Self>, ends: Ends, now: Timestamp) -> Option<Admission> {
        let mut open = self.open();
        if open.len() >= self.max {
            self.rejected.fetch_add(1, Relaxed);
            return None;
        }
        self.total.fetch_add(1, Relaxed);
        let number = self.next_number.fetch_add(1, Relaxed);
        let presence = Arc::new(Presence {
            ends,
            executing: AtomicBool::new(false),
            last_command_unix_s: AtomicU64::new(now.unix_s()),
        });
        open.insert(number, Arc::clone(&presence));
        Some(Admission {
            number,
            presence,
            connections: Arc::clone(self),
        })
    }

    pub(crate) fn current(&self) -> usize {
        self.open().len()
    }

    pub(crate) fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }

    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.load(Relaxed)
    }

    /// Counts from zero again, for `stats reset`.
    pub(crate) fn reset(&self) {
        self.total.store(0, Relaxed);
        self.rejected.store(0, Relaxed);
    }

    /// Passes the number and the presence of each connection to `visit`, the oldest first. Nobody comes or goes meanwhile.
    pub(crate) fn visit(&self, mut visit: impl FnMut(u64, &Presence)) {
        for (&number, presence) in &*self.open() {
            visit(number, presence);
        }
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Presence>>> {
        // Nothing that panics is done under the lock but running out of memory, which leaves the map whole.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What others can see of a connection.
#[derive(Debug)]
pub(crate) struct Presence {
    pub(crate) ends: Ends,
    executing: AtomicBool,
    last_command_unix_s: AtomicU64,
}

impl Presence {
    /// Whether commands are being executed, or their replies sent.
    pub(crate) fn is_executing(&self) -> bool {
        self.executing.load(Relaxed)
    }

    /// Seconds since the latest commands began, or since the connection came.
    pub(crate) fn idle_s(&self, now: Timestamp) -> u64 {
        now.unix_s().saturating_sub(self.last_command_unix_s.load(Relaxed))
    }
}

/// One connection's place under the limit.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) number: u64,
    presence: Arc<Presence>,
    connections: Arc<Connections>,
}

impl Admission {
    /// Commands are being executed from `now` on.
    pub(crate) fn begin(&self, now: Timestamp) {
        self.presence.executing.store(true, Relaxed);
        self.presence.last_command_unix_s.store(now.unix_s(), Relaxed);
    }

    /// They have been answered.
    pub(crate) fn end(&self) {
        self.presence.executing.store(false, Relaxed);
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.connections.open().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_s(1_800_000_000);

    fn admit(connections: &Arc<Connections>) -> Option<Admission> {
        let ends = Ends {
            peer: Endpoint::Unix(None),
            listener: None,
        };
        connections.admit(ends, NOW)
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let connections = Connections::new(2, 1);
        let first = admit(&connections).unwrap();
        let second = admit(&connections).unwrap();
        assert!(admit(&connections).is_none());
        drop(first);
        assert_eq!(connections.current(), 1);
        let third = admit(&connections).unwrap();
        assert_eq!((second.number, third.number), (2, 3));
        assert_eq!((connections.total(), connections.rejected()), (3, 1));
    }

    #[test]
    fn a_reset_leaves_open_connections_and_their_numbers() {
        let connections = Connections::new(2, 1);
        let first = admit(&connections).unwrap();
        connections.reset();
        let second = admit(&connections).unwrap();
        assert_eq!((first.number, second.number), (1, 2));
        assert_eq!((connections.current(), connections.total()), (2, 1));
    }

    #[test]
    fn others_see_since_when_a_connection_has_had_nothing_to_do() {
        let connections = Connections::new(1, 7);
        let admission = admit(&connections).unwrap();
        admission.begin(NOW.plus_ms(5_000));
        let mut seen = Vec::new();
        let mut look = |number, presence: &Presence| {
            let idle_s = presence.idle_s(NOW.plus_ms(8_000));
            seen.push((number, presence.is_executing(), idle_s));
        };
        connections.visit(&mut look);
        admission.end();
        connections.visit(&mut look);
        assert_eq!(seen, [(7, true, 3), (7, false, 3)]);
    }
}
