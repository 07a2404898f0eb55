//! What is sent in which write, by delivery: the runner's own cutting, with what is filled in left open.
//!
//! The pieces are filled with stand-ins, cut as a run cuts them, and the cuts are carried back to the pieces. Keys have
//! the same length in every run. Times and captured numbers have not; their last part is left open at its end.

use serde::Serialize;

use super::pieces::{Kind, Part, sent, text};
use crate::case::{Action, Case, Piece, Step, need_fence};
use crate::play::{Bindings, Delivery, Segment, groups};
use crate::target::Fence;

/// Steps that belong together: first all writes, then what the steps expect, in order.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    on: char,
    /// The number of the first step, from 0.
    first: usize,
    /// How many steps.
    count: usize,
    pub(super) writes: Vec<Vec<Part>>,
}

/// A captured number that stands in for one of unknown length: in a delivery that cuts every byte as long as the longest.
fn stand_in(delivery: Delivery) -> u64 {
    if delivery == Delivery::Bytes {
        u64::MAX - 1_000_000
    } else {
        5000
    }
}

/// Letters and digits in place of those that only a run knows.
const UNIQUE: &str = "mc00000000000000";

pub(super) fn groups_of(case: &Case, delivery: Delivery) -> Vec<Group> {
    let mut bindings = Bindings::new(UNIQUE.to_owned());
    for step in &case.steps {
        if let Action::Send(pattern) = &step.action {
            let names = pattern.names().map(|name| (name.name.clone(), stand_in(delivery)));
            bindings.capture(names.collect());
        }
    }
    let group = |range: std::ops::Range<usize>| {
        let steps = &case.steps[range.clone()];
        let (parts, segments) = sends(steps, &bindings);
        Group {
            on: steps.first().map_or('A', |step| step.conn.0),
            first: range.start,
            count: range.len(),
            writes: carry_back(&parts, &delivery.writes(&segments)),
        }
    };
    groups(&case.steps, delivery).into_iter().map(group).collect()
}

/// What a group sends: the parts, each with the number of bytes of its stand-in, and the stand-ins.
fn sends(steps: &[Step], bindings: &Bindings) -> (Vec<(Part, usize)>, Vec<Segment>) {
    let (mut parts, mut segments) = (Vec::new(), Vec::new());
    let mut add = |piece: Option<&Piece>, segment: Segment| {
        let part = match piece {
            Some(piece) => sent(piece),
            None => Some(Part::whole(Kind::Fence)),
        };
        if let (Some(part), Segment::Bytes(bytes) | Segment::Filler(bytes)) = (part, &segment) {
            parts.push((part, bytes.len()));
        }
        segments.push(segment);
    };
    for step in steps {
        match &step.action {
            Action::Send(pattern) => {
                for (piece, segment) in pattern.pieces.iter().zip(bindings.segments(pattern)) {
                    add(Some(piece), segment);
                }
            }
            Action::Silent => add(None, Segment::Bytes(Fence::Mn.request().to_vec())),
            Action::ReceiveAny(alternatives) if need_fence(alternatives) => {
                add(None, Segment::Bytes(Fence::Mn.request().to_vec()));
            }
            _ => {}
        }
    }
    (parts, segments)
}

/// The parts of which each write is made.
fn carry_back(parts: &[(Part, usize)], writes: &[Vec<u8>]) -> Vec<Vec<Part>> {
    let mut parts = parts.iter();
    let mut open: Option<(&Part, usize, usize)> = None;
    let mut cut = Vec::new();
    for write in writes {
        let mut left = write.len();
        let mut out = Vec::new();
        while left > 0 {
            let Some((part, at, length)) = open
                .take()
                .or_else(|| parts.next().map(|(part, length)| (part, 0, *length)))
            else {
                break;
            };
            let taken = left.min(length - at);
            if taken > 0 {
                out.push(slice(part, at, at + taken, length));
            }
            left -= taken;
            if at + taken < length {
                open = Some((part, at + taken, length));
            }
        }
        cut.push(out);
    }
    cut
}

fn slice(part: &Part, from: usize, to: usize, length: usize) -> Part {
    match part {
        Part::Literal(literal) => {
            let bytes: Vec<u8> = literal
                .chars()
                .filter_map(|c| u8::try_from(u32::from(c)).ok())
                .collect();
            Part::Literal(text(&bytes[from..to]))
        }
        Part::Filled { kind, .. } => Part::Filled {
            kind: kind.clone(),
            from: (from > 0).then_some(from),
            to: (to < length).then_some(to),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Library;

    /// A part filled with the stand-ins.
    fn fill(part: &Part, bindings: &Bindings) -> Vec<u8> {
        let (kind, from, to) = match part {
            Part::Literal(text) => return text.chars().map(|c| u32::from(c) as u8).collect(),
            Part::Filled { kind, from, to } => (kind, from.unwrap_or(0), *to),
        };
        let piece = match kind.clone() {
            Kind::Fence => Piece::Literal(Fence::Mn.request().to_vec()),
            Kind::Key { n } => Piece::Key(n),
            Kind::SizedKey { bytes } => Piece::SizedKey(bytes),
            Kind::Base64Key { n } => Piece::Base64Key(n),
            Kind::Filler { bytes } => Piece::Filler(bytes),
            Kind::Unix { plus } => Piece::Unix(plus),
            Kind::Captured { name, plus } => Piece::Capture(crate::case::CaptureRef { name, offset: plus }),
            other => panic!("{other:?} is not sent"),
        };
        let pattern = crate::case::Pattern {
            pieces: vec![piece],
            captures: false,
        };
        let segments = bindings.segments(&pattern);
        let [Segment::Bytes(bytes) | Segment::Filler(bytes)] = segments.as_slice() else {
            panic!("{segments:?}")
        };
        bytes[from..to.unwrap_or(bytes.len())].to_vec()
    }

    #[test]
    fn the_writes_of_every_case_are_those_of_a_run() {
        let library = Library::built_in().unwrap();
        let mut compared = 0;
        for (id, _, case) in library.cases() {
            // Two clocks may differ by a second, and a filler is cut alike whatever its length.
            let is_apart = |piece: &Piece| match piece {
                Piece::Unix(_) => true,
                Piece::Filler(bytes) => *bytes > 4096,
                _ => false,
            };
            let is_left_out = |step: &Step| match &step.action {
                Action::Send(pattern) => pattern.pieces.iter().any(is_apart),
                _ => false,
            };
            if case.steps.iter().any(is_left_out) {
                continue;
            }
            for delivery in Delivery::ALL {
                let mut bindings = Bindings::new(UNIQUE.to_owned());
                let sent = case.steps.iter().filter_map(|step| match &step.action {
                    Action::Send(pattern) => Some(pattern),
                    _ => None,
                });
                let names = sent.flat_map(|p| p.names().map(|name| (name.name.clone(), stand_in(delivery))));
                bindings.capture(names.collect());
                for (group, range) in groups_of(case, delivery).iter().zip(groups(&case.steps, delivery)) {
                    assert_eq!((group.first, group.count), (range.start, range.len()), "{id}");
                    let (_, segments) = sends(&case.steps[range], &bindings);
                    let written: Vec<Vec<u8>> = group
                        .writes
                        .iter()
                        .map(|write| write.iter().flat_map(|part| fill(part, &bindings)).collect())
                        .collect();
                    assert_eq!(written, delivery.writes(&segments), "{id} {delivery}");
                    compared += written.len();
                }
            }
        }
        assert!(compared > 20_000, "{compared}");
    }
}
