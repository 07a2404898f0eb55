//! What must hold of every history: the promises of a hot swap, one module for each group of them.
//!
//! Checkers know the plan of the world and its history, and nothing else: no log, no state of the server.

mod availability;
mod closing;
mod generations;
mod keys;
mod loads;
mod order;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::account::Account;
use crate::history::Event;
use crate::plan::Plan;

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which one, by its number in the design.
    pub promise: u8,
    /// Where it shows in the history.
    pub place: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "promise {} at {}: {}", self.promise, self.place, self.what)
    }
}

/// Collects what is wrong.
#[derive(Debug, Default)]
struct Findings(Vec<Violation>);

impl Findings {
    fn add(&mut self, promise: u8, place: usize, what: impl Into<String>) {
        let what = what.into();
        self.0.push(Violation { promise, place, what });
    }
}

/// What is wrong with the history of a world, in the order of the history.
pub fn judge(plan: &Plan, events: &[Event]) -> Vec<Violation> {
    let account = Account::of(events);
    let mut findings = Findings::default();
    let spans = generations::check(plan, &account, &mut findings);
    closing::check(plan, &account, &mut findings);
    loads::check(plan, &account, &mut findings);
    availability::check(plan, events, &account, &mut findings);
    order::check(plan, events, &account, &mut findings);
    keys::check(plan, events, &account, &spans, &mut findings);
    findings.0.sort_by_key(|violation| violation.place);
    findings.0
}
