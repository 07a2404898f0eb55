//! What items cost the process. Alone in its binary, so that no other test's memory counts.
#![cfg(target_os = "linux")]

mod support;

use std::fs;

use refcached_protocol::request::{Exptime, Request, Store as StoreRequest, StoreVerb};
use refcached_store::{MemoryOptions, Options, Store};
use support::Session;

/// Resident memory of this process, in bytes.
fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux describes a process there");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("VmRSS is part of it");
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    digits.parse::<u64>().expect("VmRSS is a number of kB") * 1024
}

const ITEMS: u64 = 250_000;

/// Memcached 1.6.45 takes 208 bytes for each of a million such items (`-m 1024`, resident, all told).
const RESIDENT_MAX: u64 = 200 * ITEMS;

#[test]
fn items_of_100_bytes_take_no_more_than_they_are_charged_and_less_than_in_memcached() {
    // As many items in a shard as a million have in the default number of shards.
    let memory = MemoryOptions {
        limit_bytes: 1 << 30,
        shards: 64,
    };
    let session = Session::new(Options::default(), memory);
    let before = resident_bytes();
    let value = [b'v'; 100];
    let mut out = Vec::new();
    for number in 0..ITEMS {
        let key = format!("key:{number:07}");
        let request = Request::Store(StoreRequest {
            verb: StoreVerb::Set,
            key: key.as_bytes(),
            client_flags: 0,
            exptime: Exptime(0),
            value: &value,
            noreply: true,
        });
        let _ = session.engine.execute(&request, session.now, &mut out);
    }
    let statistics = session.engine.store().statistics();
    assert_eq!(statistics.curr_items, ITEMS);
    let grown = resident_bytes() - before;
    assert!(
        grown <= statistics.bytes,
        "{grown} bytes resident, {} charged",
        statistics.bytes
    );
    assert!(grown <= RESIDENT_MAX, "{grown} bytes resident");
    println!("{grown} bytes resident for {ITEMS} items, {} charged", statistics.bytes);
}
