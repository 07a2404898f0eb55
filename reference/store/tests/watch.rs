//! `watch`: what commands tell those who look on. The lines were recorded from memcached 1.6.45, where they carry the number
//! of a connection (`cfd`) as well.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod support;

use std::task::{Context, Waker};

use refcached_protocol::{Parser, Request, Step};
use refcached_store::{Kinds, MemoryOptions, Options, Store, Watcher};
use support::{START, Session};

/// The kinds that `watch` with these words asks for.
fn kinds(words: &str) -> Option<Kinds> {
    let line = format!("watch {words}\r\n");
    match Parser::new(Options::default().limits).next(line.as_bytes()) {
        Step::Request {
            request: Request::Watch(arguments),
            ..
        } => Kinds::of(&arguments),
        other => panic!("{other:?}"),
    }
}

fn watch(session: &Session, words: &str) -> Watcher {
    session.engine.environment().watchers().watch(kinds(words).unwrap())
}

/// What has come, without times and numbers.
fn told(watcher: &Watcher) -> Vec<String> {
    let mut out = Vec::new();
    let _ = watcher.poll_lines(&mut Context::from_waker(Waker::noop()), &mut out);
    let lines = String::from_utf8(out).unwrap();
    let line = |line: &str| line[line.find("type=").unwrap()..].to_owned();
    lines.lines().map(line).collect()
}

#[test]
fn words_are_kinds_and_no_word_is_fetchers() {
    assert_eq!(kinds(""), Some(Kinds::FETCHERS));
    assert_eq!(kinds("fetchers"), Some(Kinds::FETCHERS));
    assert_eq!(kinds("bogus"), None);
    assert_eq!(kinds("fetchers bogus"), None);
    for word in [
        "mutations",
        "evictions",
        "connevents",
        "deletions",
        "proxyreqs",
        "proxyevents",
        "proxyuser",
    ] {
        assert!(kinds(word).is_some(), "{word}");
    }
}

#[test]
fn every_lookup_is_told_whatever_it_is_for() {
    let session = Session::default();
    let watcher = watch(&session, "fetchers");
    for (command, line) in [
        ("set zq1 0 0 1 | 5", "zq1 status=not_found clsid=0 size=0"),
        ("append zq1 0 0 1 | 5", "zq1 status=found clsid=1 size=1"),
        ("incr zq1 1", "zq1 status=found clsid=1 size=2"),
        ("touch zq1 0", "zq1 status=found clsid=1 size=2"),
        ("gat 0 zq1", "zq1 status=found clsid=1 size=2"),
        ("mg zq1 v", "zq1 status=found clsid=1 size=2"),
        ("mg zqno v", "zqno status=not_found clsid=0 size=0"),
        ("mg zqv N30 v", "zqv status=not_found clsid=0 size=0"),
        ("me zq1", "zq1 status=found clsid=1 size=2"),
        ("md zq1", "zq1 status=found clsid=1 size=2"),
        ("delete zq1", "zq1 status=not_found clsid=0 size=0"),
    ] {
        session.exchange(command);
        assert_eq!(told(&watcher), [format!("type=item_get key={line}")], "{command}");
    }
    session.exchange("get zq1 zqv");
    assert_eq!(told(&watcher).len(), 2, "a line for each key");
}

#[test]
fn what_is_stored_is_told_and_why_it_is_not() {
    let session = Session::default();
    let watcher = watch(&session, "mutations");
    let too_large = format!("set zqbig 0 0 2000000 | {}", "x".repeat(2_000_000));
    for (command, line) in [
        (
            "set zq1 0 60 1 | 5",
            Some("zq1 status=stored cmd=set ttl=60 clsid=1 size=1"),
        ),
        (
            "add zq1 0 0 1 | 5",
            Some("zq1 status=not_stored cmd=add ttl=0 clsid=1 size=1"),
        ),
        (
            "replace zq1 0 0 1 | 5",
            Some("zq1 status=stored cmd=replace ttl=0 clsid=1 size=1"),
        ),
        (
            "append zq1 0 0 1 | 5",
            Some("zq1 status=stored cmd=append ttl=0 clsid=1 size=2"),
        ),
        (
            "append zq2 0 0 1 | 5",
            Some("zq2 status=not_stored cmd=append ttl=0 clsid=1 size=1"),
        ),
        (
            "cas zq1 0 0 1 1 | 5",
            Some("zq1 status=exists cmd=cas ttl=0 clsid=1 size=1"),
        ),
        (
            "cas zq3 0 0 1 1 | 5",
            Some("zq3 status=not_found cmd=cas ttl=0 clsid=1 size=1"),
        ),
        (
            "ms zq1 1 ME | 5",
            Some("zq1 status=not_stored cmd=add ttl=0 clsid=1 size=1"),
        ),
        (
            "ms enExMQ== 1 b | 1",
            Some("zq11 status=stored cmd=set ttl=0 clsid=1 size=1"),
        ),
        (
            "ma zqno N0 J100",
            Some("zqno status=stored cmd=add ttl=0 clsid=1 size=3"),
        ),
        ("incr zqno 1", None),
        (
            "set n,foo%% 0 0 1 | a",
            Some("n%2Cfoo%25%25 status=stored cmd=set ttl=0 clsid=1 size=1"),
        ),
        (&too_large, Some("zqbig status=too_large cmd=na ttl=0 clsid=1 size=0")),
    ] {
        session.exchange(command);
        let expected: Vec<String> = line.iter().map(|line| format!("type=item_store key={line}")).collect();
        assert_eq!(told(&watcher), expected, "{}", &command[..command.len().min(40)]);
    }
}

#[test]
fn deletions_are_told_and_misses_are_not() {
    let session = Session::default();
    let watcher = watch(&session, "deletions");
    session.exchange("set a 0 0 3 | abc");
    session.exchange("set b 0 0 1 | b");
    for command in ["delete a", "delete a", "md b I", "md b", "md b"] {
        session.exchange(command);
    }
    assert_eq!(
        told(&watcher),
        [
            "type=deleted key=a cmd=delete clsid=1 size=3",
            "type=deleted key=b cmd=md clsid=1 size=1"
        ]
    );
}

#[test]
fn evictions_are_told() {
    let memory = MemoryOptions {
        limit_bytes: 8 << 20,
        shards: 4,
    };
    let session = Session::new(Options::default(), memory);
    let watcher = watch(&session, "evictions");
    let value = "v".repeat(100_000);
    for number in 0..100 {
        session.exchange(&format!("set key{number} 0 0 {} | {value}", value.len()));
    }
    let evicted = usize::try_from(session.engine.store().statistics().evictions).unwrap();
    let told = told(&watcher);
    assert!(evicted > 10, "{evicted}");
    assert_eq!(told.len(), evicted);
    for line in told {
        assert!(line.starts_with("type=eviction key=key"), "{line}");
        assert!(line.ends_with(" fetch=no ttl=-1 la=0 clsid=1 size=100000"), "{line}");
    }
}

#[test]
fn lines_bear_the_time_of_the_command_and_a_number() {
    let session = Session::default();
    let watcher = watch(&session, "fetchers");
    session.exchange("get a");
    session.exchange("get b");
    let mut out = Vec::new();
    let _ = watcher.poll_lines(&mut Context::from_waker(Waker::noop()), &mut out);
    let seconds = START.unix_s();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        format!(
            "ts={seconds}.500000 gid=1 type=item_get key=a status=not_found clsid=0 size=0\n\
             ts={seconds}.500000 gid=2 type=item_get key=b status=not_found clsid=0 size=0\n"
        )
    );
}
