//! Connections over a network in memory, in paused time: how many, how long, and how they end.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use axum::serve::Listener;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use wtfdial::http::{Limits, serve};

/// Times that are nobody's defaults.
const IMPATIENT: Limits = Limits {
    body_bytes_max: 1024,
    head_timeout: Duration::from_secs(7),
    request_timeout: Duration::from_secs(3),
    connections_max: 8,
    streams_max: 8,
    stream_keep_alive: Duration::from_secs(5),
    stop_grace: Duration::from_secs(11),
};

/// A listener that is handed its connections.
struct InMemory(mpsc::Receiver<DuplexStream>);

impl Listener for InMemory {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.recv().await {
            Some(stream) => (stream, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A service of one fast and one endless route.
struct Service {
    connections: mpsc::Sender<DuplexStream>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

impl Service {
    fn start(limits: Limits) -> Service {
        let routes = Router::new()
            .route("/fast", get(|| async { "done" }))
            .route(
                "/slow",
                get(|| async {
                    tokio::time::sleep(Duration::from_secs(5)).await;
                    "done"
                }),
            )
            .route("/endless", get(std::future::pending::<&'static str>));
        let (connections, accepted) = mpsc::channel(1);
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(InMemory(accepted), routes, limits, stop.clone()));
        Service {
            connections,
            stop,
            serving,
        }
    }

    /// A connection with something sent on it.
    async fn connect(&self, sent: &str) -> DuplexStream {
        let (mut near, far) = tokio::io::duplex(4096);
        self.connections.send(far).await.unwrap();
        near.write_all(sent.as_bytes()).await.unwrap();
        near
    }
}

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n")
}

/// Reads one answer, for which a minute is too long.
async fn answer(stream: &mut DuplexStream) -> String {
    let mut text = String::new();
    while !text.ends_with("done") {
        let mut part = [0; 512];
        let read = timeout(Duration::from_secs(60), stream.read(&mut part)).await;
        let length = read.expect("no answer").unwrap();
        assert_ne!(length, 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&part[..length]).unwrap());
    }
    text
}

/// What comes until the connection is closed, and how many seconds that takes.
async fn end(stream: &mut DuplexStream) -> (String, u64) {
    let begun = Instant::now();
    let mut rest = Vec::new();
    // A cut connection ends in an error, a closed one does not.
    let _ = stream.read_to_end(&mut rest).await;
    (String::from_utf8(rest).unwrap(), begun.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_whole_ends_the_connection_in_time() {
    let service = Service::start(IMPATIENT);
    let limit = IMPATIENT.head_timeout.as_secs();
    for sent in ["", "GET /fast HTT", "GET /fast HTTP/1.1\r\nHost: here\r\n"] {
        let mut stream = service.connect(sent).await;
        let (_, seconds) = end(&mut stream).await;
        assert_eq!(seconds, limit, "{sent:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_idles_between_requests_is_closed_too() {
    let service = Service::start(IMPATIENT);
    let mut stream = service.connect(&request("/fast")).await;
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200 OK"));
    assert_eq!(
        end(&mut stream).await,
        (String::new(), IMPATIENT.head_timeout.as_secs())
    );
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_long_is_refused() {
    let service = Service::start(Limits::default());
    let (near, far) = tokio::io::duplex(64 << 10);
    service.connections.send(far).await.unwrap();
    let mut stream = near;
    let head = format!(
        "GET /fast HTTP/1.1\r\nHost: here\r\nPadding: {}\r\n\r\n",
        "x".repeat(32 << 10)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let (said, _) = end(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 431 "), "{said}");
}

#[tokio::test(start_paused = true)]
async fn one_connection_more_than_may_be_waits_for_a_place() {
    let service = Service::start(Limits {
        connections_max: 2,
        ..Limits::default()
    });
    let mut first = service.connect(&request("/fast")).await;
    let mut second = service.connect(&request("/fast")).await;
    answer(&mut first).await;
    answer(&mut second).await;
    let mut third = service.connect(&request("/fast")).await;
    assert!(
        timeout(Duration::from_secs(20), answer(&mut third)).await.is_err(),
        "a third was served"
    );
    drop(first);
    answer(&mut third).await;
}

#[tokio::test(start_paused = true)]
async fn stopping_answers_what_has_begun_and_accepts_nothing_more() {
    let service = Service::start(Limits::default());
    let mut busy = service.connect(&request("/slow")).await;
    let mut idle = service.connect("").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    service.stop.cancel();
    assert_eq!(end(&mut idle).await, (String::new(), 0));
    let (said, seconds) = end(&mut busy).await;
    assert!(said.starts_with("HTTP/1.1 200 OK") && said.ends_with("done"), "{said}");
    assert_eq!(seconds, 4);
    service.serving.await.unwrap();
    let (_, far) = tokio::io::duplex(1);
    assert!(service.connections.send(far).await.is_err(), "it listens on");
}

#[tokio::test(start_paused = true)]
async fn what_is_still_busy_after_the_grace_is_cut() {
    let service = Service::start(IMPATIENT);
    let mut endless = service.connect(&request("/endless")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    service.stop.cancel();
    assert_eq!(end(&mut endless).await, (String::new(), IMPATIENT.stop_grace.as_secs()));
    service.serving.await.unwrap();
}
