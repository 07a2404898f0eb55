//! `mg` and `md`.

use std::sync::Arc;

use super::count::{key, refused, time, ttl};
use super::text::{compare_cas, number};
use super::{Expiry, Item, New, Outcomes, Rules, Span, State};
use crate::command::{CasRef, Exptime, Flag, Key, Meta};
use crate::part::{Cas, Part, Parts};

/// The CAS value that the client chose with `E`.
pub(crate) fn chosen(command: &Meta) -> Option<u64> {
    match command.flag(b'E') {
        Some(Flag::Cas(_, cas)) => Some(number(*cas)),
        _ => None,
    }
}

/// The CAS value that the client compares with.
pub(crate) fn compared(command: &Meta) -> Option<CasRef> {
    match command.flag(b'C') {
        Some(Flag::Cas(_, cas)) => Some(*cas),
        _ => None,
    }
}

/// `mg`.
pub(crate) fn get(rules: &Rules, state: State, command: &Meta, at: Span) -> Outcomes {
    if state.items.contains_key(&command.key) {
        return found(rules, state, command, false, at);
    }
    if command.has(b'N') {
        let new = New {
            data: Arc::from([]),
            flags: 0,
            expiry: Expiry::Never,
            cas: chosen(command),
            binary: command.has(b'b'),
        };
        let created = vivified(&state, command, &new, at).into_iter();
        return created
            .flat_map(|state| found(rules, state, command, true, at))
            .collect();
    }
    let parts = if command.has(b'q') {
        Vec::new()
    } else {
        refused("EN", command)
    };
    vec![(parts, state)]
}

/// The states after an item was made on a miss. Real memcached forgets that its key came in base64, and later shows the
/// bare bytes; the text gives no reason to.
pub(crate) fn vivified(state: &State, command: &Meta, new: &New, at: Span) -> Vec<State> {
    let binaries: &[bool] = if new.binary { &[true, false] } else { &[false] };
    let made = binaries.iter().map(|&binary| {
        let mut state = state.clone();
        state.put(command.key, New { binary, ..new.clone() }, at);
        state
    });
    made.collect()
}

/// `mg` with an item that is there.
fn found(rules: &Rules, state: State, command: &Meta, created: bool, at: Span) -> Outcomes {
    let matched = match compared(command).filter(|_| rules.has_conditional_get()) {
        Some(cas) => compare_cas(state, command.key, number(cas)),
        None => vec![(false, state)],
    };
    let mut outcomes = Vec::new();
    for (same, state) in matched {
        let with_value = command.has(b'v') && !same;
        let Some(item) = state.items.get(&command.key).cloned() else {
            continue;
        };
        for fetch in fetches(&Fetch::new(command.key, item, with_value, created), command, at) {
            let mut state = state.clone();
            let (parts, item) = fetch.end(command);
            state.items.insert(command.key, item);
            outcomes.push((parts, state));
        }
    }
    outcomes
}

/// An `mg` that has found its item, in the middle of its flags.
#[derive(Debug, Clone)]
struct Fetch {
    key: Key,
    item: Item,
    created: bool,
    won: bool,
    parts: Vec<Part>,
    with_value: bool,
}

impl Fetch {
    fn new(key: Key, item: Item, with_value: bool, created: bool) -> Self {
        let head = if with_value {
            format!("VA {}", item.data.len())
        } else {
            "HD".to_owned()
        };
        Self {
            key,
            item,
            created,
            won: false,
            parts: Parts::default().text(&head).end(),
            with_value,
        }
    }

    fn say(&mut self, say: impl FnOnce(Parts) -> Parts) {
        let parts = std::mem::take(&mut self.parts)
            .into_iter()
            .fold(Parts::default(), Parts::part);
        self.parts = say(parts).end();
    }

    /// The marks, the line's end, the value.
    fn end(mut self, command: &Meta) -> (Vec<Part>, Item) {
        let mut marks = String::new();
        if self.item.won {
            marks += " Z";
        }
        if self.item.stale {
            marks += " X";
            self.won |= !self.item.won;
        }
        if self.won {
            marks += " W";
            self.item.won = true;
        }
        let data = Arc::clone(&self.item.data);
        let with_value = self.with_value;
        self.say(|parts| {
            let parts = parts.text(&marks).text("\r\n");
            if with_value {
                parts.part(Part::Data(data)).text("\r\n")
            } else {
                parts
            }
        });
        if !command.has(b'u') {
            self.item.fetched = true;
        }
        (self.parts, self.item)
    }
}

/// Works off the flags from left to right; `R` near the edge of a second makes two of one.
fn fetches(start: &Fetch, command: &Meta, at: Span) -> Vec<Fetch> {
    let mut fetches = vec![start.clone()];
    for flag in &command.flags {
        for i in 0..fetches.len() {
            if let Flag::Time(b'R', limit) = flag {
                if let Some(other) = recache(&mut fetches[i], *limit, at) {
                    fetches.push(other);
                }
            } else {
                apply(&mut fetches[i], flag, at);
            }
        }
    }
    fetches
}

/// Whether the item ends before the limit, so that this client wins; where that is not certain, the other answer too.
fn recache(fetch: &mut Fetch, limit: Exptime, at: Span) -> Option<Fetch> {
    if fetch.item.won || fetch.created {
        return None;
    }
    let Exptime::Relative(limit) = limit else { return None };
    let (low, high) = match fetch.item.expiry {
        Expiry::Never => return None,
        // What ended long ago ends before everything but never.
        Expiry::Past => (-1, -1),
        expiry @ Expiry::At { .. } => expiry.remaining(at)?,
    };
    if limit <= 0 || low >= limit {
        return None;
    }
    let unsure = high >= limit;
    let other = unsure.then(|| fetch.clone());
    fetch.won = true;
    other
}

fn apply(fetch: &mut Fetch, flag: &Flag, at: Span) {
    let item = fetch.item.clone();
    match flag {
        Flag::Time(b'T', time) => fetch.item.expiry = Expiry::new(*time, at),
        Flag::Time(b'N', time) if fetch.created => {
            fetch.item.expiry = Expiry::new(*time, at);
            fetch.won = true;
        }
        Flag::Bare(b's') => fetch.say(|parts| parts.text(&format!(" s{}", item.data.len()))),
        Flag::Bare(b't') => fetch.say(|parts| ttl(parts, item.expiry, at)),
        Flag::Bare(b'c') => fetch.say(|parts| parts.text(" c").part(Part::Cas(item.cas))),
        Flag::Bare(b'f') => fetch.say(|parts| parts.text(&format!(" f{}", item.flags))),
        Flag::Bare(b'l') => {
            let longest = (at.received - item.born) as i64 + 2;
            fetch.say(|parts| parts.text(" l").part(Part::Number(0, longest)));
        }
        Flag::Bare(b'h') => fetch.say(|parts| parts.text(if item.fetched { " h1" } else { " h0" })),
        Flag::Word(b'O', word) => fetch.say(|parts| parts.text(" O").text(word)),
        Flag::Bare(b'k') => {
            let name = fetch.key;
            fetch.say(|parts| key(parts, name, item.binary));
        }
        _ => {}
    }
}

/// `md`.
pub(crate) fn delete(rules: &Rules, state: State, command: &Meta, at: Span) -> Outcomes {
    if !state.items.contains_key(&command.key) {
        return vec![(refused("NF", command), state)];
    }
    let matched = match compared(command) {
        Some(cas) => compare_cas(state, command.key, number(cas)),
        None => vec![(true, state)],
    };
    let done = if command.has(b'q') {
        Vec::new()
    } else {
        refused("HD", command)
    };
    let outcome = |(equal, mut state): (bool, State)| {
        if !equal {
            return (refused("EX", command), state);
        }
        remove(rules, &mut state, command, at);
        (done.clone(), state)
    };
    matched.into_iter().map(outcome).collect()
}

/// Deletes, or with `x` only the value, or with `I` marks as stale.
fn remove(_rules: &Rules, state: &mut State, command: &Meta, at: Span) {
    let invalidate = command.has(b'I');
    let Some(mut item) = state.items.remove(&command.key) else {
        return;
    };
    if !invalidate && !command.has(b'x') {
        return;
    }
    if command.has(b'x') {
        item.data = Arc::from([]);
        item.flags = 0;
        item.expiry = time(command, b'T').map_or(Expiry::Never, |time| Expiry::new(time, at));
        item.fetched = false;
        item.stale = false;
        item.won = false;
        item.binary = false;
    }
    if invalidate {
        if let Some(time) = time(command, b'T') {
            item.expiry = Expiry::new(time, at);
        }
        item.stale = true;
        item.won = false;
        item.cas = state.fresh();
    }
    if let Some(chosen) = chosen(command) {
        item.cas = Cas::Known(chosen);
    }
    state.items.insert(command.key, item);
}
