//! A random stream through parser, engine and encoder, against the model.

use std::sync::Arc;

use foldhash::fast::FixedState;
use refcached_protocol::{Limits, Parser, Step};
use refcached_store::{Engine, Environment, MemoryOptions, MemoryStore, NoHost, Options, Progress, Timestamp};

use crate::model::Model;
use crate::operation::{BYTES, Operation};

/// When the world begins, in Unix milliseconds.
const START_MS: u64 = 1_800_000_000_250;

/// So small that an item of [`crate::operation::TOO_LARGE_BYTES`] is too large, as is what is made by appending.
pub(crate) const ITEM_BYTES_MAX: u64 = 200;

/// More operations than this make an input slow and show nothing more.
const OPERATIONS_MAX: usize = 64;

/// Plays the operations of `input` to both and compares what they answer.
///
/// # Panics
/// When the answers differ.
pub fn check(input: &[u8]) {
    let mut real = Real::new();
    let mut model = Model::new(START_MS);
    let mut now_ms = START_MS;
    for bytes in input.as_chunks::<BYTES>().0.iter().take(OPERATIONS_MAX) {
        now_ms += Operation::pause_ms(*bytes);
        let operation = Operation::decode(*bytes, now_ms / 1000, |key| model.cas(key));
        let expected = model.answer(&operation, now_ms);
        let received = real.answer(&operation, now_ms);
        assert_eq!(
            received.escape_ascii().to_string(),
            expected.escape_ascii().to_string(),
            "the engine (left) and the model (right) on {operation:?}"
        );
    }
}

/// Parser and engine, as a server puts them together.
struct Real {
    parser: Parser,
    engine: Engine<MemoryStore<FixedState>>,
    input: Vec<u8>,
}

impl Real {
    fn new() -> Self {
        let limits = Limits {
            item_bytes_max: ITEM_BYTES_MAX,
            ..Limits::default()
        };
        let options = Options {
            limits,
            ..Options::default()
        };
        let memory = MemoryOptions {
            limit_bytes: 0,
            shards: 1,
        };
        let started = Timestamp::from_unix_ms(START_MS);
        let environment = Environment::new(options, Box::new(NoHost), started);
        Real {
            parser: Parser::new(limits),
            engine: Engine::new(MemoryStore::new(memory, FixedState::default()), Arc::new(environment)),
            input: Vec::new(),
        }
    }

    fn answer(&mut self, operation: &Operation, now_ms: u64) -> Vec<u8> {
        let now = Timestamp::from_unix_ms(now_ms);
        let mut output = Vec::new();
        operation.encode(&mut self.input);
        loop {
            let consumed = match self.parser.next(&self.input) {
                Step::Incomplete { consumed, .. } => {
                    self.input.drain(..consumed);
                    break;
                }
                Step::Request { request, consumed } => {
                    let progress = self.engine.execute(&request, now, &mut output);
                    assert_eq!(progress, Progress::Done, "so little output, and no end: {request:?}");
                    consumed
                }
                Step::Refused { refusal, consumed } => {
                    self.engine.refuse(&refusal, now, &mut output);
                    consumed
                }
            };
            self.input.drain(..consumed);
        }
        assert!(self.input.is_empty(), "left over: {}", self.input.escape_ascii());
        output
    }
}
