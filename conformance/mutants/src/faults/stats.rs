//! Faults of `stats`.

use super::{Text, reply, request};
use crate::command::swap;
use crate::fault::{Fault, Planted};

/// A fault: a line of `stats` is always 0, or missing.
macro_rules! line {
    ($name:literal, $statistic:literal, counts_nothing, $killer:literal) => {
        Fault::new(
            $name,
            concat!("`", $statistic, "` is always 0"),
            $killer,
            Planted::Reply(|c, out| {
                edit_line(c, out, concat!("STAT ", $statistic, " "), |_| {
                    Some(concat!("STAT ", $statistic, " 0\r\n"))
                });
            }),
        )
    };
    ($name:literal, $statistic:literal, is_missing, $killer:literal) => {
        Fault::new(
            $name,
            concat!("`", $statistic, "` is missing"),
            $killer,
            Planted::Reply(|c, out| {
                edit_line(c, out, concat!("STAT ", $statistic, " "), |_| None);
            }),
        )
    };
}

pub(super) const FAULTS: &[Fault] = &[
    reply(
        "an_empty_line_before_end",
        "an empty line stands before the END of `stats`",
        "stats/general/last_line_before_end_is_a_statistic",
        |c, out| {
            if c.line == b"stats" && out.ends_with(b"END\r\n") {
                out.truncate(out.len() - 5);
                out.extend_from_slice(b"\r\nEND\r\n");
            }
        },
    )
    .after("mcrouter#123"),
    reply(
        "stats_have_no_end",
        "`stats` has no END",
        "stats/general/lines_then_end",
        |c, out| {
            if c.line == b"stats" {
                out.truncate(out.len() - 5);
            }
        },
    ),
    reply(
        "reset_answers_ok",
        "`stats reset` answers OK",
        "stats/kinds/reset_answers_reset",
        |c, out| {
            if c.line == b"stats reset" {
                swap(out, "RESET", "OK");
            }
        },
    ),
    request(
        "reset_does_nothing",
        "`stats reset` clears nothing",
        "stats/kinds/reset_clears_the_counters",
        |c| {
            if c.line == b"stats reset" {
                c.answer_line("RESET");
            }
        },
    ),
    request(
        "reset_flushes",
        "`stats reset` takes all items away",
        "stats/kinds/reset_keeps_the_items",
        |c| {
            if c.line == b"stats reset" {
                c.after = b"flush_all noreply\r\n".to_vec();
            }
        },
    ),
    request(
        "any_kind_is_general",
        "`stats` of an unknown kind is `stats`",
        "stats/general/an_unknown_kind_is_an_error",
        |c| {
            if c.is("stats")
                && c.words().count() > 1
                && !matches!(
                    c.word(1),
                    b"settings" | b"items" | b"slabs" | b"sizes" | b"conns" | b"reset" | b"detail" | b"cachedump"
                )
            {
                c.line = b"stats".to_vec();
            }
        },
    ),
    reply(
        "the_version_is_another",
        "`stats` tells another version than `version`",
        "stats/general/version_and_stats_tell_the_same_numbers",
        |c, out| {
            if c.is("version") {
                swap(out, "1.6.45", "1.6.44");
            }
        },
    ),
    line!("no_pid", "pid", is_missing, "stats/general/has_pid"),
    line!("no_uptime", "uptime", is_missing, "stats/general/has_uptime"),
    line!(
        "no_curr_connections",
        "curr_connections",
        is_missing,
        "stats/general/has_curr_connections"
    ),
    line!(
        "sets_are_not_counted",
        "cmd_set",
        counts_nothing,
        "stats/counters/a_set_counts"
    ),
    line!(
        "hits_are_not_counted",
        "get_hits",
        counts_nothing,
        "stats/counters/a_hit_counts"
    ),
    line!(
        "misses_are_not_counted",
        "get_misses",
        counts_nothing,
        "stats/counters/a_miss_counts"
    ),
    line!(
        "deletes_are_not_counted",
        "delete_hits",
        counts_nothing,
        "stats/counters/a_delete_counts"
    ),
    line!(
        "lost_cas_are_not_counted",
        "cas_badval",
        counts_nothing,
        "stats/counters/a_lost_cas_counts"
    ),
    line!(
        "flushes_are_not_counted",
        "cmd_flush",
        counts_nothing,
        "stats/counters/a_flush_counts"
    ),
    line!(
        "touches_are_not_counted",
        "touch_hits",
        counts_nothing,
        "stats/counters/a_touch_counts"
    ),
    reply(
        "settings_without_item_size_max",
        "`stats settings` does not tell the limit of items",
        "stats/kinds/settings_have_item_size_max",
        |c, out| {
            if c.line == b"stats settings" {
                swap(out, "item_size_max", "item_size_max_bytes");
            }
        },
    ),
];

fn edit_line(c: &crate::command::Command, out: &mut Vec<u8>, start: Text, edit: fn(&[u8]) -> Option<Text>) {
    if c.line == b"stats" {
        let lines = super::lines(out).into_iter().filter_map(|line| {
            if line.starts_with(start.as_bytes()) {
                edit(&line).map(|line| line.as_bytes().to_vec())
            } else {
                Some(line)
            }
        });
        *out = lines.flatten().collect();
    }
}
