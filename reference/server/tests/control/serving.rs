//! Connections over a network in memory, in paused time: how many, how long, and how they end.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use refcached::control::{Limits, router, serve};
use refcached::{Endpoint, Listener};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::fake::Fake;

/// Times that are nobody's defaults.
const IMPATIENT: Limits = Limits {
    body_bytes_max: 1024,
    head_timeout: Duration::from_secs(7),
    body_timeout: Duration::from_secs(3),
    write_timeout: Duration::from_secs(5),
    connections_max: 2,
    switches_max: 2,
    stop_grace: Duration::from_secs(11),
};

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
const SLOW: &str = "POST /api/v1/switchdb HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                    content-length: 18\r\n\r\nfilename=slow.redb";

/// A listener that is handed its connections, or errors.
struct InMemory(Mutex<mpsc::Receiver<io::Result<DuplexStream>>>);

impl Listener for InMemory {
    type Stream = DuplexStream;

    async fn accept(&self) -> io::Result<(DuplexStream, Endpoint)> {
        match self.0.lock().await.recv().await {
            Some(accepted) => accepted.map(|stream| (stream, Endpoint::Unix(None))),
            None => std::future::pending().await,
        }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Unix(Some(PathBuf::from("memory")))
    }
}

struct Server {
    fake: Arc<Fake>,
    connections: mpsc::Sender<io::Result<DuplexStream>>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Server {
    fn start() -> Server {
        let fake = Arc::new(Fake::default());
        let (connections, accepted) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let routes = router(fake.clone(), None, IMPATIENT);
        let listener = InMemory(Mutex::new(accepted));
        let serving = tokio::spawn(serve(listener, routes, IMPATIENT, stop.clone()));
        Server {
            fake,
            connections,
            stop,
            serving,
        }
    }

    /// A connection with something sent on it.
    async fn connect(&self, sent: &str) -> DuplexStream {
        let (mut near, far) = tokio::io::duplex(4096);
        self.connections.send(Ok(far)).await.unwrap();
        near.write_all(sent.as_bytes()).await.unwrap();
        near
    }
}

/// What comes until the end of the connection, and when that is.
async fn end_of(mut stream: DuplexStream) -> (String, Duration) {
    let begun = Instant::now();
    let mut text = String::new();
    // A connection that is cut may end in an error; what came before counts.
    let _ = stream.read_to_string(&mut text).await;
    (text, begun.elapsed())
}

/// The first line of the next answer, which has come to its end.
async fn answer(stream: &mut DuplexStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"ok\n") && !text.ends_with(b"}") {
        assert_ne!(stream.read_buf(&mut text).await.unwrap(), 0);
    }
    String::from_utf8(text).unwrap().lines().next().unwrap().to_owned()
}

const OK: &str = "HTTP/1.1 200 OK";

#[tokio::test(start_paused = true)]
async fn a_connection_is_kept_for_the_next_request() {
    let server = Server::start();
    let mut client = server.connect(HEALTH).await;
    assert_eq!(answer(&mut client).await, OK);
    client.write_all(HEALTH.as_bytes()).await.unwrap();
    assert_eq!(answer(&mut client).await, OK);
}

#[tokio::test(start_paused = true)]
async fn whoever_does_not_send_a_head_is_let_go() {
    let server = Server::start();
    for sent in ["", "GET /healthz HTTP/1.1\r\nho"] {
        let (_, waited) = end_of(server.connect(sent).await).await;
        assert_eq!(waited.as_secs(), 7, "{sent:?}");
    }
    let mut kept = server.connect(HEALTH).await;
    assert_eq!(answer(&mut kept).await, OK);
    assert_eq!(end_of(kept).await.1.as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_long_is_refused() {
    let server = Server::start();
    let client = server.connect("GET /healthz HTTP/1.1\r\nx: ").await;
    let (mut from, mut to) = tokio::io::split(client);
    let sending = tokio::spawn(async move { while to.write_all(&[b'y'; 1024]).await.is_ok() {} });
    let mut text = String::new();
    let _ = from.read_to_string(&mut text).await;
    assert!(text.starts_with("HTTP/1.1 431 "), "{text}");
    sending.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_announced_huge_is_refused_before_it_has_come() {
    let server = Server::start();
    let head = "POST /api/v1/switchdb HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n";
    let (mut from, mut to) = tokio::io::split(server.connect(head).await);
    let sending = tokio::spawn(async move { while to.write_all(&[b' '; 1024]).await.is_ok() {} });
    let mut text = String::new();
    let _ = from.read_to_string(&mut text).await;
    assert!(text.starts_with("HTTP/1.1 413 "), "{text}");
    sending.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let server = Server::start();
    let client = server.connect(&SLOW[..SLOW.len() - 1]).await;
    let (text, waited) = end_of(client).await;
    assert!(text.starts_with("HTTP/1.1 408 "), "{text}");
    assert_eq!(waited.as_secs(), 3);
    assert!(server.fake.asked.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_no_answers_is_let_go() {
    let server = Server::start();
    let (mut from, mut to) = tokio::io::split(server.connect("").await);
    let begun = Instant::now();
    // Answers fill the network until the server can write no more.
    while to.write_all(HEALTH.as_bytes()).await.is_ok() {}
    assert_eq!(begun.elapsed().as_secs(), 5);
    let mut text = Vec::new();
    let _ = from.read_to_end(&mut text).await;
    assert!(text.starts_with(OK.as_bytes()));
}

#[tokio::test(start_paused = true)]
async fn connections_above_the_limit_wait_for_a_place() {
    let server = Server::start();
    let idle = server.connect("").await;
    let mut second = server.connect(HEALTH).await;
    assert_eq!(answer(&mut second).await, OK);
    let mut third = server.connect(HEALTH).await;
    assert!(timeout(Duration::from_secs(1), third.read_u8()).await.is_err());
    drop(idle);
    assert_eq!(answer(&mut third).await, OK);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_network_is_survived() {
    let server = Server::start();
    for _ in 0..3 {
        let error = io::Error::other("too many open files");
        server.connections.send(Err(error)).await.unwrap();
    }
    assert_eq!(answer(&mut server.connect(HEALTH).await).await, OK);
}

#[tokio::test(start_paused = true)]
async fn a_slow_switch_is_waited_for_longer_than_any_client_is() {
    let server = Server::start();
    let mut client = server.connect(SLOW).await;
    assert!(timeout(Duration::from_secs(3600), client.read_u8()).await.is_err());
    server.fake.finish();
    assert_eq!(answer(&mut client).await, OK);
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_idle_connections_at_once_and_answers_what_has_begun() {
    let server = Server::start();
    let idle = server.connect("").await;
    let mut busy = server.connect(SLOW).await;
    while server.fake.asked.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    server.stop.cancel();
    assert_eq!(end_of(idle).await.1, Duration::ZERO);
    server.fake.finish();
    assert_eq!(answer(&mut busy).await, OK);
    assert_eq!(end_of(busy).await.1, Duration::ZERO);
    server.serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_still_busy_after_the_grace_is_cut() {
    let server = Server::start();
    let busy = server.connect(SLOW).await;
    while server.fake.asked.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    server.stop.cancel();
    let (text, waited) = end_of(busy).await;
    assert_eq!((text.as_str(), waited.as_secs()), ("", 11));
    server.serving.await.unwrap();
}
