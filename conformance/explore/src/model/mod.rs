//! What a memcached server answers, written for reading: a `BTreeMap` of items and a clock with an error.
//!
//! The model never commits itself where the protocol does not: for one command and one state it lists every outcome that
//! a server may choose, each a reply and the state after it.

mod clock;
mod count;
mod meta;
mod meta_set;
mod rules;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) use clock::{Expiry, Life, Span};
pub(crate) use rules::Rules;

use crate::command::{Command, Key, MetaVerb};
use crate::generate::BAD;
use crate::part::{Cas, Part, Parts, bad};

/// One item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    /// The data block.
    pub(crate) data: Arc<[u8]>,
    /// The client's flags.
    pub(crate) flags: u32,
    /// When it ends.
    pub(crate) expiry: Expiry,
    /// Its version.
    pub(crate) cas: Cas,
    /// Whether it was fetched since it was stored.
    pub(crate) fetched: bool,
    /// Whether it was invalidated.
    pub(crate) stale: bool,
    /// Whether a client was told to recache it.
    pub(crate) won: bool,
    /// Whether its key was sent in base64.
    pub(crate) binary: bool,
    /// When it was stored, at the earliest.
    pub(crate) born: f64,
}

/// All that a server knows of the keys of one history.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct State {
    /// The items.
    pub(crate) items: BTreeMap<Key, Item>,
    /// CAS values that were seen: no other version may have one of them.
    pub(crate) seen: BTreeSet<u64>,
    /// How many versions were made.
    versions: u32,
}

impl State {
    /// A CAS value that no version had before.
    pub(crate) fn fresh(&mut self) -> Cas {
        self.versions += 1;
        Cas::Fresh(self.versions)
    }

    /// What a reply has shown of a version.
    pub(crate) fn reveal(&mut self, version: Cas, number: u64) {
        self.seen.insert(number);
        for item in self.items.values_mut() {
            if item.cas == version {
                item.cas = Cas::Known(number);
            }
        }
    }

    /// Stores a new item; whatever was there is gone.
    pub(crate) fn put(&mut self, key: Key, new: New, at: Span) {
        let cas = new.cas.map_or_else(|| self.fresh(), Cas::Known);
        let item = Item {
            data: new.data,
            flags: new.flags,
            expiry: new.expiry,
            cas,
            fetched: false,
            stale: false,
            won: false,
            binary: new.binary,
            born: at.sent,
        };
        self.items.insert(key, item);
    }
}

/// What a new item is made of.
#[derive(Debug, Clone)]
pub(crate) struct New {
    pub(crate) data: Arc<[u8]>,
    pub(crate) flags: u32,
    pub(crate) expiry: Expiry,
    /// A CAS value that the client chose.
    pub(crate) cas: Option<u64>,
    pub(crate) binary: bool,
}

/// Everything that may come of one command: replies, and what the server knows afterwards.
pub(crate) type Outcomes = Vec<(Vec<Part>, State)>;

/// The largest data block that any item can have with memcached's default settings is below this.
pub(crate) const TOO_LARGE: usize = 1_048_577;

/// The model of one release.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    pub(crate) rules: Rules,
}

impl Model {
    /// Every outcome of a command that a server in this state executes at some moment of `at`.
    pub(crate) fn outcomes(&self, state: State, command: &Command, at: Span) -> Outcomes {
        let mut outcomes = Vec::with_capacity(1);
        for world in worlds(state, command, at) {
            outcomes.extend(self.execute(world, command, at));
        }
        outcomes
    }

    fn execute(&self, mut state: State, command: &Command, at: Span) -> Outcomes {
        match command {
            Command::Store { .. } => text::store(state, command, at),
            Command::Get { cas, touch, keys } => text::get(state, *cas, *touch, keys, at),
            Command::Delete { key, noreply } => text::delete(state, *key, *noreply),
            Command::Count {
                up,
                key,
                delta,
                noreply,
            } => count::text(&self.rules, state, *up, *key, *delta, *noreply, at),
            Command::Touch { key, exptime, noreply } => text::touch(state, *key, *exptime, *noreply, at),
            Command::Meta(meta) if self.rules.refuses(meta) => {
                let old = matches!(meta.verb, MetaVerb::Get | MetaVerb::Set);
                let error = if old {
                    "invalid flag"
                } else {
                    "invalid or duplicate flag"
                };
                vec![(reply(&format!("CLIENT_ERROR {error}"), false), state)]
            }
            Command::Meta(meta) => match meta.verb {
                MetaVerb::Get => meta::get(&self.rules, state, meta, at),
                MetaVerb::Set => meta_set::set(&self.rules, state, meta, at),
                MetaVerb::Delete => meta::delete(&self.rules, state, meta, at),
                MetaVerb::Arithmetic => count::meta(&self.rules, state, meta, at),
            },
            Command::Debug { key } => text::debug(state, *key),
            Command::Bad { line, key } => vec![(bad(BAD[*line].reply(self.rules.is_old_parser()), *key), state)],
            Command::Quit => vec![(Vec::new(), state)],
            Command::Flush { delay, noreply } => {
                if delay.is_none_or(|delay| delay <= 0) {
                    state.items.clear();
                }
                vec![(reply("OK", *noreply), state)]
            }
        }
    }
}

/// The reply of one line, or none.
pub(crate) fn reply(line: &str, noreply: bool) -> Vec<Part> {
    if noreply {
        Vec::new()
    } else {
        Parts::default().text(line).text("\r\n").end()
    }
}

/// The states that are possible when a command runs: each item that may have expired is there in one and gone in another.
fn worlds(state: State, command: &Command, at: Span) -> Vec<State> {
    let mut worlds = vec![state];
    for key in command.keys() {
        let life = |state: &State| state.items.get(&key).map(|item| item.expiry.life(at));
        for i in 0..worlds.len() {
            match life(&worlds[i]) {
                None | Some(Life::Alive) => {}
                Some(Life::Over) => {
                    worlds[i].items.remove(&key);
                }
                Some(Life::Unsure) => {
                    let mut other = worlds[i].clone();
                    other.items.remove(&key);
                    worlds.push(other);
                }
            }
        }
    }
    worlds
}
