//! Power that fails, disks that are full, disks that break.

use proptest::prelude::*;
use refcached_store::redb::{RedbError, RedbStore};
use refcached_store::store::Store;
use refcached_store::{RedbOptions, Timestamp};

use crate::disk::Disk;
use crate::support::{SMALL, START};
use crate::{LAX, get, look, put, set};

fn open(disk: &Disk, options: &RedbOptions) -> RedbStore {
    RedbStore::open_on(disk.clone(), options, START, |_| {}).unwrap()
}

#[test]
fn what_was_acknowledged_survives_the_loss_of_power() {
    let disk = Disk::default();
    let store = open(&disk, &SMALL);
    for number in 0..50_u32 {
        set(&store, b"key", &number.to_be_bytes()).unwrap();
        assert_eq!(
            get(&open(&disk.survivor(), &SMALL), b"key").unwrap(),
            number.to_be_bytes()
        );
    }
}

#[test]
fn what_was_not_to_be_durable_is_lost_and_the_file_is_whole() {
    let disk = Disk::default();
    let store = open(&disk, &LAX);
    set(&store, b"first", b"1").unwrap();
    store.sync().unwrap();
    let syncs = disk.syncs();
    for number in 0..100_u32 {
        set(&store, b"key", &number.to_be_bytes()).unwrap();
    }
    assert_eq!(disk.syncs(), syncs, "nothing waits for the disk");
    assert_eq!(get(&store, b"key").unwrap(), 99_u32.to_be_bytes());
    let after = disk.lose_power();
    drop(store);
    let store = open(&after, &LAX);
    assert_eq!(get(&store, b"key"), None);
    assert_eq!(
        get(&store, b"first").unwrap(),
        b"1",
        "the first commit raised the ceiling of CAS values"
    );
    set(&store, b"key", b"again").unwrap();
    store.close().unwrap();
    assert_eq!(get(&open(&after, &LAX), b"key").unwrap(), b"again");
}

#[test]
fn cas_values_do_not_come_again_after_a_crash() {
    let disk = Disk::default();
    let mut highest = 0;
    for _ in 0..5 {
        let store = open(&disk, &LAX);
        let ceiling = store.cas_ceiling();
        assert!(ceiling >= highest, "{ceiling} is less than {highest}");
        highest = ceiling + 3;
        store
            .write(|batch| crate::put_as(batch, b"key", highest))
            .unwrap()
            .unwrap();
        store
            .write(|batch| batch.update(b"key", START, |_| (refcached_store::store::Change::Remove, ())))
            .unwrap()
            .unwrap();
    }
    // A client's own, as high as it goes, does not use them up.
    let store = open(&disk, &SMALL);
    store
        .write(|batch| crate::put_as(batch, b"key", u64::MAX))
        .unwrap()
        .unwrap();
    drop(store);
    assert!(open(&disk, &SMALL).cas_ceiling() < 1 << 63);
}

#[test]
fn a_flush_that_is_to_come_survives() {
    let disk = Disk::default();
    let store = open(&disk, &SMALL);
    set(&store, b"key", b"value").unwrap();
    let later = START.plus_ms(5000);
    store.write(|batch| batch.flush(later, START)).unwrap().unwrap();
    let store = open(&disk.survivor(), &SMALL);
    let at = |now: Timestamp| store.read(|batch| look(batch, b"key", now)).unwrap().unwrap();
    assert_eq!(at(START.plus_ms(4999)).unwrap(), b"value");
    assert_eq!(at(later), None);
    let reclaimed = store.reclaim(later, 10).unwrap();
    assert_eq!((reclaimed.dropped, reclaimed.finished), (1, true));
    assert_eq!(at(START), None, "now it is done");
}

#[test]
fn a_full_disk_refuses_what_is_new_and_keeps_what_is_old() {
    let disk = Disk::default();
    let store = open(&disk, &SMALL);
    set(&store, b"old", b"value").unwrap();
    disk.limit(disk.bytes().len() as u64 + (256 << 10));
    let large = vec![b'x'; 100 << 10];
    let refused = (0..100_u32).find_map(|number| set(&store, &number.to_be_bytes(), &large).err());
    let error = refused.expect("10 MB do not fit");
    assert!(matches!(error, RedbError::Full(_)), "{error:?}");
    assert_eq!(error.to_string(), "out of disk space storing object");
    assert_eq!(get(&store, b"old").unwrap(), b"value", "reads go on");
    let error = set(&store, b"old", b"new").expect_err("there is still no room");
    assert!(!error.to_string().contains('\n'), "{error}");
    assert_eq!(get(&store, b"old").unwrap(), b"value");
    assert_eq!(get(&open(&disk.survivor(), &SMALL), b"old").unwrap(), b"value");
}

#[test]
fn a_disk_that_breaks_at_any_moment_loses_nothing_that_was_acknowledged() {
    for operations in 0..60 {
        let disk = Disk::default();
        let store = open(&disk, &SMALL);
        disk.fail_after(operations);
        let mut acknowledged = None;
        for number in 0..20_u32 {
            match set(&store, b"key", &number.to_be_bytes()) {
                Ok(()) => acknowledged = Some(number),
                Err(error) => {
                    let io = matches!(error, RedbError::Io(_) | RedbError::FailedEarlier);
                    assert!(io, "{error:?}");
                    break;
                }
            }
        }
        let seen = get(&store, b"key").map(|bytes| u32::from_be_bytes(bytes.try_into().unwrap()));
        assert_eq!(seen, acknowledged, "after {operations} operations");
        let store = open(&disk.lose_power(), &SMALL);
        let kept = get(&store, b"key").map(|bytes| u32::from_be_bytes(bytes.try_into().unwrap()));
        let next = acknowledged.map_or(0, |number| number + 1);
        assert!(
            kept == acknowledged || kept == Some(next),
            "{kept:?} after {acknowledged:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_commit_that_the_power_cuts_is_done_or_not(
        before in 1..30_u32,
        torn_at in any::<usize>(),
        batch in prop::collection::vec(0..20_u8, 1..40),
    ) {
        let disk = Disk::default();
        let store = open(&disk, &SMALL);
        for number in 0..before {
            set(&store, &[number as u8 % 20], b"old").unwrap();
        }
        // The sync of the next commit does not happen, and the store does not get to know what came of it.
        let writes = batch.len() as u64;
        disk.fail_syncs();
        let outcome = store.write(|b| batch.iter().try_for_each(|key| put(b, &[*key], b"new")));
        prop_assert!(outcome.is_err(), "{writes} writes, and no sync");
        let store = open(&disk.lose_power_in_the_middle(torn_at), &SMALL);
        let new = batch.iter().filter(|key| get(&store, &[**key]).as_deref() == Some(b"new")).count();
        prop_assert!(new == 0 || new == batch.len(), "{} of {}", new, batch.len());
    }
}
