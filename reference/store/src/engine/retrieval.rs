//! `get`, `gets`, `gat` and `gats`.

use refcached_protocol::Response;
use refcached_protocol::request::Retrieve;
use refcached_protocol::response::Value;
use refcached_protocol::tokens::Tokens;

use super::{Cursor, Engine, Progress};
use crate::counters::Counter;
use crate::item::Item;
use crate::prefixes::Event;
use crate::store::{Access, Change, Data, Store};
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
        }
        Response::End.encode(out);
        Progress::Done
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
            let found = self.store.read(key, now, |current| {
                (Access::Note, current.as_ref().map(write).is_some())
            })?;
            self.count(if found { Counter::GetHits } else { Counter::GetMisses });
            self.environment.prefixes.count(key, Event::get(found));
            return Ok(());
        };
        let found = self.store.update(key, now, |current| match current {
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
