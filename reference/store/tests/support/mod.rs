//! Drives the parser and the engine with bytes, as a server does.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::Arc;

use foldhash::fast::FixedState;
use refcached_protocol::{Parser, Step};
use refcached_store::{Engine, Environment, MemoryOptions, MemoryStore, NoHost, Options, Progress, Timestamp};

pub(crate) type Memory = MemoryStore<FixedState>;

/// When the tests begin: a time far from both ends, in the middle of a second.
pub(crate) const START: Timestamp = Timestamp::from_unix_ms(1_800_000_000_500);

/// An engine with a clock that only moves when told to, and one connection to it.
pub(crate) struct Session {
    pub(crate) engine: Engine<Memory>,
    pub(crate) now: Timestamp,
}

impl Default for Session {
    fn default() -> Self {
        Session::new(Options::default(), MemoryOptions::default())
    }
}

impl Session {
    pub(crate) fn new(options: Options, memory: MemoryOptions) -> Self {
        let store = MemoryStore::new(memory, FixedState::with_seed(1));
        let environment = Environment::new(options, Box::new(NoHost), START);
        Session {
            engine: Engine::new(store, Arc::new(environment)),
            now: START,
        }
    }

    /// Lets `ms` milliseconds pass.
    pub(crate) fn wait_ms(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
    }

    /// Everything that is answered to `input`, sent on a new connection. `<closed>` stands for the server closing.
    pub(crate) fn execute_bytes(&self, input: &[u8]) -> Vec<u8> {
        let mut parser = Parser::new(self.engine.environment().options().limits);
        let mut rest = input;
        let mut out = Vec::new();
        loop {
            match parser.next(rest) {
                Step::Incomplete { consumed: 0, .. } => return out,
                Step::Incomplete { consumed, .. } => rest = &rest[consumed..],
                Step::Request { request, consumed } => {
                    let mut progress = self.engine.execute(&request, self.now, &mut out);
                    while let Progress::More(cursor) = progress {
                        progress = self.engine.resume(&request, cursor, self.now, &mut out);
                    }
                    if progress == Progress::Close {
                        out.extend_from_slice(b"<closed>");
                        return out;
                    }
                    rest = &rest[consumed..];
                }
                Step::Refused { refusal, consumed } => {
                    self.engine.refuse(&refusal, self.now, &mut out);
                    if refusal.closes() {
                        out.extend_from_slice(b"<closed>");
                        return out;
                    }
                    rest = &rest[consumed..];
                }
            }
        }
    }

    /// Sends and receives in the notation of the tables: ` | ` is CR LF, and one more ends the line.
    pub(crate) fn exchange(&self, sent: &str) -> String {
        let received = self.execute_bytes(line(sent).as_bytes());
        notation(&received)
    }
}

/// The bytes of a request in the notation of the tables.
pub(crate) fn line(sent: &str) -> String {
    format!("{}\r\n", sent.replace(" | ", "\r\n"))
}

/// Bytes in the notation of the tables.
pub(crate) fn notation(received: &[u8]) -> String {
    let text = received.escape_ascii().to_string();
    let text = text.replace("\\r\\n", " | ");
    String::from(text.strip_suffix(" | ").unwrap_or(&text))
}

/// One step of a table: what is sent and what must come back; `(wait N)` lets N milliseconds pass and answers nothing.
pub(crate) type Exchange = (&'static str, &'static str);

/// Plays a table on a fresh server and fails with the step that went wrong.
#[track_caller]
pub(crate) fn play(steps: &[Exchange]) {
    let mut session = Session::default();
    for (number, (sent, expected)) in steps.iter().enumerate() {
        if let Some(ms) = sent.strip_prefix("(wait ") {
            let ms = ms.trim_end_matches(')').parse();
            session.wait_ms(ms.expect("a wait is a number of milliseconds"));
            continue;
        }
        assert_eq!(
            session.exchange(sent),
            *expected,
            "step {number}, sent {sent:?}; table: {steps:#?}"
        );
    }
}
