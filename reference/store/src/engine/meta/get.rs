//! `mg`: get, get and touch, recache.

use refcached_protocol::meta::{MetaFlags, MetaRequest};
use refcached_protocol::meta_reply::{MetaCode, MetaWriter};

use super::{key_marks, write_bare, write_ttl};
use crate::counters::Counter;
use crate::engine::Engine;
use crate::environment::Environment;
use crate::item::{Attributes, Item, Marks, access_time};
use crate::store::{Access, Change, Data, Store};
use crate::time::{Expiry, Timestamp};

/// What a look that changes nothing came to.
enum Looked {
    Hit,
    Miss,
    /// The item is stale and nobody has been told to recache it: this client is, and that must be noted.
    MustChange,
}

impl<S: Store> Engine<S> {
    pub(super) fn meta_get(
        &self,
        request: &MetaRequest<'_>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), S::Error> {
        let flags = &request.flags;
        let found = if flags.exptime.is_none() && flags.vivify.is_none() && flags.recache.is_none() {
            match self.meta_look(request, now, out)? {
                Looked::Hit => true,
                Looked::Miss => false,
                Looked::MustChange => self.meta_get_and_change(request, now, out)?,
            }
        } else {
            self.meta_get_and_change(request, now, out)?
        };
        self.count(match (flags.exptime.is_some(), found) {
            (false, true) => Counter::GetHits,
            (false, false) => Counter::GetMisses,
            (true, true) => Counter::TouchHits,
            (true, false) => Counter::TouchMisses,
        });
        Ok(())
    }

    /// Answers an `mg` that changes nothing but the note of the access.
    fn meta_look(&self, request: &MetaRequest<'_>, now: Timestamp, out: &mut Vec<u8>) -> Result<Looked, S::Error> {
        let access = if request.flags.no_bump {
            Access::Ignore
        } else {
            Access::Note
        };
        self.store.read(request.key.bytes, now, access, |current| {
            let Some(item) = current else {
                write_miss(request, out);
                return Looked::Miss;
            };
            let marks = item.attributes.marks;
            if marks.has(Marks::STALE) && !marks.has(Marks::WON) {
                return Looked::MustChange;
            }
            write_hit(request, &item, item.attributes.expiry, false, now, out);
            Looked::Hit
        })
    }

    /// Answers an `mg` that may create, touch or give out the win. Answers whether there was an item.
    fn meta_get_and_change(
        &self,
        request: &MetaRequest<'_>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<bool, S::Error> {
        self.store.update(request.key.bytes, now, |current| match current {
            Some(item) => (hit(request, &item, now, out), true),
            None => (miss(&self.environment, request, now, out), false),
        })
    }
}

fn hit(request: &MetaRequest<'_>, item: &Item<'_>, now: Timestamp, out: &mut Vec<u8>) -> Change<'static> {
    let mut attributes = item.attributes;
    let mut won = false;
    // In the order of the request: memcached sees at an R what a T before it has set.
    for flag in request.flags.iter() {
        match flag.code {
            b'T' => attributes.expiry = touched(&request.flags, attributes.expiry, now),
            b'R' => won |= must_recache(&request.flags, &attributes, now),
            _ => {}
        }
    }
    won |= attributes.marks.has(Marks::STALE) && !attributes.marks.has(Marks::WON);
    write_hit(request, item, attributes.expiry, won, now, out);

    attributes.marks = attributes.marks.with(Marks::when(won, Marks::WON));
    if !request.flags.no_bump {
        attributes = attributes.fetched_at(now);
    }
    Change::Put(attributes, Data::Same)
}

fn miss(environment: &Environment, request: &MetaRequest<'_>, now: Timestamp, out: &mut Vec<u8>) -> Change<'static> {
    let flags = &request.flags;
    let Some(exptime) = flags.vivify else {
        write_miss(request, out);
        return Change::Keep;
    };
    let mut attributes = Attributes {
        client_flags: 0,
        expiry: touched(flags, Expiry::from_exptime(exptime, now), now),
        cas: flags.cas_new.unwrap_or_else(|| environment.next_cas()),
        accessed_unix_s: access_time(now),
        marks: key_marks(&request.key),
    };
    let item = Item {
        key: request.key.bytes,
        attributes,
        data: b"",
    };
    write_hit(request, &item, attributes.expiry, true, now, out);

    attributes.marks = attributes.marks.with(Marks::WON);
    if !flags.no_bump {
        attributes = attributes.fetched_at(now);
    }
    Change::Put(attributes, Data::Bytes(b""))
}

/// The expiry that the `T` flag sets, or `expiry` if there is none.
fn touched(flags: &MetaFlags<'_>, expiry: Expiry, now: Timestamp) -> Expiry {
    match flags.exptime {
        Some(exptime) => Expiry::from_exptime(exptime, now),
        None => expiry,
    }
}

/// Whether the `R` flag makes this client the one to recache the item.
fn must_recache(flags: &MetaFlags<'_>, attributes: &Attributes, now: Timestamp) -> bool {
    let (Some(limit), Some(remaining_s)) = (flags.recache, attributes.expiry.remaining_s(now)) else {
        return false;
    };
    let below = u64::try_from(limit.0).is_ok_and(|limit_s| remaining_s < limit_s);
    below && !attributes.marks.has(Marks::WON)
}

/// Writes the answer to a hit. Of the item `h`, `l` and `Z` show what was before this request, `t` what is after.
fn write_hit(request: &MetaRequest<'_>, item: &Item<'_>, expiry: Expiry, won: bool, now: Timestamp, out: &mut Vec<u8>) {
    let flags = &request.flags;
    let attributes = &item.attributes;
    let with_value = flags.value && flags.cas_compare != Some(attributes.cas);
    let mut writer = if with_value {
        MetaWriter::value(out, item.data.len())
    } else {
        MetaWriter::code(out, MetaCode::Done)
    };
    for flag in flags.iter() {
        match flag.code {
            b'O' => writer.token(b'O', flag.token),
            b'k' => writer.key(item.key, item.has_base64_key()),
            b'c' => writer.number(b'c', attributes.cas),
            b'f' => writer.number(b'f', u64::from(attributes.client_flags)),
            b'h' => writer.number(b'h', u64::from(attributes.marks.has(Marks::FETCHED))),
            b'l' => writer.number(b'l', attributes.idle_s(now)),
            b's' => writer.number(b's', item.data.len() as u64),
            b't' => write_ttl(&mut writer, expiry, now),
            _ => {}
        }
    }
    for (code, shown) in [
        (b'Z', attributes.marks.has(Marks::WON)),
        (b'X', attributes.marks.has(Marks::STALE)),
        (b'W', won),
    ] {
        if shown {
            writer.flag(code);
        }
    }
    if with_value {
        writer.finish_with(item.data);
    } else {
        writer.finish();
    }
}

/// Writes the answer to a miss, unless the client wants none.
fn write_miss(request: &MetaRequest<'_>, out: &mut Vec<u8>) {
    if !request.flags.quiet {
        write_bare(request, MetaCode::Miss, out);
    }
}
