//! Files in which bits have flipped.

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};
use refcached_store::redb::OpenError;
use refcached_store::{RedbStore, Timestamp};

use crate::disk::Disk;
use crate::support::SMALL;
use crate::{get, put};

const START: Timestamp = crate::support::START;
const KEYS: u32 = 2000;

fn value(number: u32) -> Vec<u8> {
    number.to_be_bytes().repeat(30)
}

/// The next of the numbers that a seed gives.
fn random(source: &mut SplitMix64) -> usize {
    source.next_u64() as usize
}

/// The bytes of a dataset with [`KEYS`] keys.
fn dataset() -> Vec<u8> {
    let disk = Disk::default();
    let store = RedbStore::open_on(disk.clone(), &SMALL, START, |_| {}).unwrap();
    let fill = store.write(|batch| (0..KEYS).try_for_each(|number| put(batch, &number.to_be_bytes(), &value(number))));
    fill.unwrap().unwrap();
    store.close().unwrap();
    disk.bytes()
}

#[test]
fn flipped_bits_are_found_or_do_no_harm() {
    let sound = dataset();
    let (mut refused, mut served) = (0, 0);
    for seed in 0..120_u64 {
        let mut source = SplitMix64::seed_from_u64(seed);
        let mut bytes = sound.clone();
        let at = random(&mut source) % bytes.len();
        bytes[at] ^= 1 << (random(&mut source) % 8);
        let disk = Disk::with(bytes.clone());
        match RedbStore::open_on(disk.clone(), &SMALL, START, |_| {}) {
            Err(OpenError::Damaged(_) | OpenError::NotADatabase | OpenError::Foreign(_)) => {
                assert_eq!(disk.bytes(), bytes, "seed {seed}: what is damaged stays as it is");
                refused += 1;
            }
            Err(other) => panic!("seed {seed}: {other:?}"),
            Ok(store) => {
                for number in 0..KEYS {
                    let found = get(&store, &number.to_be_bytes());
                    assert_eq!(found.as_deref(), Some(&value(number)[..]), "seed {seed}, key {number}");
                }
                served += 1;
            }
        }
    }
    assert!(
        refused >= 20 && served >= 5,
        "{refused} refused, {served} served: the trial shows little"
    );
}

#[test]
fn a_file_that_was_cut_is_refused() {
    let sound = dataset();
    for part in 1..8 {
        let bytes = sound[..sound.len() * part / 8].to_vec();
        let disk = Disk::with(bytes.clone());
        let error = RedbStore::open_on(disk.clone(), &SMALL, START, |_| {}).err();
        assert!(matches!(error, Some(OpenError::Damaged(_))), "{part} of 8: {error:?}");
        assert_eq!(disk.bytes(), bytes);
    }
}
