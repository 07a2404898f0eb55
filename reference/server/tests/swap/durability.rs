//! What is committed when, and what is told of it; disks that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use refcached::{Blocking, Inline, Threads, Work};
use refcached_store::RedbOptions;
use refcached_store::redb::Durability;

use crate::shelf::{Shelf, Tape};
use crate::world::{Client, config, service, service_with};

fn one_dataset() -> (Shelf, Arc<Tape>) {
    let shelf = Shelf::default();
    let tape = shelf.put("data", &[("kept", b"1")]);
    (shelf, tape)
}

#[tokio::test(start_paused = true)]
async fn what_many_clients_have_sent_is_committed_together() {
    let (shelf, tape) = one_dataset();
    let service = service(&shelf, &config("data"));
    let mut clients: Vec<Client> = (0..64).map(|_| Client::connect(&service)).collect();
    // The first change of a file is a commit of its own kind.
    clients[0].exchange(b"set first 0 0 1\r\nx\r\n", b"STORED\r\n").await;
    let opened = tape.syncs.load(SeqCst);
    for (number, client) in clients.iter_mut().enumerate() {
        client
            .send(format!("set {number} 0 0 1\r\nx\r\nincr kept 1\r\n").as_bytes())
            .await;
    }
    for (number, client) in clients.iter_mut().enumerate() {
        client.expect(format!("STORED\r\n{}\r\n", number + 2).as_bytes()).await;
    }
    let commits = tape.syncs.load(SeqCst) - opened;
    assert!(
        (1..=2).contains(&commits),
        "{commits} commits for 128 changes of 64 clients"
    );
    assert_eq!(clients[0].stat("redb_commits").await, 1 + commits);
}

/// While the first transaction is committed on its own thread, 63 clients queue; they share the second.
#[tokio::test]
#[allow(
    clippy::await_holding_lock,
    reason = "the thread that waits for it is none of the runtime's"
)]
async fn what_queues_while_a_commit_runs_goes_into_the_next() {
    let (shelf, tape) = one_dataset();
    let service = service_with(&shelf, &config("data"), RedbOptions::DEFAULT, Threads);
    let mut clients: Vec<Client> = (0..64).map(|_| Client::connect(&service)).collect();
    // The first change of a file is a commit of its own kind.
    let warm_up = b"set zeroth 0 0 1\r\nx\r\n";
    clients[0].exchange(warm_up, b"STORED\r\n").await;
    let opened = tape.syncs.load(SeqCst);
    let disk = tape.hold_syncs();
    clients[0].send(b"set first 0 0 1\r\nx\r\n").await;
    while !tape.is_syncing() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Reads go on meanwhile, of what is committed.
    let mut reader = Client::connect(&service);
    reader.expect_value("kept", "1").await;
    reader.exchange(b"get first\r\n", b"END\r\n").await;
    let request = b"incr kept 1\r\nget absent\r\n";
    let mut awaited = reader.stat("bytes_read").await + 63 * request.len() as u64;
    for client in &mut clients[1..] {
        client.send(request).await;
    }
    // There is one thread: a batch whose bytes were counted has been queued, too. To ask takes bytes itself.
    awaited += b"stats\r\n".len() as u64;
    while reader.stat("bytes_read").await < awaited {
        awaited += b"stats\r\n".len() as u64;
    }
    drop(disk);
    clients[0].expect(b"STORED\r\n").await;
    let mut numbers = Vec::new();
    for client in &mut clients[1..] {
        numbers.push(client.number().await);
        client.expect(b"END\r\n").await;
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (2..=64).collect::<Vec<u64>>());
    let commits = tape.syncs.load(SeqCst) - opened;
    assert_eq!(commits, 2, "commits for 64 clients");
}

#[tokio::test(start_paused = true)]
async fn a_change_is_in_the_file_when_it_is_acknowledged() {
    let (shelf, _) = one_dataset();
    let service = service(&shelf, &config("data"));
    let mut client = Client::connect(&service);
    client.exchange(b"set k 0 0 5\r\nvalue\r\n", b"STORED\r\n").await;
    // What a machine that loses its power now would find.
    let found = shelf.copy();
    let after = crate::world::service(&found, &config("data"));
    Client::connect(&after).expect_value("k", "value").await;
}

#[tokio::test(start_paused = true)]
async fn without_durability_a_switch_still_leaves_a_whole_file() {
    let (shelf, tape) = one_dataset();
    shelf.put("next", &[]);
    let options = RedbOptions {
        durability: Durability::None,
        ..RedbOptions::DEFAULT
    };
    let service = service_with(&shelf, &config("data"), options, Inline);
    let mut client = Client::connect(&service);
    client.exchange(b"set first 0 0 1\r\nx\r\n", b"STORED\r\n").await;
    let opened = tape.syncs.load(SeqCst);
    for number in 2..=11 {
        let reply = format!("{number}\r\n");
        client.exchange(b"incr kept 1\r\n", reply.as_bytes()).await;
    }
    assert_eq!(tape.syncs.load(SeqCst), opened, "nothing was waited for");
    crate::world::switch(&service, "next").await.unwrap();
    assert!(tape.syncs.load(SeqCst) > opened);
    let after = crate::world::service(&shelf.copy(), &config("data"));
    Client::connect(&after).expect_value("kept", "11").await;
}

/// Changes are answered with the cause, those that asked for silence are not, and reads are right, before, between and after.
/// A change that failed so may be there or not: its bytes were written, and only the disk knows what it kept of them.
#[tokio::test(start_paused = true)]
async fn a_commit_that_fails_acknowledges_nothing_and_reads_stay_right() {
    let (shelf, tape) = one_dataset();
    let service = service(&shelf, &config("data"));
    let mut client = Client::connect(&service);
    let mut other = Client::connect(&service);
    client.exchange(b"set k 0 0 3\r\nold\r\n", b"STORED\r\n").await;
    tape.sync_fails.store(true, SeqCst);
    let fault = b"SERVER_ERROR the dataset's disk failed: the disk is on fire\r\n";
    client
        .send(b"set k 0 0 3\r\nnew\r\nset k 0 0 3 noreply\r\nnew\r\nincr absent 1\r\nms k 3 q\r\nnew\r\n")
        .await;
    // Whether a change would have changed something is not known either.
    client.expect(&[&fault[..], fault, fault].concat()).await;
    client.fence().await;
    let found = client.value("k").await;
    assert!(found == "old" || found == "new", "{found}");
    other.expect_value("k", &found).await;
    other.expect_value("kept", "1").await;
    other.exchange(b"delete k\r\n", fault).await;
    // The disk is mended, but nobody tries before the pause is over.
    tape.sync_fails.store(false, SeqCst);
    other.exchange(b"delete k\r\n", fault).await;
    other.expect_value("k", &found).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    other.exchange(b"set k 0 0 4\r\nlast\r\n", b"STORED\r\n").await;
    client.expect_value("k", "last").await;
    let after = crate::world::service(&shelf.copy(), &config("data"));
    Client::connect(&after).expect_value("k", "last").await;
}

/// The file is read again after a commit that failed, and may have what was tried: a command must not be answered by what it did
/// itself.
#[tokio::test(start_paused = true)]
async fn a_change_that_failed_is_not_answered_by_its_own_effect() {
    let (shelf, tape) = one_dataset();
    let service = service(&shelf, &config("data"));
    let mut client = Client::connect(&service);
    tape.sync_fails.store(true, SeqCst);
    let fault = b"SERVER_ERROR the dataset's disk failed: the disk is on fire\r\n";
    client.exchange(b"delete kept\r\n", fault).await;
    client.exchange(b"add another 0 0 1\r\nx\r\n", fault).await;
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_stays_full_is_tried_less_and_less_often() {
    let (shelf, tape) = one_dataset();
    let service = service(&shelf, &config("data"));
    let mut client = Client::connect(&service);
    tape.full.store(true, SeqCst);
    let large = [
        b"set k 0 0 1000000\r\n".to_vec(),
        vec![b'x'; 1_000_000],
        b"\r\n".to_vec(),
    ]
    .concat();
    let fault = b"SERVER_ERROR out of disk space storing object\r\n";
    for _ in 0..20 {
        client.exchange(&large, fault).await;
        client.expect_value("kept", "1").await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let opened = tape.opened();
    assert!(opened < 20, "opened {opened} times in 100 seconds");
    tape.full.store(false, SeqCst);
    tokio::time::sleep(Duration::from_secs(32)).await;
    client.exchange(&large, b"STORED\r\n").await;
    client.exchange(b"incr kept 1\r\n", b"2\r\n").await;
    client.exchange(b"incr kept 1\r\n", b"3\r\n").await;
}

/// Counts the work that it is given.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicU64>);

impl Blocking for Counting {
    fn spawn(&self, work: Work) {
        self.0.fetch_add(1, SeqCst);
        Inline.spawn(work);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_filter_knows_to_be_absent_is_answered_in_place() {
    let (shelf, _) = one_dataset();
    let counting = Counting::default();
    let service = service_with(&shelf, &config("data"), RedbOptions::DEFAULT, counting.clone());
    let mut client = Client::connect(&service);
    for (request, reply) in [
        ("get a b c\r\n", "END\r\n"),
        ("mg a v\r\n", "EN\r\n"),
        ("delete a\r\n", "NOT_FOUND\r\n"),
        ("incr a 1\r\n", "NOT_FOUND\r\n"),
        ("replace a 0 0 1\r\nx\r\n", "NOT_STORED\r\n"),
        ("append a 0 0 1\r\nx\r\n", "NOT_STORED\r\n"),
        ("gat 10 a\r\n", "END\r\n"),
        ("md a\r\n", "NF\r\n"),
    ] {
        client.exchange(request.as_bytes(), reply.as_bytes()).await;
    }
    assert_eq!(counting.0.load(SeqCst), 0);
    client.expect_value("kept", "1").await;
    assert_eq!(counting.0.load(SeqCst), 1);
    client
        .exchange(
            b"add a 0 0 1\r\nx\r\nget a\r\n",
            b"STORED\r\nVALUE a 0 1\r\nx\r\nEND\r\n",
        )
        .await;
    assert_eq!(counting.0.load(SeqCst), 2);
    assert!(client.stat("bloom_lookups_saved").await >= 8);
}

#[tokio::test(start_paused = true)]
async fn one_client_alone_is_told_to_recache_a_stale_item() {
    let (shelf, _) = one_dataset();
    let service = service(&shelf, &config("data"));
    let mut client = Client::connect(&service);
    client.exchange(b"md kept I T30\r\n", b"HD\r\n").await;
    client
        .exchange(b"mg kept v\r\nmg kept v\r\n", b"VA 1 X W\r\n1\r\nVA 1 Z X\r\n1\r\n")
        .await;
    // A command that changes lanes counts once.
    assert_eq!(client.stat("cmd_meta").await, 3);
}
