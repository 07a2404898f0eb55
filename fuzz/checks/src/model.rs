//! What memcached 1.6.45 answers, written a second time, for few keys and without a thought for speed.

mod classic;
mod meta;
mod number;

use std::collections::BTreeMap;

use crate::engine::ITEM_BYTES_MAX;
use crate::operation::{Fault, Operation, Verb};

const BAD_FORMAT: &str = "CLIENT_ERROR bad command line format\r\n";

/// An exptime up to this many seconds counts from now.
const RELATIVE_MAX_S: i32 = 60 * 60 * 24 * 30;

/// The point in time that never comes.
const NEVER: u64 = u64::MAX;

/// A cache with few items.
pub(crate) struct Model {
    items: BTreeMap<Vec<u8>, Item>,
    /// The CAS value given out last.
    cas: u64,
    now_ms: u64,
    started_ms: u64,
    /// When all that is there goes.
    flush_at_ms: Option<u64>,
}

#[derive(Clone, Debug)]
struct Item {
    data: Vec<u8>,
    client_flags: u32,
    /// Gone from this millisecond on.
    ends_ms: u64,
    cas: u64,
    used_s: u64,
    fetched: bool,
    stale: bool,
    /// Somebody has been told to recache it.
    won: bool,
    in_base64: bool,
}

/// What a store asks for.
#[derive(Clone, Debug)]
struct Wish<'w> {
    how: &'w str,
    value: &'w [u8],
    client_flags: u32,
    ends_ms: u64,
    compare: Option<u64>,
    /// Take an older CAS value, too.
    older: bool,
    new_cas: Option<u64>,
    /// `append` and `prepend` make an item that ends then.
    create_ends_ms: Option<u64>,
    in_base64: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    Yes { cas: u64, bytes: usize },
    No,
    Exists,
    NotFound,
}

impl Model {
    pub(crate) fn new(now_ms: u64) -> Self {
        Model {
            items: BTreeMap::new(),
            cas: 0,
            now_ms,
            started_ms: now_ms,
            flush_at_ms: None,
        }
    }

    /// The CAS value of what is stored under `key`, if anything is.
    pub(crate) fn cas(&self, key: &[u8]) -> u64 {
        self.items.get(key).map_or(3, |item| item.cas)
    }

    /// What is answered to `operation` at the time `now_ms`.
    pub(crate) fn answer(&mut self, operation: &Operation, now_ms: u64) -> Vec<u8> {
        self.now_ms = now_ms;
        if self.flush_at_ms.is_some_and(|at| at <= now_ms) {
            self.items.clear();
            self.flush_at_ms = None;
        }
        self.items.retain(|_, item| item.ends_ms > now_ms);
        let answer: Vec<u8> = match operation.verb {
            Verb::Meta(command) => return self.meta(command, operation),
            Verb::Get(name) => return self.get(name, operation),
            Verb::GetAndTouch(name) => return self.get_and_touch(name, operation),
            Verb::Noop => return b"MN\r\n".to_vec(),
            Verb::Bad(fault) => return self.refuse(fault, operation),
            Verb::Store(name) => self.store_classic(name, operation).into(),
            Verb::Delete => match self.items.remove(operation.key) {
                Some(_) => b"DELETED\r\n".into(),
                None => b"NOT_FOUND\r\n".into(),
            },
            Verb::Touch => self.touch(operation).into(),
            Verb::Count(name) => self.count(name, operation),
            Verb::Flush => {
                self.flush(operation.exptime);
                b"OK\r\n".into()
            }
        };
        if operation.noreply { Vec::new() } else { answer }
    }

    fn flush(&mut self, delay: i32) {
        let at = if delay <= 0 { self.now_ms } else { self.ends_ms(delay) };
        if at < self.started_ms {
            return;
        }
        self.flush_at_ms = Some(at).filter(|&at| at > self.now_ms);
        if self.flush_at_ms.is_none() {
            self.items.clear();
        }
    }

    fn refuse(&mut self, fault: Fault, operation: &Operation) -> Vec<u8> {
        let (loud, always) = match fault {
            // The byte too many takes the place of the CR, and the LF is left over: a line too short.
            Fault::BlockTooLong => ("CLIENT_ERROR bad data chunk\r\n", BAD_FORMAT),
            Fault::TooLarge => {
                self.items.remove(operation.key);
                ("SERVER_ERROR object too large for cache\r\n", "")
            }
            Fault::LongKey => (BAD_FORMAT, ""),
            Fault::Unknown => ("ERROR\r\n", ""),
            Fault::NoDelta => ("CLIENT_ERROR invalid numeric delta argument\r\n", ""),
        };
        let loud = if operation.noreply { "" } else { loud };
        [loud, always].concat().into_bytes()
    }

    fn next_cas(&mut self) -> u64 {
        self.cas += 1;
        self.cas
    }

    fn ends_ms(&self, exptime: i32) -> u64 {
        match u64::try_from(exptime) {
            Err(_) => 0,
            Ok(0) => NEVER,
            Ok(seconds) if exptime <= RELATIVE_MAX_S => self.now_ms + seconds * 1000,
            Ok(unix_s) => unix_s * 1000,
        }
    }

    /// Stores what is wished for, if the conditions are met.
    fn store(&mut self, key: &[u8], wish: &Wish<'_>) -> Stored {
        let used_s = self.now_ms / 1000;
        let Some(current) = self.items.get(key).cloned() else {
            return match wish.how {
                "set" | "replace" if wish.compare.is_some() => Stored::NotFound,
                "set" | "add" => self.put(key, wish, wish.ends_ms, false, false),
                "append" | "prepend" => match wish.create_ends_ms {
                    Some(ends_ms) => self.put(key, wish, ends_ms, false, false),
                    None => Stored::No,
                },
                _ => Stored::No,
            };
        };
        if wish.how == "add" {
            self.items.insert(key.to_vec(), Item { used_s, ..current });
            return Stored::No;
        }
        let same = wish.compare.is_none_or(|cas| cas == current.cas);
        let older = wish.older && wish.compare.is_some_and(|cas| cas < current.cas);
        let extends = matches!(wish.how, "append" | "prepend");
        match (same, older && !extends) {
            (true, _) if extends => self.extend(key, wish, &current),
            (true, _) => self.put(key, wish, wish.ends_ms, false, false),
            // An older value is taken, but does not live longer for it.
            (false, true) => self.put(key, wish, current.ends_ms, true, current.won),
            (false, false) => Stored::Exists,
        }
    }

    fn put(&mut self, key: &[u8], wish: &Wish<'_>, ends_ms: u64, stale: bool, won: bool) -> Stored {
        let cas = wish.new_cas.unwrap_or_else(|| self.next_cas());
        let item = Item {
            data: wish.value.to_vec(),
            client_flags: wish.client_flags,
            ends_ms,
            cas,
            used_s: self.now_ms / 1000,
            fetched: false,
            stale,
            won,
            in_base64: wish.in_base64,
        };
        self.insert(key, item);
        let bytes = wish.value.len();
        Stored::Yes { cas, bytes }
    }

    /// Appends or prepends. To memcached that makes a new item: what had happened to the old one is forgotten.
    fn extend(&mut self, key: &[u8], wish: &Wish<'_>, current: &Item) -> Stored {
        let data = match wish.how {
            "append" => [&current.data[..], wish.value].concat(),
            _ => [wish.value, &current.data].concat(),
        };
        let bytes = data.len();
        let flags_bytes = if current.client_flags == 0 { 0 } else { 4 };
        if (59 + key.len() + bytes + flags_bytes) as u64 > ITEM_BYTES_MAX {
            return Stored::No;
        }
        let cas = wish.new_cas.unwrap_or_else(|| self.next_cas());
        let item = Item {
            data,
            cas,
            used_s: self.now_ms / 1000,
            fetched: false,
            stale: false,
            won: false,
            in_base64: false,
            ..*current
        };
        self.insert(key, item);
        Stored::Yes { cas, bytes }
    }

    fn insert(&mut self, key: &[u8], item: Item) {
        if item.ends_ms > self.now_ms {
            self.items.insert(key.to_vec(), item);
        } else {
            self.items.remove(key);
        }
    }
}
