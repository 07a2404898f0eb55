//! Faults of lines: their ends, their blanks, their names, and the segments they come in.

use mcspec_suite::play::Delivery;

use super::{arriving, reply, request};
use crate::command::swap;
use crate::fault::Fault;

pub(super) const FAULTS: &[Fault] = &[
    request(
        "a_bare_line_feed_is_refused",
        "a line that ends in LF alone is refused",
        "framing/bare_lf/get",
        |c| {
            if c.end == b"\n" {
                c.answer_line("ERROR");
            }
        },
    )
    .after("yrmcds 1.1.9"),
    request(
        "two_blanks_are_refused",
        "two blanks between words are refused",
        "framing/blanks/two_blanks_in_get",
        |c| {
            if c.line.windows(2).any(|window| window == b"  ") {
                c.answer_line("ERROR");
            }
        },
    )
    .after("twitter/pelikan#373"),
    request(
        "a_blank_at_the_end_is_refused",
        "a line that ends in a blank is refused",
        "framing/blanks/trailing_blank_in_get",
        |c| {
            if c.line.ends_with(b" ") {
                c.answer_line("ERROR");
            }
        },
    ),
    request(
        "a_blank_at_the_end_of_stats_is_refused",
        "`stats` and a blank is refused",
        "stats/general/trailing_blank_is_accepted",
        |c| {
            if c.line == b"stats " {
                c.answer_line("ERROR");
            }
        },
    )
    .after("mcrouter#104"),
    request(
        "a_blank_before_a_name_is_skipped",
        "blanks before the name of a command are skipped",
        "framing/blanks/leading_blank_in_set",
        |c| {
            c.line = c.line.trim_ascii_start().to_vec();
        },
    )
    .once_right(),
    request(
        "names_ignore_case",
        "`GET` is `get`",
        "framing/names/upper_case_get_is_unknown",
        |c| {
            c.put(0, c.word(0).to_ascii_lowercase());
        },
    ),
    request(
        "a_name_may_go_on",
        "`getx` is `get`",
        "framing/names/a_command_with_a_letter_too_many_is_unknown",
        |c| {
            for name in ["get", "set", "delete", "incr", "touch"] {
                if c.word(0).starts_with(name.as_bytes()) && c.word(0).len() == name.len() + 1 && !c.is("gets") {
                    c.put(0, name);
                }
            }
        },
    ),
    request(
        "a_name_may_be_short",
        "`del` is `delete`",
        "framing/names/an_abbreviation_is_unknown",
        |c| {
            for (short, name) in [
                ("del", "delete"),
                ("ver", "version"),
                ("g", "get"),
                ("ge", "get"),
                ("dele", "delete"),
                ("inc", "incr"),
            ] {
                if c.is(short) {
                    c.put(0, name);
                }
            }
        },
    ),
    request(
        "an_unknown_command_hangs_up",
        "a command that is not known closes the connection",
        "framing/names/a_word_that_is_no_command_is_unknown",
        |c| {
            c.hang_up = c.refused && c.words().count() == 1;
        },
    ),
    reply(
        "an_unknown_command_is_not_answered",
        "a command that is not known is passed over",
        "framing/names/a_word_with_arguments_is_unknown",
        |_, out| {
            if out == b"ERROR\r\n" {
                out.clear();
            }
        },
    ),
    reply(
        "an_error_comes_twice",
        "a command that is not known is answered twice",
        "framing/names/each_unknown_name_gets_its_own_error",
        |_, out| {
            if out == b"ERROR\r\n" {
                out.extend_from_slice(b"ERROR\r\n");
            }
        },
    ),
    reply(
        "an_error_explains_itself",
        "ERROR is followed by a text",
        "framing/names/mget_is_unknown",
        |_, out| {
            if out == b"ERROR\r\n" {
                swap(out, "ERROR", "ERROR unknown command");
            }
        },
    ),
    request(
        "an_empty_line_is_passed_over",
        "an empty line is not answered",
        "framing/empty/empty_line",
        |c| {
            if c.line.is_empty() {
                c.answer = Some(Vec::new());
            }
        },
    ),
    request(
        "http_is_answered",
        "an HTTP request is a wrong command and no more",
        "framing/http/get",
        |c| {
            if c.line.windows(6).any(|window| window == b" HTTP/") {
                c.answer_line("ERROR");
            }
        },
    ),
    request(
        "a_nul_ends_a_line",
        "a line ends at a NUL",
        "framing/nul/inside_the_key_of_get",
        |c| {
            if let Some(at) = c.line.iter().position(|&byte| byte == 0) {
                c.line.truncate(at);
            }
        },
    )
    .after("twitter/pelikan#373")
    .once_right(),
    request(
        "a_cr_ends_a_line",
        "a line ends at a CR",
        "framing/cr/inside_the_key_of_get",
        |c| {
            if let Some(at) = c.line.iter().position(|&byte| byte == b'\r') {
                c.line.truncate(at);
            }
        },
    ),
    request(
        "a_tab_separates",
        "a tab is a blank",
        "framing/blanks/tab_does_not_separate_keys",
        |c| {
            for byte in c.line.iter_mut().filter(|byte| **byte == b'\t') {
                *byte = b' ';
            }
        },
    ),
    arriving(
        "an_endless_line_is_waited_for",
        "a line without an end is never cut off",
        "framing/long_lines/endless_line_is_cut_off",
        |conn, bytes| {
            let room = 2000usize.saturating_sub(conn.waiting.len());
            if !conn.waiting.contains(&b'\n') && !bytes.contains(&b'\n') && bytes.len() > room {
                bytes.truncate(room);
            }
        },
    ),
    arriving(
        "a_long_first_request_hangs_up",
        "a first request of 1500 bytes closes the connection",
        "framing/long_lines/first_command_of_2000_bytes_is_answered",
        |conn, bytes| {
            if conn.commands == 0 && bytes.len() >= 1500 {
                bytes.clear();
                conn.hang_up = true;
            }
        },
    )
    .after("dragonfly#1745"),
    arriving(
        "a_line_end_cut_in_two_is_missed",
        "a line end whose CR and LF come apart is not seen",
        "framing/split/between_cr_and_lf_of_get",
        |conn, bytes| {
            if conn.waiting.ends_with(b"\r") && bytes.starts_with(b"\n") {
                bytes.remove(0);
            }
        },
    )
    .after("dragonfly#6330"),
    arriving(
        "data_behind_its_line_is_a_command",
        "a value that comes in a later segment than its line is executed",
        "framing/split/after_a_header",
        |conn, _| {
            if conn.waiting.starts_with(b"set ") && conn.waiting.ends_with(b"\r\n") {
                conn.waiting.clear();
            }
        },
    ),
    arriving(
        "a_segment_of_one_byte_is_lost",
        "a byte that comes alone in the middle of a value is lost",
        "framing/split/every_byte_of_a_set_alone",
        |conn, bytes| {
            let in_data = conn.waiting.starts_with(b"set ") && conn.waiting.contains(&b'\n');
            if in_data && bytes.len() == 1 && bytes[0].is_ascii_lowercase() {
                bytes[0] = bytes[0].to_ascii_uppercase();
            }
        },
    ),
    arriving(
        "a_second_segment_is_taken_twice",
        "a segment in the middle of a name is read twice",
        "framing/split/inside_the_name",
        |conn, bytes| {
            if conn.waiting == b"g" {
                *bytes = bytes.repeat(2);
            }
        },
    ),
    arriving(
        "a_name_cut_in_two_is_lost",
        "the first letter of `touch` is lost when it comes alone",
        "touch/touch/touches",
        |conn, _| {
            if conn.waiting == b"t" {
                conn.waiting.clear();
            }
        },
    )
    .only(Delivery::Bytes),
    arriving(
        "flush_all_is_two_words",
        "`flush_all` cut at its low line is not known",
        "flush/immediate/takes_everything",
        |conn, _| {
            if conn.waiting == b"flush_" {
                conn.waiting.push(b' ');
            }
        },
    )
    .only(Delivery::Bytes),
    arriving(
        "a_time_cut_in_two_is_short",
        "a time whose digits come apart is its first",
        "touch/gat/lengthens_the_life",
        |conn, bytes| {
            let time = conn.waiting.strip_prefix(b"gat ");
            if time.is_some_and(|time| time.len() == 1 && time[0].is_ascii_digit()) && bytes[0].is_ascii_digit() {
                bytes.remove(0);
            }
        },
    )
    .only(Delivery::Bytes),
    arriving(
        "a_meta_flag_cut_off_is_lost",
        "a flag that comes in a segment of its own is lost",
        "meta/mg_flags/every_reporting_flag_at_once",
        |conn, bytes| {
            if conn.waiting.starts_with(b"mg ") && conn.waiting.ends_with(b" ") && bytes.first() == Some(&b't') {
                bytes[0] = b's';
            }
        },
    )
    .only(Delivery::Cuts),
    reply(
        "version_ends_in_lf",
        "the answer to `version` ends in LF alone",
        "admin/version/answers_one_line",
        |c, out| {
            if c.is("version") {
                swap(out, "\r\n", "\n");
            }
        },
    )
    .after("pogocache#39"),
    reply(
        "a_sum_ends_in_lf",
        "the answer to `incr` ends in LF alone",
        "arithmetic/incr/adds",
        |c, out| {
            if c.is("incr") {
                swap(out, "\r\n", "\n");
            }
        },
    )
    .after("pogocache#39"),
    reply(
        "touched_has_no_end",
        "TOUCHED has no line end",
        "touch/touch/touches",
        |c, out| {
            if c.is("touch") {
                swap(out, "TOUCHED\r\n", "TOUCHED");
            }
        },
    )
    .after("pogocache#39"),
    reply(
        "deleted_has_two_ends",
        "an empty line follows DELETED",
        "deletion/delete/deletes",
        |c, out| {
            if c.is("delete") {
                swap(out, "DELETED\r\n", "DELETED\r\n\r\n");
            }
        },
    ),
];
