//! What is sent and expected, in parts: literals and what differs from run to run.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::command::{CasRef, Command, Exptime, Flag, Key, Meta, MetaVerb, SUFFIXES, Store, Value};
use crate::generate::BAD;

/// A part of a request or of an expected reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// These bytes.
    Bytes(Cow<'static, [u8]>),
    /// A key.
    Key(Key),
    /// A key in base64.
    Base64(Key),
    /// Bytes of a data block.
    Data(Arc<[u8]>),
    /// So much filler.
    Filler(usize),
    /// Seconds since 1970, this far from now.
    Unix(i64),
    /// A CAS value.
    Cas(Cas),
    /// A number from one to another.
    Number(i64, i64),
    /// Any number.
    AnyNumber,
    /// Whatever stands until the end of the line.
    Rest,
}

/// What is known of a CAS value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cas {
    /// It was seen, or given by a client.
    Known(u64),
    /// It was made by the server and has not been seen; the number tells one from another.
    Fresh(u32),
}

/// The names that the keys of a history have in one run.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    unique: String,
}

impl Names {
    /// Names from 16 letters and digits that no other run has.
    pub(crate) fn new(unique: String) -> Self {
        Self { unique }
    }

    /// A key's bytes; the same that the suite gives the key of this name.
    pub(crate) fn key(&self, key: Key) -> Vec<u8> {
        match key {
            Key::Plain(number) => format!("{}k{number}", self.unique).into_bytes(),
            Key::Sized(bytes) => {
                let mut name = format!("{}n{bytes}z", self.unique).into_bytes();
                let more = bytes.saturating_sub(name.len());
                name.extend(filler(more));
                name
            }
            Key::Suffixed(number, suffix) => format!("{}k{number}{}", self.unique, suffix_text(suffix)).into_bytes(),
        }
    }

    /// Writes the bytes of a part that stands for fixed ones; `false` if it does not.
    pub(crate) fn write(&self, part: &Part, out: &mut Vec<u8>) -> bool {
        match part {
            Part::Bytes(bytes) => out.extend_from_slice(bytes),
            Part::Key(key) => out.extend(self.key(*key)),
            Part::Base64(key) => base64(&self.key(*key), out),
            Part::Data(data) => out.extend_from_slice(data),
            Part::Filler(bytes) => out.extend(filler(*bytes)),
            Part::Unix(offset) => {
                let now = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |age| age.as_secs());
                out.extend((now as i64 + offset).to_string().into_bytes());
            }
            Part::Cas(Cas::Known(number)) => out.extend(number.to_string().into_bytes()),
            Part::Cas(Cas::Fresh(_)) | Part::Number(..) | Part::AnyNumber | Part::Rest => return false,
        }
        true
    }
}

/// What a key with this suffix ends in.
pub(crate) fn suffix_text(suffix: u8) -> &'static str {
    SUFFIXES[usize::from(suffix) % SUFFIXES.len()]
}

/// The alphabet, over and over.
pub(crate) fn filler(bytes: usize) -> impl Iterator<Item = u8> {
    (b'a'..=b'z').cycle().take(bytes)
}

/// A value's bytes.
pub(crate) fn value_bytes(value: &Value) -> Arc<[u8]> {
    match value {
        Value::Literal(bytes) => bytes.as_slice().into(),
        Value::Filler(bytes) => filler(*bytes).collect(),
    }
}

/// How many bytes a value has.
pub(crate) fn value_len(value: &Value) -> usize {
    match value {
        Value::Literal(bytes) => bytes.len(),
        Value::Filler(bytes) => *bytes,
    }
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let letter = DIGITS[(bits >> (18 - 6 * digit) & 63) as usize];
            out.push(if digit <= group.len() { letter } else { b'=' });
        }
    }
}

/// Collects parts; literals that follow each other become one.
#[derive(Debug, Default)]
pub(crate) struct Parts(Vec<Part>);

impl Parts {
    /// Adds words as they stand.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.bytes(text.as_bytes());
        self
    }

    /// Adds any part.
    pub(crate) fn part(mut self, part: Part) -> Self {
        match part {
            Part::Bytes(bytes) => self.bytes(&bytes),
            part => self.0.push(part),
        }
        self
    }

    fn bytes(&mut self, bytes: &[u8]) {
        if let Some(Part::Bytes(before)) = self.0.last_mut() {
            before.to_mut().extend_from_slice(bytes);
        } else {
            self.0.push(Part::Bytes(Cow::Owned(bytes.to_vec())));
        }
    }

    /// The parts.
    pub(crate) fn end(self) -> Vec<Part> {
        self.0
    }
}

/// What is sent for a command; CAS values that were seen must have been filled in.
pub(crate) fn request(command: &Command) -> Vec<Part> {
    let parts = Parts::default();
    let silent = |parts: Parts, noreply: bool| parts.text(if noreply { " noreply\r\n" } else { "\r\n" });
    match command {
        Command::Store { .. } => store(parts, command),
        Command::Get { cas, touch, keys } => {
            let name = match (touch, cas) {
                (None, false) => "get",
                (None, true) => "gets",
                (Some(_), false) => "gat",
                (Some(_), true) => "gats",
            };
            let mut parts = parts.text(name);
            if let Some(touch) = touch {
                parts = exptime(parts.text(" "), *touch);
            }
            for key in keys {
                parts = parts.text(" ").part(Part::Key(*key));
            }
            parts.text("\r\n").end()
        }
        Command::Delete { key, noreply } => silent(parts.text("delete ").part(Part::Key(*key)), *noreply).end(),
        Command::Count {
            up,
            key,
            delta,
            noreply,
        } => {
            let parts = parts.text(if *up { "incr " } else { "decr " }).part(Part::Key(*key));
            silent(parts.text(&format!(" {delta}")), *noreply).end()
        }
        Command::Touch {
            key,
            exptime: time,
            noreply,
        } => {
            let parts = parts.text("touch ").part(Part::Key(*key)).text(" ");
            silent(exptime(parts, *time), *noreply).end()
        }
        Command::Meta(command) => meta(parts, command),
        Command::Debug { key } => parts.text("me ").part(Part::Key(*key)).text("\r\n").end(),
        Command::Bad { line, key } => bad(BAD[*line].request, *key),
        Command::Quit => parts.text("quit\r\n").end(),
        Command::Flush { delay, noreply } => {
            let parts = parts.text("flush_all");
            let parts = match delay {
                Some(delay) => parts.text(&format!(" {delay}")),
                None => parts,
            };
            silent(parts, *noreply).end()
        }
    }
}

fn store(parts: Parts, command: &Command) -> Vec<Part> {
    let Command::Store {
        verb,
        key,
        flags,
        exptime: time,
        value,
        noreply,
    } = command
    else {
        return Vec::new();
    };
    let name = match verb {
        Store::Set => "set ",
        Store::Add => "add ",
        Store::Replace => "replace ",
        Store::Append => "append ",
        Store::Prepend => "prepend ",
        Store::Cas(_) => "cas ",
    };
    let parts = parts.text(name).part(Part::Key(*key)).text(&format!(" {flags} "));
    let mut parts = exptime(parts, *time).text(&format!(" {}", value_len(value)));
    if let Store::Cas(cas) = verb {
        parts = parts.text(" ").part(cas_part(*cas));
    }
    let parts = parts.text(if *noreply { " noreply\r\n" } else { "\r\n" });
    data(parts, value).end()
}

fn data(parts: Parts, value: &Value) -> Parts {
    let part = match value {
        Value::Literal(bytes) => Part::Bytes(Cow::Owned(bytes.clone())),
        Value::Filler(bytes) => Part::Filler(*bytes),
    };
    parts.part(part).text("\r\n")
}

fn exptime(parts: Parts, exptime: Exptime) -> Parts {
    match exptime {
        Exptime::Relative(seconds) => parts.text(&seconds.to_string()),
        Exptime::Unix(offset) => parts.part(Part::Unix(offset)),
    }
}

/// The number that stands for a CAS value of which none was ever seen.
pub(crate) const NEVER_SEEN: u64 = 7_000_000_000_000_000_001;

fn cas_part(cas: CasRef) -> Part {
    match cas {
        CasRef::Number(number) => Part::Cas(Cas::Known(number)),
        CasRef::Seen(..) => Part::Cas(Cas::Known(NEVER_SEEN)),
    }
}

fn meta(parts: Parts, command: &Meta) -> Vec<Part> {
    let name = match command.verb {
        MetaVerb::Get => "mg ",
        MetaVerb::Set => "ms ",
        MetaVerb::Delete => "md ",
        MetaVerb::Arithmetic => "ma ",
    };
    let key = if command.has(b'b') {
        Part::Base64(command.key)
    } else {
        Part::Key(command.key)
    };
    let mut parts = parts.text(name).part(key);
    if command.verb == MetaVerb::Set {
        parts = parts.text(&format!(" {}", value_len(&command.value)));
    }
    for flag in &command.flags {
        parts = parts.text(" ").text(char::from(flag.letter()).encode_utf8(&mut [0; 4]));
        parts = match flag {
            Flag::Bare(_) => parts,
            Flag::Word(_, word) => parts.text(word),
            Flag::Number(_, number) => parts.text(&number.to_string()),
            Flag::Time(_, time) => exptime(parts, *time),
            Flag::Cas(_, cas) => parts.part(cas_part(*cas)),
            Flag::Mode(mode) => parts.text(char::from(*mode).encode_utf8(&mut [0; 4])),
        };
    }
    let parts = parts.text("\r\n");
    if command.verb == MetaVerb::Set {
        data(parts, &command.value).end()
    } else {
        parts.end()
    }
}

/// A key may have 250 bytes (protocol text, "Keys").
const KEY_TOO_LONG: usize = 251;

/// A line of the table of bad lines: `@` is the key, `#` one that is too long, `|` a line's end.
pub(crate) fn bad(text: &str, key: Key) -> Vec<Part> {
    let mut parts = Parts::default();
    for (i, piece) in text.split('@').enumerate() {
        if i > 0 {
            parts = parts.part(Part::Key(key));
        }
        for (i, piece) in piece.split('#').enumerate() {
            if i > 0 {
                parts = parts.part(Part::Key(Key::Sized(KEY_TOO_LONG)));
            }
            parts = parts.text(&piece.replace('|', "\r\n"));
        }
    }
    parts.end()
}
