//! Time, as an argument.

use jiff::Timestamp;

/// Tells the time. Injected at the [`Client`](crate::Client), which asks once per session.
pub trait Clock: Send + Sync {
    /// The time now. May go backwards; nothing rests on its order.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
