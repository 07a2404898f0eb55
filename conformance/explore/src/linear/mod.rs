//! Is there an order in which what several clients saw of one key could have happened, one operation after another?
//!
//! The checker is that of Wing and Gong with Lowe's memory of what was tried: it tries every order that real time allows
//! and remembers each set of done operations with the state it led to. It works on records alone, so a simulation can use
//! it on its own histories.

mod item;
mod live;

pub use item::{Call, Item, Reply};
pub use live::{Concurrent, ConcurrentError, Rounds, concurrent};

use std::collections::BTreeSet;
use std::fmt;

/// What one operation at a time does to a state.
pub trait Sequential {
    /// The state.
    type State: Clone + Ord;
    /// What a client asks.
    type Call;
    /// What it is told.
    type Reply;

    /// The state before the first operation.
    fn start(&self) -> Self::State;

    /// Every state that can follow when the call is answered so; none if it cannot be answered so. Without a reply
    /// nobody knows what the client would have been told, and every outcome is possible.
    fn after(&self, state: &Self::State, call: &Self::Call, reply: Option<&Self::Reply>) -> Vec<Self::State>;
}

/// One operation of one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation<C, R> {
    /// Which client.
    pub client: usize,
    /// What it asked.
    pub call: C,
    /// When, on a clock that all clients share.
    pub invoked: u64,
    /// What it was told and when; `None` for an operation whose reply never came: it may have happened at any time
    /// after it was asked for, or not at all.
    pub returned: Option<(u64, R)>,
}

/// No order explains a history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Violation<C, R>
where
    C: fmt::Debug,
    R: fmt::Debug,
{
    /// The operations up to the first reply that cannot be explained; what had not returned by then has no reply.
    pub operations: Vec<Operation<C, R>>,
}

impl<C: fmt::Debug, R: fmt::Debug> fmt::Display for Violation<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no order of these operations explains what the clients were told:")?;
        for Operation {
            client,
            call,
            invoked,
            returned,
        } in &self.operations
        {
            write!(f, "\n  client {client}  {invoked:>9} .. ")?;
            match returned {
                Some((time, reply)) => write!(f, "{time:>9}  {call:?} -> {reply:?}")?,
                None => write!(f, "{:>9}  {call:?}", "?")?,
            }
        }
        Ok(())
    }
}

/// Looks for an order; the error holds the shortest beginning of the history that has none.
///
/// # Errors
/// When no order explains the history.
pub fn check<S: Sequential>(
    specification: &S,
    history: &[Operation<S::Call, S::Reply>],
) -> Result<(), Violation<S::Call, S::Reply>>
where
    S::Call: Clone + fmt::Debug,
    S::Reply: Clone + fmt::Debug,
{
    if is_linearizable(specification, history) {
        return Ok(());
    }
    let mut ends: Vec<u64> = history
        .iter()
        .filter_map(|operation| operation.returned.as_ref().map(|r| r.0))
        .collect();
    ends.sort_unstable();
    // If a history has an order, so has each of its beginnings: the first that has none is found by halving.
    let shortest = ends.partition_point(|end| is_linearizable(specification, &until(history, *end)));
    let operations = ends
        .get(shortest)
        .map_or_else(|| history.to_vec(), |end| until(history, *end));
    Err(Violation { operations })
}

/// What was known at a moment.
fn until<C: Clone, R: Clone>(history: &[Operation<C, R>], end: u64) -> Vec<Operation<C, R>> {
    let begun = history.iter().filter(|operation| operation.invoked <= end).cloned();
    let known = begun.map(|operation| Operation {
        returned: operation.returned.clone().filter(|(time, _)| *time <= end),
        ..operation
    });
    known.collect()
}

fn is_linearizable<S: Sequential>(specification: &S, history: &[Operation<S::Call, S::Reply>]) -> bool {
    let mut search = Search {
        specification,
        history,
        tried: BTreeSet::new(),
    };
    let words = history.len().div_ceil(64);
    search.run(vec![0; words], specification.start())
}

struct Search<'s, S: Sequential> {
    specification: &'s S,
    history: &'s [Operation<S::Call, S::Reply>],
    /// Sets of done operations, one bit each, and the states that they led to.
    tried: BTreeSet<(Vec<u64>, S::State)>,
}

impl<S: Sequential> Search<'_, S> {
    /// Depth first, with a stack of its own: a history may be long.
    fn run(&mut self, done: Vec<u64>, state: S::State) -> bool {
        let mut open = vec![(done, state)];
        while let Some((done, state)) = open.pop() {
            let is_done = |at: usize| done[at / 64] >> (at % 64) & 1 == 1;
            let left = || self.history.iter().enumerate().filter(|(at, _)| !is_done(*at));
            // Only what was asked before every other reply that is still due can come next.
            let horizon = left()
                .filter_map(|(_, operation)| operation.returned.as_ref().map(|r| r.0))
                .min();
            let Some(horizon) = horizon else { return true };
            let mut next = Vec::new();
            for (at, operation) in left().filter(|(_, operation)| operation.invoked <= horizon) {
                let reply = operation.returned.as_ref().map(|(_, reply)| reply);
                for state in self.specification.after(&state, &operation.call, reply) {
                    let mut done = done.clone();
                    done[at / 64] |= 1 << (at % 64);
                    next.push((done, state));
                }
            }
            for (done, state) in next {
                if self.tried.insert((done.clone(), state.clone())) {
                    open.push((done, state));
                }
            }
        }
        false
    }
}
