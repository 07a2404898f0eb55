//! Storing: the six classic commands and `ms`.

use refcached_protocol::request::{self, StoreVerb};
use refcached_protocol::{Limits, Response};

use super::{Answer, Engine};
use crate::counters::Counter;
use crate::environment::Environment;
use crate::item::{Attributes, Item, Marks, access_time};
use crate::prefixes::Event;
use crate::store::{Change, Data, Store};
use crate::time::{Expiry, Timestamp};
use crate::watch::Kinds;

/// When and how a value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Set,
    Add,
    Replace,
    Append,
    Prepend,
}

/// What to store and under which conditions.
#[derive(Clone, Copy)]
pub(super) struct Storing<'v> {
    pub(super) mode: Mode,
    pub(super) value: &'v [u8],
    pub(super) client_flags: u32,
    pub(super) expiry: Expiry,
    /// Marks of a new item: whether its key came in base64.
    pub(super) marks: Marks,
    /// Only if the item has this CAS value.
    pub(super) cas_compare: Option<u64>,
    /// Take a `cas_compare` that is older than the item's too, and mark the item as stale.
    pub(super) invalidate: bool,
    /// The CAS value that the item gets; `None` for a new one.
    pub(super) cas_new: Option<u64>,
    /// What `append` and `prepend` create on a miss: an item with this expiry.
    pub(super) vivify: Option<Expiry>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// The item has this CAS value and this many bytes of data.
    Yes {
        cas: u64,
        bytes: usize,
    },
    /// The condition of the mode was not met, or the item would be too large.
    Unmet,
    Exists,
    NotFound,
}

/// How a CAS value to compare relates to an item.
enum Compared {
    /// It is the item's, or none was given.
    Match,
    /// It is older, and that is allowed.
    Older,
    Differs,
}

impl<'v> Storing<'v> {
    /// What a classic command asks for.
    fn of(request: &request::Store<'v>, now: Timestamp) -> Self {
        let (mode, cas_compare) = match request.verb {
            StoreVerb::Set => (Mode::Set, None),
            StoreVerb::Add => (Mode::Add, None),
            StoreVerb::Replace => (Mode::Replace, None),
            StoreVerb::Append => (Mode::Append, None),
            StoreVerb::Prepend => (Mode::Prepend, None),
            StoreVerb::Cas { unique } => (Mode::Set, Some(unique)),
        };
        Storing {
            mode,
            value: request.value,
            client_flags: request.client_flags,
            expiry: Expiry::from_exptime(request.exptime, now),
            marks: Marks::NONE,
            cas_compare,
            invalidate: false,
            cas_new: None,
            vivify: None,
        }
    }

    #[inline]
    fn decide(&self, environment: &Environment, current: Option<Item<'_>>, now: Timestamp) -> (Change<'v>, Stored) {
        match (self.mode, current) {
            (Mode::Set | Mode::Replace, None) if self.cas_compare.is_some() => (Change::Keep, Stored::NotFound),
            (Mode::Replace, None) => (Change::Keep, Stored::Unmet),
            (Mode::Set | Mode::Add, None) => self.put(environment, self.expiry, self.marks, now),
            (Mode::Append | Mode::Prepend, None) => match self.vivify {
                Some(expiry) => self.put(environment, expiry, self.marks, now),
                None => (Change::Keep, Stored::Unmet),
            },
            (Mode::Add, Some(item)) => {
                // An `add` that finds the item uses it (protocol.txt, mode E of `ms`: "LRU bump").
                let mut attributes = item.attributes;
                attributes.accessed_unix_s = access_time(now);
                (Change::Put(attributes, Data::Same), Stored::Unmet)
            }
            (Mode::Set | Mode::Replace, Some(item)) => match self.compare(&item) {
                Compared::Match => self.put(environment, self.expiry, self.marks, now),
                Compared::Older => {
                    // The item lives no longer for it, and who is to recache it remains so.
                    let kept = Marks::when(item.attributes.marks.has(Marks::WON), Marks::WON);
                    let marks = self.marks.with(Marks::STALE).with(kept);
                    self.put(environment, item.attributes.expiry, marks, now)
                }
                Compared::Differs => (Change::Keep, Stored::Exists),
            },
            (Mode::Append | Mode::Prepend, Some(item)) => match self.compare(&item) {
                Compared::Match => self.extend(environment, &item, now),
                Compared::Older | Compared::Differs => (Change::Keep, Stored::Exists),
            },
        }
    }

    fn compare(&self, item: &Item<'_>) -> Compared {
        match self.cas_compare {
            None => Compared::Match,
            Some(cas) if cas == item.attributes.cas => Compared::Match,
            Some(cas) if self.invalidate && cas < item.attributes.cas => Compared::Older,
            Some(_) => Compared::Differs,
        }
    }

    #[inline]
    fn put(&self, environment: &Environment, expiry: Expiry, marks: Marks, now: Timestamp) -> (Change<'v>, Stored) {
        let attributes = Attributes {
            client_flags: self.client_flags,
            expiry,
            cas: self.cas_new.unwrap_or_else(|| environment.next_cas()),
            accessed_unix_s: access_time(now),
            marks,
        };
        let stored = Stored::Yes {
            cas: attributes.cas,
            bytes: self.value.len(),
        };
        (Change::Put(attributes, Data::Bytes(self.value)), stored)
    }

    fn extend(&self, environment: &Environment, item: &Item<'_>, now: Timestamp) -> (Change<'v>, Stored) {
        let (before, after): (&[u8], &[u8]) = match self.mode {
            Mode::Prepend => (self.value, b""),
            _ => (b"", self.value),
        };
        let data = Data::Around { before, after };
        let bytes = data.len(item.data.len());
        let limits: &Limits = &environment.options.limits;
        if !limits.admits(item.key.len(), item.attributes.client_flags, bytes) {
            return (Change::Keep, Stored::Unmet);
        }
        let attributes = Attributes {
            cas: self.cas_new.unwrap_or_else(|| environment.next_cas()),
            accessed_unix_s: access_time(now),
            // To memcached this is a new item: what had happened to the old one is forgotten.
            marks: Marks::NONE,
            ..item.attributes
        };
        let stored = Stored::Yes {
            cas: attributes.cas,
            bytes,
        };
        (Change::Put(attributes, data), stored)
    }
}

impl<S: Store> Engine<S> {
    /// Executes a classic storage command.
    pub(super) fn store_item(&self, request: &request::Store<'_>, now: Timestamp) -> Answer<S::Error> {
        self.environment.prefixes.count(request.key, Event::Set);
        let storing = Storing::of(request, now);
        Ok(match self.put(request.key, &storing, now)? {
            Stored::Yes { .. } => Response::Stored,
            Stored::Unmet => Response::NotStored,
            Stored::Exists => Response::Exists,
            Stored::NotFound => Response::NotFound,
        })
    }

    /// Stores `storing` under `key`.
    #[inline]
    pub(super) fn put(&self, key: &[u8], storing: &Storing<'_>, now: Timestamp) -> Result<Stored, S::Error> {
        self.count(Counter::CmdSet);
        let environment = &*self.environment;
        let decide = |current: Option<Item<'_>>| storing.decide(environment, current, now);
        let stored = self.update(key, now, decide);
        if self.environment.watchers.wants(Kinds::MUTATIONS) {
            self.tell_stored(key, storing, stored.as_ref().ok(), now);
        }
        let stored = stored?;
        if storing.cas_compare.is_some() && matches!(storing.mode, Mode::Set | Mode::Replace) {
            match stored {
                Stored::Yes { .. } => self.count(Counter::CasHits),
                Stored::Exists => self.count(Counter::CasBadval),
                Stored::NotFound => self.count(Counter::CasMisses),
                Stored::Unmet => {}
            }
        }
        Ok(stored)
    }
}
