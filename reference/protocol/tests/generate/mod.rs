//! Random requests and responses that keep to the grammar, owned, to be borrowed as the crate's types.

mod meta;
mod reply;

pub(crate) use meta::OwnedMeta;
pub(crate) use reply::responses;

use proptest::prelude::*;
use refcached_protocol::Request;
use refcached_protocol::request::{
    Arguments, Arithmetic, CacheMemlimit, Delete, Direction, Exptime, FlushAll, Retrieve, Shutdown, ShutdownMode,
    Store, StoreVerb, Touch, Verbosity,
};
use refcached_protocol::tokens::Tokens;

/// A [`Request`] that owns what it is made of.
#[derive(Clone, Debug)]
pub(crate) enum OwnedRequest {
    Store {
        verb: StoreVerb,
        key: Vec<u8>,
        client_flags: u32,
        exptime: i32,
        value: Vec<u8>,
        noreply: bool,
    },
    Retrieve {
        keys: Vec<u8>,
        with_cas: bool,
        touch: Option<i32>,
    },
    Delete {
        key: Vec<u8>,
        noreply: bool,
    },
    Arithmetic {
        key: Vec<u8>,
        direction: Direction,
        delta: u64,
        noreply: bool,
    },
    Touch {
        key: Vec<u8>,
        exptime: i32,
        noreply: bool,
    },
    Meta(OwnedMeta),
    FlushAll {
        delay: i32,
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
        mode: ShutdownMode,
        noreply: bool,
    },
    Arguments {
        verb: ArgumentsVerb,
        words: Vec<u8>,
        noreply: bool,
    },
    Alone(Alone),
}

/// The commands whose arguments are handed on unread.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ArgumentsVerb {
    Stats,
    Slabs,
    Lru,
    LruCrawler,
    Watch,
}

/// The commands without arguments.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Alone {
    Version,
    Quit,
    MetaNoop,
}

impl OwnedRequest {
    pub(crate) fn borrow(&self) -> Request<'_> {
        match *self {
            OwnedRequest::Store {
                verb,
                ref key,
                client_flags,
                exptime,
                ref value,
                noreply,
            } => Request::Store(Store {
                verb,
                key,
                client_flags,
                exptime: Exptime(exptime),
                value,
                noreply,
            }),
            OwnedRequest::Retrieve {
                ref keys,
                with_cas,
                touch,
            } => Request::Retrieve(Retrieve {
                keys: Tokens::new(keys),
                with_cas,
                touch: touch.map(Exptime),
            }),
            OwnedRequest::Delete { ref key, noreply } => Request::Delete(Delete { key, noreply }),
            OwnedRequest::Arithmetic {
                ref key,
                direction,
                delta,
                noreply,
            } => Request::Arithmetic(Arithmetic {
                key,
                direction,
                delta,
                noreply,
            }),
            OwnedRequest::Touch {
                ref key,
                exptime,
                noreply,
            } => Request::Touch(Touch {
                key,
                exptime: Exptime(exptime),
                noreply,
            }),
            OwnedRequest::Meta(ref meta) => Request::Meta(meta.borrow()),
            OwnedRequest::FlushAll { delay, noreply } => Request::FlushAll(FlushAll {
                delay: Exptime(delay),
                noreply,
            }),
            OwnedRequest::Verbosity { level, noreply } => Request::Verbosity(Verbosity { level, noreply }),
            OwnedRequest::CacheMemlimit { megabytes, noreply } => {
                Request::CacheMemlimit(CacheMemlimit { megabytes, noreply })
            }
            OwnedRequest::Shutdown { mode, noreply } => Request::Shutdown(Shutdown { mode, noreply }),
            OwnedRequest::Arguments {
                verb,
                ref words,
                noreply,
            } => {
                let arguments = Arguments {
                    words: Tokens::new(words),
                    noreply,
                };
                match verb {
                    ArgumentsVerb::Stats => Request::Stats(arguments),
                    ArgumentsVerb::Slabs => Request::Slabs(arguments),
                    ArgumentsVerb::Lru => Request::Lru(arguments),
                    ArgumentsVerb::LruCrawler => Request::LruCrawler(arguments),
                    ArgumentsVerb::Watch => Request::Watch(arguments),
                }
            }
            OwnedRequest::Alone(Alone::Version) => Request::Version,
            OwnedRequest::Alone(Alone::Quit) => Request::Quit,
            OwnedRequest::Alone(Alone::MetaNoop) => Request::MetaNoop,
        }
    }
}

/// Any request.
pub(crate) fn requests() -> impl Strategy<Value = OwnedRequest> {
    prop_oneof![
        8 => stores(),
        4 => retrieves(),
        2 => (keys(), any::<bool>()).prop_map(|(key, noreply)| OwnedRequest::Delete { key, noreply }),
        2 => arithmetics(),
        2 => (keys(), any::<i32>(), any::<bool>())
            .prop_map(|(key, exptime, noreply)| OwnedRequest::Touch { key, exptime, noreply }),
        10 => meta::metas().prop_map(OwnedRequest::Meta),
        1 => (any::<i32>(), any::<bool>()).prop_map(|(delay, noreply)| OwnedRequest::FlushAll { delay, noreply }),
        1 => (any::<u32>(), any::<bool>()).prop_map(|(level, noreply)| OwnedRequest::Verbosity { level, noreply }),
        1 => (any::<u32>(), any::<bool>())
            .prop_map(|(megabytes, noreply)| OwnedRequest::CacheMemlimit { megabytes, noreply }),
        1 => shutdowns(),
        3 => arguments(),
        1 => prop_oneof![Just(Alone::Version), Just(Alone::Quit), Just(Alone::MetaNoop)].prop_map(OwnedRequest::Alone),
    ]
}

fn stores() -> impl Strategy<Value = OwnedRequest> {
    let verbs = prop_oneof![
        Just(StoreVerb::Set),
        Just(StoreVerb::Add),
        Just(StoreVerb::Replace),
        Just(StoreVerb::Append),
        Just(StoreVerb::Prepend),
        any::<u64>().prop_map(|unique| StoreVerb::Cas { unique }),
    ];
    (verbs, keys(), any::<u32>(), any::<i32>(), values(), any::<bool>()).prop_map(
        |(verb, key, client_flags, exptime, value, noreply)| OwnedRequest::Store {
            verb,
            key,
            client_flags,
            exptime,
            value,
            noreply,
        },
    )
}

fn retrieves() -> impl Strategy<Value = OwnedRequest> {
    (prop::collection::vec(keys(), 1..6), any::<bool>(), any::<Option<i32>>()).prop_map(|(keys, with_cas, touch)| {
        OwnedRequest::Retrieve {
            keys: keys.join(&b' '),
            with_cas,
            touch,
        }
    })
}

fn arithmetics() -> impl Strategy<Value = OwnedRequest> {
    let directions = prop_oneof![Just(Direction::Increment), Just(Direction::Decrement)];
    (keys(), directions, any::<u64>(), any::<bool>()).prop_map(|(key, direction, delta, noreply)| {
        OwnedRequest::Arithmetic {
            key,
            direction,
            delta,
            noreply,
        }
    })
}

/// An immediate shutdown cannot be asked for silently: `noreply` is an unknown mode then.
fn shutdowns() -> impl Strategy<Value = OwnedRequest> {
    prop_oneof![
        Just((ShutdownMode::Immediate, false)),
        Just((ShutdownMode::Graceful, false)),
        any::<bool>().prop_map(|noreply| (ShutdownMode::Unknown, noreply)),
    ]
    .prop_map(|(mode, noreply)| OwnedRequest::Shutdown { mode, noreply })
}

fn arguments() -> impl Strategy<Value = OwnedRequest> {
    let verbs = prop_oneof![
        Just(ArgumentsVerb::Stats),
        Just(ArgumentsVerb::Slabs),
        Just(ArgumentsVerb::Lru),
        Just(ArgumentsVerb::LruCrawler),
        Just(ArgumentsVerb::Watch),
    ];
    let words = prop::collection::vec("[a-f0-9-]{1,8}", 0..6);
    (verbs, words, any::<bool>()).prop_map(|(verb, mut words, noreply)| {
        let noreply = noreply && !matches!(verb, ArgumentsVerb::Stats | ArgumentsVerb::Watch);
        if noreply {
            words.push("noreply".to_string());
        }
        OwnedRequest::Arguments {
            verb,
            words: words.join(" ").into_bytes(),
            noreply,
        }
    })
}

/// Keys of any bytes that a text key may have.
pub(crate) fn keys() -> impl Strategy<Value = Vec<u8>> {
    words(250)
}

/// Words of one byte and more. A CR at the end of a line would belong to the line's end, so none ends in CR.
pub(crate) fn words(bytes_max: usize) -> impl Strategy<Value = Vec<u8>> {
    let any_bytes = prop::collection::vec(any::<u8>(), 1..=bytes_max);
    let short = "[a-z0-9:]{1,12}".prop_map(String::into_bytes);
    prop_oneof![3 => short, 1 => any_bytes].prop_map(|mut word| {
        for byte in &mut word {
            if matches!(byte, b' ' | b'\n') {
                *byte = b'_';
            }
        }
        if let Some(last @ b'\r') = word.last_mut() {
            *last = b'_';
        }
        word
    })
}

/// Data blocks: empty ones, line ends and what looks like a command are likely.
pub(crate) fn values() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        Just(b"\r\n".to_vec()),
        Just(b"END\r\nget k\r\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..200),
        prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'x')], 0..12),
    ]
}
