//! All faults, a file for each section of the suite.
//!
//! An entry is its name, what is wrong, the case that must find it, and the edit that makes it wrong.

mod admin;
mod arithmetic;
mod cas;
mod connections;
mod deletion;
mod expiry;
mod flush;
mod framing;
mod in_step;
mod limits;
mod meta_arithmetic;
mod meta_delete;
mod meta_get;
mod meta_leases;
mod meta_set;
mod noreply;
mod pipelining;
mod retrieval;
mod stats;
mod storage;
mod touch;

use refcached_store::Change;
use refcached_store::item::{Attributes, Item};

use crate::command::Command;
use crate::fault::{Act, Conn, Fault, Planted};

/// The sections and their faults.
pub const SECTIONS: &[(&str, &[Fault])] = &[
    ("storage", storage::FAULTS),
    ("retrieval", retrieval::FAULTS),
    ("deletion", deletion::FAULTS),
    ("arithmetic", arithmetic::FAULTS),
    ("cas", cas::FAULTS),
    ("touch", touch::FAULTS),
    ("expiry", expiry::FAULTS),
    ("flush", flush::FAULTS),
    ("noreply", noreply::FAULTS),
    ("limits", limits::FAULTS),
    ("framing", framing::FAULTS),
    ("in_step", in_step::FAULTS),
    ("pipelining", pipelining::FAULTS),
    ("connections", connections::FAULTS),
    ("meta: mg", meta_get::FAULTS),
    ("meta: leases", meta_leases::FAULTS),
    ("meta: ms", meta_set::FAULTS),
    ("meta: md", meta_delete::FAULTS),
    ("meta: ma", meta_arithmetic::FAULTS),
    ("stats", stats::FAULTS),
    ("admin", admin::FAULTS),
];

/// All faults.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    SECTIONS.iter().flat_map(|(_, faults)| faults.iter())
}

/// The fault of this name.
pub fn named(name: &str) -> Option<&'static Fault> {
    all().find(|fault| fault.name == name)
}

type Text = &'static str;

const fn request(name: Text, wrong: Text, killer: Text, edit: fn(&mut Command)) -> Fault {
    Fault::new(name, wrong, killer, Planted::Request(edit))
}

const fn reply(name: Text, wrong: Text, killer: Text, edit: fn(&Command, &mut Vec<u8>)) -> Fault {
    Fault::new(name, wrong, killer, Planted::Reply(edit))
}

const fn talk(
    name: Text,
    wrong: Text,
    killer: Text,
    before: fn(&mut Conn, &mut Command),
    after: fn(&mut Conn, &Command, &mut Vec<u8>),
) -> Fault {
    Fault::new(name, wrong, killer, Planted::Talk(before, after))
}

const fn arriving(name: Text, wrong: Text, killer: Text, edit: fn(&mut Conn, &mut Vec<u8>)) -> Fault {
    Fault::new(name, wrong, killer, Planted::Arriving(edit))
}

const fn leaving(name: Text, wrong: Text, killer: Text, edit: fn(&mut Conn, &mut Vec<u8>)) -> Fault {
    Fault::new(name, wrong, killer, Planted::Leaving(edit))
}

const fn shown(name: Text, wrong: Text, killer: Text, edit: for<'i> fn(&Act<'_>, &mut Option<Item<'i>>)) -> Fault {
    Fault::new(name, wrong, killer, Planted::Shown(edit))
}

const fn change(
    name: Text,
    wrong: Text,
    killer: Text,
    edit: for<'i, 'd> fn(&Act<'_>, Option<Item<'i>>, &mut Change<'d>),
) -> Fault {
    Fault::new(name, wrong, killer, Planted::Change(edit))
}

/// The classic storage commands.
const STORAGE: &str = "set add replace append prepend cas";

impl Command {
    /// Answers with `line`, and does nothing.
    fn answer_line(&mut self, line: &str) {
        self.answer = Some(format!("{line}\r\n").into_bytes());
    }

    /// Refuses the command as memcached refuses a bad line.
    fn refuse(&mut self) {
        self.answer_line("CLIENT_ERROR bad command line format");
    }

    /// Executes `words` with the key of this command and `noreply` before it.
    fn first(&mut self, verb: &str, words: &str, data: &str) {
        self.before = self.hidden(verb, words, data);
    }

    /// The same, after it.
    fn then(&mut self, verb: &str, words: &str, data: &str) {
        self.after = self.hidden(verb, words, data);
    }

    fn hidden(&self, verb: &str, words: &str, data: &str) -> Vec<u8> {
        [
            verb.as_bytes(),
            b" ",
            self.word(1),
            words.as_bytes(),
            b" noreply\r\n",
            data.as_bytes(),
        ]
        .concat()
    }
}

impl Act<'_> {
    /// Whether the command is one of these, separated by blanks.
    fn is(&self, verbs: &str) -> bool {
        verbs.split(' ').any(|verb| verb == self.verb)
    }
}

/// The attributes of the item that is about to be put.
fn put_by<'c>(change: &'c mut Change<'_>) -> Option<&'c mut Attributes> {
    match change {
        Change::Put(attributes, _) => Some(attributes),
        Change::Keep | Change::Remove => None,
    }
}

/// The number that a reply is, all of it.
fn number_in(out: &[u8]) -> Option<u64> {
    std::str::from_utf8(out.strip_suffix(b"\r\n")?).ok()?.parse().ok()
}

/// The lines of a reply, each with its CR LF.
fn lines(out: &[u8]) -> Vec<Vec<u8>> {
    out.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
}
