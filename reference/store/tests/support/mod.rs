//! Drives the parser and the engine with bytes, as a server does.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::Arc;

use foldhash::fast::FixedState;
use refcached_protocol::{Parser, Step};
use refcached_store::redb::RedbOptions;
use refcached_store::{
    Engine, Environment, MemoryOptions, MemoryStore, NoHost, Options, Progress, RedbStore, Store, Timestamp,
};

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
        let environment = Environment::new(options, Box::new(NoHost), START);
        let store = MemoryStore::new(memory, FixedState::with_seed(1)).watched(environment.watchers());
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
        converse(&self.engine, self.now, input)
    }

    /// Sends and receives in the notation of the tables: ` | ` is CR LF, and one more ends the line.
    pub(crate) fn exchange(&self, sent: &str) -> String {
        let received = self.execute_bytes(line(sent).as_bytes());
        notation(&received)
    }
}

/// Everything that an engine answers to `input`, sent on a new connection. `<closed>` stands for the server closing.
pub(crate) fn converse<S: Store>(engine: &Engine<S>, now: Timestamp, input: &[u8]) -> Vec<u8> {
    let mut parser = Parser::new(engine.environment().options().limits);
    let mut rest = input;
    let mut out = Vec::new();
    loop {
        match parser.next(rest) {
            Step::Incomplete { consumed: 0, .. } => return out,
            Step::Incomplete { consumed, .. } => rest = &rest[consumed..],
            Step::Request { request, consumed } => {
                let mut progress = engine.execute(&request, now, &mut out);
                while let Progress::More(cursor) = progress {
                    progress = engine.resume(&request, cursor, now, &mut out);
                }
                if progress == Progress::Close {
                    out.extend_from_slice(b"<closed>");
                    return out;
                }
                rest = &rest[consumed..];
            }
            Step::Refused { refusal, consumed } => {
                engine.refuse(&refusal, now, &mut out);
                if refusal.closes() {
                    out.extend_from_slice(b"<closed>");
                    return out;
                }
                rest = &rest[consumed..];
            }
        }
    }
}

/// A server of any backend, as the tests that all of them have to pass see it.
pub(crate) trait Server {
    /// One with nothing in it.
    fn fresh() -> Self;

    /// Lets `ms` milliseconds pass.
    fn wait_ms(&mut self, ms: u64);

    /// What all its engines share.
    fn environment(&self) -> &Arc<Environment>;

    /// Everything that is answered to `input`, sent on a new connection.
    fn execute_bytes(&self, input: &[u8]) -> Vec<u8>;

    /// Sends and receives in the notation of the tables.
    fn exchange(&self, sent: &str) -> String {
        notation(&self.execute_bytes(line(sent).as_bytes()))
    }
}

impl Server for Session {
    fn fresh() -> Self {
        Session::default()
    }

    fn wait_ms(&mut self, ms: u64) {
        Session::wait_ms(self, ms);
    }

    fn environment(&self) -> &Arc<Environment> {
        self.engine.environment()
    }

    fn execute_bytes(&self, input: &[u8]) -> Vec<u8> {
        Session::execute_bytes(self, input)
    }
}

/// A redb store: what one connection sends is one transaction.
pub(crate) struct OnDisk {
    pub(crate) store: RedbStore,
    environment: Arc<Environment>,
    pub(crate) now: Timestamp,
}

/// Options for a small dataset that is made if it is not there.
pub(crate) const SMALL: RedbOptions = RedbOptions {
    create: true,
    cache_bytes: 1 << 20,
    access_slots: 1 << 10,
    ..RedbOptions::DEFAULT
};

impl OnDisk {
    pub(crate) fn on(store: RedbStore) -> Self {
        let environment = Environment::new(Options::default(), Box::new(NoHost), START);
        OnDisk {
            store,
            environment: Arc::new(environment),
            now: START,
        }
    }

    /// What is answered by a transaction that only reads.
    pub(crate) fn read_bytes(&self, input: &[u8]) -> Vec<u8> {
        let answered = self
            .store
            .read(|batch| converse(&Engine::new(batch, Arc::clone(&self.environment)), self.now, input));
        answered.expect("the storage works")
    }
}

impl Server for OnDisk {
    fn fresh() -> Self {
        let storage = redb::backends::InMemoryBackend::new();
        OnDisk::on(RedbStore::open_on(storage, &SMALL, START, |_| {}).expect("a dataset is made"))
    }

    fn wait_ms(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
    }

    fn environment(&self) -> &Arc<Environment> {
        &self.environment
    }

    fn execute_bytes(&self, input: &[u8]) -> Vec<u8> {
        let answered = self
            .store
            .write(|batch| converse(&Engine::new(batch, Arc::clone(&self.environment)), self.now, input));
        answered.expect("the storage works")
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

/// Plays a table on a fresh server of each backend and fails with the step that went wrong.
#[track_caller]
pub(crate) fn play(steps: &[Exchange]) {
    play_on(Session::fresh(), "memory", steps);
    play_on(OnDisk::fresh(), "redb", steps);
}

#[track_caller]
fn play_on(mut server: impl Server, backend: &str, steps: &[Exchange]) {
    for (number, (sent, expected)) in steps.iter().enumerate() {
        if let Some(ms) = sent.strip_prefix("(wait ") {
            let ms = ms.trim_end_matches(')').parse();
            server.wait_ms(ms.expect("a wait is a number of milliseconds"));
            continue;
        }
        assert_eq!(
            server.exchange(sent),
            *expected,
            "{backend}, step {number}, sent {sent:?}; table: {steps:#?}"
        );
    }
}
