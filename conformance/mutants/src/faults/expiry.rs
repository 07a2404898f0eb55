//! Faults of expiration times, and of the clock.

use refcached_store::item::Item;
use refcached_store::{Change, Expiry, Timestamp};

use super::{STORAGE, change, put_by, request};
use crate::fault::{Act, Fault, Planted};

const THIRTY_DAYS_S: i64 = 60 * 60 * 24 * 30;

/// A fault: `verb` makes an item live for ever.
macro_rules! forgets_the_time {
    ($name:literal, $verb:literal, $killer:literal) => {
        change(
            $name,
            concat!("`", $verb, "` makes an item live for ever"),
            $killer,
            |act, _, change| {
                if let (true, Some(new)) = (act.is($verb), put_by(change)) {
                    new.expiry = Expiry::NEVER;
                }
            },
        )
    };
}

pub(super) const FAULTS: &[Fault] = &[
    change(
        "nothing_expires",
        "times are ignored",
        "expiry/relative/set_is_gone_after_its_time",
        |_, _, change| {
            if let Some(new) = put_by(change) {
                new.expiry = Expiry::NEVER;
            }
        },
    ),
    request(
        "a_time_ends_at_once",
        "an item with a time is gone at once",
        "expiry/relative/set_is_there_before_its_time",
        |c| {
            if c.is(STORAGE) && c.number(3) > Some(0) {
                c.put(3, "-1");
            }
        },
    ),
    change(
        "eight_seconds_too_early",
        "items expire eight seconds early",
        "expiry/relative/a_life_of_ten_seconds_is_there_after_two",
        |_, _, change| {
            move_expiry(change, |at| at.saturating_sub(8000));
        },
    ),
    change(
        // Late by more than a busy machine is with the question whether the item is gone.
        "some_seconds_too_late",
        "items expire eight seconds late",
        "expiry/relative/set_is_gone_after_its_time",
        |_, _, change| {
            move_expiry(change, |at| at + 8000);
        },
    ),
    request(
        "times_are_minutes",
        "a time counts minutes",
        "expiry/relative/set_is_gone_after_its_time",
        |c| {
            if let (true, Some(time @ 1..=40_000)) = (c.is(STORAGE), c.number(3)) {
                c.put(3, (60 * time).to_string());
            }
        },
    ),
    Fault::new(
        "the_clock_stands",
        "time does not pass",
        "expiry/relative/set_is_gone_after_its_time",
        Planted::Clock(|_, started| started),
    ),
    Fault::new(
        "the_clock_is_slow",
        "time passes at a quarter of its speed",
        "expiry/relative/set_is_gone_after_its_time",
        Planted::Clock(|now, started| started.plus_ms((now.unix_ms() - started.unix_ms()) / 4)),
    ),
    Fault::new(
        "the_clock_is_fast",
        "time passes five times as fast",
        "expiry/relative/a_life_of_ten_seconds_is_there_after_two",
        Planted::Clock(|now, started| started.plus_ms((now.unix_ms() - started.unix_ms()) * 5)),
    ),
    Fault::new(
        "the_clock_is_an_hour_ahead",
        "the clock is an hour ahead",
        "expiry/absolute/a_time_to_come_keeps",
        Planted::Clock(|now, _| now.plus_ms(3_600_000)),
    ),
    Fault::new(
        "the_clock_is_an_hour_behind",
        "the clock is an hour behind",
        "expiry/absolute/a_time_that_arrives_ends",
        Planted::Clock(|now, _| Timestamp::from_unix_ms(now.unix_ms() - 3_600_000)),
    ),
    Fault::new(
        "the_clock_ticks_every_ten_seconds",
        "the clock moves every ten seconds",
        "expiry/relative/set_is_gone_after_its_time",
        Planted::Clock(|now, started| {
            let past = now.unix_ms() - started.unix_ms();
            started.plus_ms(past - past % 10_000)
        }),
    ),
    request(
        "a_negative_time_is_never",
        "a negative time is 0",
        "expiry/negative/set_is_expired_at_once",
        |c| {
            if c.is(STORAGE) && c.word(3).starts_with(b"-") {
                c.put(3, "0");
            }
        },
    ),
    request(
        "a_negative_time_is_refused",
        "an item with a negative time is refused",
        "expiry/negative/set_takes_the_old_value_away",
        |c| {
            if c.is("set") && c.word(3).starts_with(b"-") {
                c.refuse();
            }
        },
    )
    .after("twemproxy#344, yrmcds 1.1.9"),
    request(
        "a_negative_time_keeps_the_old",
        "an item with a negative time is not stored, and the old one stays",
        "expiry/negative/set_takes_the_old_value_away",
        |c| {
            if c.is("set") && c.word(3).starts_with(b"-") {
                c.answer_line("STORED");
            }
        },
    ),
    request(
        "thirty_days_are_a_date",
        "exactly thirty days are seconds since 1970",
        "expiry/thirty_days/exactly_thirty_days_is_an_offset",
        |c| {
            if c.is(STORAGE) && c.number(3) == Some(THIRTY_DAYS_S) {
                c.put(3, "-1");
            }
        },
    ),
    request(
        "thirty_days_and_a_second_are_an_offset",
        "the limit of offsets is a second too high",
        "expiry/thirty_days/one_second_more_is_a_time_in_1970",
        |c| {
            if c.is("set") && c.number(3) == Some(THIRTY_DAYS_S + 1) {
                c.put(3, THIRTY_DAYS_S.to_string());
            }
        },
    ),
    request(
        "touch_knows_no_dates",
        "`touch` takes every time for an offset",
        "expiry/thirty_days/holds_for_touch",
        |c| {
            if c.is("touch") && c.number(2) > Some(THIRTY_DAYS_S) {
                c.put(2, THIRTY_DAYS_S.to_string());
            }
        },
    ),
    request(
        "gat_knows_no_dates",
        "`gat` takes every time for an offset",
        "expiry/thirty_days/holds_for_gat",
        |c| {
            if c.is("gat") && c.number(1) > Some(THIRTY_DAYS_S) {
                c.put(1, THIRTY_DAYS_S.to_string());
            }
        },
    ),
    request(
        "dates_are_offsets",
        "every time is an offset",
        "expiry/absolute/a_time_past_is_expired",
        |c| {
            if c.is(STORAGE) && c.number(3) > Some(THIRTY_DAYS_S) {
                c.put(3, THIRTY_DAYS_S.to_string());
            }
        },
    ),
    request(
        "times_have_31_bits",
        "a time beyond 31 bits is refused",
        "expiry/width/takes_33_bits",
        |c| {
            if c.is("set") && c.number(3) > Some(i64::from(i32::MAX)) {
                c.refuse();
            }
        },
    )
    .after("twitter/pelikan#456"),
    forgets_the_time!("incr_forgets_the_time", "incr", "expiry/kept/incr_keeps_the_time"),
    forgets_the_time!("decr_forgets_the_time", "decr", "expiry/kept/decr_keeps_the_time"),
    forgets_the_time!("append_forgets_the_time", "append", "expiry/kept/append_keeps_the_time"),
    forgets_the_time!(
        "prepend_forgets_the_time",
        "prepend",
        "expiry/kept/prepend_keeps_the_time"
    ),
    forgets_the_time!(
        "add_forgets_the_time",
        "add",
        "expiry/relative/add_is_gone_after_its_time"
    ),
    forgets_the_time!(
        "replace_forgets_the_time",
        "replace",
        "expiry/relative/replace_is_gone_after_its_time"
    ),
    forgets_the_time!(
        "cas_forgets_the_time",
        "cas",
        "expiry/relative/cas_is_gone_after_its_time"
    ),
    change(
        "set_keeps_the_old_time",
        "`set` does not change the time",
        "expiry/relative/a_later_set_sets_the_time_anew",
        |act, item, change| {
            keep_time(act, "set", item, change);
        },
    ),
    change(
        "replace_keeps_the_old_time",
        "`replace` does not change the time",
        "expiry/relative/a_later_replace_sets_the_time_anew",
        |act, item, change| {
            keep_time(act, "replace", item, change);
        },
    ),
    change(
        "a_refused_add_renews_the_time",
        "a refused `add` makes an item live for ever",
        "expiry/relative/a_refused_add_does_not_lengthen_the_life",
        |act, item, change| {
            if let (true, true, Some(new)) = (act.is("add"), item.is_some(), put_by(change)) {
                new.expiry = Expiry::NEVER;
            }
        },
    ),
    request(
        "incr_of_a_word_ends_the_item",
        "an `incr` that is refused ends the item in a second",
        "expiry/kept/incr_does_not_end_a_long_life",
        |c| {
            if c.is("incr") {
                c.then("touch", " 1", "");
            }
        },
    ),
];

fn move_expiry(change: &mut Change<'_>, edit: impl FnOnce(u64) -> u64) {
    if let Some(new) = put_by(change)
        && let Some(at) = new.expiry.timestamp()
        && at.unix_ms() > 0
    {
        new.expiry = Expiry::at(Timestamp::from_unix_ms(edit(at.unix_ms())));
    }
}

fn keep_time(act: &Act<'_>, verb: &str, item: Option<Item<'_>>, change: &mut Change<'_>) {
    if let (true, Some(item), Some(new)) = (act.is(verb), item, put_by(change)) {
        new.expiry = item.attributes.expiry;
    }
}
