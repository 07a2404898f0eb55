//! The store in memory: bounds, eviction, threads, scans, and replies that do not fit.

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use refcached_protocol::{Parser, Step};
use refcached_store::store::{ScanPosition, StoreStatistics};
use refcached_store::{MemoryOptions, Options, Progress, Store};
use support::Session;

fn bounded(limit_bytes: u64, shards: usize) -> Session {
    Session::new(Options::default(), MemoryOptions { limit_bytes, shards })
}

fn statistics(session: &Session) -> StoreStatistics {
    session.engine.store().statistics()
}

#[test]
fn a_full_store_evicts_and_never_refuses() {
    let session = bounded(1 << 20, 8);
    let value = "v".repeat(100);
    for number in 0..50_000 {
        let stored = session.exchange(&format!("set key{number} 0 0 100 | {value}"));
        assert_eq!(stored, "STORED", "set number {number}");
        let get = session.exchange(&format!("mg key{number} s"));
        assert_eq!(get, "HD s100", "the newest item is never the one that goes");
        if number % 1000 == 0 {
            let statistics = statistics(&session);
            assert!(statistics.bytes <= 1 << 20, "{statistics:?}");
        }
    }
    let statistics = statistics(&session);
    assert_eq!(statistics.curr_items + statistics.evictions, 50_000);
    assert!(
        statistics.bytes > (1 << 20) * 9 / 10,
        "the room is used: {statistics:?}"
    );
}

#[test]
fn large_items_find_room_among_small_ones_and_small_ones_among_large() {
    let session = bounded(8 << 20, 256);
    let (small, large) = ("s".repeat(50), "l".repeat(900_000));
    for round in 0..20 {
        for number in 0..2000 {
            let stored = session.exchange(&format!("set small{round}.{number} 0 0 50 | {small}"));
            assert_eq!(stored, "STORED");
        }
        let stored = session.exchange(&format!("set large{round} 0 0 900000 | {large}"));
        assert_eq!(stored, "STORED");
        assert_eq!(session.exchange(&format!("mg large{round} s")), "HD s900000");
        assert!(statistics(&session).bytes <= 8 << 20);
    }
}

#[test]
fn what_is_used_outlives_what_is_not() {
    let session = bounded(2 << 20, 4);
    let value = "v".repeat(100);
    for number in 0..500 {
        assert_eq!(
            session.exchange(&format!("set used{number} 0 0 100 | {value}")),
            "STORED"
        );
    }
    for number in 0..60_000 {
        assert_eq!(
            session.exchange(&format!("set idle{number} 0 0 100 | {value}")),
            "STORED"
        );
        // Each of the 500 is used once while a small part of the store turns over.
        let _ = session.exchange(&format!("mg used{}", number % 500));
    }
    let kept = (0..500)
        .filter(|number| session.exchange(&format!("mg used{number}")) == "HD")
        .count();
    assert!(kept >= 490, "{kept} of 500 used items are left");
    assert!(statistics(&session).evictions > 40_000);
}

#[test]
fn expired_items_go_before_live_ones() {
    let mut session = bounded(1 << 20, 1);
    let value = "v".repeat(100);
    for number in 0..2500 {
        session.exchange(&format!("set live{number} 0 0 100 | {value}"));
        session.exchange(&format!("set dead{number} 0 1 100 | {value}"));
    }
    assert_eq!(statistics(&session).evictions, 0, "all of them fit");
    session.wait_ms(1000);
    for number in 0..2000 {
        session.exchange(&format!("set more{number} 0 0 100 | {value}"));
    }
    let statistics = statistics(&session);
    assert!(statistics.reclaimed > 1000, "{statistics:?}");
    assert!(statistics.evictions < statistics.reclaimed / 2, "{statistics:?}");
    assert_eq!(statistics.reclaimed, statistics.expired_unfetched);
}

#[test]
fn flushed_items_go_before_live_ones() {
    let session = bounded(2 << 20, 256);
    let value = "v".repeat(200_000);
    for round in 0..3 {
        for number in 0..8 {
            let stored = session.exchange(&format!("set key{round}.{number} 0 0 200000 | {value}"));
            assert_eq!(stored, "STORED");
        }
        // Few shards are entered by the next round: the others still hold what was flushed.
        assert_eq!(session.exchange("flush_all"), "OK");
    }
    assert_eq!(statistics(&session).evictions, 0);
    assert_eq!(statistics(&session).bytes, 0);
}

#[test]
fn an_item_in_use_outlives_those_that_nobody_fetches() {
    // 256 shards, and room for 33 of these: no shard has a choice of its own.
    let session = bounded(8 << 20, 256);
    let value = "v".repeat(250_000);
    session.exchange(&format!("set used 0 0 250000 | {value}"));
    for number in 0..200 {
        if number % 5 == 0 {
            assert_eq!(session.exchange("mg used"), "HD", "before set number {number}");
        }
        let stored = session.exchange(&format!("set key{number} 0 0 250000 | {value}"));
        assert_eq!(stored, "STORED");
    }
    assert!(statistics(&session).bytes > 7 << 20, "{:?}", statistics(&session));
    // Once it is no longer fetched it goes as the others do.
    for number in 200..300 {
        session.exchange(&format!("set key{number} 0 0 250000 | {value}"));
    }
    assert_eq!(session.exchange("mg used"), "EN");
}

#[test]
fn an_item_larger_than_the_store_is_refused_and_changes_nothing() {
    let session = bounded(10_000, 1);
    assert_eq!(session.exchange("set k 0 0 1 | a"), "STORED");
    let large = "x".repeat(20_000);
    let refused = session.exchange(&format!("set k 0 0 20000 | {large}"));
    assert_eq!(refused, "SERVER_ERROR out of memory storing object");
    assert_eq!(session.exchange(&format!("set k 0 0 20000 noreply | {large}")), "");
    let refused = session.exchange(&format!("ms k 20000 q | {large}"));
    assert_eq!(refused, "SERVER_ERROR out of memory storing object");
    assert_eq!(session.exchange("get k"), "VALUE k 0 1 | a | END");
    assert_eq!(statistics(&session).outofmemory, 3);
    assert!(session.exchange("stats").contains("STAT store_no_memory 3 | "));
}

#[test]
fn a_lower_limit_is_kept_at_once() {
    let session = Session::default();
    let value = "v".repeat(1000);
    for number in 0..20_000 {
        session.exchange(&format!("set key{number} 0 0 1000 | {value}"));
    }
    assert!(statistics(&session).bytes > 16 << 20);
    assert_eq!(session.exchange("cache_memlimit 8"), "OK");
    assert!(statistics(&session).bytes <= 8 << 20);
    assert_eq!(statistics(&session).limit_bytes, 8 << 20);
}

#[test]
fn charges_return_to_zero() {
    let session = Session::default();
    for number in 0..1000 {
        session.exchange(&format!("set key{number} 0 0 3 | 123"));
        session.exchange(&format!("append key{number} 0 0 30 | {}", "4".repeat(30)));
        session.exchange(&format!("incr key{number} 1"));
    }
    for number in 0..500 {
        session.exchange(&format!("delete key{number}"));
    }
    assert_eq!(statistics(&session).curr_items, 500);
    session.exchange("flush_all");
    assert_eq!(statistics(&session).curr_items, 0);
    assert_eq!(statistics(&session).bytes, 0);
}

#[test]
fn an_item_that_replaces_an_expired_one_is_charged_once() {
    let mut session = Session::default();
    session.exchange("set k 0 0 3 | abc");
    let one = statistics(&session).bytes;
    session.exchange("touch k 1");
    session.wait_ms(1000);
    session.exchange("set k 0 0 3 | abc");
    assert_eq!(statistics(&session).bytes, one);
    session.exchange("touch k 1");
    session.wait_ms(1000);
    session.exchange("incr k 1");
    assert_eq!(statistics(&session).bytes, 0);
}

#[test]
fn threads_that_count_lose_nothing() {
    const THREADS: u64 = 8;
    const EACH: u64 = 5000;
    let session = Session::default();
    session.exchange("set n 0 0 1 | 0");
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    session.exchange("incr n 1");
                }
            });
        }
    });
    let sum = (THREADS * EACH).to_string();
    assert_eq!(
        session.exchange("get n"),
        format!("VALUE n 0 {} | {sum} | END", sum.len())
    );
    assert!(session.exchange("stats").contains(&format!("STAT incr_hits {sum} | ")));
}

#[test]
fn of_threads_that_race_one_wins() {
    let session = Session::default();
    let (added, swapped) = (AtomicU64::new(0), AtomicU64::new(0));
    for round in 0..200 {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let won = session.exchange(&format!("add key{round} 0 0 1 | a")) == "STORED";
                    added.fetch_add(u64::from(won), Ordering::Relaxed);
                });
            }
        });
        let got = session.exchange(&format!("mg key{round} c"));
        let cas = got.strip_prefix("HD c").expect("it was added");
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let sent = format!("cas key{round} 0 0 1 {cas} | b");
                    let won = session.exchange(&sent) == "STORED";
                    swapped.fetch_add(u64::from(won), Ordering::Relaxed);
                });
            }
        });
    }
    assert_eq!(added.into_inner(), 200);
    assert_eq!(swapped.into_inner(), 200);
}

#[test]
fn threads_stay_within_the_limit() {
    let session = bounded(1 << 20, 16);
    let value = "v".repeat(300);
    thread::scope(|scope| {
        for thread in 0..4 {
            let (session, value) = (&session, &value);
            scope.spawn(move || {
                for number in 0..5000 {
                    let stored = session.exchange(&format!("set {thread}.{number} 0 0 300 | {value}"));
                    assert_eq!(stored, "STORED");
                }
            });
        }
    });
    let statistics = statistics(&session);
    assert!(statistics.bytes <= 1 << 20, "{statistics:?}");
    assert_eq!(statistics.curr_items + statistics.evictions, 20_000);
}

#[test]
fn a_scan_shows_every_live_item() {
    let mut session = bounded(64 << 20, 8);
    for number in 0..1000 {
        session.exchange(&format!("set key{number} 0 {} 1 | a", number % 2));
    }
    session.wait_ms(1000);
    let mut seen = BTreeSet::new();
    let mut position = Some(ScanPosition::default());
    while let Some(from) = position {
        let store = session.engine.store();
        let scanned = store.scan(from, session.now, |item| {
            seen.insert(String::from_utf8_lossy(item.key).into_owned());
        });
        position = scanned.expect("memory can always be read");
    }
    let expected: BTreeSet<_> = (0..1000).step_by(2).map(|number| format!("key{number}")).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_long_reply_comes_in_bounded_pieces() {
    let session = Session::new(
        Options {
            reply_bytes_max: 10_000,
            ..Options::default()
        },
        MemoryOptions::default(),
    );
    let value = "v".repeat(4000);
    let keys: Vec<String> = (0..50).map(|number| format!("key{number}")).collect();
    for key in &keys {
        session.exchange(&format!("set {key} 0 0 4000 | {value}"));
    }
    let line = format!("get {} \r\n", keys.join("  "));
    let mut parser = Parser::new(session.engine.environment().options().limits);
    let Step::Request { request, .. } = parser.next(line.as_bytes()) else {
        panic!("the line is a whole request");
    };
    let mut pieces = Vec::new();
    let mut out = Vec::new();
    let mut progress = session.engine.execute(&request, session.now, &mut out);
    while let Progress::More(cursor) = progress {
        assert!(out.len() >= 10_000 && out.len() < 10_000 + 4100, "{}", out.len());
        pieces.append(&mut out);
        progress = session.engine.resume(&request, cursor, session.now, &mut out);
    }
    assert_eq!(progress, Progress::Done);
    pieces.append(&mut out);
    let whole: String = keys
        .iter()
        .map(|key| format!("VALUE {key} 0 4000\r\n{value}\r\n"))
        .collect();
    assert!(
        pieces == format!("{whole}END\r\n").as_bytes(),
        "the pieces make up the reply"
    );
}

#[test]
fn to_foresee_keys_changes_nothing() {
    // One shard: all keys but the first find it taken.
    for shards in [1, 256] {
        let session = bounded(1 << 20, shards);
        for key in ["a", "b", "c"] {
            assert_eq!(session.exchange(&format!("set {key} 0 1 2 | {key}{key}")), "STORED");
        }
        let before = statistics(&session);
        session
            .engine
            .store()
            .foresee(&[b"a", b"absent", b"b", b"b", b"", b"c", b"a", b"a"]);
        assert_eq!(statistics(&session), before);
        assert_eq!(session.exchange("mg a h v"), "VA 2 h0 | aa", "nobody has fetched it");
        assert_eq!(
            session.exchange("get b absent c b"),
            "VALUE b 0 2 | bb | VALUE c 0 2 | cc | VALUE b 0 2 | bb | END"
        );
    }
}

#[test]
fn every_key_of_a_long_retrieval_is_answered_in_its_place() {
    let session = bounded(1 << 20, 8);
    let keys: Vec<String> = (0..40).map(|number| format!("key{number}")).collect();
    for key in keys.iter().step_by(3) {
        assert_eq!(session.exchange(&format!("set {key} 0 0 1 | x")), "STORED");
    }
    for count in 1..keys.len() {
        let found = keys[..count].iter().step_by(3);
        let expected: String = found.map(|key| format!("VALUE {key} 0 1 | x | ")).collect();
        let asked = keys[..count].join("  ");
        assert_eq!(
            session.exchange(&format!("get {asked} ")),
            format!("{expected}END"),
            "{count} keys"
        );
    }
}
