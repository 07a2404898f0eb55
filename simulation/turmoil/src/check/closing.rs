//! Promise 4: a dataset is closed after its last lease has gone, and it is closed, within the drain deadline.

use std::time::Duration;

use super::Findings;
use crate::account::{Account, Dataset, markers};
use crate::command::Reply;
use crate::history::Answer;
use crate::plan::Plan;

/// For the steps of the world, and for batches that the disk has in hand.
const SLACK: Duration = Duration::from_millis(100);

pub(super) fn check(plan: &Plan, account: &Account, findings: &mut Findings) {
    for dataset in &account.datasets {
        check_end(plan, account, dataset, findings);
    }
    for conversation in account.conversations.values() {
        for asked in &conversation.asked {
            let Some((place, _, reply @ Reply::Items(_))) = &asked.answered else {
                continue;
            };
            let Some(marker) = markers(reply).first().copied() else {
                continue;
            };
            let mut possible = account
                .of_life(conversation.life)
                .filter(|dataset| dataset.is_marked(marker));
            let is_open = |dataset: &Dataset| dataset.end.as_ref().is_none_or(|end| end.place > asked.sent);
            if !possible.any(is_open)
                && account
                    .of_life(conversation.life)
                    .any(|dataset| dataset.is_marked(marker))
            {
                let what = format!("#{} was answered by {marker}, which had been closed", asked.number);
                findings.add(4, *place, what);
            }
        }
    }
    for (number, order) in &account.orders {
        let Some((
            life,
            place,
            Answer::Switched {
                generation, drained, ..
            },
        )) = &order.answered
        else {
            continue;
        };
        let old = account
            .of_life(*life)
            .find(|dataset| dataset.generation + 1 == *generation);
        let is_closed = old.is_none_or(|old| old.end.as_ref().is_some_and(|end| end.place < *place));
        if *drained != is_closed {
            let what = format!("order {number} was told that drained is {drained}, but closed is {is_closed}");
            findings.add(4, *place, what);
        }
    }
    for life in &account.lives {
        if let Some(ended) = life.ended
            && !life.crashed
            && !life.stopped
        {
            findings.add(4, ended, "the server was asked to stop and did not");
        }
    }
}

fn check_end(plan: &Plan, account: &Account, dataset: &Dataset, findings: &mut Findings) {
    let number = dataset.number;
    let life = &account.lives[dataset.life];
    let in_crash = |place: usize| life.crashed && life.ended.is_some_and(|ended| place >= ended);
    match &dataset.end {
        Some(end) if !end.closed && !in_crash(end.place) => {
            findings.add(4, end.place, format!("dataset {number} was dropped and not closed"));
        }
        Some(_) => {}
        None if life.crashed => {}
        None => findings.add(4, dataset.opened, format!("dataset {number} was never closed")),
    }
    let next = account
        .of_life(dataset.life)
        .find(|next| next.generation == dataset.generation + 1);
    match (next, &dataset.end) {
        (Some(next), Some(end)) if end.closed => {
            let took = end.at.saturating_sub(next.opened_at);
            let deadline = plan.drain_timeout + plan.disk_pause + SLACK;
            if took > deadline {
                let what =
                    format!("dataset {number} was closed {took:?} after it was replaced, not within {deadline:?}");
                findings.add(4, end.place, what);
            }
        }
        (None, Some(end)) if end.closed && life.ended.is_none_or(|ended| end.place < ended) => {
            findings.add(4, end.place, format!("dataset {number} was closed while it was served"));
        }
        _ => {}
    }
}
