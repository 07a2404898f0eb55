//! One item of memcached, as a sequential specification.

use std::collections::BTreeSet;

use super::Sequential;

/// What a client asks of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// `gets`.
    Get,
    /// `set`.
    Set(Vec<u8>),
    /// `add`.
    Add(Vec<u8>),
    /// `append`.
    Append(Vec<u8>),
    /// `cas` with this value of the item's version.
    Cas(u64, Vec<u8>),
    /// `incr`.
    Incr(u64),
    /// `delete`.
    Delete,
}

/// What it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// `VALUE`: the data block, and the CAS value if it was asked for.
    Value(Vec<u8>, Option<u64>),
    /// `END`.
    Nothing,
    /// `STORED`.
    Stored,
    /// `NOT_STORED`.
    NotStored,
    /// `EXISTS`.
    Exists,
    /// `NOT_FOUND`.
    NotFound,
    /// `DELETED`.
    Deleted,
    /// The new number.
    Number(u64),
    /// A refusal: the value is no number.
    NonNumeric,
}

/// The specification; every history has a key of its own, which does not exist at first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Item;

/// What is stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct State {
    value: Option<Vec<u8>>,
    /// The CAS value, if a client has seen it.
    version: Option<u64>,
    /// The CAS values of the versions before.
    gone: BTreeSet<u64>,
}

impl State {
    fn with(&self, value: Option<Vec<u8>>) -> Self {
        let mut gone = self.gone.clone();
        gone.extend(self.version);
        Self {
            value,
            version: None,
            gone,
        }
    }

    /// The same, knowing its CAS value; `None` if it cannot have that.
    fn known(&self, version: u64) -> Option<Self> {
        let fits = match self.version {
            Some(known) => known == version,
            None => !self.gone.contains(&version),
        };
        fits.then(|| Self {
            version: Some(version),
            ..self.clone()
        })
    }

    fn number(&self) -> Option<u64> {
        let text = std::str::from_utf8(self.value.as_ref()?).ok()?;
        // After a count that lost a digit a blank may stand behind it.
        text.trim_end_matches(' ').parse().ok()
    }
}

impl Sequential for Item {
    type State = State;
    type Call = Call;
    type Reply = Reply;

    fn start(&self) -> State {
        State::default()
    }

    fn after(&self, state: &State, call: &Call, reply: Option<&Reply>) -> Vec<State> {
        let exists = state.value.is_some();
        let outcome = |told: Reply, next: State| match reply {
            None => vec![next],
            Some(reply) if *reply == told => vec![next],
            Some(_) => Vec::new(),
        };
        let joined = |more: &[u8]| state.value.as_ref().map(|old| [old, more].concat());
        match call {
            Call::Get => match (&state.value, reply) {
                (_, None) => vec![state.clone()],
                (None, Some(Reply::Nothing)) => vec![state.clone()],
                (Some(value), Some(Reply::Value(seen, None))) if value == seen => vec![state.clone()],
                (Some(value), Some(Reply::Value(seen, Some(version)))) if value == seen => {
                    state.known(*version).into_iter().collect()
                }
                _ => Vec::new(),
            },
            Call::Set(value) => outcome(Reply::Stored, state.with(Some(value.clone()))),
            Call::Add(_) if exists => outcome(Reply::NotStored, state.clone()),
            Call::Add(value) => outcome(Reply::Stored, state.with(Some(value.clone()))),
            Call::Append(_) if !exists => outcome(Reply::NotStored, state.clone()),
            Call::Append(more) => outcome(Reply::Stored, state.with(joined(more))),
            Call::Cas(..) if !exists => outcome(Reply::NotFound, state.clone()),
            Call::Cas(version, value) => {
                let mut after = Vec::new();
                if let Some(known) = state.known(*version) {
                    after.extend(outcome(Reply::Stored, known.with(Some(value.clone()))));
                }
                if state.version != Some(*version) {
                    after.extend(outcome(Reply::Exists, state.clone()));
                }
                after
            }
            Call::Incr(_) if !exists => outcome(Reply::NotFound, state.clone()),
            Call::Incr(delta) => match state.number() {
                None => outcome(Reply::NonNumeric, state.clone()),
                Some(number) => {
                    let number = number.wrapping_add(*delta);
                    outcome(Reply::Number(number), state.with(Some(number.to_string().into_bytes())))
                }
            },
            Call::Delete if exists => outcome(Reply::Deleted, state.with(None)),
            Call::Delete => outcome(Reply::NotFound, state.clone()),
        }
    }
}
