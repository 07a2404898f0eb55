//! Whole switches.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use refcached::{Administration, Config, Policy, SwitchError};
use tokio::time::Instant;

use crate::shelf::Shelf;
use crate::world::{Client, TestService, begin_switch, config, service, settle, switch};

/// A shelf with the datasets `old` and `new`: each has its own name under the key `who`.
fn two_datasets() -> Shelf {
    let shelf = Shelf::default();
    for name in ["old", "new"] {
        shelf.put(name, &[("who", name.as_bytes()), (name, b"here")]);
    }
    shelf
}

fn bound(data: &str) -> Config {
    Config {
        swap_policy: Policy::Connection,
        ..config(data)
    }
}

#[tokio::test(start_paused = true)]
async fn open_connections_answer_from_the_new_dataset_once_the_switch_has_answered() {
    let shelf = two_datasets();
    let service = service(&shelf, &config("old"));
    let mut clients: Vec<Client> = (0..10).map(|_| Client::connect(&service)).collect();
    for client in &mut clients {
        client.expect_value("who", "old").await;
    }
    let switched = switch(&service, "new").await.unwrap();
    assert_eq!((switched.generation, switched.keys, switched.drained), (2, 2, true));
    assert!(switched.drain < Duration::from_secs(1), "{switched:?}");
    for client in &mut clients {
        client.expect_value("who", "new").await;
        client.exchange(b"get old\r\n", b"END\r\n").await;
    }
    assert_eq!(clients[0].stat("swap_generation").await, 2);
    assert_eq!(clients[0].stat("swap_count").await, 1);
}

#[tokio::test(start_paused = true)]
async fn the_old_file_is_closed_when_the_switch_has_answered() {
    let shelf = Shelf::default();
    let old = shelf.put("old", &[("who", b"old")]);
    let new = shelf.put("new", &[("who", b"new")]);
    let service = service(&shelf, &config("old"));
    let mut client = Client::connect(&service);
    client.expect_value("who", "old").await;
    client.exchange(b"set more 0 0 1\r\na\r\n", b"STORED\r\n").await;
    switch(&service, "new").await.unwrap();
    assert!(!old.is_open() && new.is_open());
    let back = switch(&service, "old").await.unwrap();
    assert_eq!((back.generation, back.keys), (3, 2));
    assert!(old.is_open() && !new.is_open());
    client.expect_value("more", "a").await;
}

#[tokio::test(start_paused = true)]
async fn a_bound_connection_keeps_its_dataset_until_the_deadline() {
    let service = service(&two_datasets(), &bound("old"));
    let mut bound = Client::connect(&service);
    let mut unbound = Client::connect(&service);
    bound.expect_value("who", "old").await;
    let began = Instant::now();
    let switching = begin_switch(&service, "new").await;
    bound.expect_value("who", "old").await;
    // A connection is bound by its first command.
    unbound.expect_value("who", "new").await;
    assert_eq!(service.status().draining, 1);
    assert!(!switching.is_finished());
    let switched = switching.await.unwrap().unwrap();
    assert!(switched.drained);
    let waited = began.elapsed();
    assert!((10..11).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!(service.status().draining, 0);
    bound.expect_value("who", "new").await;
    assert_eq!(bound.stat("swap_deadlines").await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_bound_connection_that_ends_is_not_waited_for() {
    let service = service(&two_datasets(), &bound("old"));
    let mut client = Client::connect(&service);
    client.expect_value("who", "old").await;
    let switching = begin_switch(&service, "new").await;
    assert!(!switching.is_finished());
    client.send(b"quit\r\n").await;
    let switched = switching.await.unwrap().unwrap();
    assert!(
        switched.drained && switched.drain < Duration::from_secs(1),
        "{switched:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn switches_that_are_asked_for_at_once_are_served_one_after_another() {
    let shelf = two_datasets();
    shelf.put("third", &[]);
    let service = service(&shelf, &bound("old"));
    let mut client = Client::connect(&service);
    client.expect_value("who", "old").await;
    let began = Instant::now();
    let names = ["new", "third", "missing", "old"];
    let waiting = names.map(|name| Arc::clone(&service).switch(name.to_owned()));
    assert_eq!(service.status().switching, 4);
    let mut answers = Vec::new();
    for switching in waiting {
        answers.push(switching.await);
        client.exchange(b"get x\r\n", b"END\r\n").await;
    }
    let generations: Vec<u64> = answers.iter().flatten().map(|switched| switched.generation).collect();
    assert_eq!(generations, [2, 3, 4]);
    assert!(matches!(answers[2], Err(SwitchError::NotFound { .. })));
    // The first drain has a deadline that it must wait for, and so have the others: the client is bound again each time.
    assert!(began.elapsed() >= Duration::from_secs(20), "{:?}", began.elapsed());
    settle().await;
    assert_eq!(service.status().switching, 0);
    client.expect_value("who", "old").await;
}

#[tokio::test(start_paused = true)]
async fn no_more_switches_wait_than_may() {
    let service = service(&two_datasets(), &config("old"));
    let mut waiting: Vec<_> = (0..40).map(|_| Arc::clone(&service).switch("new".to_owned())).collect();
    let last = waiting.pop().unwrap().await;
    assert!(matches!(last, Err(SwitchError::Busy { waiting: 16 })), "{last:?}");
    assert_eq!(waiting.remove(0).await.unwrap().generation, 2);
    assert!(matches!(waiting.remove(0).await, Err(SwitchError::Same { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_load_that_fails_changes_nothing_and_says_why() {
    let shelf = two_datasets();
    shelf.put("damaged", &[("who", &[b'x'; 100_000])]).damage();
    shelf.put_bytes("text", &b"a day's notes\n".repeat(1000));
    shelf.put_bytes("empty", b"");
    shelf.link("old", "old-by-another-name");
    let held = shelf.put("held", &[]);
    let holder = refcached_store::RedbStore::open_on(
        held.lend(),
        &refcached_store::RedbOptions::DEFAULT,
        refcached_store::Timestamp::from_unix_s(1),
        |_| {},
    );
    let service = service(&shelf, &config("old"));
    let mut client = Client::connect(&service);
    client.expect_value("who", "old").await;
    for (name, expected) in [
        ("missing", "no file \"missing\""),
        ("damaged", "damaged"),
        ("text", "not a dataset"),
        ("empty", "not a dataset"),
        ("held", "open in another process"),
        ("old", "being served already"),
        ("old-by-another-name", "being served already"),
    ] {
        let error = switch(&service, name).await.expect_err(name);
        assert!(error.to_string().contains(expected), "{name}: {error}");
        client.expect_value("who", "old").await;
    }
    let status = service.status();
    assert_eq!((status.generation, status.filename.as_deref()), (1, Some("old")));
    assert_eq!(client.stat("swap_failures").await, 7);
    drop(holder);
    assert_eq!(switch(&service, "held").await.unwrap().generation, 2);
    client.exchange(b"get who\r\n", b"END\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_switch_goes_on_when_nobody_waits_for_its_answer() {
    let service = service(&two_datasets(), &config("old"));
    drop(Arc::clone(&service).switch("new".to_owned()));
    settle().await;
    assert_eq!(service.status().filename.as_deref(), Some("new"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_closes_its_dataset_and_takes_no_other() {
    let shelf = Shelf::default();
    let old = shelf.put("old", &[("who", b"old")]);
    shelf.put("new", &[]);
    let service: TestService = service(&shelf, &config("old"));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn({
        let service = Arc::clone(&service);
        async move {
            service
                .serve(Vec::<NoListener>::new(), async { drop(stopped.await) })
                .await;
        }
    });
    settle().await;
    assert!(old.is_open());
    drop(stop);
    serving.await.unwrap();
    assert!(!old.is_open());
    let status = service.status();
    assert!(status.stopping);
    assert_eq!((status.generation, status.filename.as_deref()), (1, Some("old")));
    let refused = switch(&service, "new").await;
    assert_eq!(refused.unwrap_err(), SwitchError::Stopping);
}

/// Never used: a service may have no listener at all.
struct NoListener;

impl refcached::Listener for NoListener {
    type Stream = tokio::io::DuplexStream;

    async fn accept(&self) -> std::io::Result<(Self::Stream, refcached::Endpoint)> {
        pending().await
    }

    fn endpoint(&self) -> refcached::Endpoint {
        refcached::Endpoint::Unix(None)
    }
}
