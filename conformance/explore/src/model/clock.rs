//! Expiry seen from outside: the server's clock ticks once a second, and nobody knows when.

use crate::command::Exptime;

/// How far the server's clock may be behind the real time, in seconds: one for its tick, one for a busy machine.
const LAG: f64 = 2.0;

/// Relative times end here; what is larger is a time of the calendar (protocol text, "Expiration times").
const RELATIVE_MAX: i64 = 60 * 60 * 24 * 30;

/// The time within which a command was executed, in seconds since the history began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Span {
    /// Before it was sent.
    pub(crate) sent: f64,
    /// After its reply had come.
    pub(crate) received: f64,
}

/// When an item ends, as far as can be known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Expiry {
    /// Never.
    Never,
    /// It has ended already.
    Past,
    /// At some moment of an interval.
    At {
        /// Until then it lives for certain.
        low: f64,
        /// From then on it is gone for certain.
        high: f64,
        /// The longest remaining time that the server can name.
        longest: i64,
    },
}

/// Whether an item is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// For certain.
    Alive,
    /// It is gone, for certain.
    Over,
    /// Too near to its end to tell.
    Unsure,
}

impl Expiry {
    /// What an expiry time means that a command names which is executed within `at`.
    pub(crate) fn new(exptime: Exptime, at: Span) -> Self {
        let (seconds, error) = match exptime {
            Exptime::Relative(0) => return Self::Never,
            Exptime::Relative(seconds) if !(0..=RELATIVE_MAX).contains(&seconds) => return Self::Past,
            Exptime::Relative(seconds) => (seconds, 0),
            Exptime::Unix(offset) if offset < -3 => return Self::Past,
            // The server subtracts its own clock, which may be behind, from the calendar's time.
            Exptime::Unix(offset) => (offset, LAG as i64),
        };
        Self::At {
            low: at.sent - LAG + (seconds - error) as f64,
            high: at.received + (seconds + error) as f64,
            longest: seconds + error,
        }
    }

    /// Whether an item with this expiry is there for a command that is executed within `at`.
    pub(crate) fn life(self, at: Span) -> Life {
        match self {
            Self::Never => Life::Alive,
            Self::Past => Life::Over,
            Self::At { low, .. } if at.received < low => Life::Alive,
            Self::At { high, .. } if at.sent - LAG >= high => Life::Over,
            Self::At { .. } => Life::Unsure,
        }
    }

    /// The least and the most seconds that the server can say remain; `None` when it never ends.
    pub(crate) fn remaining(self, at: Span) -> Option<(i64, i64)> {
        match self {
            Self::Never | Self::Past => None,
            Self::At { low, longest, .. } => Some((((low - at.received).floor() as i64).max(0), longest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Span {
        Span {
            sent: seconds,
            received: seconds + 0.01,
        }
    }

    #[test]
    fn nothing_is_certain_near_the_edge_of_a_second() {
        let expiry = Expiry::new(Exptime::Relative(5), at(0.0));
        let lives: Vec<Life> = [0.0, 2.9, 3.0, 5.0, 6.9, 7.1]
            .map(|time| expiry.life(at(time)))
            .to_vec();
        let expected = [
            Life::Alive,
            Life::Alive,
            Life::Unsure,
            Life::Unsure,
            Life::Unsure,
            Life::Over,
        ];
        assert_eq!(lives, expected);
        assert_eq!(expiry.remaining(at(1.0)), Some((1, 5)));
    }

    #[test]
    fn zero_never_ends_and_negative_is_over() {
        assert_eq!(Expiry::new(Exptime::Relative(0), at(0.0)), Expiry::Never);
        for past in [
            Exptime::Relative(-1),
            Exptime::Relative(RELATIVE_MAX + 1),
            Exptime::Unix(-10),
        ] {
            assert_eq!(Expiry::new(past, at(0.0)).life(at(0.0)), Life::Over);
        }
        assert_eq!(
            Expiry::new(Exptime::Relative(RELATIVE_MAX), at(0.0)).life(at(0.0)),
            Life::Alive
        );
    }
}
