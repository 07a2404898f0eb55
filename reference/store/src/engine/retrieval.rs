//! `get`, `gets`, `gat` and `gats`.

use std::array;

use refcached_protocol::Response;
use refcached_protocol::request::Retrieve;
use refcached_protocol::response::Value;
use refcached_protocol::tokens::Tokens;

use super::{Cursor, Engine, Progress};
use crate::counters::Counter;
use crate::item::Item;
use crate::prefixes::Event;
use crate::store::{Access, Change, Data, FORESEEN_MAX, Store};
use crate::time::{Expiry, Timestamp};

impl<S: Store> Engine<S> {
    /// Answers `keys`, which are all keys of `request` or the last of them, until they are done or the output is full.
    #[inline]
    pub(super) fn retrieve(
        &self,
        request: &Retrieve<'_>,
        mut keys: Tokens<'_>,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Progress {
        let all = request.keys.as_bytes().len();
        // The first key is the caller's to foresee, with those of other commands.
        let mut unforeseen = keys;
        while let Some(key) = keys.next() {
            let before = out.len();
            if let Err(error) = self.retrieve_one(request, key, now, out) {
                out.truncate(before);
                self.failure(&error, out);
                return Progress::Done;
            }
            let rest = keys.as_bytes().len();
            if out.len() >= self.options().reply_bytes_max && rest > 0 {
                return Progress::More(Cursor((all - rest) as u64));
            }
            if rest <= unforeseen.as_bytes().len() {
                unforeseen = self.foresee(keys);
            }
        }
        Response::End.encode(out);
        Progress::Done
    }

    /// Has the store foresee the first of `keys`, and gives the others.
    #[inline]
    fn foresee<'k>(&self, mut keys: Tokens<'k>) -> Tokens<'k> {
        if !keys.as_bytes().is_empty() {
            let next: [&[u8]; FORESEEN_MAX] = array::from_fn(|_| keys.next().unwrap_or_default());
            let end = next.iter().position(|key| key.is_empty());
            self.store.foresee(&next[..end.unwrap_or(FORESEEN_MAX)]);
        }
        keys
    }

    pub(super) fn resume_retrieval(
        &self,
        request: &Retrieve<'_>,
        from: Cursor,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Progress {
        // A cursor of another request would be the caller's mistake; at the end there is nothing left to answer.
        let keys = usize::try_from(from.0)
            .ok()
            .and_then(|from| request.keys.as_bytes().get(from..));
        self.retrieve(request, Tokens::new(keys.unwrap_or_default()), now, out)
    }

    /// Appends the item under `key`, if there is one, to `out`.
    #[inline]
    fn retrieve_one(
        &self,
        request: &Retrieve<'_>,
        key: &[u8],
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<(), S::Error> {
        let mut write = |item: &Item<'_>| {
            let value = Value {
                key,
                client_flags: item.attributes.client_flags,
                data: item.data,
                cas: request.with_cas.then_some(item.attributes.cas),
            };
            value.encode(out);
        };
        let Some(exptime) = request.touch else {
            let found = self.read(key, now, |current| {
                (Access::Note, current.as_ref().map(write).is_some())
            })?;
            self.count(if found { Counter::GetHits } else { Counter::GetMisses });
            self.environment.prefixes.count(key, Event::get(found));
            return Ok(());
        };
        let found = self.update(key, now, |current| match current {
            None => (Change::Keep, false),
            Some(item) => {
                write(&item);
                let mut attributes = item.attributes.fetched_at(now);
                attributes.expiry = Expiry::from_exptime(exptime, now);
                (Change::Put(attributes, Data::Same), true)
            }
        })?;
        self.count(if found {
            Counter::TouchHits
        } else {
            Counter::TouchMisses
        });
        self.environment.prefixes.count(key, Event::get(found));
        Ok(())
    }
}
