//! `ms`.

use super::count::echoed;
use super::meta::{chosen, compared};
use super::text::{compare_cas, join, number};
use super::{Expiry, New, Outcomes, Rules, Span, State, TOO_LARGE, reply};
use crate::command::{CasRef, Flag, Meta};
use crate::model::count::time;
use crate::part::{Cas, Part, Parts, value_bytes, value_len};

/// `ms`.
pub(crate) fn set(rules: &Rules, mut state: State, command: &Meta, at: Span) -> Outcomes {
    if value_len(&command.value) >= TOO_LARGE {
        // An old value must not survive a newer one that was refused.
        state.items.remove(&command.key);
        return vec![(reply("SERVER_ERROR object too large for cache", false), state)];
    }
    let mode = match command.flag(b'M') {
        Some(Flag::Mode(mode)) => mode.to_ascii_uppercase(),
        _ => b'S',
    };
    let set = MetaSet {
        rules,
        command,
        new: new(command, at),
        at,
    };
    let exists = state.items.contains_key(&command.key);
    let cas = compared(command);
    match mode {
        b'E' if exists => set.refused("NS", state),
        b'A' | b'P' if !exists => set.vivify(state),
        // Real memcached takes 0 for no comparison here; the text does not say so.
        b'A' | b'P' => {
            let mut outcomes = set.join(state.clone(), cas.map(number), mode == b'A');
            if cas.map(number) == Some(0) {
                outcomes.extend(set.join(state, None, mode == b'A'));
            }
            outcomes
        }
        b'S' | b'R' if cas.is_some() => set.compare(state, cas.unwrap_or(CasRef::Number(0)), exists),
        b'R' if !exists => set.refused("NS", state),
        _ => set.stored(state),
    }
}

fn new(command: &Meta, at: Span) -> New {
    let flags = match command.flag(b'F') {
        Some(Flag::Number(_, flags)) => u32::try_from(*flags).unwrap_or(0),
        _ => 0,
    };
    New {
        data: value_bytes(&command.value),
        flags,
        expiry: time(command, b'T').map_or(Expiry::Never, |time| Expiry::new(time, at)),
        cas: chosen(command),
        binary: command.has(b'b'),
    }
}

struct MetaSet<'c> {
    rules: &'c Rules,
    command: &'c Meta,
    new: New,
    at: Span,
}

impl MetaSet<'_> {
    fn stored(&self, mut state: State) -> Outcomes {
        state.put(self.command.key, self.new.clone(), self.at);
        self.done(state)
    }

    /// An append to what is not there: it is created when the client says for how long.
    fn vivify(&self, mut state: State) -> Outcomes {
        let Some(time) = time(self.command, b'N').filter(|_| self.rules.has_set_size()) else {
            return self.refused("NS", state);
        };
        let new = New {
            expiry: Expiry::new(time, self.at),
            ..self.new.clone()
        };
        state.put(self.command.key, new, self.at);
        self.done(state)
    }

    fn join(&self, state: State, sent: Option<u64>, append: bool) -> Outcomes {
        let compared = match sent {
            Some(sent) => compare_cas(state, self.command.key, sent),
            None => vec![(true, state)],
        };
        let outcome = |(equal, mut state): (bool, State)| {
            if !equal {
                return self.refused("EX", state);
            }
            let new = New {
                binary: false,
                ..self.new.clone()
            };
            join(&mut state, self.command.key, &new, append, self.at);
            self.done(state)
        };
        compared.into_iter().flat_map(outcome).collect()
    }

    fn compare(&self, state: State, cas: CasRef, exists: bool) -> Outcomes {
        if !exists {
            return self.refused("NF", state);
        }
        let sent = number(cas);
        let outcome = |(equal, state): (bool, State)| match equal {
            true => self.stored(state),
            false if self.command.has(b'I') => self.older(state, sent),
            false => self.refused("EX", state),
        };
        compare_cas(state, self.command.key, sent)
            .into_iter()
            .flat_map(outcome)
            .collect()
    }

    /// With `I` an older CAS value is accepted, and what it stores is stale; the time to live and the mark stay.
    fn older(&self, state: State, sent: u64) -> Outcomes {
        let Some(old) = state.items.get(&self.command.key).cloned() else {
            return Vec::new();
        };
        let (may_be_older, may_be_newer) = match old.cas {
            // Real memcached takes 0 for no version at all, and so for no older one; the text does not say so.
            Cas::Known(_) if sent == 0 => (true, true),
            Cas::Known(current) => (sent < current, sent > current),
            // Versions count upwards, and the client may have chosen any.
            Cas::Fresh(_) => (true, true),
        };
        let mut outcomes = Vec::new();
        if may_be_older {
            let mut state = state.clone();
            let new = New {
                expiry: old.expiry,
                ..self.new.clone()
            };
            state.put(self.command.key, new, self.at);
            if let Some(item) = state.items.get_mut(&self.command.key) {
                (item.stale, item.won) = (true, old.won);
            }
            outcomes.extend(self.done(state));
        }
        if may_be_newer {
            outcomes.extend(self.refused("EX", state));
        }
        outcomes
    }

    fn done(&self, state: State) -> Outcomes {
        if self.command.has(b'q') {
            return vec![(Vec::new(), state)];
        }
        let item = state.items.get(&self.command.key);
        let cas = item.map_or(Part::AnyNumber, |item| Part::Cas(item.cas));
        let size = item.map_or(0, |item| item.data.len());
        vec![(self.line("HD", &cas, size), state)]
    }

    /// What a refusal says of the CAS value is not promised.
    fn refused(&self, code: &str, state: State) -> Outcomes {
        vec![(self.line(code, &Part::AnyNumber, self.new.data.len()), state)]
    }

    fn line(&self, code: &str, cas: &Part, size: usize) -> Vec<Part> {
        let mut parts = Parts::default().text(code);
        for flag in &self.command.flags {
            parts = match flag {
                Flag::Bare(b'c') => parts.text(" c").part(cas.clone()),
                Flag::Bare(b's') if self.rules.has_set_size() => parts.text(&format!(" s{size}")),
                flag => echoed(parts, flag, self.command),
            };
        }
        parts.text("\r\n").end()
    }
}
