//! Commands that memcached does not have: `switchdb`, `range` and `dbstats`, as Beano names them.

use std::collections::BTreeSet;

use refcached_protocol::Response;
use refcached_protocol::response::Value;
use refcached_protocol::tokens::Tokens;
use refcached_store::item::Item;
use refcached_store::store::ScanPosition;
use refcached_store::{Access, Store, Timestamp};

use crate::batch::{Ask, OUTPUT_BYTES_MAX};

/// What is asked by a line that the protocol does not know. `None` if it is none of these commands, or has other arguments.
pub(crate) fn asked(line: &[u8]) -> Option<Ask> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut words = Tokens::new(line);
    let ask = match words.next()? {
        b"switchdb" => Ask::Switch(String::from_utf8(words.next()?.to_vec()).ok()?),
        b"range" => Ask::Range(RangeWalk::new(words.next()?, limit(words.next())?)),
        b"dbstats" => Ask::DatasetStatistics,
        _ => return None,
    };
    words.next().is_none().then_some(ask)
}

/// How many items may be listed; as many as there are if nothing or -1 is said.
fn limit(word: Option<&[u8]>) -> Option<u64> {
    match word {
        None | Some(b"-1") => Some(u64::MAX),
        Some(word) => std::str::from_utf8(word).ok()?.parse().ok(),
    }
}

/// How far a `range` has come: the live items whose keys begin with a prefix, in the order of their keys. Keys that do not
/// fit into a line of text are left out: no `get` could ask for them either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeWalk {
    prefix: Vec<u8>,
    left: u64,
    /// The last key that was listed.
    after: Option<Vec<u8>>,
    /// Of a store without an order: where the search for keys stands, and what it has found.
    search: Search,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Search {
    From(ScanPosition, BTreeSet<Vec<u8>>),
    Done(BTreeSet<Vec<u8>>),
}

impl RangeWalk {
    fn new(prefix: &[u8], limit: u64) -> Self {
        RangeWalk {
            prefix: prefix.to_vec(),
            left: limit,
            after: None,
            search: Search::From(ScanPosition::default(), BTreeSet::new()),
        }
    }

    pub(crate) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    pub(crate) fn after(&self) -> Option<&[u8]> {
        self.after.as_deref()
    }

    /// Lists `item`, the next in order, if there is room for it in `out` and the limit allows.
    pub(crate) fn list(&mut self, item: &Item<'_>, out: &mut Vec<u8>) -> Listed {
        if self.left == 0 {
            return Listed::Last;
        }
        if out.len() >= OUTPUT_BYTES_MAX {
            return Listed::Full;
        }
        self.after = Some(item.key.to_vec());
        if item.has_base64_key() {
            return Listed::Yes;
        }
        self.left -= 1;
        let value = Value {
            key: item.key,
            client_flags: item.attributes.client_flags,
            data: item.data,
            cas: None,
        };
        value.encode(out);
        Listed::Yes
    }

    /// Goes on in a store without an order, by a bounded piece of work. Whether it has come to the end.
    pub(crate) fn step_by_scan<S: Store>(
        &mut self,
        store: &S,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<bool, S::Error> {
        match &mut self.search {
            Search::From(from, found) => {
                let limit = usize::try_from(self.left).unwrap_or(usize::MAX);
                let next = store.scan(*from, now, |item| {
                    if item.key.starts_with(&self.prefix) && !item.has_base64_key() {
                        found.insert(item.key.to_vec());
                        if found.len() > limit {
                            found.pop_last();
                        }
                    }
                })?;
                self.search = match next {
                    Some(next) => Search::From(next, std::mem::take(found)),
                    None => Search::Done(std::mem::take(found)),
                };
                Ok(false)
            }
            Search::Done(found) => {
                let mut found = std::mem::take(found);
                let listed = self.list_found(&mut found, store, now, out);
                self.search = Search::Done(found);
                listed
            }
        }
    }

    fn list_found<S: Store>(
        &mut self,
        found: &mut BTreeSet<Vec<u8>>,
        store: &S,
        now: Timestamp,
        out: &mut Vec<u8>,
    ) -> Result<bool, S::Error> {
        while let Some(key) = found.pop_first() {
            let listed = store.read(&key, now, |item| {
                // It may have gone meanwhile.
                (Access::Ignore, item.map_or(Listed::Yes, |item| self.list(&item, out)))
            })?;
            match listed {
                Listed::Yes => {}
                Listed::Last => return Ok(true),
                Listed::Full => {
                    found.insert(key);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// Whether an item was listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    /// It was: the next may follow.
    Yes,
    /// It was not, nor will any be.
    Last,
    /// It was not: what is there has to be sent first.
    Full,
}

/// Ends the reply to a `range`, or a piece of it. Whether there is more to come.
pub(crate) fn close_piece<E: std::error::Error>(piece: Result<bool, E>, out: &mut Vec<u8>) -> bool {
    match piece {
        Ok(false) => return true,
        Ok(true) => Response::End.encode(out),
        Err(error) => Response::ServerError(error.to_string().as_bytes()).encode(out),
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_of_the_commands_with_its_arguments_or_none() {
        let range = |prefix: &[u8], limit| Some(Ask::Range(RangeWalk::new(prefix, limit)));
        for (line, expected) in [
            ("switchdb new.redb\r\n", Some(Ask::Switch("new.redb".to_owned()))),
            ("switchdb new.redb\n", Some(Ask::Switch("new.redb".to_owned()))),
            ("range user:\r\n", range(b"user:", u64::MAX)),
            ("range user: -1\r\n", range(b"user:", u64::MAX)),
            ("range  user:  10\r\n", range(b"user:", 10)),
            ("dbstats\r\n", Some(Ask::DatasetStatistics)),
            ("switchdb\r\n", None),
            ("switchdb a b\r\n", None),
            ("range\r\n", None),
            ("range a b\r\n", None),
            ("range a -2\r\n", None),
            ("range a 1 1\r\n", None),
            ("dbstats now\r\n", None),
            ("statdb\r\n", None),
            ("\r\n", None),
        ] {
            assert_eq!(asked(line.as_bytes()), expected, "{line:?}");
        }
    }
}
