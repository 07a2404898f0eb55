//! The paths that nearly every command takes.

use std::hint::black_box;
use std::sync::Arc;

use foldhash::fast::FixedState;
use refcached_protocol::response::Value;
use refcached_protocol::{Limits, Parser, Step};
use refcached_store::{Engine, Environment, MemoryOptions, MemoryStore, NoHost, Options, Progress, Store, Timestamp};
use refcached_swap::{Policy, SwapCell};

/// Something to count.
pub(crate) struct Path {
    pub(crate) name: &'static str,
    /// Plays it so many times.
    pub(crate) play: fn(u64),
}

/// All of them.
pub(crate) const ALL: [Path; 10] = [
    Path {
        name: "parse_get",
        play: |times| parse(GET, times),
    },
    Path {
        name: "parse_meta_get",
        play: |times| parse(META_GET, times),
    },
    Path {
        name: "parse_set",
        play: |times| parse(SET, times),
    },
    Path {
        name: "execute_get_hit",
        play: |times| execute(GET, times),
    },
    Path {
        name: "execute_meta_get_hit",
        play: |times| execute(META_GET, times),
    },
    Path {
        name: "execute_set",
        play: |times| execute(SET, times),
    },
    Path {
        name: "foresee_eight",
        play: foresee_eight,
    },
    Path {
        name: "encode_hit",
        play: encode_hit,
    },
    Path {
        name: "lease_check",
        play: lease_check,
    },
    Path {
        name: "lease_parked",
        play: lease_parked,
    },
];

const GET: &[u8] = b"get key-000000000042\r\n";
const META_GET: &[u8] = b"mg key-000000000042 v\r\n";
const SET: &[u8] = b"set key-000000000042 0 0 100\r\n\
    0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\r\n";

const NOW: Timestamp = Timestamp::from_unix_s(1_800_000_000);

fn parse(request: &[u8], times: u64) {
    let mut parser = Parser::new(Limits::default());
    for _ in 0..times {
        black_box(parser.next(black_box(request)));
    }
}

/// Executes `request` on an item that is there.
fn execute(request: &[u8], times: u64) {
    let store = MemoryStore::new(MemoryOptions::default(), FixedState::with_seed(1));
    let environment = Environment::new(Options::default(), Box::new(NoHost), NOW);
    let engine = Engine::new(store, Arc::new(environment));
    let mut out = Vec::with_capacity(1 << 10);
    let mut run = |request: &[u8], times| {
        let mut parser = Parser::new(Limits::default());
        let Step::Request { request, .. } = parser.next(request) else {
            unreachable!("the requests above are complete, and right");
        };
        for _ in 0..times {
            out.clear();
            let progress = engine.execute(black_box(&request), black_box(NOW), &mut out);
            assert_eq!(progress, Progress::Done);
        }
        black_box(&out);
    };
    run(SET, 1);
    run(request, times);
}

/// What a look ahead costs a pipeline of eight. What it spares, waits for memory, cannot be counted.
fn foresee_eight(times: u64) {
    let store = MemoryStore::new(MemoryOptions::default(), FixedState::with_seed(1));
    let environment = Environment::new(Options::default(), Box::new(NoHost), NOW);
    let engine = Engine::new(store, Arc::new(environment));
    let keys: [String; 8] = std::array::from_fn(|number| format!("key-{number:012}"));
    let mut out = Vec::new();
    for key in &keys {
        let request = format!("set {key} 0 0 100\r\n{}\r\n", "x".repeat(100));
        let mut parser = Parser::new(Limits::default());
        let Step::Request { request, .. } = parser.next(request.as_bytes()) else {
            unreachable!("the request is complete, and right");
        };
        assert_eq!(engine.execute(&request, NOW, &mut out), Progress::Done);
    }
    let keys = keys.each_ref().map(String::as_bytes);
    for _ in 0..times {
        engine.store().foresee(black_box(&keys));
    }
}

fn encode_hit(times: u64) {
    let mut out = Vec::with_capacity(1 << 10);
    let value = Value {
        key: b"key-000000000042",
        client_flags: 0,
        data: &[b'x'; 100],
        cas: None,
    };
    for _ in 0..times {
        out.clear();
        black_box(&value).encode(&mut out);
        black_box(&out);
    }
}

/// Asking for the dataset while the lease is in hand.
fn lease_check(times: u64) {
    let cell = SwapCell::new(Policy::Command, 1);
    let mut reader = cell.reader();
    for _ in 0..times {
        black_box(black_box(&mut reader).dataset().generation());
    }
}

/// The same after each wait for the client.
fn lease_parked(times: u64) {
    let cell = SwapCell::new(Policy::Command, 1);
    let mut reader = cell.reader();
    for _ in 0..times {
        black_box(black_box(&mut reader).dataset().generation());
        reader.park();
    }
}
