//! What commands tell those who watch.

use super::Engine;
use super::storing::{Mode, Stored, Storing};
use crate::item::Item;
use crate::store::{Access, Change, Store};
use crate::time::{Expiry, Timestamp};
use crate::watch::{Kinds, Mutation};

impl<S: Store> Engine<S> {
    /// [`Store::read`], watched.
    #[inline]
    pub(super) fn read<R>(
        &self,
        key: &[u8],
        now: Timestamp,
        look: impl FnOnce(Option<Item<'_>>) -> (Access, R),
    ) -> Result<R, S::Error> {
        self.store.read(key, now, |current| {
            self.tell_fetched(key, current.as_ref(), now);
            look(current)
        })
    }

    /// [`Store::update`], watched.
    #[inline]
    pub(super) fn update<'d, R>(
        &self,
        key: &[u8],
        now: Timestamp,
        decide: impl FnOnce(Option<Item<'_>>) -> (Change<'d>, R),
    ) -> Result<R, S::Error> {
        self.store.update(key, now, |current| {
            self.tell_fetched(key, current.as_ref(), now);
            decide(current)
        })
    }

    #[inline]
    fn tell_fetched(&self, key: &[u8], current: Option<&Item<'_>>, now: Timestamp) {
        let watchers = &self.environment.watchers;
        if watchers.wants(Kinds::FETCHERS) {
            watchers.fetched(key, current.map(|item| item.data.len()), now);
        }
    }

    /// Tells what came of `storing`; nothing if the store failed.
    #[cold]
    pub(super) fn tell_stored(&self, key: &[u8], storing: &Storing<'_>, stored: Option<&Stored>, now: Timestamp) {
        let (status, data_bytes) = match stored {
            Some(Stored::Yes { bytes, .. }) => ("stored", *bytes),
            Some(Stored::Unmet) => ("not_stored", storing.value.len()),
            Some(Stored::Exists) => ("exists", storing.value.len()),
            Some(Stored::NotFound) => ("not_found", storing.value.len()),
            None => ("no_memory", 0),
        };
        let command = match storing.mode {
            _ if storing.cas_compare.is_some() => "cas",
            Mode::Set => "set",
            Mode::Add => "add",
            Mode::Replace => "replace",
            Mode::Append => "append",
            Mode::Prepend => "prepend",
        };
        let mutation = Mutation {
            status,
            command,
            expiry: storing.expiry,
            data_bytes,
        };
        self.environment.watchers.stored(key, &mutation, now);
    }

    /// Tells that a value was refused before it reached the store. Which command brought it is not known here: `na`, which
    /// memcached 1.6.45 writes for `ms` in that place.
    pub(super) fn tell_unstored(&self, key: &[u8], status: &str, now: Timestamp) {
        let mutation = Mutation {
            status,
            command: "na",
            expiry: Expiry::NEVER,
            data_bytes: 0,
        };
        self.environment.watchers.stored(key, &mutation, now);
    }
}
