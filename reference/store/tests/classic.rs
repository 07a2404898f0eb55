//! The classic commands, a table each.

mod support;

use support::{Session, play};

#[test]
fn set_stores_whatever_was_there() {
    play(&[
        ("set k 5 0 3 | abc", "STORED"),
        ("get k", "VALUE k 5 3 | abc | END"),
        ("set k 4294967295 0 0 | ", "STORED"),
        ("get k", "VALUE k 4294967295 0 |  | END"),
        ("set k 0 0 1 noreply | x", ""),
        ("get k", "VALUE k 0 1 | x | END"),
    ]);
}

#[test]
fn add_keeps_what_is_there_and_replace_what_is_not() {
    play(&[
        ("replace k 0 0 1 | a", "NOT_STORED"),
        ("add k 1 0 1 | b", "STORED"),
        ("add k 2 0 1 | c", "NOT_STORED"),
        ("get k", "VALUE k 1 1 | b | END"),
        ("replace k 3 0 1 | d", "STORED"),
        ("get k", "VALUE k 3 1 | d | END"),
    ]);
}

#[test]
fn append_and_prepend_keep_the_flags_and_the_expiry_of_the_item() {
    play(&[
        ("append k 0 0 1 | x", "NOT_STORED"),
        ("prepend k 0 0 1 | x", "NOT_STORED"),
        ("set k 5 10 3 | abc", "STORED"),
        ("append k 9 0 1 | d", "STORED"),
        ("prepend k 9 1000 1 | z", "STORED"),
        ("mg k v f t", "VA 5 f5 t10 | zabcd"),
        ("(wait 10000)", ""),
        ("get k", "END"),
    ]);
}

#[test]
fn append_beyond_the_largest_item_changes_nothing() {
    let session = Session::default();
    let half = "x".repeat(600_000);
    assert_eq!(session.exchange(&format!("set k 0 0 600000 | {half}")), "STORED");
    assert_eq!(session.exchange(&format!("append k 0 0 600000 | {half}")), "NOT_STORED");
    assert_eq!(session.exchange(&format!("ms k 600000 MP s | {half}")), "NS s600000");
    assert_eq!(session.exchange("mg k s"), "HD s600000");
}

#[test]
fn a_value_that_is_too_large_drops_the_old_one() {
    let session = Session::default();
    assert_eq!(session.exchange("set k 0 0 1 | a"), "STORED");
    let large = "x".repeat(1_048_577);
    let refused = session.exchange(&format!("set k 0 0 1048577 | {large}"));
    assert_eq!(refused, "SERVER_ERROR object too large for cache");
    assert_eq!(session.exchange("get k"), "END");
    assert!(session.exchange("stats").contains("STAT store_too_large 1 | "));
}

#[test]
fn cas_stores_only_what_nobody_changed() {
    play(&[
        ("cas k 0 0 1 1 | a", "NOT_FOUND"),
        ("set k 0 0 1 | a", "STORED"),
        ("gets k", "VALUE k 0 1 1 | a | END"),
        ("cas k 0 0 1 1 | b", "STORED"),
        ("cas k 0 0 1 1 | c", "EXISTS"),
        ("gets k", "VALUE k 0 1 2 | b | END"),
        ("cas k 0 0 1 0 | c", "EXISTS"),
    ]);
}

#[test]
fn every_change_gives_a_new_cas_value_and_touching_does_not() {
    play(&[
        ("set k 0 0 1 | 1", "STORED"),
        ("gets k", "VALUE k 0 1 1 | 1 | END"),
        ("append k 0 0 1 | 2", "STORED"),
        ("gets k", "VALUE k 0 2 2 | 12 | END"),
        ("prepend k 0 0 1 | 3", "STORED"),
        ("incr k 1", "313"),
        ("gets k", "VALUE k 0 3 4 | 313 | END"),
        ("touch k 0", "TOUCHED"),
        ("gat 0 k", "VALUE k 0 3 | 313 | END"),
        ("add k 0 0 1 | x", "NOT_STORED"),
        ("gets k", "VALUE k 0 3 4 | 313 | END"),
    ]);
}

#[test]
fn get_answers_keys_in_the_order_asked_and_twice_if_asked_twice() {
    play(&[
        ("set a 1 0 1 | x", "STORED"),
        ("set b 2 0 1 | y", "STORED"),
        (
            "get b miss a b",
            "VALUE b 2 1 | y | VALUE a 1 1 | x | VALUE b 2 1 | y | END",
        ),
        ("gets miss", "END"),
    ]);
}

#[test]
fn delete_takes_the_item_away_once() {
    play(&[
        ("set k 0 0 1 | a", "STORED"),
        ("delete k", "DELETED"),
        ("delete k", "NOT_FOUND"),
        ("get k", "END"),
        ("set k 0 0 1 | a", "STORED"),
        ("delete k noreply", ""),
        ("get k", "END"),
    ]);
}

#[test]
fn decr_stops_at_zero_and_pads_with_blanks_and_incr_wraps() {
    play(&[
        ("set n 0 0 2 | 10", "STORED"),
        ("decr n 1", "9"),
        ("get n", "VALUE n 0 2 | 9  | END"),
        ("decr n 10", "0"),
        ("incr n 18446744073709551615", "18446744073709551615"),
        ("incr n 1", "0"),
        ("mg n v", "VA 20 | 0                   "),
        ("incr miss 1", "NOT_FOUND"),
        ("decr miss 1 noreply", ""),
        ("set n 0 0 1 | x", "STORED"),
        (
            "incr n 1",
            "CLIENT_ERROR cannot increment or decrement non-numeric value",
        ),
        ("set n 0 0 20 | 18446744073709551616", "STORED"),
        (
            "decr n 1",
            "CLIENT_ERROR cannot increment or decrement non-numeric value",
        ),
    ]);
}

#[test]
fn incr_keeps_the_flags_and_the_expiry() {
    play(&[
        ("set n 7 50 1 | 9", "STORED"),
        ("incr n 1", "10"),
        ("mg n v f t", "VA 2 f7 t50 | 10"),
        ("decr n 1", "9"),
        ("mg n v f t", "VA 2 f7 t50 | 9 "),
    ]);
}

#[test]
fn touch_and_gat_set_the_expiry() {
    play(&[
        ("touch k 1", "NOT_FOUND"),
        ("gat 1 k", "END"),
        ("set k 5 0 1 | a", "STORED"),
        ("touch k 1", "TOUCHED"),
        ("(wait 999)", ""),
        ("gat 2 k", "VALUE k 5 1 | a | END"),
        ("(wait 1999)", ""),
        ("gats 0 k", "VALUE k 5 1 1 | a | END"),
        ("(wait 100000000)", ""),
        ("gat -1 k", "VALUE k 5 1 | a | END"),
        ("get k", "END"),
    ]);
}

#[test]
fn an_expired_item_is_not_there_for_any_command() {
    play(&[
        ("set k 0 1 1 | 1", "STORED"),
        ("(wait 1000)", ""),
        ("get k", "END"),
        ("set k 0 -1 1 | 1", "STORED"),
        ("replace k 0 0 1 | 1", "NOT_STORED"),
        ("append k 0 0 1 | 1", "NOT_STORED"),
        ("cas k 0 0 1 1 | 1", "NOT_FOUND"),
        ("incr k 1", "NOT_FOUND"),
        ("touch k 0", "NOT_FOUND"),
        ("mg k", "EN"),
        ("md k", "NF"),
        ("ma k", "NF"),
        ("me k", "EN"),
        ("delete k", "NOT_FOUND"),
        ("add k 0 0 1 | 2", "STORED"),
        ("get k", "VALUE k 0 1 | 2 | END"),
    ]);
}

#[test]
fn thirty_days_count_from_now_and_more_is_a_unix_time() {
    play(&[
        ("set relative 0 2592000 1 | a", "STORED"),
        ("set past 0 2592001 1 | a", "STORED"),
        // The tests begin half a second after 1800000000.
        ("set absolute 0 1800000002 1 | a", "STORED"),
        (
            "get relative past absolute",
            "VALUE relative 0 1 | a | VALUE absolute 0 1 | a | END",
        ),
        ("(wait 1499)", ""),
        ("get absolute", "VALUE absolute 0 1 | a | END"),
        ("(wait 1)", ""),
        ("get absolute", "END"),
        ("(wait 2591998499)", ""),
        ("get relative", "VALUE relative 0 1 | a | END"),
        ("(wait 1)", ""),
        ("get relative", "END"),
    ]);
}

#[test]
fn flush_all_drops_what_was_stored_before() {
    play(&[
        ("set a 0 0 1 | x", "STORED"),
        ("flush_all", "OK"),
        ("get a", "END"),
        ("set a 0 0 1 | y", "STORED"),
        ("get a", "VALUE a 0 1 | y | END"),
        ("flush_all -5 noreply", ""),
        ("get a", "END"),
    ]);
}

#[test]
fn a_delayed_flush_drops_what_is_stored_until_then_too() {
    play(&[
        ("set a 0 0 1 | x", "STORED"),
        ("flush_all 2", "OK"),
        ("set b 0 0 1 | x", "STORED"),
        ("(wait 1999)", ""),
        ("set c 0 0 1 | x", "STORED"),
        ("get a b c", "VALUE a 0 1 | x | VALUE b 0 1 | x | VALUE c 0 1 | x | END"),
        ("(wait 1)", ""),
        ("set d 0 0 1 | x", "STORED"),
        ("get a b c d", "VALUE d 0 1 | x | END"),
        ("(wait 5000)", ""),
        ("get d", "VALUE d 0 1 | x | END"),
    ]);
}

#[test]
fn a_later_flush_replaces_one_that_is_still_to_come() {
    play(&[
        ("set a 0 0 1 | x", "STORED"),
        ("flush_all 1", "OK"),
        ("flush_all 10", "OK"),
        ("(wait 9999)", ""),
        ("get a", "VALUE a 0 1 | x | END"),
        ("flush_all", "OK"),
        ("set a 0 0 1 | y", "STORED"),
        ("(wait 60000)", ""),
        ("get a", "VALUE a 0 1 | y | END"),
    ]);
}

#[test]
fn a_flush_at_a_time_before_the_start_finds_nothing_so_old() {
    play(&[
        ("set a 0 0 1 | x", "STORED"),
        ("flush_all 2592001", "OK"),
        ("get a", "VALUE a 0 1 | x | END"),
    ]);
}

#[test]
fn the_small_commands_answer_as_they_should() {
    play(&[
        ("verbosity 1", "OK"),
        ("verbosity 1 noreply", ""),
        ("mn", "MN"),
        ("quit", "<closed>"),
        ("shutdown", "SERVER_ERROR: shutdown not enabled"),
        ("watch fetchers", "ERROR"),
        (
            "cache_memlimit 7",
            "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m",
        ),
    ]);
}
