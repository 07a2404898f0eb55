//! What batches see, do and count.

use std::collections::BTreeMap;

use proptest::prelude::*;
use refcached_store::redb::{RedbError, RedbStore};
use refcached_store::store::{Change, ScanPosition, Store};
use refcached_store::{Expiry, Timestamp};

use crate::disk::Disk;
use crate::support::{OnDisk, SMALL, START, Server, Session, line, notation};
use crate::{LAX, get, look, put, put_until, set};

fn fresh() -> (Disk, RedbStore) {
    let disk = Disk::default();
    let store = RedbStore::open_on(disk.clone(), &SMALL, START, |_| {}).unwrap();
    (disk, store)
}

#[test]
fn a_batch_is_one_commit_and_one_that_changes_nothing_is_none() {
    let (disk, store) = fresh();
    let syncs = disk.syncs();
    let batch = store.write(|batch| (0..64_u8).try_for_each(|key| put(batch, &[key], b"v")));
    batch.unwrap().unwrap();
    assert_eq!(disk.syncs(), syncs + 1);
    disk.take_changes();
    store.write(|batch| look(batch, &[7], START)).unwrap().unwrap();
    store
        .write(|batch| batch.update(b"missing", START, |_| (Change::Remove, ())))
        .unwrap()
        .unwrap();
    assert_eq!(disk.take_changes(), 0);
    let details = store.details();
    assert_eq!((details.commits, details.synced_commits), (1, 1));
}

#[test]
fn nobody_sees_a_batch_before_it_is_committed_or_after_it_has_failed() {
    let (disk, store) = fresh();
    set(&store, b"key", b"old").unwrap();
    store
        .write(|batch| {
            put(batch, b"key", b"new").unwrap();
            assert_eq!(look(batch, b"key", START).unwrap().unwrap(), b"new");
            assert_eq!(get(&store, b"key").unwrap(), b"old");
        })
        .unwrap();
    let before = store.read(|reading| {
        set(&store, b"key", b"newer").unwrap();
        look(reading, b"key", START).unwrap()
    });
    assert_eq!(
        before.unwrap().unwrap(),
        b"new",
        "a batch stays with the state that it began on"
    );
    disk.fail_after(0);
    store
        .write(|batch| put(batch, b"key", b"never"))
        .expect_err("the disk is broken");
    assert_eq!(get(&store, b"key").unwrap(), b"newer");
    assert_eq!(store.items(), 1);
}

#[test]
fn a_reading_batch_changes_nothing_and_says_so() {
    let (_, store) = fresh();
    set(&store, b"key", b"value").unwrap();
    store
        .read(|batch| {
            assert!(matches!(put(batch, b"key", b"x"), Err(RedbError::ReadOnly)));
            assert!(matches!(put(batch, b"other", b"x"), Err(RedbError::ReadOnly)));
            assert!(matches!(batch.flush(START, START), Err(RedbError::ReadOnly)));
            let removed = batch.update(b"missing", START, |found| (Change::Remove, found.is_some()));
            assert!(!removed.unwrap(), "there was nothing to remove");
        })
        .unwrap();
    assert_eq!(get(&store, b"key").unwrap(), b"value");
}

#[test]
fn what_has_expired_or_was_flushed_is_reclaimed_a_stretch_at_a_time() {
    let (_, store) = fresh();
    let later = START.plus_ms(1000);
    store
        .write(|batch| {
            for number in 0..1000_u32 {
                let expiry = if number % 4 == 0 {
                    Expiry::at(later)
                } else {
                    Expiry::NEVER
                };
                put_until(batch, &number.to_be_bytes(), b"v", expiry).unwrap();
            }
        })
        .unwrap();
    let bytes = store.statistics().bytes;
    let mut calls = 0;
    let mut dropped = 0;
    loop {
        let reclaimed = store.reclaim(later, 300).unwrap();
        assert!(reclaimed.examined <= 300);
        calls += 1;
        dropped += reclaimed.dropped;
        if reclaimed.finished {
            break;
        }
    }
    assert_eq!((calls, dropped, store.items()), (4, 250, 750));
    let statistics = store.statistics();
    assert_eq!((statistics.reclaimed, statistics.expired_unfetched), (250, 250));
    assert!(statistics.bytes < bytes * 4 / 5);
    store.write(|batch| batch.flush(later, later)).unwrap().unwrap();
    assert_eq!((store.items(), store.statistics().bytes), (0, 0));
    set(&store, b"new", b"v").unwrap();
    while !store.reclaim(later, 300).unwrap().finished {}
    assert_eq!((store.items(), store.details().flushed_dropped), (1, 750));
    assert_eq!(get(&store, b"new").unwrap(), b"v");
}

#[test]
fn a_scan_can_be_paused_and_is_forgotten_when_too_many_are() {
    let (_, store) = fresh();
    store
        .write(|batch| (0..5000_u32).try_for_each(|number| put(batch, &number.to_be_bytes(), b"v")))
        .unwrap()
        .unwrap();
    let scan = |from| {
        let mut seen = 0;
        let next = store.read(|batch| batch.scan(from, START, |_| seen += 1)).unwrap();
        next.map(|next| (seen, next))
    };
    let (first, paused) = scan(ScanPosition::default()).unwrap();
    let mut count = first;
    let mut position = paused;
    while let Some(from) = position {
        let (seen, next) = scan(from).unwrap();
        count += seen;
        position = next;
    }
    assert_eq!(count, 5000);
    let (_, paused) = scan(ScanPosition::default()).unwrap();
    for _ in 0..1024 {
        scan(ScanPosition::default()).unwrap();
    }
    assert!(matches!(scan(paused.unwrap()), Err(RedbError::ScanLost)));
}

#[test]
fn a_range_is_in_order_and_ends_with_its_prefix() {
    let (_, store) = fresh();
    for key in ["b2", "a", "b", "c", "b1", "b\u{ff}"] {
        set(&store, key.as_bytes(), b"v").unwrap();
    }
    let range = |prefix: &str, limit: usize| {
        let mut keys = Vec::new();
        let visit = |item: refcached_store::item::Item<'_>| {
            keys.push(String::from_utf8(item.key.to_vec()).unwrap());
            keys.len() < limit
        };
        store
            .read(|batch| batch.range(prefix.as_bytes(), None, START, visit))
            .unwrap()
            .unwrap();
        keys
    };
    assert_eq!(range("b", 10), ["b", "b1", "b2", "b\u{ff}"]);
    assert_eq!(range("b", 2), ["b", "b1"]);
    assert_eq!(range("", 10).len(), 6);
    assert!(range("d", 10).is_empty());
}

#[test]
fn stats_shows_the_figures_of_the_filter_and_of_the_file() {
    let server = OnDisk::fresh();
    server.exchange("set k 0 0 1 | a");
    server.exchange("get k missing");
    let stats = server.exchange("stats");
    for line in [
        "STAT bloom_lookups_saved 2 | ",
        "STAT bloom_false_positives 0 | ",
        "STAT bloom_false_positive_rate_configured 0.010000 | ",
        "STAT bloom_false_positive_rate_measured 0.000000 | ",
        "STAT redb_commits 1 | ",
        "STAT redb_lookups_met 1 | ",
        "STAT curr_items 1 | ",
        "STAT limit_maxbytes 0 | ",
    ] {
        assert!(stats.contains(line), "{line} in {stats}");
    }
    assert!(
        !Session::default().exchange("stats").contains("bloom"),
        "memory has no filter"
    );
}

/// Requests that only read, in every form.
fn reading() -> impl Strategy<Value = String> {
    let key = 0..12_u8;
    prop_oneof![
        prop::collection::vec(key.clone(), 1..5).prop_map(|keys| {
            let names: Vec<_> = keys.iter().map(|key| format!("key{key}")).collect();
            format!("gets {}", names.join(" "))
        }),
        key.clone().prop_map(|key| format!("mg key{key} k f s t c v h l")),
        key.prop_map(|key| format!("mg key{key} t h l")),
    ]
}

fn writing() -> impl Strategy<Value = String> {
    (0..12_u8, 0..3_i32, "[a-z]{0,30}", 0..9_u8).prop_map(|(key, exptime, value, kind)| match kind {
        0 => format!("delete key{key}"),
        1 => format!("touch key{key} {exptime}"),
        2 => format!("md key{key} I"),
        3 => format!("append key{key} 0 0 {} | {value}", value.len()),
        4 => String::from("flush_all 1"),
        _ => format!("set key{key} {kind} {exptime} {} | {value}", value.len()),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn a_reading_batch_answers_as_memory_does(
        steps in prop::collection::vec((writing(), reading(), 0..900_u64), 1..25),
    ) {
        let (mut memory, mut disk) = (Session::fresh(), OnDisk::fresh());
        for (write, read, ms) in &steps {
            let (write, read) = (line(write), line(read));
            prop_assert_eq!(memory.execute_bytes(write.as_bytes()), disk.execute_bytes(write.as_bytes()));
            let expected = memory.execute_bytes(read.as_bytes());
            let mut answered = disk.read_bytes(read.as_bytes());
            // A `mg` that is to recache a stale item notes that it was told so.
            if answered.starts_with(b"SERVER_ERROR the dataset is read-only") {
                prop_assert!(expected.windows(3).any(|flags| flags == b" W " || flags == b" W\r"), "{}", read);
                answered = disk.execute_bytes(read.as_bytes());
            }
            prop_assert_eq!(notation(&answered), notation(&expected), "{}", read);
            Server::wait_ms(&mut memory, *ms);
            Server::wait_ms(&mut disk, *ms);
        }
    }

    #[test]
    fn counts_are_those_of_a_recount(ops in prop::collection::vec((0..30_u8, 0..60_usize, 0..4_u8), 1..60)) {
        let disk = Disk::default();
        let store = RedbStore::open_on(disk.clone(), &LAX, START, |_| {}).unwrap();
        let mut model: BTreeMap<u8, Timestamp> = BTreeMap::new();
        let mut now = START;
        for (key, size, kind) in ops {
            let expiry = now.plus_ms(size as u64 * 100);
            let change = match kind {
                0 => Change::Remove,
                1 => Change::Keep,
                _ => Change::Put(
                    crate::attributes(1, Expiry::at(expiry)),
                    refcached_store::store::Data::Bytes(&[b'v'; 60][..size]),
                ),
            };
            store.write(|batch| batch.update(&[key], now, |_| (change, ()))).unwrap().unwrap();
            match kind {
                0 => drop(model.remove(&key)),
                1 => {}
                _ => drop(model.insert(key, expiry)),
            }
            now = now.plus_ms(150);
        }
        while !store.reclaim(now, 7).unwrap().finished {}
        model.retain(|_, expiry| *expiry > now);
        let counted = store.statistics();
        prop_assert_eq!(counted.curr_items, model.len() as u64);
        store.close().unwrap();
        let recounted = RedbStore::open_on(disk, &LAX, START, |_| {}).unwrap().statistics();
        prop_assert_eq!((counted.curr_items, counted.bytes), (recounted.curr_items, recounted.bytes));
    }
}
