//! What a client sees, however its bytes are cut.

use proptest::prelude::*;
use refcached::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{self, Scripted, StandingClock, assert_bytes, exchange, expect};

const REQUESTS: &[u8] = b"set a 5 0 3\r\nabc\r\nget a b a\r\nadd a 0 0 1\r\nx\r\nappend a 0 0 2\r\nde\r\n\
    set n 0 0 2 noreply\r\n41\r\nincr n 1\r\nnonsense\r\ndelete a\r\nget a n\r\nset big 0 0 99999999\r\n";
const REPLIES: &[u8] = b"STORED\r\nVALUE a 5 3\r\nabc\r\nVALUE a 5 3\r\nabc\r\nEND\r\nNOT_STORED\r\nSTORED\r\n\
    42\r\nERROR\r\nDELETED\r\nVALUE n 0 2\r\n42\r\nEND\r\nSERVER_ERROR object too large for cache\r\n";

/// Sends `requests` cut at `cuts` over a stream that holds `capacity` bytes, and gives all that comes back.
async fn replies_to(requests: &[u8], cuts: &[usize], capacity: usize) -> Vec<u8> {
    let service = world::service(&Config::default());
    let (client, served) = world::connect(&service, capacity);
    let (mut reader, mut writer) = tokio::io::split(client);
    let reading = tokio::spawn(async move {
        let mut received = Vec::new();
        reader.read_to_end(&mut received).await.unwrap();
        received
    });
    let mut sent = 0;
    for &cut in cuts.iter().chain([&requests.len()]) {
        let piece = &requests[sent.min(cut)..cut];
        writer.write_all(piece).await.unwrap();
        tokio::task::yield_now().await;
        sent = sent.max(cut);
    }
    writer.shutdown().await.unwrap();
    served.await.unwrap();
    reading.await.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_cutting_gives_the_same_replies(
        mut cuts in prop::collection::vec(0..=REQUESTS.len(), 0..40),
        capacity in 1_usize..400,
    ) {
        cuts.sort_unstable();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let received = runtime.block_on(replies_to(REQUESTS, &cuts, capacity));
        assert_bytes(&received, REPLIES);
    }
}

#[tokio::test]
async fn byte_after_byte_gives_the_same_replies() {
    let cuts: Vec<usize> = (0..REQUESTS.len()).collect();
    assert_bytes(&replies_to(REQUESTS, &cuts, 1).await, REPLIES);
}

#[tokio::test]
async fn a_pipeline_is_answered_in_one_write() {
    let service = world::service(&Config::default());
    let stream = Scripted::new([b"get a\r\n".repeat(64)]);
    world::serve(&service, stream.clone()).await.unwrap();
    let writes = stream.writes.lock().unwrap();
    assert_eq!(writes.len(), 1);
    assert_bytes(&writes[0], &b"END\r\n".repeat(64));
}

#[tokio::test]
async fn a_large_value_may_arrive_in_small_pieces() {
    let service = world::service(&Config::default());
    let value = vec![b'v'; 1_000_000];
    let request = [b"set k 0 0 1000000\r\n", &value[..], b"\r\nget k\r\n"].concat();
    let reply = [b"STORED\r\nVALUE k 0 1000000\r\n", &value[..], b"\r\nEND\r\n"].concat();
    let stream = Scripted::new(request.chunks(1448).map(<[u8]>::to_vec));
    world::serve(&service, stream.clone()).await.unwrap();
    let received = stream.writes.lock().unwrap().concat();
    assert!(received == reply, "{} bytes for {}", received.len(), reply.len());
}

#[tokio::test]
async fn a_client_that_closes_its_half_gets_what_was_complete() {
    let service = world::service(&Config::default());
    let (mut client, served) = world::connect(&service, 4096);
    client.write_all(b"set a 0 0 1\r\nb\r\nget a\r\nget").await.unwrap();
    client.shutdown().await.unwrap();
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.unwrap();
    assert_bytes(&received, b"STORED\r\nVALUE a 0 1\r\nb\r\nEND\r\n");
    served.await.unwrap();
}

#[tokio::test]
async fn a_value_that_was_cut_off_is_not_stored() {
    let service = world::service(&Config::default());
    let (mut client, served) = world::connect(&service, 4096);
    client.write_all(b"set a 0 0 10\r\nbcd").await.unwrap();
    drop(client);
    served.await.unwrap();
    let (mut client, _served) = world::connect(&service, 4096);
    exchange(&mut client, b"get a\r\n", b"END\r\n").await;
}

#[tokio::test]
async fn quit_closes_after_the_replies_before_it() {
    let service = world::service(&Config::default());
    let (mut client, served) = world::connect(&service, 4096);
    client.write_all(b"get a\r\nquit\r\nget b\r\n").await.unwrap();
    let mut received = Vec::new();
    client.read_to_end(&mut received).await.unwrap();
    assert_bytes(&received, b"END\r\n");
    served.await.unwrap();
}

#[tokio::test]
async fn what_expires_is_gone_when_the_given_clock_says_so() {
    let clock = StandingClock::default();
    let service = world::service_at(&Config::default(), clock.clone());
    let (mut client, _served) = world::connect(&service, 4096);
    exchange(&mut client, b"set a 0 10 1\r\nb\r\n", b"STORED\r\n").await;
    clock.advance_ms(8_000);
    exchange(&mut client, b"get a\r\n", b"VALUE a 0 1\r\nb\r\nEND\r\n").await;
    clock.advance_ms(3_000);
    exchange(&mut client, b"get a\r\n", b"END\r\n").await;
}

#[tokio::test]
async fn the_version_is_the_dialect_that_is_spoken() {
    let service = world::service(&Config::default());
    let (mut client, _served) = world::connect(&service, 4096);
    let reply = format!("VERSION {}\r\n", refcached::DIALECT);
    exchange(&mut client, b"version\r\n", reply.as_bytes()).await;
}

#[tokio::test]
async fn stats_name_each_figure_once() {
    let service = world::service(&Config::default());
    let (mut client, _served) = world::connect(&service, 1 << 16);
    client.write_all(b"stats\r\nstats settings\r\nmn\r\n").await.unwrap();
    let mut text = Vec::new();
    while !text.ends_with(b"MN\r\n") {
        client.read_buf(&mut text).await.unwrap();
    }
    let text = String::from_utf8(text).unwrap();
    let (general, settings) = text.split_once("END\r\n").unwrap();
    for (text, expected) in [
        (
            general,
            &[
                "pid",
                "uptime",
                "time",
                "version",
                "server",
                "threads",
                "curr_connections",
                "bytes_read",
            ][..],
        ),
        (
            settings,
            &["maxconns", "num_threads", "idle_timeout", "item_size_max"][..],
        ),
    ] {
        let mut names: Vec<&str> = text.lines().filter_map(|line| line.split(' ').nth(1)).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "a name stands twice in {text}");
        for name in expected {
            assert!(names.contains(name), "{name} is not in {text}");
        }
    }
}

#[tokio::test]
async fn stats_count_connections_and_bytes() {
    let service = world::service(&Config::default());
    let (mut client, _served) = world::connect(&service, 1 << 16);
    exchange(&mut client, b"get a\r\n", b"END\r\n").await;
    assert_eq!(world::stat(&mut client, "curr_connections").await, 1);
    assert_eq!(world::stat(&mut client, "total_connections").await, 1);
    let read = b"get a\r\nmn\r\nstats\r\nstats\r\nstats\r\n".len() as u64;
    assert_eq!(world::stat(&mut client, "bytes_read").await, read);
    client.write_all(b"stats reset\r\n").await.unwrap();
    expect(&mut client, b"RESET\r\n").await;
    assert_eq!(world::stat(&mut client, "bytes_read").await, b"stats\r\n".len() as u64);
}

#[tokio::test]
async fn stats_conns_shows_what_each_connection_does_and_since_when() {
    let clock = StandingClock::default();
    let service = world::service_at(&Config::default(), clock.clone());
    let (mut other, _served) = world::connect(&service, 4096);
    exchange(&mut other, b"get a\r\n", b"END\r\n").await;
    clock.advance_ms(5_000);
    let (mut client, _served) = world::connect(&service, 4096);
    let reply = b"STAT 1:addr unix\r\nSTAT 1:state conn_read\r\nSTAT 1:secs_since_last_cmd 5\r\n\
        STAT 2:addr unix\r\nSTAT 2:state conn_parse_cmd\r\nSTAT 2:secs_since_last_cmd 0\r\nEND\r\n";
    exchange(&mut client, b"stats conns\r\n", reply).await;
    drop(other);
    tokio::task::yield_now().await;
    let reply = b"STAT 2:addr unix\r\nSTAT 2:state conn_parse_cmd\r\n\
        STAT 2:secs_since_last_cmd 0\r\nEND\r\n";
    exchange(&mut client, b"stats conns\r\n", reply).await;
}
