//! How fast the store on a disk is: `cargo run --release -p refcached-store --example redb_speed [DIRECTORY]`. The file is
//! made in that directory (the present one by default) and removed at the end.

use std::path::PathBuf;
use std::time::Instant;

use refcached_store::item::{Attributes, Item, Marks};
use refcached_store::redb::{Durability, RedbError};
use refcached_store::store::{Access, Change, Data, Store};
use refcached_store::{Expiry, RedbOptions, RedbStore, Timestamp};

const RECORDS: u64 = 1_000_000;
const VALUE: [u8; 100] = [b'v'; 100];
const NOW: Timestamp = Timestamp::from_unix_s(1_800_000_000);

fn main() -> anyhow::Result<()> {
    let directory = std::env::args_os()
        .nth(1)
        .map_or_else(|| PathBuf::from("."), PathBuf::from);
    let path = directory.join(format!("redb_speed.{}.redb", std::process::id()));
    let measured = measure(&path);
    std::fs::remove_file(&path)?;
    measured
}

fn measure(path: &std::path::Path) -> anyhow::Result<()> {
    let options = RedbOptions {
        create: true,
        cache_bytes: 1 << 30,
        ..RedbOptions::default()
    };
    let store = RedbStore::open(path, &options, NOW, |_| {})?;
    timed("load, sorted, one transaction", RECORDS, || {
        store.write(|batch| (0..RECORDS).try_for_each(|number| put(batch, &key(number), number)))?
    })?;
    for (group, keys) in [(64, 10_000), (64, RECORDS), (512, RECORDS)] {
        let what = format!("sets, durable, {group} in a transaction, {keys} keys at random");
        timed(&what, 128_000, || sets(&store, group, keys))?;
    }
    timed("gets that hit, 64 in a batch", 1_000_000, || {
        gets(&store, |n| key(scatter(n)), 64)
    })?;
    timed("gets that hit, one at a time", 1_000_000, || {
        gets(&store, |n| key(scatter(n)), 1)
    })?;
    timed("gets that miss, one at a time", 1_000_000, || {
        gets(&store, |n| key(n + 10 * RECORDS), 1)
    })?;
    println!("{:#?}", store.details());
    store.close()?;
    println!("{} bytes", std::fs::metadata(path)?.len());
    let open = |options| RedbStore::open(path, options, NOW, |_| {});
    let store = timed("open: check and count", RECORDS, || open(&options))?;
    drop(store);
    let undurable = RedbOptions {
        durability: Durability::None,
        ..options
    };
    let store = open(&undurable)?;
    let what = format!("sets, not durable, 64 in a transaction, {RECORDS} keys at random");
    timed(&what, 128_000, || sets(&store, 64, RECORDS))?;
    Ok(())
}

fn timed<R, E: Into<anyhow::Error>>(what: &str, count: u64, work: impl FnOnce() -> Result<R, E>) -> anyhow::Result<R> {
    let begun = Instant::now();
    let result = work().map_err(Into::into)?;
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{what}: {count} in {seconds:.3} s, {:.0} a second",
        count as f64 / seconds
    );
    Ok(result)
}

fn put(store: &impl Store<Error = RedbError>, key: &[u8], cas: u64) -> Result<(), RedbError> {
    let attributes = Attributes {
        client_flags: 0,
        expiry: Expiry::NEVER,
        cas,
        accessed_unix_s: 0,
        marks: Marks::NONE,
    };
    store.update(key, NOW, |_| (Change::Put(attributes, Data::Bytes(&VALUE)), ()))
}

fn sets(store: &RedbStore, group: u64, keys: u64) -> Result<(), RedbError> {
    for first in (0..128_000).step_by(group as usize) {
        let numbers = first..first + group;
        store.write(|batch| {
            numbers
                .into_iter()
                .try_for_each(|n| put(batch, &key(scatter(n) % keys), n))
        })??;
    }
    Ok(())
}

fn gets(store: &RedbStore, key: impl Fn(u64) -> Vec<u8>, batch: u64) -> Result<(), RedbError> {
    let look = |item: Option<Item<'_>>| (Access::Note, std::hint::black_box(item.map(|item| item.data.len())));
    for first in (0..1_000_000).step_by(batch as usize) {
        store.read(|reading| {
            (first..first + batch).try_for_each(|number| reading.read(&key(number), NOW, look).map(drop))
        })??;
    }
    Ok(())
}

fn key(number: u64) -> Vec<u8> {
    format!("key:{number:012}").into_bytes()
}

/// A number below [`RECORDS`] that looks random.
fn scatter(number: u64) -> u64 {
    (number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % RECORDS
}
