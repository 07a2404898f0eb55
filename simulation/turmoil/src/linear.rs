//! Whether what sessions saw of one key can be explained by a key that changes at one moment for each command.
//!
//! The search of Wing and Gong with the memory of Lowe: steps are put in an order that keeps what is known of their times,
//! and what was tried is not tried again. It gains from what memcached promises: the commands of one connection are executed in
//! the order in which they were sent, so all that remains of a search is how far each session has come and what the key has.
//! A connection that breaks leaves commands of which nobody knows: any first few of them may have been executed, the
//! others never will be.

use std::collections::HashSet;

use foldhash::fast::FixedState;

use crate::command::{Change, Found, Reply};

/// A command, as far as it concerns the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The number of the command in its history, for reports.
    pub command: u64,
    /// It was not executed before this moment.
    pub began: usize,
    /// It was executed before this moment, if ever; none if nothing is known.
    pub ended: Option<usize>,
    /// What it does.
    pub action: Action,
    /// What was told of it; none if nothing is known.
    pub seen: Option<Seen>,
    /// Whether it may have been executed elsewhere, on another dataset.
    pub elsewhere: bool,
}

/// What a step does to the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing: it looks.
    Look,
    /// A change.
    Change(Change),
}

/// What is told of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// What the key has; none if it is not there.
    Item(Option<Found>),
    /// What has become of a change.
    Outcome(Reply),
}

/// What a key has. The unique is none as long as nobody has seen it.
pub type State = Option<Found>;

/// No order explains what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unexplained {
    /// How many steps can be explained at most.
    pub explained: usize,
    /// What the key can have then.
    pub state: State,
    /// What the sessions can not do next, as the numbers of commands.
    pub stuck: Vec<u64>,
    /// Whether every order was tried, not only the first [`STATES_MAX`] states.
    pub exhausted: bool,
}

/// States that are tried at most. What has an explanation needs a few hundred.
pub const STATES_MAX: usize = 100_000;

/// Looks for an order of all steps in which each saw what it should, beginning with `initial`. The steps of each session are in the order
/// in which they are executed.
///
/// # Errors
/// When there is none, or none was found among the first states.
pub fn explain(initial: State, sessions: &[Vec<Step>]) -> Result<(), Unexplained> {
    let start = (vec![0_u16; sessions.len()], initial);
    let mut deepest = start.clone();
    let mut seen: HashSet<(Vec<u16>, State), FixedState> = HashSet::default();
    let mut open = vec![start];
    while let Some((progress, state)) = open.pop() {
        if is_done(sessions, &progress) {
            return Ok(());
        }
        if depth(&progress) > depth(&deepest.0) {
            deepest = (progress.clone(), state.clone());
        }
        let horizon = horizon(sessions, &progress);
        for (session, steps) in sessions.iter().enumerate() {
            let Some(step) = steps.get(usize::from(progress[session])) else {
                continue;
            };
            if step.began > horizon {
                continue;
            }
            for state in after(&state, step) {
                let mut progress = progress.clone();
                progress[session] += 1;
                let next = (progress, state);
                if seen.len() < STATES_MAX && seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
    }
    let (progress, state) = deepest;
    let next = |(steps, done): (&Vec<Step>, &u16)| Some(steps.get(usize::from(*done))?.command);
    Err(Unexplained {
        exhausted: seen.len() < STATES_MAX,
        explained: depth(&progress),
        stuck: sessions.iter().zip(&progress).filter_map(next).collect(),
        state,
    })
}

fn depth(progress: &[u16]) -> usize {
    progress.iter().map(|&steps| usize::from(steps)).sum()
}

/// Whether nothing is left but commands of which nobody knows.
fn is_done(sessions: &[Vec<Step>], progress: &[u16]) -> bool {
    let mut left = sessions
        .iter()
        .zip(progress)
        .flat_map(|(steps, &done)| &steps[usize::from(done)..]);
    left.all(|step| step.ended.is_none())
}

/// The moment before which the next step must have begun: one that is left has ended then.
fn horizon(sessions: &[Vec<Step>], progress: &[u16]) -> usize {
    let ends = sessions
        .iter()
        .zip(progress)
        .filter_map(|(steps, &done)| steps[usize::from(done)..].iter().find_map(|step| step.ended));
    ends.min().unwrap_or(usize::MAX)
}

/// What the key can have after a step; nothing if the step cannot come next.
fn after(state: &State, step: &Step) -> Vec<State> {
    let mut states = match &step.action {
        Action::Look => looked(state, step.seen.as_ref()),
        Action::Change(change) => changed(state, change)
            .into_iter()
            .filter(|(reply, _)| match &step.seen {
                Some(Seen::Outcome(seen)) => seen == reply || *seen == Reply::Silence,
                Some(Seen::Item(_)) => false,
                None => true,
            })
            .map(|(_, state)| state)
            .collect(),
    };
    if step.elsewhere && !states.contains(state) {
        states.push(state.clone());
    }
    states
}

fn looked(state: &State, seen: Option<&Seen>) -> Vec<State> {
    match (state, seen) {
        (_, None) => vec![state.clone()],
        (None, Some(Seen::Item(None))) => vec![None],
        (Some(found), Some(Seen::Item(Some(seen)))) if found.value == seen.value => match (found.unique, seen.unique) {
            (Some(one), Some(other)) if one != other => Vec::new(),
            (one, other) => vec![Some(Found {
                value: seen.value.clone(),
                unique: one.or(other),
            })],
        },
        _ => Vec::new(),
    }
}

/// What a change can be answered, and what the key has then.
fn changed(state: &State, change: &Change) -> Vec<(Reply, State)> {
    let fresh = |value: String| Some(Found { value, unique: None });
    let one = match (change, state) {
        (Change::Set(value), _) | (Change::Add(value), None) | (Change::Replace(value), Some(_)) => {
            (Reply::Stored, fresh(value.clone()))
        }
        (Change::Add(_), Some(_)) => (Reply::NotStored, state.clone()),
        (Change::Replace(_) | Change::Append(_) | Change::Prepend(_), None) => (Reply::NotStored, None),
        (Change::Append(value), Some(found)) => (Reply::Stored, fresh(format!("{}{value}", found.value))),
        (Change::Prepend(value), Some(found)) => (Reply::Stored, fresh(format!("{value}{}", found.value))),
        (Change::Delete, Some(_)) => (Reply::Deleted, None),
        (Change::Delete | Change::Cas(..) | Change::Increase(_) | Change::Decrease(_), None) => (Reply::NotFound, None),
        (Change::Cas(value, unique), Some(found)) => {
            let stored = (Reply::Stored, fresh(value.clone()));
            let exists = (Reply::Exists, state.clone());
            return match found.unique {
                Some(has) if has == *unique => vec![stored],
                Some(_) => vec![exists],
                None => vec![stored, exists],
            };
        }
        (Change::Increase(by), Some(found)) => return counted(found, |number| number.wrapping_add(*by)),
        (Change::Decrease(by), Some(found)) => return counted(found, |number| number.saturating_sub(*by)),
    };
    vec![one]
}

/// A number is written over the old one: what it is shorter by is filled with spaces.
fn counted(found: &Found, count: impl FnOnce(u64) -> u64) -> Vec<(Reply, State)> {
    let Ok(number) = found.value.trim_end().parse() else {
        return Vec::new();
    };
    let number = count(number);
    let value = format!("{number:<width$}", width = found.value.len());
    vec![(Reply::Number(number), Some(Found { value, unique: None }))]
}

#[cfg(test)]
mod tests;
