//! Which steps of a case are sent together.

use std::collections::HashSet;
use std::ops::Range;

use super::Delivery;
use crate::case::{Action, Alternative, Answer, Pattern, Step};

/// Cuts the steps into groups: all that a group sends goes out before its answers are read.
pub(crate) fn groups(steps: &[Step], delivery: Delivery) -> Vec<Range<usize>> {
    if delivery != Delivery::Pipelined {
        return (0..steps.len()).map(|i| i..i + 1).collect();
    }
    let mut groups = Vec::new();
    let mut start = 0;
    let mut captured = HashSet::new();
    for (i, step) in steps.iter().enumerate() {
        let joins = i > start && step.conn == steps[start].conn && joinable(step) && joinable(&steps[i - 1]);
        if i > start && (!joins || uses(step, &captured) || may_close(&steps[i - 1])) {
            groups.push(start..i);
            start = i;
            captured.clear();
        }
        captured.extend(
            patterns(step)
                .filter(|p| p.captures)
                .flat_map(Pattern::names)
                .map(|c| c.name.as_str()),
        );
    }
    if start < steps.len() {
        groups.push(start..steps.len());
    }
    groups
}

fn joinable(step: &Step) -> bool {
    matches!(
        step.action,
        Action::Send(_) | Action::Receive(_) | Action::ReceiveAny(_) | Action::Silent
    )
}

/// Whether a step sends a number that an answer of the same group would have to bring first.
fn uses(step: &Step, captured: &HashSet<&str>) -> bool {
    matches!(&step.action, Action::Send(pattern) if pattern.names().any(|name| captured.contains(name.name.as_str())))
}

fn may_close(step: &Step) -> bool {
    let closes = |alternative: &Alternative| alternative.answer == Answer::Closed;
    matches!(&step.action, Action::ReceiveAny(alternatives) if alternatives.iter().any(closes))
}

fn patterns(step: &Step) -> impl Iterator<Item = &Pattern> {
    let (one, several): (Option<&Pattern>, &[Alternative]) = match &step.action {
        Action::Send(pattern) | Action::Receive(pattern) => (Some(pattern), &[]),
        Action::ReceiveAny(alternatives) => (None, alternatives),
        _ => (None, &[]),
    };
    one.into_iter()
        .chain(several.iter().filter_map(|alternative| match &alternative.answer {
            Answer::Bytes(pattern) => Some(pattern),
            Answer::Silent | Answer::Closed => None,
        }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::parse;

    fn group_sizes(lines: &str) -> Vec<usize> {
        let text = format!("section a/b\ncase c DEFACTO\n  observed 1.6.9\n{lines}");
        groups(&parse("f", &text).unwrap().cases[0].steps, Delivery::Pipelined)
            .iter()
            .map(ExactSizeIterator::len)
            .collect()
    }

    #[test]
    fn requests_and_replies_of_one_connection_form_one_group() {
        assert_eq!(group_sizes("  > a\n  < b\n  > c\n  silent\n  > d\n  < e\n"), [6]);
    }

    #[test]
    fn a_captured_number_must_have_come_before_it_is_sent() {
        assert_eq!(
            group_sizes("  > a\n  <? {id}\n  > b\n  < b\n  > cas {id}\n  < c\n"),
            [4, 2]
        );
    }

    #[test]
    fn waits_ends_and_other_connections_stand_alone() {
        assert_eq!(
            group_sizes("  > a\n  wait 1s\n  > b\n  B> c\n  B< d\n  > quit\n  closed\n"),
            [1, 1, 1, 2, 1, 1]
        );
        assert_eq!(group_sizes("  > a\n  < any\n    1.6.9  (closed)\n  > b\n"), [2, 1]);
    }
}
