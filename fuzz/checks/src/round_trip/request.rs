//! Requests that own what they are made of.

use arbitrary::Arbitrary;
use refcached_protocol::Request;
use refcached_protocol::request::{
    Arguments, Arithmetic, CacheMemlimit, Delete, Direction, Exptime, FlushAll, Retrieve, Shutdown, ShutdownMode,
    Store, StoreVerb, Touch, Verbosity,
};
use refcached_protocol::tokens::Tokens;

use super::{Edgy, Word, meta};

/// The largest data block that is made: more shows nothing more.
const VALUE_BYTES_MAX: usize = 4096;

/// A request.
#[derive(Debug, Arbitrary)]
pub(super) enum Owned {
    Store {
        verb: Verb,
        key: Word,
        client_flags: u32,
        exptime: Edgy<i32>,
        noreply: bool,
        value: Vec<u8>,
    },
    Retrieve {
        with_cas: bool,
        touch: Option<Edgy<i32>>,
        first: Word,
        more: Vec<Word>,
    },
    Delete {
        key: Word,
        noreply: bool,
    },
    Arithmetic {
        key: Word,
        up: bool,
        delta: Edgy<u64>,
        noreply: bool,
    },
    Touch {
        key: Word,
        exptime: Edgy<i32>,
        noreply: bool,
    },
    Meta(meta::Owned),
    FlushAll {
        delay: Edgy<i32>,
        noreply: bool,
    },
    Verbosity {
        level: u32,
        noreply: bool,
    },
    CacheMemlimit {
        megabytes: u32,
        noreply: bool,
    },
    Shutdown {
        mode: u8,
    },
    Plain(Plain),
    Arguments {
        of: Topic,
        words: Vec<Word>,
        noreply: bool,
    },
}

#[derive(Debug, Arbitrary)]
pub(super) enum Verb {
    Set,
    Add,
    Replace,
    Append,
    Prepend,
    Cas(Edgy<u64>),
}

#[derive(Debug, Arbitrary)]
pub(super) enum Plain {
    MetaNoop,
    Version,
    Quit,
}

#[derive(Debug, Arbitrary)]
pub(super) enum Topic {
    Stats,
    Watch,
    Slabs,
    Lru,
    LruCrawler,
}

impl Owned {
    /// Calls `then` with the request, borrowed as the crate's own type.
    pub(super) fn with(&self, then: impl FnOnce(Request<'_>)) {
        match self {
            Owned::Store { .. } => then(self.store()),
            Owned::Retrieve {
                with_cas,
                touch,
                first,
                more,
            } => {
                let words: Vec<&[u8]> = std::iter::once(first).chain(more).map(|word| &word.0[..]).collect();
                then(Request::Retrieve(Retrieve {
                    keys: Tokens::new(&words.join(&b' ')),
                    with_cas: *with_cas,
                    touch: touch.map(|exptime| Exptime(exptime.0)),
                }));
            }
            Owned::Meta(meta) => meta.with(then),
            Owned::Arguments { of, words, noreply } => {
                // At the end of more words than are looked at, `noreply` would go unseen.
                let noreply = *noreply && !matches!(of, Topic::Stats | Topic::Watch) && words.len() < 20;
                let mut words: Vec<&[u8]> = words.iter().map(|word| &word.0[..]).collect();
                words.extend(noreply.then_some(&b"noreply"[..]));
                then(of.request(&words.join(&b' '), noreply));
            }
            plain => then(plain.borrow()),
        }
    }

    fn store(&self) -> Request<'_> {
        let Owned::Store {
            verb,
            key,
            client_flags,
            exptime,
            noreply,
            value,
        } = self
        else {
            return Request::MetaNoop;
        };
        Request::Store(Store {
            verb: match verb {
                Verb::Set => StoreVerb::Set,
                Verb::Add => StoreVerb::Add,
                Verb::Replace => StoreVerb::Replace,
                Verb::Append => StoreVerb::Append,
                Verb::Prepend => StoreVerb::Prepend,
                Verb::Cas(unique) => StoreVerb::Cas { unique: unique.0 },
            },
            key: &key.0,
            client_flags: *client_flags,
            exptime: Exptime(exptime.0),
            value: &value[..value.len().min(VALUE_BYTES_MAX)],
            noreply: *noreply,
        })
    }

    /// Those that need nothing to be put together.
    fn borrow(&self) -> Request<'_> {
        match *self {
            Owned::Delete { ref key, noreply } => Request::Delete(Delete { key: &key.0, noreply }),
            Owned::Arithmetic {
                ref key,
                up,
                delta,
                noreply,
            } => Request::Arithmetic(Arithmetic {
                key: &key.0,
                direction: if up { Direction::Increment } else { Direction::Decrement },
                delta: delta.0,
                noreply,
            }),
            Owned::Touch {
                ref key,
                exptime,
                noreply,
            } => Request::Touch(Touch {
                key: &key.0,
                exptime: Exptime(exptime.0),
                noreply,
            }),
            Owned::FlushAll { delay, noreply } => Request::FlushAll(FlushAll {
                delay: Exptime(delay.0),
                noreply,
            }),
            Owned::Verbosity { level, noreply } => Request::Verbosity(Verbosity { level, noreply }),
            Owned::CacheMemlimit { megabytes, noreply } => Request::CacheMemlimit(CacheMemlimit { megabytes, noreply }),
            Owned::Shutdown { mode } => Request::Shutdown(Shutdown {
                mode: match mode % 3 {
                    0 => ShutdownMode::Immediate,
                    1 => ShutdownMode::Graceful,
                    _ => ShutdownMode::Unknown,
                },
                noreply: false,
            }),
            Owned::Plain(Plain::Version) => Request::Version,
            Owned::Plain(Plain::Quit) => Request::Quit,
            _ => Request::MetaNoop,
        }
    }
}

impl Topic {
    fn request<'a>(&self, words: &'a [u8], noreply: bool) -> Request<'a> {
        let arguments = Arguments {
            words: Tokens::new(words),
            noreply,
        };
        match self {
            Topic::Stats => Request::Stats(arguments),
            Topic::Watch => Request::Watch(arguments),
            Topic::Slabs => Request::Slabs(arguments),
            Topic::Lru => Request::Lru(arguments),
            Topic::LruCrawler => Request::LruCrawler(arguments),
        }
    }
}
