//! The commands of the text protocol, but for `incr` and `decr`.

use std::sync::Arc;

use super::{Expiry, Life, New, Outcomes, Span, State, TOO_LARGE, reply};
use crate::command::{CasRef, Command, Exptime, Key, Store};
use crate::part::{Cas, NEVER_SEEN, Part, Parts, value_bytes, value_len};

/// Every way in which a CAS value that a client sends can compare with an item's: equal or not, and the state in which
/// that is known.
pub(crate) fn compare_cas(state: State, key: Key, sent: u64) -> Vec<(bool, State)> {
    match state.items.get(&key).map(|item| item.cas) {
        Some(Cas::Known(number)) => vec![(number == sent, state)],
        // A value that belonged to another version cannot be this one's.
        Some(_) if state.seen.contains(&sent) => vec![(false, state)],
        Some(version) => {
            let mut equal = state.clone();
            equal.reveal(version, sent);
            vec![(false, state), (true, equal)]
        }
        None => vec![(false, state)],
    }
}

/// The number that a reference stands for.
pub(crate) fn number(cas: CasRef) -> u64 {
    match cas {
        CasRef::Number(number) => number,
        CasRef::Seen(..) => NEVER_SEEN,
    }
}

/// `set`, `add`, `replace`, `append`, `prepend`, `cas`.
pub(crate) fn store(mut state: State, command: &Command, at: Span) -> Outcomes {
    let Command::Store {
        verb,
        key,
        flags,
        exptime,
        value,
        noreply,
    } = command
    else {
        return Vec::new();
    };
    let (key, noreply) = (*key, *noreply);
    if value_len(value) >= TOO_LARGE {
        // An old value must not survive a newer one that was refused.
        if matches!(verb, Store::Set) {
            state.items.remove(&key);
        }
        return vec![(reply("SERVER_ERROR object too large for cache", noreply), state)];
    }
    let new = New {
        data: value_bytes(value),
        flags: *flags,
        expiry: Expiry::new(*exptime, at),
        cas: None,
        binary: false,
    };
    let exists = state.items.contains_key(&key);
    let refused = |line, state| vec![(reply(line, noreply), state)];
    match verb {
        Store::Add if exists => return refused("NOT_STORED", state),
        Store::Replace | Store::Append | Store::Prepend if !exists => return refused("NOT_STORED", state),
        Store::Cas(_) if !exists => return refused("NOT_FOUND", state),
        Store::Append | Store::Prepend => join(&mut state, key, &new, matches!(verb, Store::Append), at),
        Store::Cas(cas) => {
            let compared = compare_cas(state, key, number(*cas)).into_iter();
            let outcome = |(equal, mut state): (bool, State)| {
                if equal {
                    state.put(key, new.clone(), at);
                }
                (reply(if equal { "STORED" } else { "EXISTS" }, noreply), state)
            };
            return compared.map(outcome).collect();
        }
        Store::Set | Store::Add | Store::Replace => state.put(key, new, at),
    }
    vec![(reply("STORED", noreply), state)]
}

/// Appends or prepends to an item that is there; it keeps its flags and its expiry.
pub(crate) fn join(state: &mut State, key: Key, new: &New, append: bool, at: Span) {
    let Some(old) = state.items.get(&key).cloned() else {
        return;
    };
    let both = if append {
        [&old.data, &new.data]
    } else {
        [&new.data, &old.data]
    };
    let data: Arc<[u8]> = both.iter().flat_map(|data| data.iter().copied()).collect();
    let joined = New {
        data,
        flags: old.flags,
        expiry: old.expiry,
        ..new.clone()
    };
    state.put(key, joined, at);
}

/// `get`, `gets`, `gat`, `gats`.
pub(crate) fn get(mut state: State, cas: bool, touch: Option<Exptime>, keys: &[Key], at: Span) -> Outcomes {
    let mut parts = Parts::default();
    for key in keys {
        let Some(item) = state.items.get_mut(key) else { continue };
        if item.expiry.life(at) == Life::Over {
            continue;
        }
        parts = parts.text("VALUE ").part(Part::Key(*key));
        parts = parts.text(&format!(" {} {}", item.flags, item.data.len()));
        if cas {
            parts = parts.text(" ").part(Part::Cas(item.cas));
        }
        parts = parts.text("\r\n").part(Part::Data(Arc::clone(&item.data))).text("\r\n");
        item.fetched = true;
        if let Some(touch) = touch {
            item.expiry = Expiry::new(touch, at);
        }
    }
    vec![(parts.text("END\r\n").end(), state)]
}

/// `delete`.
pub(crate) fn delete(mut state: State, key: Key, noreply: bool) -> Outcomes {
    let line = if state.items.remove(&key).is_some() {
        "DELETED"
    } else {
        "NOT_FOUND"
    };
    vec![(reply(line, noreply), state)]
}

/// `touch`.
pub(crate) fn touch(mut state: State, key: Key, exptime: Exptime, noreply: bool, at: Span) -> Outcomes {
    let line = match state.items.get_mut(&key) {
        Some(item) => {
            item.expiry = Expiry::new(exptime, at);
            item.fetched = true;
            "TOUCHED"
        }
        None => "NOT_FOUND",
    };
    vec![(reply(line, noreply), state)]
}

/// `me`: that there is a line is promised, what stands in it is not.
pub(crate) fn debug(state: State, key: Key) -> Outcomes {
    let parts = match state.items.get(&key) {
        Some(item) if item.binary => Parts::default()
            .text("ME ")
            .part(Part::Base64(key))
            .text(" ")
            .part(Part::Rest),
        Some(_) => Parts::default()
            .text("ME ")
            .part(Part::Key(key))
            .text(" ")
            .part(Part::Rest),
        None => Parts::default().text("EN"),
    };
    vec![(parts.text("\r\n").end(), state)]
}
