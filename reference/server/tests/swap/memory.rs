//! Datasets in memory, loaded from files.

use std::sync::Arc;

use refcached::{Administration, Config, Inline, Memory, Service, SwitchError};
use refcached_store::MemoryOptions;

use crate::shelf::Shelf;
use crate::world::{Client, PausedClock, config};

type MemoryService = Arc<Service<Memory<foldhash::fast::FixedState, Shelf>>>;

fn service(shelf: &Shelf, config: &Config) -> Result<MemoryService, SwitchError> {
    let options = MemoryOptions {
        limit_bytes: 1 << 20,
        ..MemoryOptions::default()
    };
    let backend = Memory::new(options, foldhash::fast::FixedState::default(), Inline).with_files(shelf.clone());
    Service::new(config, backend, PausedClock::new(), Vec::new())
}

fn shelf() -> Shelf {
    let shelf = Shelf::default();
    shelf.put("a.redb", &[("who", b"redb"), ("k2", b"2"), ("k1", b"1")]);
    shelf.put_bytes("b.ndjson", b"{\"key\":\"who\",\"value\":\"ndjson\"}\n");
    shelf.put_bytes("c.csv", b"key,value\nwho,csv\n");
    shelf.put_bytes("bad.ndjson", b"{\"key\":\"who\",\"value\":\"ndjson\"}\n{\n");
    shelf.put_bytes("d.txt", b"");
    shelf.put("large.redb", &[("a", &[b'x'; 700_000]), ("b", &[b'x'; 700_000])]);
    shelf
}

#[tokio::test(start_paused = true)]
async fn every_format_can_be_switched_to_and_no_file_is_written() {
    let shelf = shelf();
    let before = shelf.copy();
    let config = Config {
        extensions: true,
        ..config("a.redb")
    };
    let service = service(&shelf, &config).unwrap();
    let mut client = Client::connect(&service);
    client.expect_value("who", "redb").await;
    client
        .exchange(b"range k\r\n", b"VALUE k1 0 1\r\n1\r\nVALUE k2 0 1\r\n2\r\nEND\r\n")
        .await;
    client.exchange(b"range k 1\r\n", b"VALUE k1 0 1\r\n1\r\nEND\r\n").await;
    for (name, value) in [("b.ndjson", "ndjson"), ("c.csv", "csv"), ("a.redb", "redb")] {
        client.exchange(b"set who 0 0 1\r\nx\r\n", b"STORED\r\n").await;
        let switched = Arc::clone(&service).switch(name.to_owned()).await.unwrap();
        assert!(switched.drained);
        client.expect_value("who", value).await;
    }
    assert!(shelf.is_same(&before));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_loaded_changes_nothing_and_says_why() {
    let shelf = shelf();
    let service = service(&shelf, &config("a.redb")).unwrap();
    let mut client = Client::connect(&service);
    for (name, expected) in [
        ("bad.ndjson", "damaged: line 2"),
        ("d.txt", "is not a dataset: its name ends on none"),
        ("large.redb", "does not fit"),
        ("missing.redb", "there is no file"),
    ] {
        let error = Arc::clone(&service).switch(name.to_owned()).await.expect_err(name);
        assert!(error.to_string().contains(expected), "{name}: {error}");
        client.expect_value("who", "redb").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_memory_that_starts_empty_can_switch_too() {
    let empty = Config {
        data: None,
        ..config("")
    };
    let service = service(&shelf(), &empty).unwrap();
    let mut client = Client::connect(&service);
    client.exchange(b"get who\r\n", b"END\r\n").await;
    assert_eq!(service.status().filename, None);
    let switched = Arc::clone(&service).switch("c.csv".to_owned()).await.unwrap();
    assert_eq!((switched.generation, switched.keys), (2, 1));
    client.expect_value("who", "csv").await;
}

#[tokio::test(start_paused = true)]
async fn a_memory_that_is_read_only_refuses_changes_in_step() {
    let read_only = Config {
        read_only: true,
        ..config("a.redb")
    };
    let service = service(&shelf(), &read_only).unwrap();
    let mut client = Client::connect(&service);
    let refusal = b"SERVER_ERROR the server is read-only\r\n";
    for request in [
        "set who 0 0 1\r\nx\r\n",
        "delete who\r\n",
        "flush_all\r\n",
        "ms who 1\r\nx\r\n",
    ] {
        client.exchange(request.as_bytes(), refusal).await;
    }
    client
        .exchange(b"set who 0 0 1 noreply\r\nx\r\nflush_all noreply\r\n", b"")
        .await;
    client.expect_value("who", "redb").await;
}
