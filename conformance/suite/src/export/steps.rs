//! What happens in a case, in order.

use std::collections::BTreeSet;

use serde::Serialize;

use super::pieces::{Part, expected, sent};
use super::{RangeInfo, range};
use crate::case::{Action, Alternative, Answer, Pattern, Piece, Step, need_fence};

/// One step, on one connection.
#[derive(Serialize)]
pub(super) struct StepInfo {
    on: char,
    line: u32,
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
enum What {
    /// These writes, each apart from the next.
    Send { writes: Vec<Vec<Part>> },
    /// One of these answers. With `fenced`, a fence is sent before, and its answer stands behind each answer of bytes.
    Receive {
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        fenced: bool,
        answers: Vec<AnswerInfo>,
    },
    /// The client closes.
    Close,
    /// The client ends its sending side.
    HalfClose,
    /// Time passes.
    Wait { ms: u128 },
}

#[derive(Serialize)]
struct AnswerInfo {
    /// Those that answer so; the answers taken in one case have a release in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    releases: Option<RangeInfo>,
    /// What comes; absent if the server closes, with no byte before.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<Vec<Part>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    closed: bool,
}

pub(super) fn steps(steps: &[Step]) -> Vec<StepInfo> {
    let mut bound = BTreeSet::new();
    steps
        .iter()
        .map(|step| {
            let what = what(&step.action, &bound);
            bound.extend(captured(&step.action));
            StepInfo {
                on: step.conn.0,
                line: step.line,
                what,
            }
        })
        .collect()
}

fn what(action: &Action, bound: &BTreeSet<String>) -> What {
    let one = |fenced, bytes| What::Receive {
        fenced,
        answers: vec![answer(None, bytes)],
    };
    match action {
        Action::Send(pattern) => What::Send {
            writes: writes(pattern),
        },
        Action::Receive(pattern) => one(false, Some(expected(pattern, bound))),
        Action::ReceiveAny(alternatives) => What::Receive {
            fenced: need_fence(alternatives),
            answers: alternatives.iter().map(|one| alternative(one, bound)).collect(),
        },
        Action::Silent => one(true, Some(Vec::new())),
        Action::Closed => one(false, None),
        Action::Close => What::Close,
        Action::HalfClose => What::HalfClose,
        Action::Wait(time) => What::Wait { ms: time.as_millis() },
    }
}

/// Cut at the boundaries that the case itself asks for.
fn writes(pattern: &Pattern) -> Vec<Vec<Part>> {
    let writes = pattern.pieces.split(|piece| *piece == Piece::Boundary);
    let writes = writes.map(|pieces| pieces.iter().filter_map(sent).collect::<Vec<Part>>());
    writes.filter(|write| !write.is_empty()).collect()
}

fn alternative(one: &Alternative, bound: &BTreeSet<String>) -> AnswerInfo {
    let bytes = match &one.answer {
        Answer::Bytes(pattern) => Some(expected(pattern, bound)),
        Answer::Silent => Some(Vec::new()),
        Answer::Closed => None,
    };
    answer(Some(range(&one.releases)), bytes)
}

fn answer(releases: Option<RangeInfo>, bytes: Option<Vec<Part>>) -> AnswerInfo {
    AnswerInfo {
        releases,
        closed: bytes.is_none(),
        bytes,
    }
}

/// The names that a step binds.
fn captured(action: &Action) -> Vec<String> {
    let of = |pattern: &Pattern| pattern.names().map(|name| name.name.clone()).collect::<Vec<_>>();
    match action {
        Action::Receive(pattern) => of(pattern),
        Action::ReceiveAny(alternatives) => alternatives
            .iter()
            .flat_map(|one| match &one.answer {
                Answer::Bytes(pattern) => of(pattern),
                Answer::Silent | Answer::Closed => Vec::new(),
            })
            .collect(),
        _ => Vec::new(),
    }
}
