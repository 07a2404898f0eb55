//! How connections end: idle timeout, limit on connections, stopping.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use refcached::{Config, Endpoint, Listener};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::Instant;

use crate::world::{self, TestService, exchange, expect, expect_end, stat};

/// Connections come out of a channel.
struct Channel(Mutex<mpsc::UnboundedReceiver<DuplexStream>>);

impl Listener for Channel {
    type Stream = DuplexStream;

    async fn accept(&self) -> io::Result<(DuplexStream, Endpoint)> {
        match self.0.lock().await.recv().await {
            Some(stream) => Ok((stream, Endpoint::Unix(None))),
            None => pending().await,
        }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Unix(None)
    }
}

/// A service that accepts and can be stopped.
struct Running {
    connections: mpsc::UnboundedSender<DuplexStream>,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<()>,
}

fn run(service: &TestService) -> Running {
    let (connections, incoming) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel();
    let service = Arc::clone(service);
    let serving = tokio::spawn(async move {
        let listener = Channel(Mutex::new(incoming));
        let stopped = async { stopped.await.expect("the test stops the service") };
        service.serve(vec![listener], stopped).await;
    });
    Running {
        connections,
        stop,
        serving,
    }
}

impl Running {
    fn connect(&self) -> DuplexStream {
        let (client, server) = tokio::io::duplex(4096);
        self.connections.send(server).unwrap();
        client
    }
}

fn idle_after_10_s() -> TestService {
    world::service(&Config {
        idle_timeout: Some(Duration::from_secs(10)),
        ..Config::default()
    })
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_the_timeout() {
    let (mut client, served) = world::connect(&idle_after_10_s(), 4096);
    let start = Instant::now();
    exchange(&mut client, b"get a\r\n", b"END\r\n").await;
    expect_end(&mut client).await;
    served.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_used_stays_open() {
    let (mut client, _served) = world::connect(&idle_after_10_s(), 4096);
    for _ in 0..20 {
        exchange(&mut client, b"get a\r\n", b"END\r\n").await;
        tokio::time::sleep(Duration::from_secs(9)).await;
    }
    exchange(&mut client, b"get a\r\n", b"END\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_idle_too() {
    let (client, server) = tokio::io::duplex(8);
    let served = world::serve(&idle_after_10_s(), server);
    let (_reader, mut writer) = tokio::io::split(client);
    writer.write_all(b"version\r\n").await.unwrap();
    let start = Instant::now();
    served.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn a_connection_above_the_limit_is_told_so_and_closed() {
    let service = world::service(&Config {
        connections_max: 2,
        ..Config::default()
    });
    let running = run(&service);
    let mut first = running.connect();
    let mut second = running.connect();
    let mut third = running.connect();
    expect(&mut third, b"ERROR Too many open connections\r\n").await;
    expect_end(&mut third).await;
    exchange(&mut first, b"get a\r\n", b"END\r\n").await;
    second.write_all(b"quit\r\n").await.unwrap();
    expect_end(&mut second).await;
    let mut fourth = running.connect();
    exchange(&mut fourth, b"get a\r\n", b"END\r\n").await;
    assert_eq!(stat(&mut fourth, "rejected_connections").await, 1);
    assert_eq!(stat(&mut fourth, "curr_connections").await, 2);
    assert_eq!(stat(&mut fourth, "total_connections").await, 3);
    assert_eq!(stat(&mut fourth, "max_connections").await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_stop_closes_idle_connections_at_once() {
    let running = run(&world::service(&Config::default()));
    let mut client = running.connect();
    exchange(&mut client, b"get a\r\n", b"END\r\n").await;
    let start = Instant::now();
    running.stop.send(()).unwrap();
    expect_end(&mut client).await;
    running.serving.await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_the_command_in_hand_be_finished() {
    let running = run(&world::service(&Config::default()));
    let mut client = running.connect();
    client.write_all(b"version\r\nset a 0 0 5\r\nab").await.unwrap();
    expect(&mut client, b"VERSION 1.6.45\r\n").await;
    running.stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.write_all(b"cde\r\nget a\r\n").await.unwrap();
    expect(&mut client, b"STORED\r\nVALUE a 0 5\r\nabcde\r\nEND\r\n").await;
    expect_end(&mut client).await;
    running.serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_hangs_up_when_the_grace_period_is_over() {
    let config = Config {
        stop_grace: Duration::from_secs(3),
        ..Config::default()
    };
    let running = run(&world::service(&config));
    let mut half_sent = running.connect();
    half_sent.write_all(b"version\r\nset a 0 0 5\r\nab").await.unwrap();
    expect(&mut half_sent, b"VERSION 1.6.45\r\n").await;
    let mut unread = running.connect();
    unread.write_all(&b"version\r\n".repeat(400)).await.unwrap();
    expect(&mut unread, b"VERSION").await;
    let start = Instant::now();
    running.stop.send(()).unwrap();
    running.serving.await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 3);
    expect_end(&mut half_sent).await;
}

#[tokio::test]
async fn the_shutdown_command_is_refused_unless_enabled() {
    let (mut client, _served) = world::connect(&world::service(&Config::default()), 4096);
    let refused = b"SERVER_ERROR: shutdown not enabled\r\n";
    exchange(&mut client, b"shutdown\r\n", refused).await;
}

#[tokio::test]
async fn the_shutdown_command_stops_the_service_where_enabled() {
    let config = Config {
        shutdown_command: true,
        ..Config::default()
    };
    for command in [&b"shutdown\r\n"[..], b"shutdown graceful\r\n"] {
        let running = run(&world::service(&config));
        let mut other = running.connect();
        let mut client = running.connect();
        let refused = b"CLIENT_ERROR invalid shutdown mode\r\n";
        exchange(&mut client, b"shutdown x\r\n", refused).await;
        exchange(&mut other, b"get a\r\n", b"END\r\n").await;
        client.write_all(command).await.unwrap();
        expect_end(&mut client).await;
        expect_end(&mut other).await;
        running.serving.await.unwrap();
    }
}
