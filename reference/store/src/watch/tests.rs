use std::task::Waker;

use super::*;
use crate::item::Attributes;

const NOW: Timestamp = Timestamp::from_unix_ms(1_700_000_000_042);

fn lines(watcher: &Watcher) -> String {
    let mut out = Vec::new();
    let _ = watcher.poll_lines(&mut Context::from_waker(Waker::noop()), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn each_watcher_gets_the_kinds_it_asked_for_and_numbers_run_through() {
    let watchers = Arc::new(Watchers::default());
    let fetchers = watchers.watch(Kinds::FETCHERS);
    let deletions = watchers.watch(Kinds::DELETIONS);
    watchers.fetched(b"a,b", Some(3), NOW);
    watchers.deleted(b"k", "md", 7, NOW);
    watchers.fetched(b"\xC3\xA9%", None, NOW);
    assert_eq!(
        lines(&fetchers),
        "ts=1700000000.042000 gid=1 type=item_get key=a%2Cb status=found clsid=1 size=3\n\
         ts=1700000000.042000 gid=3 type=item_get key=%C3%A9%25 status=not_found clsid=0 size=0\n"
    );
    assert_eq!(
        lines(&deletions),
        "ts=1700000000.042000 gid=2 type=deleted key=k cmd=md clsid=1 size=7\n"
    );
    assert_eq!(lines(&fetchers), "");
}

#[test]
fn who_has_gone_is_told_nothing_and_costs_nothing() {
    let watchers = Arc::new(Watchers::default());
    let first = watchers.watch(Kinds::EVICTIONS);
    let second = watchers.watch(Kinds::MUTATIONS);
    drop(first);
    assert_eq!(watchers.lock().len(), 1);
    assert!(!watchers.wants(Kinds::EVICTIONS));
    assert!(watchers.wants(Kinds::MUTATIONS));
    drop(second);
    assert_eq!(watchers.wanted.load(Ordering::Relaxed), 0);
}

#[test]
fn a_slow_watcher_is_told_how_many_lines_it_missed_and_goes_on_from_there() {
    let watchers = Arc::new(Watchers::default());
    let watcher = watchers.watch(Kinds::FETCHERS);
    let mut told = 0;
    while told < 10_000 {
        watchers.fetched(b"key", None, NOW);
        told += 1;
    }
    let received = lines(&watcher);
    assert!(received.len() <= queue::BYTES_MAX + 40);
    let last = received.lines().last().unwrap();
    let skipped: usize = last.strip_prefix("skipped=").unwrap().parse().unwrap();
    assert_eq!(received.lines().count() - 1 + skipped, told);
    watchers.fetched(b"key", None, NOW);
    assert!(lines(&watcher).contains(" gid=10001 "));
}

#[test]
fn an_eviction_says_how_the_item_was_used() {
    let watchers = Arc::new(Watchers::default());
    let watcher = watchers.watch(Kinds::EVICTIONS);
    let item = Item {
        key: b"k",
        attributes: Attributes {
            client_flags: 0,
            expiry: Expiry::at(NOW.plus_ms(5000)),
            cas: 1,
            accessed_unix_s: u32::try_from(NOW.unix_s() - 2).unwrap(),
            marks: Marks::FETCHED,
        },
        data: b"four",
    };
    watchers.evicted(&item, NOW);
    assert!(lines(&watcher).ends_with("type=eviction key=k fetch=yes ttl=5 la=2 clsid=1 size=4\n"));
}
