//! Listeners that fail.

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use refcached::{Config, Endpoint, Listener};
use tokio::io::DuplexStream;
use tokio::time::Instant;

use crate::world::{self, exchange, stat};

const EMFILE: i32 = 24;

/// Answers each `accept` with what it was given, then waits for ever.
struct Troubled {
    outcomes: Mutex<VecDeque<io::Result<DuplexStream>>>,
    accepts: Arc<AtomicUsize>,
}

impl Listener for Troubled {
    type Stream = DuplexStream;

    async fn accept(&self) -> io::Result<(DuplexStream, Endpoint)> {
        self.accepts.fetch_add(1, Ordering::Relaxed);
        let outcome = self.outcomes.lock().unwrap().pop_front();
        match outcome {
            Some(outcome) => outcome.map(|stream| (stream, Endpoint::Unix(None))),
            None => pending().await,
        }
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint::Unix(None)
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_open_files_make_the_listener_pause_and_go_on() {
    let failures = 20;
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let outcomes = (0..failures)
        .map(|_| Err(io::Error::from_raw_os_error(EMFILE)))
        .chain([Ok(server)])
        .collect();
    let listener = Troubled {
        outcomes: Mutex::new(outcomes),
        accepts: Arc::default(),
    };
    let service = world::service(&Config::default());
    let start = Instant::now();
    let serving = tokio::spawn({
        let service = Arc::clone(&service);
        async move { service.serve(vec![listener], pending()).await }
    });
    exchange(&mut client, b"get a\r\n", b"END\r\n").await;
    // 10 ms doubled up to 1 s: seven pauses of 1.27 s in all, and 13 of 1 s.
    assert_eq!(start.elapsed().as_millis(), 1_270 + 13_000);
    assert_eq!(stat(&mut client, "listen_disabled_num").await, failures);
    assert_eq!(stat(&mut client, "time_in_listen_disabled_us").await, 14_270_000);
    assert_eq!(stat(&mut client, "accepting_conns").await, 1);
    service.stop();
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_was_aborted_while_waiting_costs_no_pause() {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let aborted = Err(io::ErrorKind::ConnectionAborted.into());
    let listener = Troubled {
        outcomes: Mutex::new(VecDeque::from([aborted, Ok(server)])),
        accepts: Arc::default(),
    };
    let service = world::service(&Config::default());
    let start = Instant::now();
    tokio::spawn(async move { service.serve(vec![listener], pending()).await });
    exchange(&mut client, b"get a\r\n", b"END\r\n").await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(stat(&mut client, "listen_disabled_num").await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_the_end_of_a_pause() {
    let accepts = Arc::new(AtomicUsize::new(0));
    let outcomes = (0..100).map(|_| Err(io::Error::from_raw_os_error(EMFILE)));
    let listener = Troubled {
        outcomes: Mutex::new(outcomes.collect()),
        accepts: Arc::clone(&accepts),
    };
    let service = world::service(&Config::default());
    let stop = tokio::time::sleep(Duration::from_millis(10_300));
    let start = Instant::now();
    service.serve(vec![listener], stop).await;
    assert_eq!(start.elapsed().as_millis(), 10_300);
    assert_eq!(accepts.load(Ordering::Relaxed), 8 + 9);
}
