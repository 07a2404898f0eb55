//! Where the time comes from.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use refcached_store::Timestamp;

/// Tells the time to everything that expires or reports it. Injected, so that a simulated world has a time of its own.
pub trait Clock: Send + Sync + 'static {
    /// The time. It must never go back.
    fn now(&self) -> Timestamp;
}

/// The machine's clock: its wall time is read once, at the start, and goes on with the monotonic clock from there, so that
/// nothing expires or comes back when somebody sets the wall clock. Memcached does the same.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
    epoch_at_start: Duration,
}

impl SystemClock {
    /// A clock that begins with the wall time of this moment. A wall clock set to before 1970 counts as 1970.
    pub fn new() -> Self {
        SystemClock {
            started: Instant::now(),
            epoch_at_start: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = self.epoch_at_start + self.started.elapsed();
        // Milliseconds outgrow 64 bits in some 500 million years.
        Timestamp::from_unix_ms(since_epoch.as_millis() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_never_goes_back_and_agrees_with_the_wall_clock() {
        let clock = SystemClock::new();
        let first = clock.now();
        let second = clock.now();
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        assert!(second >= first);
        assert!(wall.as_secs().abs_diff(second.unix_s()) < 60);
    }
}
