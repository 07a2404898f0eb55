//! Faults that show when several commands arrive together.

use mcspec_suite::play::Delivery;

use super::{arriving, leaving, request, talk};
use crate::command::swap;
use crate::fault::Fault;

pub(super) const FAULTS: &[Fault] = &[
    arriving(
        "one_command_a_read",
        "of several `get` in one segment only the first is executed",
        "pipeline/order/hits_and_misses_alternate",
        |_, bytes| {
            if bytes.starts_with(b"get ")
                && let Some(at) = bytes.windows(6).position(|window| window == b"\r\nget ")
            {
                bytes.truncate(at + 2);
            }
        },
    ),
    arriving(
        "twenty_commands_a_read",
        "of more than twenty commands in one segment the rest is lost",
        "pipeline/order/fifty_increments",
        |_, bytes| {
            let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            if bytes.starts_with(b"incr ")
                && let Some((at, _)) = ends.nth(19)
            {
                bytes.truncate(at + 1);
            }
        },
    ),
    leaving(
        "replies_are_turned_round",
        "two replies that leave together change places",
        "pipeline/order/get_then_set_then_get",
        |_, out| {
            if out.starts_with(b"END\r\n") && out.len() > 5 {
                out.rotate_left(5);
            }
        },
    )
    .after("infinispan#10400 (ISPN-14238)"),
    leaving(
        "replies_end_at_100_kib",
        "of replies that leave together only 100 KiB are sent",
        "pipeline/order/large_values_between_small_ones",
        |_, out| out.truncate(100 << 10),
    ),
    leaving(
        "two_hundred_replies",
        "of replies that leave together only 150 lines are sent",
        "pipeline/order/two_hundred_misses",
        |_, out| {
            let mut ends = out.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            if out.starts_with(b"END")
                && let Some((at, _)) = ends.nth(149)
            {
                out.truncate(at + 1);
            }
        },
    ),
    leaving(
        "quit_loses_replies",
        "replies that wait are lost when `quit` comes",
        "pipeline/order/replies_before_quit_are_sent",
        |conn, out| {
            if conn.last == b"quit" {
                out.clear();
            }
        },
    ),
    talk(
        "an_error_ends_a_pipeline",
        "what arrived behind a refused command is dropped",
        "pipeline/order/errors_in_the_middle",
        |_, _| {},
        |conn, c, _| {
            conn.drop_rest = c.refused && c.block.is_empty();
        },
    ),
    talk(
        "a_miss_ends_a_pipeline",
        "what arrived behind a `get` that missed is dropped",
        "pipeline/order/hits_and_misses_alternate",
        |_, _| {},
        |conn, c, out| {
            conn.drop_rest = c.is("get") && out == b"END\r\n";
        },
    ),
    request(
        "what_follows_quit_is_run",
        "`quit` is passed over",
        "admin/quit/closes",
        |c| {
            if c.is("quit") {
                c.answer = Some(Vec::new());
            }
        },
    ),
    talk(
        "a_reply_answers_the_next",
        "a `get` right behind a `set` is answered by its value before",
        "pipeline/order/set_then_get",
        |conn, c| {
            let key = c.word(1).to_vec();
            if c.is("set") && conn.behind > 0 {
                conn.mine.insert(key, Vec::new());
            } else if c.is("get") && conn.mine.remove(&key).is_some() {
                c.answer_line("END");
            }
        },
        |_, _, _| {},
    )
    .after("memcached PR#1011"),
    talk(
        "the_hundredth_command_hangs_up",
        "a connection ends after a hundred commands",
        "pipeline/order/two_hundred_misses",
        |conn, c| {
            c.hang_up = conn.commands >= 100;
        },
        |_, _, _| {},
    ),
    arriving(
        "touch_in_a_pipeline_is_lost",
        "a `touch` behind another command in one segment is lost",
        "touch/touch/touches",
        |_, bytes| {
            drop_behind(bytes, b"\r\ntouch ");
        },
    )
    .only(Delivery::Pipelined),
    arriving(
        "decr_in_a_pipeline_is_lost",
        "a `decr` behind another command in one segment is lost",
        "arithmetic/decr/subtracts",
        |_, bytes| {
            if !bytes.starts_with(b"incr") {
                drop_behind(bytes, b"\r\ndecr ");
            }
        },
    )
    .only(Delivery::Pipelined),
    leaving(
        "a_refusal_before_a_value_is_lost",
        "NOT_STORED is lost when a value leaves behind it",
        "storage/add/keeps_the_existing_value",
        |_, out| {
            swap(out, "NOT_STORED\r\nVALUE ", "VALUE ");
        },
    )
    .only(Delivery::Pipelined),
    leaving(
        "a_sum_and_a_value_share_a_line",
        "a value that leaves behind a sum follows it without a line end",
        "arithmetic/incr/stores_the_sum",
        |_, out| {
            if let Some(at) = out.windows(8).position(|window| window == b"\r\nVALUE ")
                && at > 0
                && out[at - 1].is_ascii_digit()
            {
                out.drain(at..at + 2);
            }
        },
    )
    .only(Delivery::Pipelined),
];

/// Takes the line that begins behind the first `start` away.
fn drop_behind(bytes: &mut Vec<u8>, start: &[u8]) {
    let Some(at) = bytes.windows(start.len()).position(|window| window == start) else {
        return;
    };
    let line = at + 2;
    let length = bytes[line..]
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(bytes.len() - line, |end| end + 1);
    bytes.drain(line..line + length);
}
