//! What the server counts for `stats`, beside connections.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Counted by the server itself. The engine counts what commands did.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) pauses: Pauses,
    traffic: [Traffic; TRAFFIC_SLOTS],
}

impl Counters {
    /// The counters that the connection with this number uses.
    pub(crate) fn traffic(&self, connection: u64) -> &Traffic {
        &self.traffic[connection as usize % TRAFFIC_SLOTS]
    }

    /// The sum over all connections.
    pub(crate) fn traffic_total(&self) -> TrafficTotal {
        let mut total = TrafficTotal::default();
        for slot in &self.traffic {
            total.bytes_read += slot.bytes_read.load(Relaxed);
            total.bytes_written += slot.bytes_written.load(Relaxed);
            total.yields += slot.yields.load(Relaxed);
        }
        total
    }

    /// Counts from zero again, for `stats reset`. What describes the present stays.
    pub(crate) fn reset(&self) {
        for slot in &self.traffic {
            for counter in [&slot.bytes_read, &slot.bytes_written, &slot.yields] {
                counter.store(0, Relaxed);
            }
        }
        self.pauses.count.store(0, Relaxed);
        self.pauses.total_us.store(0, Relaxed);
    }
}

/// Connections share counters in this many groups, so that worker threads rarely write to the same cache line.
const TRAFFIC_SLOTS: usize = 32;

/// Counters of a group of connections. Two cache lines wide, because processors fetch lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Traffic {
    pub(crate) bytes_read: AtomicU64,
    pub(crate) bytes_written: AtomicU64,
    /// Times that a connection with more to do let others go first.
    pub(crate) yields: AtomicU64,
}

/// [`Traffic`], summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TrafficTotal {
    pub(crate) bytes_read: u64,
    pub(crate) bytes_written: u64,
    pub(crate) yields: u64,
}

/// Times at which a listener could not accept, for want of file descriptors most often.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    count: AtomicU64,
    total_us: AtomicU64,
    /// Listeners that pause now.
    now: AtomicUsize,
}

impl Pauses {
    /// Notes a pause that lasts until `pause` ends.
    pub(crate) async fn during(&self, length: Duration, pause: impl Future<Output = ()>) {
        self.count.fetch_add(1, Relaxed);
        self.now.fetch_add(1, Relaxed);
        pause.await;
        self.now.fetch_sub(1, Relaxed);
        let length_us = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        self.total_us.fetch_add(length_us, Relaxed);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Relaxed)
    }

    pub(crate) fn total_us(&self) -> u64 {
        self.total_us.load(Relaxed)
    }

    /// Whether all listeners accept.
    pub(crate) fn none_now(&self) -> bool {
        self.now.load(Relaxed) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_is_summed_over_all_connections() {
        let counters = Counters::default();
        for connection in 0..3 * TRAFFIC_SLOTS as u64 {
            counters.traffic(connection).bytes_read.fetch_add(2, Relaxed);
        }
        let bytes_read = 6 * TRAFFIC_SLOTS as u64;
        assert_eq!(
            counters.traffic_total(),
            TrafficTotal {
                bytes_read,
                ..TrafficTotal::default()
            }
        );
        counters.reset();
        assert_eq!(counters.traffic_total(), TrafficTotal::default());
    }
}
