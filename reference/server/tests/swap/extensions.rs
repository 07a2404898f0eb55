//! `switchdb`, `range` and `dbstats`.

use std::time::Duration;

use refcached::{Administration, Config, Policy};
use tokio::time::Instant;

use crate::shelf::Shelf;
use crate::world::{Client, begin_switch, config, service};

fn extended(data: &str) -> Config {
    Config {
        extensions: true,
        ..config(data)
    }
}

fn users() -> Shelf {
    let shelf = Shelf::default();
    shelf.put(
        "users",
        &[
            ("user:2", b"two"),
            ("user:10", b"ten"),
            ("group:1", b"g"),
            ("user:1", b"one"),
        ],
    );
    shelf.put("others", &[("user:9", b"nine")]);
    shelf
}

#[tokio::test(start_paused = true)]
async fn without_the_flag_they_are_unknown_commands() {
    let service = service(&users(), &config("users"));
    let mut client = Client::connect(&service);
    for request in ["switchdb others\r\n", "range user:\r\n", "dbstats\r\n"] {
        client.exchange(request.as_bytes(), b"ERROR\r\n").await;
    }
    assert_eq!(service.status().generation, 1);
}

#[tokio::test(start_paused = true)]
async fn a_range_lists_the_items_under_a_prefix_in_the_order_of_their_keys() {
    let service = service(&users(), &extended("users"));
    let mut client = Client::connect(&service);
    for (request, reply) in [
        (
            "range user:\r\n",
            "VALUE user:1 0 3\r\none\r\nVALUE user:10 0 3\r\nten\r\nVALUE user:2 0 3\r\ntwo\r\nEND\r\n",
        ),
        ("range user: 1\r\n", "VALUE user:1 0 3\r\none\r\nEND\r\n"),
        ("range user: 0\r\n", "END\r\n"),
        ("range g -1\r\n", "VALUE group:1 0 1\r\ng\r\nEND\r\n"),
        ("range x\r\n", "END\r\n"),
        ("range\r\n", "ERROR\r\n"),
        ("range user: some\r\n", "ERROR\r\n"),
        (
            "get user:2\r\nrange user:10\r\nget group:1\r\n",
            "VALUE user:2 0 3\r\ntwo\r\nEND\r\nVALUE user:10 0 3\r\nten\r\nEND\r\nVALUE group:1 0 1\r\ng\r\nEND\r\n",
        ),
    ] {
        client.exchange(request.as_bytes(), reply.as_bytes()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_range_is_answered_by_one_dataset() {
    let shelf = Shelf::default();
    let keys: Vec<String> = (0..50).map(|number| format!("k{number:02}")).collect();
    for (name, letter) in [("old", b'o'), ("new", b'n')] {
        let value = vec![letter; 100_000];
        let items: Vec<(&str, &[u8])> = keys.iter().map(|key| (key.as_str(), value.as_slice())).collect();
        shelf.put(name, &items);
    }
    let service = service(&shelf, &extended("old"));
    let mut client = Client::connect_narrow(&service, 1 << 12);
    client.send(b"range k\r\n").await;
    let switching = begin_switch(&service, "new").await;
    assert!(!switching.is_finished());
    for key in &keys {
        client.expect(format!("VALUE {key} 0 100000\r\n").as_bytes()).await;
        client.expect(&[b'o'; 100_000]).await;
        client.expect(b"\r\n").await;
    }
    client.expect(b"END\r\n").await;
    assert!(switching.await.unwrap().unwrap().drained);
    client.fence().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_switches_is_answered_when_it_is_done_and_moves_itself() {
    let bound = Config {
        swap_policy: Policy::Connection,
        ..extended("users")
    };
    let service = service(&users(), &bound);
    let mut client = Client::connect(&service);
    client.expect_value("user:1", "one").await;
    let began = Instant::now();
    client
        .exchange(
            b"get user:2\r\nswitchdb others\r\nget user:9\r\n",
            b"VALUE user:2 0 3\r\ntwo\r\nEND\r\nOK\r\nVALUE user:9 0 4\r\nnine\r\nEND\r\n",
        )
        .await;
    assert!(began.elapsed() < Duration::from_secs(1), "it waited for itself");
    for (request, words) in [
        (
            "switchdb others\r\n",
            "CLIENT_ERROR \"others\" is being served already; name another file\r\n",
        ),
        ("switchdb\r\n", "ERROR\r\n"),
    ] {
        client.exchange(request.as_bytes(), words.as_bytes()).await;
    }
    let text = {
        client.send(b"dbstats\r\n").await;
        client.lines_until("END").await
    };
    for line in [
        "STAT backend redb",
        "STAT file others",
        "STAT generation 2",
        "STAT items 1",
        "STAT bloom_keys 1",
    ] {
        assert!(text.contains(&line.to_owned()), "{line} in {text:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_client_switches_a_server_that_is_read_only() {
    let read_only = Config {
        read_only: true,
        ..extended("users")
    };
    let service = service(&users(), &read_only);
    let mut client = Client::connect(&service);
    client
        .exchange(b"switchdb others\r\n", b"SERVER_ERROR the server is read-only\r\n")
        .await;
    client
        .exchange(b"range g\r\n", b"VALUE group:1 0 1\r\ng\r\nEND\r\n")
        .await;
    // Whoever runs it may.
    assert_eq!(crate::world::switch(&service, "others").await.unwrap().generation, 2);
}
