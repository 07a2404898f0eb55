//! The store on a disk: what it keeps, what it refuses, what it counts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod batches;
mod crash;
mod damage;
mod disk;
mod filter;
mod opening;
#[path = "../support/mod.rs"]
mod support;

use refcached_store::item::{Attributes, Item, Marks, access_time};
use refcached_store::redb::{Durability, RedbError};
use refcached_store::store::{Access, Change, Data, Store};
use refcached_store::{Expiry, RedbOptions, RedbStore, Timestamp};
use support::{SMALL, START};

/// Not durable.
const LAX: RedbOptions = RedbOptions {
    durability: Durability::None,
    ..SMALL
};

fn attributes(cas: u64, expiry: Expiry) -> Attributes {
    Attributes {
        client_flags: 7,
        expiry,
        cas,
        accessed_unix_s: access_time(START),
        marks: Marks::NONE,
    }
}

/// Stores an item that expires at a time.
fn put_until(store: &impl Store<Error = RedbError>, key: &[u8], data: &[u8], expiry: Expiry) -> Result<(), RedbError> {
    let change = Change::Put(attributes(5, expiry), Data::Bytes(data));
    store.update(key, START, |_| (change, ()))
}

fn put(store: &impl Store<Error = RedbError>, key: &[u8], data: &[u8]) -> Result<(), RedbError> {
    put_until(store, key, data, Expiry::NEVER)
}

/// Stores an item in a transaction of its own.
fn set(store: &RedbStore, key: &[u8], data: &[u8]) -> Result<(), RedbError> {
    store.write(|batch| put(batch, key, data)).and_then(|done| done)
}

fn look(store: &impl Store<Error = RedbError>, key: &[u8], now: Timestamp) -> Result<Option<Vec<u8>>, RedbError> {
    let look = |item: Option<Item<'_>>| (Access::Note, item.map(|item| item.data.to_vec()));
    store.read(key, now, look)
}

fn get(store: &RedbStore, key: &[u8]) -> Option<Vec<u8>> {
    store.read(|batch| look(batch, key, START)).unwrap().unwrap()
}

/// Stores an item with a CAS value.
fn put_as(store: &impl Store<Error = RedbError>, key: &[u8], cas: u64) -> Result<(), RedbError> {
    let change = Change::Put(attributes(cas, Expiry::NEVER), Data::Bytes(b"value"));
    store.update(key, START, |_| (change, ()))
}
