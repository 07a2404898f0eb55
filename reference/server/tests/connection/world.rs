//! A service, its clients and scripted streams.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use refcached::{Clock, Config, Endpoint, Inline, Memory, Service};
use refcached_store::{MemoryOptions, Timestamp};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub(crate) type TestService = Arc<Service<Memory<foldhash::fast::FixedState>>>;

/// A clock that stands unless it is moved.
#[derive(Clone, Default)]
pub(crate) struct StandingClock(Arc<AtomicU64>);

impl StandingClock {
    pub(crate) fn advance_ms(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_s(1_800_000_000).plus_ms(self.0.load(Ordering::Relaxed))
    }
}

pub(crate) fn service(config: &Config) -> TestService {
    service_at(config, StandingClock::default())
}

pub(crate) fn service_at(config: &Config, clock: impl Clock) -> TestService {
    let options = MemoryOptions {
        limit_bytes: config.memory_bytes,
        ..MemoryOptions::default()
    };
    let backend = Memory::new(options, foldhash::fast::FixedState::default(), Inline);
    Service::new(config, backend, clock, Vec::new()).unwrap()
}

/// Serves `stream` in a task.
pub(crate) fn serve<T>(service: &TestService, stream: T) -> JoinHandle<()>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = Arc::clone(service);
    tokio::spawn(async move { service.serve_stream(stream, Endpoint::Unix(None)).await })
}

/// A client whose stream holds `capacity` bytes each way, and the task that serves it.
pub(crate) fn connect(service: &TestService, capacity: usize) -> (DuplexStream, JoinHandle<()>) {
    let (client, server) = tokio::io::duplex(capacity);
    (client, serve(service, server))
}

/// Longer than any wait of a test: it is reached only when something is wrong, and at once where time is paused.
const PATIENCE: Duration = Duration::from_secs(60);

#[track_caller]
pub(crate) fn assert_bytes(received: &[u8], expected: &[u8]) {
    assert_eq!(received.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

/// Reads as many bytes as `expected` has and compares.
pub(crate) async fn expect(client: &mut (impl AsyncRead + Unpin), expected: &[u8]) {
    let mut received = vec![0; expected.len()];
    client.read_exact(&mut received).await.expect("a whole reply");
    assert_bytes(&received, expected);
}

/// Reads to the end of the stream and expects nothing more.
pub(crate) async fn expect_end(client: &mut (impl AsyncRead + Unpin)) {
    let mut rest = Vec::new();
    timeout(PATIENCE, client.read_to_end(&mut rest))
        .await
        .expect("the end in time")
        .unwrap();
    assert_bytes(&rest, b"");
}

/// Sends `request` and expects exactly `reply`; a fence behind it shows that nothing follows.
pub(crate) async fn exchange(client: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &[u8], reply: &[u8]) {
    client.write_all(request).await.unwrap();
    expect(client, reply).await;
    client.write_all(b"mn\r\n").await.unwrap();
    expect(client, b"MN\r\n").await;
}

/// The value of a line of `stats`.
pub(crate) async fn stat(client: &mut (impl AsyncRead + AsyncWrite + Unpin), name: &str) -> u64 {
    client.write_all(b"stats\r\n").await.unwrap();
    let mut text = Vec::new();
    while !text.ends_with(b"END\r\n") {
        assert_ne!(
            client.read_buf(&mut text).await.unwrap(),
            0,
            "closed in the middle of stats"
        );
    }
    let text = String::from_utf8(text).unwrap();
    let values: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("STAT ")?.strip_prefix(name)?.strip_prefix(' '))
        .collect();
    assert_eq!(values.len(), 1, "{name} in {text}");
    values[0].parse().unwrap()
}

/// A stream that gives prepared pieces to its reader, then ends, and records each write.
#[derive(Clone, Default)]
pub(crate) struct Scripted {
    pub(crate) pieces: Arc<Mutex<VecDeque<Vec<u8>>>>,
    pub(crate) writes: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Scripted {
    pub(crate) fn new(pieces: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Scripted {
            pieces: Arc::new(Mutex::new(pieces.into_iter().collect())),
            writes: Arc::default(),
        }
    }
}

impl AsyncRead for Scripted {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut pieces = self.pieces.lock().unwrap();
        if let Some(piece) = pieces.front_mut() {
            let fits = piece.len().min(out.remaining());
            out.put_slice(&piece[..fits]);
            piece.drain(..fits);
            if piece.is_empty() {
                pieces.pop_front();
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Scripted {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.lock().unwrap().push(bytes.to_vec());
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
