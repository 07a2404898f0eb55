//! `stats`: what is counted, and how the topics are answered.

mod support;

use refcached_store::{MemoryOptions, Options};
use support::Session;

/// The value of a line of `stats`.
fn figure(session: &Session, topic: &str, name: &str) -> u64 {
    let lines = session.exchange(format!("stats {topic}").trim_end());
    let value = lines
        .split(" | ")
        .find_map(|line| line.strip_prefix(&format!("STAT {name} ")));
    let value = value.unwrap_or_else(|| panic!("no {name} in {lines}"));
    value.parse().expect("a figure is a number")
}

#[test]
fn every_outcome_is_counted_under_its_name() {
    let session = Session::default();
    for (sent, name) in [
        ("set k 0 0 1 | 1", "cmd_set"),
        ("get k", "get_hits"),
        ("get k", "cmd_get"),
        ("get miss", "get_misses"),
        ("mg k", "get_hits"),
        ("mg k", "cmd_meta"),
        ("mg miss", "get_misses"),
        ("mg k T30", "touch_hits"),
        ("gat 0 k", "touch_hits"),
        ("gat 0 k", "cmd_touch"),
        ("gat 0 miss", "touch_misses"),
        ("touch k 0", "touch_hits"),
        ("touch miss 0", "touch_misses"),
        ("incr k 1", "incr_hits"),
        ("incr miss 1", "incr_misses"),
        ("decr k 1", "decr_hits"),
        ("decr miss 1", "decr_misses"),
        ("ma k", "incr_hits"),
        ("ma k MD", "decr_hits"),
        ("cas miss 0 0 1 1 | a", "cas_misses"),
        ("cas k 0 0 1 99 | 1", "cas_badval"),
        ("ms k 1 E500 | 1", "cmd_set"),
        ("cas k 0 0 1 500 | 1", "cas_hits"),
        ("delete miss", "delete_misses"),
        ("md k", "delete_hits"),
        ("flush_all 100", "cmd_flush"),
    ] {
        let before = figure(&session, "", name);
        session.exchange(sent);
        assert_eq!(figure(&session, "", name), before + 1, "{name} after {sent:?}");
    }
}

#[test]
fn a_multi_get_counts_every_key() {
    let session = Session::default();
    session.exchange("set k 0 0 1 | 1");
    session.exchange("get k miss k");
    assert_eq!(figure(&session, "", "cmd_get"), 3);
    assert_eq!(figure(&session, "", "get_hits"), 2);
    assert_eq!(figure(&session, "", "get_misses"), 1);
}

#[test]
fn items_and_bytes_are_those_that_are_there() {
    let session = Session::default();
    assert_eq!(session.exchange("stats items"), "END");
    session.exchange("set a 0 0 3 | abc");
    session.exchange("set a 0 0 3 | def");
    session.exchange("set b 0 0 3 | abc");
    assert_eq!(figure(&session, "", "curr_items"), 2);
    assert_eq!(figure(&session, "", "total_items"), 3);
    assert_eq!(figure(&session, "items", "items:1:number"), 2);
    assert_eq!(figure(&session, "slabs", "active_slabs"), 1);
    assert_eq!(figure(&session, "settings", "maxbytes"), 64 << 20);
    let bytes = figure(&session, "", "bytes");
    session.exchange("delete b");
    assert_eq!(figure(&session, "", "bytes"), bytes / 2);
}

#[test]
fn reset_forgets_what_was_counted_and_keeps_what_is_held() {
    let session = Session::default();
    session.exchange("set a 0 0 1 | a");
    session.exchange("get a b");
    assert_eq!(session.exchange("stats reset"), "RESET");
    for name in ["cmd_get", "get_hits", "get_misses", "cmd_set", "total_items"] {
        assert_eq!(figure(&session, "", name), 0, "{name}");
    }
    assert_eq!(figure(&session, "", "curr_items"), 1);
}

#[test]
fn an_expired_item_that_is_asked_for_is_counted() {
    let mut session = Session::default();
    session.exchange("set a 0 1 1 | a");
    session.wait_ms(1000);
    session.exchange("get a");
    assert_eq!(figure(&session, "", "get_expired"), 1);
    assert_eq!(figure(&session, "", "expired_unfetched"), 1);
    assert_eq!(figure(&session, "", "curr_items"), 0);
}

#[test]
fn time_and_uptime_come_from_the_clock_that_is_passed() {
    let mut session = Session::default();
    session.wait_ms(90_000);
    assert_eq!(figure(&session, "", "time"), 1_800_000_090);
    assert_eq!(figure(&session, "", "uptime"), 90);
}

#[test]
fn cachedump_lists_size_and_expiry() {
    let session = Session::default();
    session.exchange("set a 0 100 3 | abc");
    assert_eq!(
        session.exchange("stats cachedump 1 0"),
        "ITEM a [3 b; 1800000100 s] | END"
    );
    session.exchange("set b 0 0 3 | abc");
    assert_eq!(session.exchange("stats cachedump 1 1").matches("ITEM").count(), 1);
    assert_eq!(session.exchange("stats cachedump 2 0"), "END");
    assert_eq!(session.exchange("stats cachedump 64 0"), "CLIENT_ERROR Illegal slab id");
}

#[test]
fn the_age_is_that_of_the_item_that_has_gone_unused_the_longest() {
    let mut session = Session::default();
    session.exchange("set old 0 0 1 | a");
    session.exchange("set used 0 0 1 | a");
    session.wait_ms(40_000);
    session.exchange("get used");
    session.exchange("set new 0 0 1 | a");
    session.wait_ms(2_000);
    assert_eq!(figure(&session, "items", "items:1:age"), 42);
    session.exchange("delete old");
    assert_eq!(figure(&session, "items", "items:1:age"), 2);
}

#[test]
fn chunks_come_to_what_items_take() {
    let session = Session::default();
    session.exchange("set small 0 0 1 | a");
    session.exchange(&format!("set large 0 0 3000 | {}", "l".repeat(3000)));
    let chunk_bytes = figure(&session, "slabs", "1:chunk_size");
    assert_eq!(figure(&session, "slabs", "1:used_chunks"), 2);
    assert_eq!(2 * chunk_bytes, figure(&session, "", "bytes"));
    assert_eq!(figure(&session, "slabs", "1:total_pages"), 1);
}

#[test]
fn detail_counts_the_keys_of_each_prefix_while_it_is_on() {
    let session = Session::default();
    session.exchange("set b:1 0 0 1 | a");
    assert_eq!(session.exchange("stats detail dump"), "END");
    session.exchange("stats detail on");
    session.exchange("get b:1 b:2 a:1 none");
    session.exchange("set c:1 0 0 1 noreply | a");
    session.exchange("delete c:1");
    session.exchange("set :empty 0 0 1 | a");
    let counted = "PREFIX  get 0 hit 0 set 1 del 0 | PREFIX a get 1 hit 0 set 0 del 0 | \
                   PREFIX b get 2 hit 1 set 0 del 0 | PREFIX c get 0 hit 0 set 1 del 1 | END";
    assert_eq!(session.exchange("stats detail dump"), counted);
    session.exchange("stats detail off");
    session.exchange("get b:1");
    assert_eq!(session.exchange("stats detail dump"), counted, "what was counted stays");
    session.exchange("stats reset");
    assert_eq!(session.exchange("stats detail dump"), "END");
}

#[test]
fn prefixes_end_where_the_operator_says() {
    let options = Options {
        prefix_delimiter: b'/',
        ..Options::default()
    };
    let session = Session::new(options, MemoryOptions::default());
    session.exchange("stats detail on");
    session.exchange("get a:b/c d:e");
    assert_eq!(
        session.exchange("stats detail dump"),
        "PREFIX a:b get 1 hit 0 set 0 del 0 | END"
    );
    assert!(session.exchange("stats settings").contains("STAT stat_key_prefix / | "));
}

#[test]
fn settings_show_what_clients_have_tuned() {
    let session = Session::default();
    for (sent, shown) in [
        ("slabs automove 2", "slab_automove 2"),
        ("slabs automove 3", "slab_automove 2"),
        ("lru mode flat", "lru_segmented no"),
        ("lru mode segmented", "lru_segmented yes"),
        ("lru tune 10 25 0.1 2.5", "hot_lru_pct 10"),
        ("lru tune 60 25 0.1 2.5", "warm_lru_pct 25"),
        ("lru tune 60 25 nan 2.5", "hot_max_factor 0.10"),
        ("lru temp_ttl 30", "temp_lru yes"),
        ("lru temp_ttl -1", "temp_lru no"),
        ("lru temp_ttl -1", "temporary_ttl 30"),
        ("lru_crawler sleep 7", "lru_crawler_sleep 7"),
        ("lru_crawler tocrawl 8", "lru_crawler_tocrawl 8"),
        ("lru_crawler disable", "lru_crawler no"),
        ("lru_crawler enable noreply", "lru_crawler yes"),
        ("stats detail on", "detail_enabled yes"),
        ("stats detail off", "detail_enabled no"),
    ] {
        session.exchange(sent);
        let settings = session.exchange("stats settings");
        assert!(
            settings.contains(&format!("STAT {shown} | ")),
            "after {sent}: {settings}"
        );
    }
}
