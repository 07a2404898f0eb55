//! The bloom filter: never a key too few.

use std::collections::BTreeSet;

use proptest::prelude::*;
use refcached_store::RedbStore;
use refcached_store::store::{Change, Store};

use crate::disk::Disk;
use crate::support::START;
use crate::{LAX, get, look, put, set};

#[derive(Clone, Debug)]
enum Op {
    /// Keys that are put in one batch, which then fails if so.
    Put(Vec<u16>, bool),
    Remove(Vec<u16>),
    Reclaim(usize),
    Flush,
    Reopen,
}

fn op() -> impl Strategy<Value = Op> {
    let keys = || prop::collection::vec(0..400_u16, 1..40);
    prop_oneof![
        5 => (keys(), prop::bool::weighted(0.2)).prop_map(|(keys, fails)| Op::Put(keys, fails)),
        2 => keys().prop_map(Op::Remove),
        3 => (1..200_usize).prop_map(Op::Reclaim),
        1 => Just(Op::Flush),
        1 => Just(Op::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_key_that_is_there_is_never_answered_for_by_the_filter(ops in prop::collection::vec(op(), 1..40)) {
        let mut disk = Disk::default();
        let mut store = RedbStore::open_on(disk.clone(), &LAX, START, |_| {}).unwrap();
        let mut there = BTreeSet::new();
        for op in ops {
            match op {
                Op::Put(keys, true) => {
                    disk.fail_after(0);
                    let failed = store.write(|batch| keys.iter().try_for_each(|key| put(batch, &key.to_be_bytes(), b"v")));
                    // Redb may have kept it all in memory: then it is committed, and not on the disk.
                    if matches!(failed, Ok(Ok(()))) {
                        prop_assert!(keys.iter().all(|key| get(&store, &key.to_be_bytes()).is_some()));
                        store.sync().expect_err("the disk is broken");
                    }
                    // The disk comes back as the power would have left it.
                    disk = disk.lose_power();
                    store = RedbStore::open_on(disk.clone(), &LAX, START, |_| {}).unwrap();
                    there = (0..400_u16).filter(|key| get(&store, &key.to_be_bytes()).is_some()).collect();
                }
                Op::Put(keys, false) => {
                    store.write(|batch| keys.iter().try_for_each(|key| put(batch, &key.to_be_bytes(), b"v"))).unwrap().unwrap();
                    there.extend(keys);
                }
                Op::Remove(keys) => {
                    let remove = |key: &u16| key.to_be_bytes();
                    store.write(|batch| keys.iter().try_for_each(|key| {
                        batch.update(&remove(key), START, |_| (Change::Remove, ()))
                    })).unwrap().unwrap();
                    for key in keys {
                        there.remove(&key);
                    }
                }
                Op::Reclaim(records) => drop(store.reclaim(START, records).unwrap()),
                Op::Flush => {
                    store.write(|batch| batch.flush(START, START)).unwrap().unwrap();
                    there.clear();
                }
                Op::Reopen => {
                    store.close().unwrap();
                    store = RedbStore::open_on(disk.clone(), &LAX, START, |_| {}).unwrap();
                }
            }
            for key in 0..400_u16 {
                let expected = there.contains(&key);
                let bytes = key.to_be_bytes();
                prop_assert!(!expected || store.may_contain(&bytes), "key {}", key);
                prop_assert_eq!(get(&store, &bytes).is_some(), expected, "key {}", key);
            }
            prop_assert_eq!(store.items(), there.len() as u64);
        }
    }
}

#[test]
fn the_filter_grows_and_is_made_anew_and_keeps_its_word() {
    let store = RedbStore::open_on(Disk::default(), &LAX, START, |_| {}).unwrap();
    let key = |number: u32| number.to_be_bytes();
    for thousand in 0..200 {
        store
            .write(|batch| (0..1000).try_for_each(|n| put(batch, &key(thousand * 1000 + n), b"v")))
            .unwrap()
            .unwrap();
    }
    let grown = store.details();
    assert!(grown.bloom_layers > 1, "{grown:?}");
    store
        .read(|batch| {
            for number in 0..400_000 {
                let found = look(batch, &key(number), START).unwrap().is_some();
                assert_eq!(found, number < 200_000);
            }
        })
        .unwrap();
    let after = store.details();
    let saved = after.bloom_lookups_saved - grown.bloom_lookups_saved;
    let wrong = after.bloom_false_positives - grown.bloom_false_positives;
    assert_eq!(saved + wrong, 200_000);
    assert!(
        wrong < 2000 * 3 / 2,
        "{wrong} wrong answers where at most one in a hundred was asked for"
    );
    store
        .write(|batch| (0..190_000).try_for_each(|n| batch.update(&key(n), START, |_| (Change::Remove, ()))))
        .unwrap()
        .unwrap();
    while !store.reclaim(START, 3000).unwrap().finished {}
    let anew = store.details();
    assert_eq!((anew.bloom_layers, anew.bloom_keys), (1, 10_000));
    assert!(anew.bloom_bits < grown.bloom_bits);
    assert!((190_000..200_000).all(|number| store.may_contain(&key(number))));
    assert!((0..190_000).filter(|&number| store.may_contain(&key(number))).count() < 3000);
}

#[test]
fn a_reader_beside_a_writer_never_misses_what_it_was_told_of() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let store = RedbStore::open_on(Disk::default(), &LAX, START, |_| {}).unwrap();
    let written = AtomicU32::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..=3000_u32 {
                set(&store, &number.to_be_bytes(), b"v").unwrap();
                written.store(number, Ordering::Release);
                if number % 100 == 0 {
                    store.reclaim(START, 500).unwrap();
                }
            }
        });
        scope.spawn(|| {
            let mut last = 0;
            while last < 3000 {
                last = written.load(Ordering::Acquire);
                for number in [last, last / 2 + 1] {
                    if number > 0 && number <= last {
                        assert!(store.may_contain(&number.to_be_bytes()));
                        assert!(get(&store, &number.to_be_bytes()).is_some());
                    }
                }
            }
        });
    });
}
