//! Points in time, and what an expiration time of the protocol means.

use refcached_protocol::request::Exptime;

/// The largest expiration time that counts from now: 30 days, in seconds (protocol.txt:163-170). More is a Unix time.
pub const EXPTIME_RELATIVE_MAX_S: i32 = 60 * 60 * 24 * 30;

/// A point in time: milliseconds since the Unix epoch. This crate has no clock; whoever calls it says what time it is.
///
/// Nothing here needs the clock to be monotonic: should it step back, items live longer and nothing else goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The time `unix_ms` milliseconds after the Unix epoch.
    pub const fn from_unix_ms(unix_ms: u64) -> Self {
        Timestamp(unix_ms)
    }

    /// The time `unix_s` seconds after the Unix epoch.
    pub const fn from_unix_s(unix_s: u64) -> Self {
        Timestamp(unix_s.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn unix_ms(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch.
    pub const fn unix_s(self) -> u64 {
        self.0 / 1000
    }

    /// This time and `ms` milliseconds more.
    #[must_use]
    pub const fn plus_ms(self, ms: u64) -> Self {
        Timestamp(self.0.saturating_add(ms))
    }
}

/// When an item stops being served: at a point in time, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expiry(u64);

impl Expiry {
    /// The item does not expire.
    pub const NEVER: Expiry = Expiry(u64::MAX);

    /// From `at` on, that millisecond included, the item is gone.
    pub const fn at(at: Timestamp) -> Self {
        Expiry(at.0)
    }

    /// What the client's `exptime` means at the time `now`: 0 is never; a negative one is at once; up to 30 days is that
    /// many seconds from `now`; more is a Unix time in seconds.
    pub const fn from_exptime(exptime: Exptime, now: Timestamp) -> Self {
        match exptime.0 {
            0 => Expiry::NEVER,
            seconds if seconds < 0 => Expiry(0),
            seconds if seconds <= EXPTIME_RELATIVE_MAX_S => Expiry(now.plus_ms(seconds as u64 * 1000).0),
            unix_s => Expiry(unix_s as u64 * 1000),
        }
    }

    /// Whether the item is gone at `now`.
    pub const fn is_past(self, now: Timestamp) -> bool {
        now.0 >= self.0
    }

    /// The time from which on the item is gone; `None` is never.
    pub const fn timestamp(self) -> Option<Timestamp> {
        match self {
            Expiry::NEVER => None,
            Expiry(unix_ms) => Some(Timestamp(unix_ms)),
        }
    }

    /// Seconds left at `now`, rounded up, so that an item that is still served never shows 0; `None` if it does not expire.
    pub const fn remaining_s(self, now: Timestamp) -> Option<u64> {
        match self {
            Expiry::NEVER => None,
            Expiry(unix_ms) => Some(unix_ms.saturating_sub(now.0).div_ceil(1000)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_250);

    fn expiry(exptime: i32) -> Expiry {
        Expiry::from_exptime(Exptime(exptime), NOW)
    }

    #[test]
    fn zero_never_expires() {
        assert_eq!(expiry(0), Expiry::NEVER);
        assert!(!Expiry::NEVER.is_past(Timestamp::from_unix_s(u64::from(u32::MAX))));
        assert_eq!(Expiry::NEVER.remaining_s(NOW), None);
    }

    #[test]
    fn negative_is_at_once() {
        for exptime in [-1, i32::MIN] {
            assert!(expiry(exptime).is_past(NOW));
            assert_eq!(expiry(exptime).remaining_s(NOW), Some(0));
        }
    }

    #[test]
    fn thirty_days_is_relative_and_one_second_more_is_a_unix_time() {
        let thirty_days = expiry(2_592_000);
        assert_eq!(thirty_days.timestamp(), Some(NOW.plus_ms(2_592_000 * 1000)));
        assert_eq!(expiry(2_592_001).timestamp(), Some(Timestamp::from_unix_s(2_592_001)));
        assert!(expiry(2_592_001).is_past(NOW));
    }

    #[test]
    fn an_item_is_served_up_to_its_last_millisecond() {
        let expiry = expiry(1);
        assert!(!expiry.is_past(NOW.plus_ms(999)));
        assert_eq!(expiry.remaining_s(NOW.plus_ms(999)), Some(1));
        assert!(expiry.is_past(NOW.plus_ms(1000)));
    }
}
