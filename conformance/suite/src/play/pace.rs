//! How writes are kept apart, and what that takes.

use std::time::Duration;

use super::Delivery;
use super::fill::{Bindings, Segment};
use super::group::groups;
use crate::case::{Action, Case};

/// Writes that are meant to arrive apart wait this long for the server to read the one before. The runtime's clock has whole
/// milliseconds and rounds up: what is asked for right after a tick ends with the next one if it is less than one.
pub(super) const APART: Duration = Duration::from_micros(500);

/// What such a wait and its write take in the end while all other cases are played beside it: measured with two processors.
/// With nothing beside it they take one.
const APART_TAKES: Duration = Duration::from_millis(3);

/// Of a send with more writes than this none waits: the scheduler's own delays must do.
const SEND_WRITES_MAX: usize = 160;

/// So many waits a case has in all; behind them the scheduler's own delays must do, too. One that sends thirty large values byte
/// by byte would take longer than all others together.
const CASE_WAITS_MAX: usize = 256;

/// The waits that a case has left.
#[derive(Debug)]
pub(super) struct Pace {
    left: usize,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { left: CASE_WAITS_MAX }
    }

    /// Before how many of a send's writes, from the second on, it waits.
    pub(super) fn waits(&mut self, writes: usize) -> usize {
        if writes > SEND_WRITES_MAX {
            return 0;
        }
        let waits = writes.saturating_sub(1).min(self.left);
        self.left -= waits;
        waits
    }
}

/// About how long a case takes on a server that answers at once.
pub(crate) fn estimate(case: &Case, delivery: Delivery) -> Duration {
    // What is filled in is as long in every run, but for numbers that the server tells.
    let bindings = Bindings::new("mc00000000000000".to_owned());
    let mut pace = Pace::new();
    let mut waits = 0;
    for range in groups(&case.steps, delivery) {
        let mut segments: Vec<Segment> = Vec::new();
        for step in &case.steps[range] {
            if let Action::Send(pattern) = &step.action {
                segments.extend(bindings.segments(pattern));
            }
        }
        waits += pace.waits(delivery.writes(&segments).len());
    }
    // There are at most CASE_WAITS_MAX of them.
    case.waits() + APART_TAKES * waits as u32
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::case::Library;

    #[test]
    fn a_case_waits_no_more_than_its_share() {
        let mut pace = Pace::new();
        assert_eq!([pace.waits(0), pace.waits(1), pace.waits(2)], [0, 0, 1]);
        assert_eq!(
            [pace.waits(SEND_WRITES_MAX + 1), pace.waits(SEND_WRITES_MAX)],
            [0, SEND_WRITES_MAX - 1]
        );
        let rest: usize = (0..100).map(|_| pace.waits(SEND_WRITES_MAX)).sum();
        assert_eq!(1 + SEND_WRITES_MAX - 1 + rest, CASE_WAITS_MAX);
    }

    #[test]
    fn an_estimate_is_the_waits_of_the_case_and_those_between_its_writes() {
        let text =
            "section s/t\n\ncase c DEFACTO\n  observed 1.6.9\n  > get x\n  < END\n  wait 2s\n  > get y\n  < END\n";
        let library = Library::from_files(vec![("s/t.case".to_owned(), text.to_owned())]).unwrap();
        let (_, case) = library.case("s/t/c").unwrap();
        let seconds = |delivery| estimate(case, delivery).as_secs_f64();
        assert_eq!(seconds(Delivery::Whole), 2.0);
        assert_eq!(seconds(Delivery::Bytes), 2.0 + 2.0 * 6.0 * 0.003);
        assert!(seconds(Delivery::Cuts) > 2.0 && seconds(Delivery::Cuts) < seconds(Delivery::Bytes));
    }
}
