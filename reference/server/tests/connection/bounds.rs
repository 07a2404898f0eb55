//! Memory and fairness with clients that do not behave.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use refcached::Config;
use tokio::io::AsyncWriteExt;

use crate::world::{self, Scripted, exchange, stat};

/// What the server may hold of replies before it sends them, by its own promise.
const OUTPUT_BYTES_MAX: usize = 256 << 10;

fn roomy() -> Config {
    Config {
        memory_bytes: 1 << 30,
        ..Config::default()
    }
}

async fn store(service: &world::TestService, key: &str, bytes: usize) {
    let (mut client, _served) = world::connect(service, 1 << 16);
    let mut request = format!("set {key} 0 0 {bytes}\r\n").into_bytes();
    request.resize(request.len() + bytes, b'v');
    request.extend_from_slice(b"\r\n");
    exchange(&mut client, &request, b"STORED\r\n").await;
}

#[tokio::test]
async fn a_multi_get_of_large_values_is_sent_in_bounded_pieces() {
    let service = world::service(&roomy());
    let value_bytes = 100_000;
    store(&service, "k", value_bytes).await;
    let keys = 300;
    let stream = Scripted::new([[b"get".to_vec(), b" k".repeat(keys), b"\r\n".to_vec()].concat()]);
    world::serve(&service, stream.clone()).await.unwrap();
    let writes = stream.writes.lock().unwrap();
    let longest = writes.iter().map(Vec::len).max().unwrap();
    let line = b"VALUE k 0 100000\r\n".len();
    assert!(
        longest <= OUTPUT_BYTES_MAX + line + value_bytes + 2,
        "{longest} bytes at once"
    );
    let total: usize = writes.iter().map(Vec::len).sum();
    assert_eq!(total, keys * (line + value_bytes + 2) + b"END\r\n".len());
    assert!(writes.last().unwrap().ends_with(b"\r\nEND\r\n"));
}

#[tokio::test]
async fn a_dump_is_sent_in_bounded_pieces_and_a_short_one_at_once() {
    let service = world::service(&roomy());
    store(&service, "first", 1).await;
    let dump = || Scripted::new([b"lru_crawler mgdump all\r\n".to_vec()]);
    let short = dump();
    world::serve(&service, short.clone()).await.unwrap();
    assert_eq!(*short.writes.lock().unwrap(), [b"OK\r\nmg first\r\nEN\r\n"]);

    let items = 20_000;
    let sets = (0..items).map(|number| format!("ms a-key-of-some-length-{number:08} 1\r\na\r\n").into_bytes());
    world::serve(&service, Scripted::new([sets.collect::<Vec<_>>().concat()]))
        .await
        .unwrap();
    let long = dump();
    world::serve(&service, long.clone()).await.unwrap();
    let writes = long.writes.lock().unwrap();
    let longest = writes.iter().map(Vec::len).max().unwrap();
    // A part of the store, one of 256, comes on top.
    assert!(
        longest <= OUTPUT_BYTES_MAX + OUTPUT_BYTES_MAX / 10,
        "{longest} bytes at once"
    );
    let lines = writes.concat().split(|&byte| byte == b'\n').count();
    // OK, the first item, EN, and nothing behind the last line end.
    assert_eq!(lines, items + 4);
}

#[tokio::test]
async fn many_small_replies_are_sent_in_bounded_pieces() {
    let service = world::service(&roomy());
    store(&service, "k", 1000).await;
    // More than the bound of replies to one read of requests.
    let commands = 8000;
    let stream = Scripted::new([b"get k\r\n".repeat(commands)]);
    world::serve(&service, stream.clone()).await.unwrap();
    let writes = stream.writes.lock().unwrap();
    let reply = b"VALUE k 0 1000\r\n".len() + 1000 + b"\r\nEND\r\n".len();
    let longest = writes.iter().map(Vec::len).max().unwrap();
    assert!(longest <= OUTPUT_BYTES_MAX + reply, "{longest} bytes at once");
    assert_eq!(writes.iter().map(Vec::len).sum::<usize>(), commands * reply);
}

/// Writes `request` again and again until nothing is taken any more, and gives the bytes taken.
async fn write_until_stuck(client: &mut tokio::io::DuplexStream, request: &[u8]) -> usize {
    let mut taken = 0;
    loop {
        // Time is paused: this runs out only when no task can go on.
        let written = tokio::time::timeout(Duration::from_secs(1), client.write(request)).await;
        match written {
            Ok(bytes) => taken += bytes.unwrap(),
            Err(_) => return taken,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_not_read_either() {
    let service = world::service(&roomy());
    store(&service, "k", 100_000).await;
    let stream_bytes = 1 << 12;
    let (mut greedy, _served) = world::connect(&service, stream_bytes);
    let request = [b"get".to_vec(), b" k".repeat(900), b"\r\n".to_vec()].concat();
    let taken = write_until_stuck(&mut greedy, &request).await;
    // One read's worth of requests, and what the stream itself holds.
    assert!(
        taken <= (64 << 10) + stream_bytes,
        "{taken} bytes of requests were taken"
    );

    let (mut observer, _served) = world::connect(&service, 1 << 16);
    let queued = stat(&mut observer, "bytes_written").await;
    assert!(
        queued < 1 << 20,
        "{queued} bytes of replies were made for a client that does not read"
    );
}

#[tokio::test]
async fn an_endless_pipeline_lets_others_go_first() {
    let service = world::service(&Config::default());
    let pieces = 64;
    let stream = Scripted::new((0..pieces).map(|_| b"get k\r\n".repeat(9000)));
    let turns = Arc::new(AtomicUsize::new(0));
    let other = tokio::spawn({
        let turns = Arc::clone(&turns);
        async move {
            loop {
                turns.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        }
    });
    world::serve(&service, stream).await.unwrap();
    other.abort();
    let turns = turns.load(Ordering::Relaxed);
    // 4 MB of requests, and a turn ends with the read that brings it over 256 KiB.
    assert!(turns >= 12, "the other task ran {turns} times");
    let (mut client, _served) = world::connect(&service, 1 << 16);
    assert!(stat(&mut client, "conn_yields").await >= 12);
}
