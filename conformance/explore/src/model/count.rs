//! `incr`, `decr` and `ma`.

use super::meta::vivified;
use super::text::{compare_cas, number};
use super::{Expiry, Item, New, Outcomes, Rules, Span, State, reply};
use crate::command::{Exptime, Flag, Key, Meta};
use crate::part::{Cas, Part, Parts};

const NON_NUMERIC: &str = "CLIENT_ERROR cannot increment or decrement non-numeric value";

/// The number that a data block stands for: blanks, a plus sign, digits, and after a blank or a NUL whatever there is.
fn parse(data: &[u8]) -> Option<u64> {
    let text = data.trim_ascii_start();
    let text = text.strip_prefix(b"+").unwrap_or(text);
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let ends = text
        .get(digits)
        .is_none_or(|byte| byte.is_ascii_whitespace() || *byte == 0);
    std::str::from_utf8(&text[..digits]).ok().filter(|_| ends)?.parse().ok()
}

fn changed(number: u64, up: bool, delta: u64) -> u64 {
    if up {
        number.wrapping_add(delta)
    } else {
        number.saturating_sub(delta)
    }
}

/// The items that can come of a change of number. A number that is not longer than the old one may be written in place,
/// padded with blanks, and keeps its marks (the text allows the padding, and promises none); otherwise the item is new.
fn written(state: &mut State, old: &Item, key: Key, number: u64, at: Span) -> Vec<(bool, State)> {
    let digits = number.to_string();
    let mut replaced = state.clone();
    let new = New {
        data: digits.as_bytes().into(),
        flags: old.flags,
        expiry: old.expiry,
        cas: None,
        binary: false,
    };
    replaced.put(key, new, at);
    if digits.len() > old.data.len() {
        return vec![(true, replaced)];
    }
    let mut padded = digits.into_bytes();
    padded.resize(old.data.len(), b' ');
    let cas = state.fresh();
    let mut in_place = state.clone();
    in_place.items.insert(
        key,
        Item {
            data: padded.into(),
            cas,
            ..old.clone()
        },
    );
    vec![(false, in_place), (true, replaced)]
}

/// `incr` and `decr`.
pub(crate) fn text(
    rules: &Rules,
    mut state: State,
    up: bool,
    key: Key,
    delta: u64,
    noreply: bool,
    at: Span,
) -> Outcomes {
    let Some(old) = state.items.get(&key).cloned() else {
        return vec![(reply("NOT_FOUND", noreply), state)];
    };
    let Some(before) = parse(&old.data) else {
        return vec![(reply(NON_NUMERIC, noreply), state)];
    };
    let after = changed(before, up, delta);
    let line = reply(&after.to_string(), noreply);
    let misread = rules
        .misreads(before)
        .then(|| (reply(NON_NUMERIC, noreply), state.clone()));
    let states = written(&mut state, &old, key, after, at).into_iter();
    states.map(|(_, state)| (line.clone(), state)).chain(misread).collect()
}

/// `ma`.
pub(crate) fn meta(rules: &Rules, state: State, command: &Meta, at: Span) -> Outcomes {
    let quiet = command.has(b'q');
    let Some(old) = state.items.get(&command.key).cloned() else {
        return missing(rules, state, command, at);
    };
    let sent = match command.flag(b'C') {
        Some(Flag::Cas(_, cas)) => Some(number(*cas)),
        _ => None,
    };
    let compared = match sent {
        // That an empty block is no number is seen before the comparison.
        // Real memcached takes 0 for no comparison; the text does not say so.
        Some(0) => vec![(true, state.clone()), (false, state)],
        Some(sent) if !old.data.is_empty() => compare_cas(state, command.key, sent),
        _ => vec![(true, state)],
    };
    let mut outcomes = Vec::new();
    for (equal, mut state) in compared {
        let Some(before) = parse(&old.data).filter(|_| equal) else {
            let parts = if equal {
                reply(NON_NUMERIC, false)
            } else {
                refused("EX", command)
            };
            outcomes.push((parts, state));
            continue;
        };
        let down = matches!(command.flag(b'M'), Some(Flag::Mode(b'D' | b'-' | b'd')));
        let delta = match command.flag(b'D') {
            Some(Flag::Number(_, delta)) => *delta,
            _ => 1,
        };
        let after = changed(before, !down, delta);
        if rules.misreads(before) {
            outcomes.push((reply(NON_NUMERIC, false), state.clone()));
        }
        for (is_new, state) in written(&mut state, &old, command.key, after, at) {
            let (parts, kept, lost) = answer(state, command, after, at);
            let parts = if quiet { Vec::new() } else { parts };
            // What the flags do to an item that was replaced is lost on real memcached; the text does not say so.
            if is_new && lost != kept {
                outcomes.push((parts.clone(), lost));
            }
            outcomes.push((parts, kept));
        }
    }
    outcomes
}

/// `ma` on a miss: nothing, or a new item with the flag `N`.
fn missing(rules: &Rules, state: State, command: &Meta, at: Span) -> Outcomes {
    if !command.has(b'N') {
        return vec![(refused("NF", command), state)];
    }
    let initial = match command.flag(b'J') {
        Some(Flag::Number(_, initial)) => *initial,
        _ => 0,
    };
    let new = New {
        data: initial.to_string().as_bytes().into(),
        flags: 0,
        expiry: Expiry::Never,
        cas: None,
        binary: command.has(b'b'),
    };
    let flags = command.flags.iter().map(|flag| match flag {
        Flag::Time(b'N', time) => Flag::Time(b'T', *time),
        flag => flag.clone(),
    });
    let command = Meta {
        flags: flags.collect(),
        ..command.clone()
    };
    let quiet = command.has(b'q') && rules.is_vivify_quiet();
    let created = vivified(&state, &command, &new, at).into_iter();
    let outcome = |state| {
        let (parts, state, _) = answer(state, &command, initial, at);
        (if quiet { Vec::new() } else { parts }, state)
    };
    created.map(outcome).collect()
}

/// The reply to a change, the state with what the flags did on the way, and the state without it.
fn answer(state: State, command: &Meta, after: u64, at: Span) -> (Vec<Part>, State, State) {
    let Some(mut item) = state.items.get(&command.key).cloned() else {
        return (Vec::new(), state.clone(), state);
    };
    if let Some(Flag::Cas(_, cas)) = command.flag(b'E') {
        item.cas = Cas::Known(number(*cas));
    }
    let digits = after.to_string();
    let mut parts = Parts::default();
    parts = if command.has(b'v') {
        parts.text(&format!("VA {}", digits.len()))
    } else {
        parts.text("HD")
    };
    for flag in &command.flags {
        parts = match flag {
            Flag::Bare(b'c') => parts.text(" c").part(Part::Cas(item.cas)),
            Flag::Bare(b't') => ttl(parts, item.expiry, at),
            Flag::Time(b'T', time) => {
                item.expiry = Expiry::new(*time, at);
                parts
            }
            flag => echoed(parts, flag, command),
        };
    }
    parts = parts.text("\r\n");
    if command.has(b'v') {
        parts = parts.text(&digits).text("\r\n");
    }
    let mut kept = state.clone();
    kept.items.insert(command.key, item);
    (parts.end(), kept, state)
}

/// A reply that is a code and the echoed flags.
pub(crate) fn refused(code: &str, command: &Meta) -> Vec<Part> {
    let parts = command
        .flags
        .iter()
        .fold(Parts::default().text(code), |parts, flag| echoed(parts, flag, command));
    parts.text("\r\n").end()
}

/// A flag that only sends back what was sent: `k` and `O`.
pub(crate) fn echoed(parts: Parts, flag: &Flag, command: &Meta) -> Parts {
    match flag {
        Flag::Bare(b'k') => key(parts, command.key, command.has(b'b')),
        Flag::Word(b'O', word) => parts.text(" O").text(word),
        _ => parts,
    }
}

/// The key after `k`; one in base64 is marked as such.
pub(crate) fn key(parts: Parts, key: Key, binary: bool) -> Parts {
    match binary {
        true => parts.text(" k").part(Part::Base64(key)).text(" b"),
        false => parts.text(" k").part(Part::Key(key)),
    }
}

/// The remaining time after `t`.
pub(crate) fn ttl(parts: Parts, expiry: Expiry, at: Span) -> Parts {
    let parts = parts.text(" t");
    match (expiry, expiry.remaining(at)) {
        (Expiry::Never, _) => parts.text("-1"),
        (_, Some((low, high))) => parts.part(Part::Number(low, high)),
        // What is over has a remaining time below zero, and is shown without its sign.
        (_, None) => parts.part(Part::AnyNumber),
    }
}

/// The expiry time of a flag.
pub(crate) fn time(command: &Meta, letter: u8) -> Option<Exptime> {
    match command.flag(letter) {
        Some(Flag::Time(_, time)) => Some(*time),
        _ => None,
    }
}
