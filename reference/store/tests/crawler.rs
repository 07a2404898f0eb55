//! `lru_crawler`: what a walk over the items drops and lists.

mod support;

use std::collections::BTreeSet;

use refcached_protocol::{Parser, Step};
use refcached_store::{MemoryOptions, Options, Progress, Store};
use support::Session;

#[test]
fn a_crawl_drops_what_has_expired_and_nothing_else() {
    let mut session = Session::default();
    for number in 0..100 {
        let exptime = if number < 60 { 10 } else { 1000 };
        session.exchange(&format!("set key{number} 0 {exptime} 1 | a"));
    }
    let bytes = session.engine.store().statistics().bytes;
    session.wait_ms(10_000);
    assert_eq!(session.exchange("lru_crawler crawl 2"), "OK");
    assert_eq!(
        session.engine.store().statistics().curr_items,
        100,
        "the items are in class 1"
    );
    assert_eq!(session.exchange("lru_crawler crawl all"), "OK");
    let after = session.engine.store().statistics();
    assert_eq!((after.curr_items, after.crawler_reclaimed), (40, 60));
    assert_eq!((after.expired_unfetched, after.get_expired), (60, 0));
    assert!(
        after.bytes < bytes / 2,
        "their memory is free: {after:?}, {bytes} before"
    );
    assert_eq!(session.exchange("get key59 key60"), "VALUE key60 0 1 | a | END");
}

#[test]
fn a_crawl_that_wants_no_answer_is_done_all_the_same() {
    let mut session = Session::default();
    session.exchange("set a 0 1 1 | a");
    session.wait_ms(1_000);
    assert_eq!(session.exchange("lru_crawler crawl 1 noreply"), "");
    assert_eq!(session.engine.store().statistics().curr_items, 0);
    assert_eq!(session.exchange("lru_crawler metadump all noreply"), "");
}

#[test]
fn a_dump_lists_live_items_only() {
    let mut session = Session::default();
    session.exchange("set dead 0 1 1 | a");
    session.exchange("set live 7 100 1 | a");
    session.wait_ms(1_000);
    session.exchange("get live");
    assert_eq!(
        session.exchange("lru_crawler metadump all"),
        "OK | key=live exp=1800000100 la=1800000001 cas=2 fetch=yes cls=1 size=28 flags=7 \\nEND"
    );
    assert_eq!(session.exchange("lru_crawler mgdump hash"), "OK | mg live | EN");
}

#[test]
fn a_dump_of_many_items_comes_in_parts_and_lists_each_once() {
    let memory = MemoryOptions {
        shards: 16,
        ..MemoryOptions::default()
    };
    let session = Session::new(Options::default(), memory);
    for number in 0..1000 {
        session.exchange(&format!("set key{number} 0 0 1 | a"));
    }
    let mut parser = Parser::new(Options::default().limits);
    let Step::Request { request, .. } = parser.next(b"lru_crawler mgdump all\r\n") else {
        panic!("a whole command is a request");
    };
    let (mut out, mut longest, mut whole) = (Vec::new(), 0, String::new());
    let mut progress = session.engine.execute(&request, session.now, &mut out);
    while let Progress::More(cursor) = progress {
        longest = longest.max(out.len());
        whole += std::str::from_utf8(&out).expect("the keys are ASCII");
        out.clear();
        progress = session.engine.resume(&request, cursor, session.now, &mut out);
    }
    whole += std::str::from_utf8(&out).expect("the keys are ASCII");
    assert!(
        longest < whole.len() / 4,
        "a part had {longest} bytes of {}",
        whole.len()
    );
    let body = whole
        .strip_prefix("OK\r\n")
        .and_then(|rest| rest.strip_suffix("EN\r\n"));
    let lines: Vec<&str> = body.expect("a list has a head and an end").lines().collect();
    let keys: BTreeSet<String> = (0..1000).map(|number| format!("mg key{number}")).collect();
    assert_eq!(lines.len(), keys.len());
    assert!(lines.iter().all(|&line| keys.contains(line)));
}

#[test]
fn a_dump_that_has_begun_ends_although_the_crawler_is_disabled_meanwhile() {
    let session = Session::default();
    let mut parser = Parser::new(Options::default().limits);
    let Step::Request { request, .. } = parser.next(b"lru_crawler metadump all\r\n") else {
        panic!("a whole command is a request");
    };
    let mut out = Vec::new();
    let mut progress = session.engine.execute(&request, session.now, &mut out);
    assert!(matches!(progress, Progress::More(_)), "a store has more than one part");
    assert_eq!(session.exchange("lru_crawler disable"), "OK");
    while let Progress::More(cursor) = progress {
        progress = session.engine.resume(&request, cursor, session.now, &mut out);
    }
    assert_eq!(out, b"OK\r\nEND\r\n");
}
