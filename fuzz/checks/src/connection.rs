//! The server's connection loop on a stream in memory: pieces of any size, a client that reads slowly or goes away.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use foldhash::fast::FixedState;
use refcached::{Clock, Config, DIALECT, Endpoint, Inline, Memory, Service};
use refcached_protocol::{Limits, Parser, Step};
use refcached_store::{Engine, Environment, MemoryOptions, MemoryStore, NoHost, Options, Progress, Timestamp};

use crate::cuts::Plan;

mod stream;

use stream::Stream;

const NOW: Timestamp = Timestamp::from_unix_ms(1_800_000_000_250);

/// Longer streams reach the limit of a line, at which cutting makes a difference.
const STREAM_BYTES_MAX: usize = 2000;

/// A connection that has not ended after so many wake-ups does not end.
const WAKES_MAX: usize = 100_000;

/// What these answer depends on what else the process does, or on how the bytes came.
const NOT_COMPARED: [&[u8]; 3] = [b"stats", b"watch", b"lru_crawler"];

/// Serves the stream of `input` and compares what comes back with what parser and engine say when nobody cuts anything.
///
/// # Panics
/// When it differs, when the connection does not end, or when it takes or keeps more than it may.
pub fn check(input: &[u8]) {
    let Some((&manner, input)) = input.split_first() else {
        return;
    };
    let Some((plan, requests)) = Plan::split(input) else {
        return;
    };
    let requests = &requests[..requests.len().min(STREAM_BYTES_MAX)];
    let stream = Stream::new(requests.to_vec(), plan.cuts, manner);
    let seen = stream.seen();
    serve(stream);
    let seen = seen.lock().expect("nothing panics while it is held");
    if NOT_COMPARED.iter().any(|word| contains(requests, word)) {
        return;
    }
    let expected = replies(requests);
    let received = seen.received.escape_ascii().to_string();
    if seen.broken {
        let expected = expected.get(..seen.received.len()).unwrap_or_default();
        assert_eq!(
            received,
            expected.escape_ascii().to_string(),
            "before the client went away"
        );
    } else {
        assert_eq!(
            received,
            expected.escape_ascii().to_string(),
            "the connection (left) and the engine (right)"
        );
    }
}

struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        NOW
    }
}

fn serve(stream: Stream) {
    let memory = MemoryOptions {
        limit_bytes: 64 << 20,
        shards: 1,
    };
    let backend = Memory::new(memory, FixedState::default(), Inline);
    let service = Service::new(&Config::default(), backend, Standing, Vec::new()).expect("an empty dataset is there");
    let mut serving = pin!(service.serve_stream(stream, Endpoint::Unix(None)));
    let mut context = Context::from_waker(Waker::noop());
    let ended = (0..WAKES_MAX).any(|_| serving.as_mut().poll(&mut context).is_ready());
    assert!(ended, "the connection does not end");
}

/// What parser and engine answer to the stream as a whole.
fn replies(requests: &[u8]) -> Vec<u8> {
    let limits = Limits::default();
    let options = Options {
        version: DIALECT.to_owned(),
        ..Options::default()
    };
    let memory = MemoryOptions {
        limit_bytes: 64 << 20,
        shards: 1,
    };
    let environment = Arc::new(Environment::new(options, Box::new(NoHost), NOW));
    let engine = Engine::new(MemoryStore::new(memory, FixedState::default()), environment);
    let mut parser = Parser::new(limits);
    let (mut done, mut out) = (0, Vec::new());
    loop {
        match parser.next(&requests[done..]) {
            Step::Incomplete { .. } => return out,
            Step::Request { request, consumed } => {
                let mut progress = engine.execute(&request, NOW, &mut out);
                while let Progress::More(cursor) = progress {
                    progress = engine.resume(&request, cursor, NOW, &mut out);
                }
                if progress == Progress::Close {
                    return out;
                }
                done += consumed;
            }
            Step::Refused { refusal, consumed } => {
                engine.refuse(&refusal, NOW, &mut out);
                if refusal.closes() {
                    return out;
                }
                done += consumed;
            }
        }
    }
}

fn contains(stream: &[u8], word: &[u8]) -> bool {
    stream.windows(word.len()).any(|window| window == word)
}
