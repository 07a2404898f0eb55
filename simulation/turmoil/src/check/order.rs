//! Promise 8: swaps that race are served one after another, and each answer names its generation.

use super::Findings;
use crate::account::{Account, Ordering};
use crate::history::{Answer, Event, What};
use crate::plan::Plan;
use crate::shelf::{SOUND, resolved};

/// An order that was obeyed.
struct Done<'a> {
    number: u32,
    order: &'a Ordering,
    life: usize,
    place: usize,
    generation: u64,
    filename: &'a str,
}

pub(super) fn check(plan: &Plan, events: &[Event], account: &Account, findings: &mut Findings) {
    let done: Vec<Done<'_>> = account
        .orders
        .iter()
        .filter_map(|(number, order)| match &order.answered {
            Some((
                life,
                place,
                Answer::Switched {
                    generation, filename, ..
                },
            )) => Some(Done {
                number: *number,
                order,
                life: *life,
                place: *place,
                generation: *generation,
                filename,
            }),
            _ => None,
        })
        .collect();
    for one in &done {
        check_answer(account, one, findings);
        for other in &done {
            let same = one.number < other.number && one.life == other.life && one.generation == other.generation;
            let is_later = one.life == other.life && one.place < other.order.ordered;
            if same || (is_later && one.generation >= other.generation) {
                let what = format!(
                    "order {} was told of generation {}, order {} of {}",
                    one.number, one.generation, other.number, other.generation
                );
                findings.add(8, other.place, what);
            }
        }
    }
    check_turns(plan, account, findings);
    check_status(events, account, findings);
}

/// The answer names the dataset that was opened for it.
fn check_answer(account: &Account, done: &Done<'_>, findings: &mut Findings) {
    let generation = done.generation;
    let dataset = account
        .of_life(done.life)
        .find(|dataset| dataset.generation == generation);
    let is_its_own = dataset.is_some_and(|dataset| {
        let in_time = (done.order.ordered..done.place).contains(&dataset.opened);
        in_time && dataset.filename == resolved(&done.order.filename)
    });
    if !is_its_own || done.filename != done.order.filename {
        let what = format!(
            "order {} ({}) was told of generation {generation}, {}",
            done.number, done.order.filename, done.filename
        );
        findings.add(8, done.place, what);
    }
}

/// A dataset is looked for when the one before the last has been closed, or its deadline is over.
fn check_turns(plan: &Plan, account: &Account, findings: &mut Findings) {
    for dataset in &account.datasets {
        let generation = |generation| {
            account
                .of_life(dataset.life)
                .find(move |one| one.generation == generation)
        };
        let (Some(last), Some(before)) = (
            generation(dataset.generation.saturating_sub(1)),
            generation(dataset.generation.saturating_sub(2)),
        ) else {
            continue;
        };
        let is_closed = before.end.as_ref().is_some_and(|end| end.place < dataset.sought);
        if !is_closed && dataset.opened_at < last.opened_at + plan.drain_timeout {
            let what = format!(
                "dataset {} was looked for while dataset {} drained, which dataset {} had replaced",
                dataset.number, before.number, last.number
            );
            findings.add(8, dataset.sought, what);
        }
    }
    for life in 0..account.lives.len() {
        let first = account.of_life(life).next();
        if let Some(first) = first
            && first.filename != SOUND[0]
        {
            findings.add(8, first.opened, format!("the server began with {}", first.filename));
        }
    }
}

/// The status tells of no dataset that an answer had announced the end of.
fn check_status(events: &[Event], account: &Account, findings: &mut Findings) {
    for (place, event) in events.iter().enumerate() {
        let What::Status {
            asked,
            generation,
            filename,
        } = &event.what
        else {
            continue;
        };
        let is_right = |life: usize| {
            let dataset = account.of_life(life).find(|dataset| dataset.generation == *generation);
            let is_there = dataset.is_some_and(|dataset| dataset.filename == resolved(filename));
            is_there && *generation >= account.promised(life, *asked)
        };
        if !account.lives_between(*asked, place).any(is_right) {
            let what =
                format!("the status told of generation {generation}, {filename}, after a later one was announced");
            findings.add(8, place, what);
        }
    }
}
