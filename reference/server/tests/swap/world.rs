//! A service over files in memory, and its clients.

use std::sync::Arc;
use std::time::Duration;

use refcached::backend::Backend;
use refcached::{Administration, Blocking, Clock, Config, Endpoint, Inline, Redb, Service, SwitchError, Switched};
use refcached_store::{RedbOptions, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::shelf::Shelf;

pub(crate) type TestService = Arc<Service<Redb<Shelf>>>;

/// The runtime's time, which is paused.
pub(crate) struct PausedClock(Instant);

impl PausedClock {
    pub(crate) fn new() -> Self {
        PausedClock(Instant::now())
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        let ms = u64::try_from(self.0.elapsed().as_millis()).unwrap();
        Timestamp::from_unix_s(1_800_000_000).plus_ms(ms)
    }
}

/// A configuration that serves `data` first.
pub(crate) fn config(data: &str) -> Config {
    Config {
        backend: "redb".to_owned(),
        data: Some(data.to_owned()),
        drain_timeout: Duration::from_secs(10),
        ..Config::default()
    }
}

/// A service over `shelf`, in this thread alone.
pub(crate) fn service(shelf: &Shelf, config: &Config) -> TestService {
    service_with(shelf, config, RedbOptions::DEFAULT, Inline)
}

pub(crate) fn service_with(
    shelf: &Shelf,
    config: &Config,
    options: RedbOptions,
    blocking: impl Blocking,
) -> TestService {
    let backend = Redb::new(shelf.clone(), options, 2, blocking);
    Service::new(config, backend, PausedClock::new(), Vec::new()).unwrap()
}

/// Longer than any wait of a test: it is reached only when something is wrong, and at once where time is paused.
const PATIENCE: Duration = Duration::from_secs(600);

/// A client and the task that serves it.
pub(crate) struct Client {
    stream: DuplexStream,
    served: JoinHandle<()>,
}

impl Client {
    pub(crate) fn connect<B: Backend>(service: &Arc<Service<B>>) -> Client {
        Client::connect_narrow(service, 1 << 16)
    }

    /// A client whose stream holds `capacity` bytes each way.
    pub(crate) fn connect_narrow<B: Backend>(service: &Arc<Service<B>>, capacity: usize) -> Client {
        let (stream, server) = tokio::io::duplex(capacity);
        let service = Arc::clone(service);
        let served = tokio::spawn(async move { service.serve_stream(server, Endpoint::Unix(None)).await });
        Client { stream, served }
    }

    pub(crate) async fn send(&mut self, request: &[u8]) {
        self.stream.write_all(request).await.unwrap();
    }

    /// Reads as many bytes as `expected` has and compares.
    pub(crate) async fn expect(&mut self, expected: &[u8]) {
        let mut received = vec![0; expected.len()];
        self.read_exact(&mut received).await;
        assert_eq!(received.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    pub(crate) async fn read_exact(&mut self, bytes: &mut [u8]) {
        let read = timeout(PATIENCE, self.stream.read_exact(bytes)).await;
        read.expect("a reply in time").expect("a whole reply");
    }

    /// Sends `request` and expects exactly `reply`; a fence behind it shows that nothing follows.
    pub(crate) async fn exchange(&mut self, request: &[u8], reply: &[u8]) {
        self.send(request).await;
        self.expect(reply).await;
        self.fence().await;
    }

    /// The value of `key`, which is there.
    pub(crate) async fn value(&mut self, key: &str) -> String {
        self.send(format!("get {key}\r\n").as_bytes()).await;
        let header = self.line().await;
        let value = self.line().await;
        assert!(header.starts_with("VALUE "), "{header}");
        self.expect(b"END\r\n").await;
        value
    }

    /// Reads a line that is a number.
    pub(crate) async fn number(&mut self) -> u64 {
        self.line().await.parse().unwrap()
    }

    /// Reads lines up to the one that is `last`.
    pub(crate) async fn lines_until(&mut self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line| line != last) {
            lines.push(self.line().await);
        }
        lines
    }

    async fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            self.read_exact(&mut byte).await;
            line.extend(byte);
        }
        String::from_utf8(line).unwrap().trim_end().to_owned()
    }

    pub(crate) async fn fence(&mut self) {
        self.send(b"mn\r\n").await;
        self.expect(b"MN\r\n").await;
    }

    /// Expects the value of `key` to be `value`.
    pub(crate) async fn expect_value(&mut self, key: &str, value: &str) {
        let reply = format!("VALUE {key} 0 {}\r\n{value}\r\nEND\r\n", value.len());
        self.exchange(format!("get {key}\r\n").as_bytes(), reply.as_bytes())
            .await;
    }

    /// Waits until it is not served any more.
    pub(crate) async fn end(&mut self) {
        timeout(PATIENCE, &mut self.served)
            .await
            .expect("its end in time")
            .unwrap();
    }

    /// Reads to the end of the stream.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let read = timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await;
        read.expect("the end in time").unwrap();
        rest
    }

    /// The value of a line of `stats`.
    pub(crate) async fn stat(&mut self, name: &str) -> u64 {
        self.send(b"stats\r\n").await;
        let mut text = Vec::new();
        while !text.ends_with(b"END\r\n") {
            assert_ne!(self.stream.read_buf(&mut text).await.unwrap(), 0, "closed within stats");
        }
        let text = String::from_utf8(text).unwrap();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix("STAT ")?.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("{name} in {text}")).parse().unwrap()
    }
}

/// Switches and waits for the answer.
pub(crate) async fn switch(service: &TestService, name: &str) -> Result<Switched, SwitchError> {
    let switching = Arc::clone(service).switch(name.to_owned());
    timeout(PATIENCE, switching).await.expect("an answer in time")
}

/// Begins a switch, and gives what is running time to come to a stop.
pub(crate) async fn begin_switch(service: &TestService, name: &str) -> JoinHandle<Result<Switched, SwitchError>> {
    let switching = tokio::spawn(Arc::clone(service).switch(name.to_owned()));
    settle().await;
    switching
}

/// Time is paused: a millisecond passes when nobody has anything to do.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}
