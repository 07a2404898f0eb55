//! Replies that are in the middle when their dataset is replaced.

use std::time::Duration;

use crate::shelf::Shelf;
use crate::world::{Client, begin_switch, config, service, settle};

const VALUE_BYTES: usize = 100_000;

/// Datasets whose values under `k` are many bytes, all the same letter.
fn letters() -> Shelf {
    let shelf = Shelf::default();
    shelf.put("old", &[("k", &[b'o'; VALUE_BYTES])]);
    shelf.put("new", &[("k", &[b'n'; VALUE_BYTES])]);
    shelf
}

/// The reply to a `get` of `k`, so many times.
fn reply(letter: u8, times: usize) -> Vec<u8> {
    let one = [
        format!("VALUE k 0 {VALUE_BYTES}\r\n").as_bytes(),
        &[letter; VALUE_BYTES],
        b"\r\n",
    ]
    .concat();
    [one.repeat(times), b"END\r\n".to_vec()].concat()
}

fn multi_get(times: usize) -> Vec<u8> {
    [b"get".to_vec(), b" k".repeat(times), b"\r\n".to_vec()].concat()
}

#[tokio::test(start_paused = true)]
async fn a_multi_get_is_answered_by_one_dataset_though_another_is_published_meanwhile() {
    let service = service(&letters(), &config("old"));
    let mut client = Client::connect_narrow(&service, 1 << 12);
    client.send(&multi_get(20)).await;
    settle().await;
    let switching = begin_switch(&service, "new").await;
    assert!(!switching.is_finished(), "the reply is in the middle");
    // Sent before the switch has answered, executed after it was published.
    client.send(&multi_get(1)).await;
    client.expect(&reply(b'o', 20)).await;
    client.expect(&reply(b'n', 1)).await;
    let switched = switching.await.unwrap().unwrap();
    assert!(
        switched.drained && switched.drain < Duration::from_secs(1),
        "{switched:?}"
    );
    client.fence().await;
    assert_eq!(client.stat("swap_deadlines").await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_nobody_reads_is_finished_in_memory_at_the_deadline() {
    let shelf = letters();
    let service = service(&shelf, &config("old"));
    let mut client = Client::connect_narrow(&service, 1 << 12);
    client.send(&multi_get(50)).await;
    client.send(&multi_get(1)).await;
    let switching = begin_switch(&service, "new").await;
    let switched = switching.await.unwrap().unwrap();
    assert!(switched.drained);
    assert_eq!(switched.drain.as_secs(), 10);
    // The old dataset is closed, and its client still gets all of its reply.
    tokio::time::sleep(Duration::from_secs(3600)).await;
    client.expect(&reply(b'o', 50)).await;
    client.expect(&reply(b'n', 1)).await;
    client.fence().await;
    assert_eq!(client.stat("swap_hung_up").await, 0);
    // The room is free again: as much can be kept for the next.
    client.send(&multi_get(50)).await;
    let switched = begin_switch(&service, "old").await.await.unwrap().unwrap();
    assert!(switched.drained);
    client.expect(&reply(b'n', 50)).await;
    client.fence().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_of_more_than_there_is_room_for_is_hung_up_on() {
    let service = service(&letters(), &config("old"));
    let mut greedy = Client::connect_narrow(&service, 1 << 12);
    let mut modest = Client::connect_narrow(&service, 1 << 12);
    let mut other = Client::connect(&service);
    // 64 MiB is the room, for both together.
    greedy.send(&multi_get(700)).await;
    modest.send(&multi_get(20)).await;
    let switching = begin_switch(&service, "new").await;
    other.exchange(b"get absent\r\n", b"END\r\n").await;
    let switched = switching.await.unwrap().unwrap();
    assert!(switched.drained, "nobody may keep a dataset open");
    greedy.end().await;
    let got = greedy.rest().await;
    assert!(got.len() < reply(b'o', 700).len());
    assert!(!got.ends_with(b"END\r\n"), "what was cut short must not look whole");
    modest.expect(&reply(b'o', 20)).await;
    modest.fence().await;
    assert_eq!(other.stat("swap_hung_up").await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_between_commands_holds_nothing_up() {
    let service = service(&letters(), &config("old"));
    let mut client = Client::connect_narrow(&service, 1 << 12);
    for _ in 0..20 {
        client.send(&multi_get(1)).await;
    }
    let switching = begin_switch(&service, "new").await;
    let switched = switching.await.unwrap().unwrap();
    assert!(
        switched.drained && switched.drain < Duration::from_secs(1),
        "{switched:?}"
    );
    // Each reply is whole, and none is older than one before it.
    let mut moved = false;
    for _ in 0..20 {
        let mut first = vec![0; 20];
        client.read_exact(&mut first).await;
        let letter = *first.last().unwrap();
        assert!(letter == b'n' || !moved, "a connection went back");
        moved |= letter == b'n';
        let rest = reply(letter, 1)[20..].to_vec();
        client.expect(&rest).await;
    }
    assert!(moved, "more than the server may hold of replies was asked for");
    client.fence().await;
}

/// The rest of a data block that is swallowed and a command that pauses stand in one read: what is gone on with is the command.
#[tokio::test(start_paused = true)]
async fn a_reply_that_pauses_behind_a_refused_data_block_is_whole() {
    let service = service(&letters(), &config("old"));
    let mut client = Client::connect(&service);
    let block = vec![b'\n'; 1_048_577];
    client.send(b"set k 0 0 1048577\r\n").await;
    client.send(&block[..1_048_000]).await;
    let rest = [&block[1_048_000..], b"\r\n", &multi_get(20)].concat();
    client.send(&rest).await;
    client.expect(b"SERVER_ERROR object too large for cache\r\n").await;
    // A `set` that is refused for its size drops the item that it was to replace.
    client.expect(b"END\r\n").await;
    client.fence().await;
    client
        .send(&[b"add k 0 0 1048577\r\n", &block[..1_048_000]].concat())
        .await;
    client.expect(b"SERVER_ERROR object too large for cache\r\n").await;
    let set = [
        format!("set k 0 0 {VALUE_BYTES}\r\n").as_bytes(),
        &[b's'; VALUE_BYTES],
        b"\r\n",
    ]
    .concat();
    let rest = [&block[1_048_000..], b"\r\n", &set, &multi_get(20)].concat();
    client.send(&rest).await;
    client.expect(b"STORED\r\n").await;
    client.expect(&reply(b's', 20)).await;
    client.fence().await;
}
