//! `mg`: get, get and touch, recache.

use refcached_protocol::meta::{MetaFlags, MetaRequest};
use refcached_protocol::meta_reply::{MetaCode, MetaWriter};
use refcached_protocol::request::Exptime;

use super::{expiry_of, key_marks, write_bare, write_ttl};
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
        self.count(match (found, flags.exptime.is_some()) {
            (true, true) => Counter::TouchHits,
            (true, false) => Counter::GetHits,
            // Memcached counts a touch only where there was something to touch.
            (false, _) => Counter::GetMisses,
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
        self.read(request.key.bytes, now, |current| {
            let Some(item) = current else {
                write_miss(request, out);
                return (Access::Ignore, Looked::Miss);
            };
            let marks = item.attributes.marks;
            if marks.has(Marks::STALE) && !marks.has(Marks::WON) {
                return (Access::Ignore, Looked::MustChange);
            }
            write_hit(request, &item, false, now, out);
            (access, Looked::Hit)
        })
    }

    /// Answers an `mg` that may create, touch or give out the win. Answers whether there was an item.
    fn meta_get_and_change(
        &self,
        request: &MetaRequest<'_>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<bool, S::Error> {
        self.update(request.key.bytes, now, |current| match current {
            Some(item) => (hit(request, &item, now, out), true),
            None => (miss(&self.environment, request, now, out), false),
        })
    }
}

/// Answers a hit and says what becomes of the item.
fn hit(request: &MetaRequest<'_>, item: &Item<'_>, now: Timestamp, out: &mut Vec<u8>) -> Change<'static> {
    let shown = write_hit(request, item, false, now, out);
    Change::Put(noted(item.attributes, &shown, &request.flags, now), Data::Same)
}

/// Answers a miss, and creates the item if the `N` flag asks for it.
fn miss(environment: &Environment, request: &MetaRequest<'_>, now: Timestamp, out: &mut Vec<u8>) -> Change<'static> {
    let flags = &request.flags;
    if flags.vivify.is_none() {
        write_miss(request, out);
        return Change::Keep;
    }
    let item = Item {
        key: request.key.bytes,
        attributes: Attributes {
            client_flags: 0,
            expiry: Expiry::NEVER,
            cas: flags.cas_new.unwrap_or_else(|| environment.next_cas()),
            accessed_unix_s: access_time(now),
            marks: key_marks(&request.key),
        },
        data: b"",
    };
    let shown = write_hit(request, &item, true, now, out);
    Change::Put(noted(item.attributes, &shown, flags, now), Data::Bytes(b""))
}

/// What an item becomes by having been shown.
fn noted(mut attributes: Attributes, shown: &Shown, flags: &MetaFlags<'_>, now: Timestamp) -> Attributes {
    attributes.expiry = shown.expiry;
    attributes.marks = attributes.marks.with(Marks::when(shown.won, Marks::WON));
    if flags.no_bump {
        attributes
    } else {
        attributes.fetched_at(now)
    }
}

/// Whether an `R` flag of `limit` makes this client the one to recache an item.
fn must_recache(limit: Option<Exptime>, expiry: Expiry, now: Timestamp) -> bool {
    match (limit, expiry.remaining_s(now)) {
        (Some(limit), Some(remaining_s)) => u64::try_from(limit.0).is_ok_and(|limit_s| remaining_s < limit_s),
        _ => false,
    }
}

/// What the flags made of an item while the answer was written.
struct Shown {
    expiry: Expiry,
    /// This client has been told to recache the item.
    won: bool,
}

/// Writes the answer to a hit, or to a miss whose item was just `created`.
///
/// The flags take effect one after the other, as in memcached: `t` shows what the `T` and `N` before it have set, and `R`
/// compares with that. `h`, `l` and `Z` show what was before this request.
fn write_hit(request: &MetaRequest<'_>, item: &Item<'_>, created: bool, now: Timestamp, out: &mut Vec<u8>) -> Shown {
    let flags = &request.flags;
    let attributes = &item.attributes;
    let with_value = flags.value && flags.cas_compare != Some(attributes.cas);
    let mut writer = if with_value {
        MetaWriter::value(out, item.data.len())
    } else {
        MetaWriter::code(out, MetaCode::Done)
    };
    let mut expiry = attributes.expiry;
    let already_won = attributes.marks.has(Marks::WON);
    let stale = attributes.marks.has(Marks::STALE);
    let mut won = created || (stale && !already_won);
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
            b'T' => expiry = expiry_of(flags.exptime, now),
            b'N' if created => expiry = expiry_of(flags.vivify, now),
            b'R' => won |= !already_won && must_recache(flags.recache, expiry, now),
            _ => {}
        }
    }
    for (code, shown) in [(b'Z', already_won), (b'X', stale), (b'W', won)] {
        if shown {
            writer.flag(code);
        }
    }
    if with_value {
        writer.finish_with(item.data);
    } else {
        writer.finish();
    }
    Shown { expiry, won }
}

/// Writes the answer to a miss, unless the client wants none.
fn write_miss(request: &MetaRequest<'_>, out: &mut Vec<u8>) {
    if !request.flags.quiet {
        write_bare(request, MetaCode::Miss, out);
    }
}
