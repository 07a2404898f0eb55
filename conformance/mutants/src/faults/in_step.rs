//! Faults that show in what follows a refusal.

use super::{STORAGE, reply, request, talk};
use crate::fault::Fault;

pub(super) const FAULTS: &[Fault] = &[
    request(
        "a_bad_block_hangs_up",
        "a data block without its CR LF closes the connection",
        "in_step/data_blocks/set_of_data_too_long",
        |c| {
            c.hang_up = c.is(STORAGE) && c.refused && !c.block.is_empty();
        },
    ),
    request(
        "a_bad_block_is_not_answered",
        "a data block without its CR LF is passed over",
        "in_step/data_blocks/refusal_of_a_bad_block_is_a_client_error",
        |c| {
            if c.is(STORAGE) && c.refused && !c.block.is_empty() {
                c.answer = Some(Vec::new());
            }
        },
    ),
    request(
        "a_bad_block_is_stored",
        "a data block that is too long is cut and stored",
        "in_step/data_blocks/a_bad_block_does_not_create",
        |c| {
            if c.is("set") && c.refused && !c.block.is_empty() {
                c.first("set", " 0 0 1", "x\r\n");
            }
        },
    ),
    request(
        "a_bad_block_removes",
        "an item is gone when a data block was bad",
        "cas/keeps/a_bad_data_block_keeps_it",
        |c| {
            if c.is("set") && c.refused && !c.block.is_empty() {
                c.first("delete", "", "");
            }
        },
    ),
    request(
        "the_data_of_a_bad_line_is_run",
        "the data block of a line that is refused is executed",
        "in_step/storage_lines/set_with_a_word_for_flags",
        |c| {
            if c.is(STORAGE) && c.refused && c.block.is_empty() {
                c.refuse();
            }
        },
    )
    .after("yrmcds 1.1.9")
    .once_right(),
    request(
        "bad_flags_are_zero",
        "flags that are no number are taken for 0",
        "in_step/storage_lines/add_with_a_word_for_flags",
        |c| {
            if c.is(STORAGE) && c.word(2).first().is_some_and(u8::is_ascii_alphabetic) {
                c.put(2, "0");
            }
        },
    ),
    request(
        "a_bad_time_is_zero",
        "a time that is no number is taken for 0",
        "in_step/storage_lines/set_with_a_word_for_the_time",
        |c| {
            if c.is(STORAGE) && c.word(3).first().is_some_and(u8::is_ascii_alphabetic) {
                c.put(3, "0");
            }
        },
    ),
    request(
        "a_bad_length_is_zero",
        "a length that is no number is taken for 0",
        "in_step/storage_lines/set_with_a_word_for_the_length",
        |c| {
            if c.is(STORAGE) && c.word(4).first().is_some_and(u8::is_ascii_alphabetic) {
                c.put(4, "0");
            }
        },
    ),
    request(
        "a_negative_length_is_zero",
        "a negative length is taken for 0",
        "in_step/storage_lines/set_with_a_negative_length",
        |c| {
            if c.is(STORAGE) && c.word(4).starts_with(b"-") {
                c.put(4, "0");
            }
        },
    ),
    request(
        "a_length_ends_at_a_letter",
        "letters behind a length are ignored",
        "in_step/storage_lines/set_with_a_number_and_a_letter_for_the_length",
        |c| {
            let digits = c.word(4).iter().take_while(|byte| byte.is_ascii_digit()).count();
            if c.is("set") && digits > 0 {
                c.cut(4, digits);
            }
        },
    ),
    request(
        "cas_without_a_number_sets",
        "`cas` without its number is `set`",
        "in_step/storage_lines/cas_without_a_number",
        |c| {
            if c.is("cas") && c.words().count() == 5 {
                c.put(0, "set");
            }
        },
    ),
    request(
        "a_bad_number_of_cas_is_zero",
        "a number of `cas` that is none is taken for 0",
        "in_step/storage_lines/cas_with_a_word_for_the_number",
        |c| {
            if c.is("cas") && c.word(5).first().is_some_and(u8::is_ascii_alphabetic) {
                c.put(5, "0");
            }
        },
    ),
    reply(
        "a_line_too_short_is_silent",
        "a storage line with too few words is not answered",
        "in_step/storage_lines/set_with_a_key_only",
        |c, out| {
            if c.is(STORAGE) && c.refused && c.words().count() < 4 {
                out.clear();
            }
        },
    ),
    request(
        "a_bare_get_hangs_up",
        "`get` without a key closes the connection",
        "in_step/other_lines/bare_get",
        |c| {
            c.hang_up = c.is("get") && c.words().count() == 1;
        },
    ),
    reply(
        "a_bare_get_is_a_miss",
        "`get` without a key answers END",
        "in_step/other_lines/bare_get",
        |c, out| {
            if c.is("get") && c.words().count() == 1 {
                *out = b"END\r\n".to_vec();
            }
        },
    ),
    reply(
        "a_bare_delete_is_silent",
        "`delete` without a key is not answered",
        "in_step/other_lines/bare_delete",
        |c, out| {
            if c.is("delete") && c.words().count() == 1 {
                out.clear();
            }
        },
    ),
    reply(
        "a_bare_incr_is_answered_twice",
        "`incr` with a key only is refused twice",
        "in_step/other_lines/incr_with_a_key_only",
        |c, out| {
            if c.is("incr") && c.words().count() == 2 {
                *out = out.repeat(2);
            }
        },
    ),
    request(
        "touch_without_a_time_is_zero",
        "`touch` without a time takes 0",
        "in_step/other_lines/touch_with_a_key_only",
        |c| {
            if c.is("touch") && c.words().count() == 2 {
                c.push("0");
            }
        },
    ),
    talk(
        "too_many_errors_hang_up",
        "the fifth unknown command closes the connection",
        "in_step/other_lines/ten_unknown_commands",
        |conn, c| {
            let errors = conn.mine.entry(b"errors".to_vec()).or_default();
            if c.refused {
                errors.push(b'x');
            }
            c.hang_up = errors.len() > 4;
        },
        |_, _, _| {},
    ),
];
