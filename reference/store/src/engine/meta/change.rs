//! `ms`, `md` and `ma`.

use refcached_protocol::meta::{MetaFlags, MetaRequest, MetaSetMode};
use refcached_protocol::meta_reply::{MetaCode, MetaWriter};
use refcached_protocol::request::Direction;
use refcached_protocol::response::NON_NUMERIC;

use super::{expiry_of, key_marks, write_bare, write_ttl};
use crate::counters::Counter;
use crate::engine::Engine;
use crate::engine::arithmetic::{Added, Number, Sum, Vivify};
use crate::engine::storing::{Mode, Stored, Storing};
use crate::environment::Environment;
use crate::item::{Attributes, Item, Marks, access_time};
use crate::store::{Change, Data, Store};
use crate::time::{Expiry, Timestamp};

/// What an `md` came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deleted {
    /// The item had this many bytes of data.
    Removed(usize),
    Changed,
    NotFound,
    Exists,
}

impl<S: Store> Engine<S> {
    pub(super) fn meta_set(
        &self,
        request: &MetaRequest<'_>,
        value: &[u8],
        mode: MetaSetMode,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), S::Error> {
        let flags = &request.flags;
        let storing = Storing {
            mode: match mode {
                MetaSetMode::Set => Mode::Set,
                MetaSetMode::Add => Mode::Add,
                MetaSetMode::Append => Mode::Append,
                MetaSetMode::Prepend => Mode::Prepend,
                MetaSetMode::Replace => Mode::Replace,
            },
            value,
            client_flags: flags.client_flags,
            expiry: Expiry::from_exptime(flags.exptime.unwrap_or_default(), now),
            marks: key_marks(&request.key),
            cas_compare: flags.cas_compare,
            invalidate: flags.invalidate,
            cas_new: nonzero(flags.cas_new),
            vivify: flags.vivify.map(|exptime| Expiry::from_exptime(exptime, now)),
        };
        let stored = self.put(request.key.bytes, &storing, now)?;
        // On failure memcached shows a CAS value of 0 and the size of what was sent.
        let (code, cas, bytes) = match stored {
            Stored::Yes { .. } if flags.quiet => return Ok(()),
            Stored::Yes { cas, bytes } => (MetaCode::Done, cas, bytes),
            Stored::Unmet => (MetaCode::NotStored, 0, value.len()),
            Stored::Exists => (MetaCode::Exists, 0, value.len()),
            Stored::NotFound => (MetaCode::NotFound, 0, value.len()),
        };
        let mut writer = MetaWriter::code(out, code);
        for flag in flags.iter() {
            match flag.code {
                b'O' => writer.token(b'O', flag.token),
                b'k' => writer.key(request.key.bytes, request.key.base64),
                b'c' => writer.number(b'c', cas),
                b's' => writer.number(b's', bytes as u64),
                _ => {}
            }
        }
        writer.finish();
        Ok(())
    }

    pub(super) fn meta_delete(
        &self,
        request: &MetaRequest<'_>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), S::Error> {
        let deleted = self.update(request.key.bytes, now, |current| match current {
            None => (Change::Keep, Deleted::NotFound),
            Some(item) => delete(&self.environment, request, &item, now),
        })?;
        let code = match deleted {
            Deleted::Removed(data_bytes) => {
                self.environment
                    .watchers
                    .deleted(request.key.bytes, "md", data_bytes, now);
                self.count(Counter::DeleteHits);
                MetaCode::Done
            }
            Deleted::Changed => MetaCode::Done,
            Deleted::NotFound => {
                self.count(Counter::DeleteMisses);
                MetaCode::NotFound
            }
            Deleted::Exists => MetaCode::Exists,
        };
        if code != MetaCode::Done || !request.flags.quiet {
            write_bare(request, code, out);
        }
        Ok(())
    }

    pub(super) fn meta_arithmetic(
        &self,
        request: &MetaRequest<'_>,
        direction: Direction,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), S::Error> {
        let flags = &request.flags;
        let sum = Sum {
            direction,
            delta: flags.delta.unwrap_or(1),
            cas_compare: nonzero(flags.cas_compare),
            cas_new: nonzero(flags.cas_new),
            expiry: flags.exptime.map(|exptime| Expiry::from_exptime(exptime, now)),
            vivify: flags.vivify.map(|_| Vivify {
                number: flags.initial,
                expiry: vivified_expiry(flags, now),
            }),
        };
        match self.add(request.key.bytes, &sum, now)? {
            Added::Number(_) if flags.quiet => {}
            Added::Number(number) => write_number(request, &number, now, out),
            Added::NotFound => write_bare(request, MetaCode::NotFound, out),
            Added::Exists => write_bare(request, MetaCode::Exists, out),
            Added::NonNumeric => NON_NUMERIC.encode(out),
        }
        Ok(())
    }
}

/// A CAS value of 0 stands for none where memcached hands the flag on to code that knows it so.
fn nonzero(cas: Option<u64>) -> Option<u64> {
    cas.filter(|&cas| cas != 0)
}

fn delete(
    environment: &Environment,
    request: &MetaRequest<'_>,
    item: &Item<'_>,
    now: Timestamp,
) -> (Change<'static>, Deleted) {
    let flags = &request.flags;
    let before = &item.attributes;
    if flags.cas_compare.is_some_and(|cas| cas != before.cas) {
        return (Change::Keep, Deleted::Exists);
    }
    if !flags.invalidate && !flags.remove_value {
        return (Change::Remove, Deleted::Removed(item.data.len()));
    }
    let expiry = flags.exptime.map(|exptime| Expiry::from_exptime(exptime, now));
    let cas = match flags.cas_new {
        Some(cas) => cas,
        None if flags.invalidate => environment.next_cas(),
        // Memcached's `x` alone puts an empty item in the old one's place, CAS value and all.
        None => before.cas,
    };
    let stale = Marks::when(flags.invalidate, Marks::STALE);
    let change = if flags.remove_value {
        let attributes = Attributes {
            client_flags: flags.client_flags,
            expiry: expiry.unwrap_or(Expiry::NEVER),
            cas,
            accessed_unix_s: access_time(now),
            marks: stale,
        };
        Change::Put(attributes, Data::Bytes(b""))
    } else {
        let attributes = Attributes {
            expiry: expiry.unwrap_or(before.expiry),
            cas,
            // Stale anew: somebody else may win.
            marks: before.marks.with(stale).without(Marks::WON),
            ..*before
        };
        Change::Put(attributes, Data::Same)
    };
    (change, Deleted::Changed)
}

/// The expiry of an item that `ma` creates: of `N` and `T` the later one counts.
fn vivified_expiry(flags: &MetaFlags<'_>, now: Timestamp) -> Expiry {
    let last = flags.iter().filter(|flag| matches!(flag.code, b'N' | b'T')).last();
    match last {
        Some(flag) if flag.code == b'T' => expiry_of(flags.exptime, now),
        _ => expiry_of(flags.vivify, now),
    }
}

/// Writes the answer to an `ma` that was done. As with `mg`, `t` shows what the `T` and `N` before it have set.
fn write_number(request: &MetaRequest<'_>, number: &Number, now: Timestamp, out: &mut Vec<u8>) {
    let flags = &request.flags;
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(number.number).as_bytes();
    let mut writer = if flags.value {
        MetaWriter::value(out, digits.len())
    } else {
        MetaWriter::code(out, MetaCode::Done)
    };
    let mut expiry = number.expiry_before;
    for flag in flags.iter() {
        match flag.code {
            b'O' => writer.token(b'O', flag.token),
            b'k' => writer.key(request.key.bytes, request.key.base64),
            b'c' => writer.number(b'c', number.cas),
            b't' => write_ttl(&mut writer, expiry, now),
            b'T' => expiry = expiry_of(flags.exptime, now),
            b'N' if number.created => expiry = expiry_of(flags.vivify, now),
            _ => {}
        }
    }
    if flags.value {
        writer.finish_with(digits);
    } else {
        writer.finish();
    }
}
