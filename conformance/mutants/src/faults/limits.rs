//! Faults of the sizes and ranges of keys, values and flags.

use refcached_store::Change;

use super::{STORAGE, change, reply, request};
use crate::command::edit_words;
use crate::fault::{Fault, Planted};

pub(super) const FAULTS: &[Fault] = &[
    request(
        "long_keys_are_cut",
        "a key over 250 bytes is cut",
        "limits/keys/a_refused_key_is_not_cut_to_250",
        |c| {
            if c.is("set get delete") && c.word(1).len() > 250 {
                c.cut(1, 250);
            }
        },
    ),
    request(
        "keys_of_251_bytes_are_taken",
        "the limit of a key is a byte too high",
        "limits/keys/set_refuses_251_bytes",
        |c| {
            if c.is("set get delete incr decr touch") && c.word(1).len() == 251 {
                c.cut(1, 250);
            }
        },
    )
    .after("yrmcds 1.1.9"),
    request(
        "keys_of_250_bytes_are_refused",
        "the limit of a key is a byte too low",
        "limits/keys/set_and_get_of_250_bytes",
        |c| {
            if c.is("set") && c.word(1).len() == 250 {
                c.refuse();
            }
        },
    ),
    request(
        "delete_takes_249_bytes",
        "`delete` has a lower limit of its own",
        "limits/keys/delete_of_250_bytes",
        |c| {
            if c.is("delete") && c.word(1).len() == 250 {
                c.refuse();
            }
        },
    ),
    request(
        "lengths_of_keys_are_signed",
        "keys of 128 bytes and more are refused",
        "limits/keys/key_of_128_bytes",
        |c| {
            if c.is("set") && c.word(1).len() > 127 {
                c.refuse();
            }
        },
    ),
    request(
        "a_long_key_hangs_up",
        "`delete` of a key over 250 bytes closes the connection",
        "limits/keys/delete_refuses_251_bytes",
        |c| {
            c.hang_up = c.is("delete") && c.word(1).len() > 250;
        },
    ),
    reply(
        "an_empty_line_follows_a_refused_get",
        "the refusal of a key over 250 bytes has an empty line too many",
        "limits/retrieval_keys/get_refuses_251_bytes",
        |c, out| {
            if c.is("get gets gat gats") && out.starts_with(b"CLIENT_ERROR") {
                out.extend_from_slice(b"\r\n");
            }
        },
    )
    .after("memcached 1.6.40 to 1.6.45"),
    request(
        "a_long_key_of_several_is_a_miss",
        "`get` passes over a key that is too long",
        "limits/retrieval_keys/get_refuses_251_bytes_among_others",
        |c| {
            if c.is("get") {
                let words: Vec<Vec<u8>> = c.words().filter(|word| word.len() <= 250).map(<[u8]>::to_vec).collect();
                c.line = if words.len() > 1 {
                    words.join(&b' ')
                } else {
                    c.line.clone()
                };
            }
        },
    ),
    Fault::new(
        "values_end_at_512_kib",
        "a value may have half its size",
        "limits/values/value_of_524288_bytes",
        Planted::Config(|config| config.item_bytes_max = 512 << 10),
    ),
    Fault::new(
        "values_may_have_2_mib",
        "the limit of values is too high",
        "limits/values/value_of_1048576_bytes_is_refused",
        Planted::Config(|config| config.item_bytes_max = 2 << 20),
    ),
    change(
        "a_value_too_large_keeps_the_old",
        "the old value stays when the new one is too large",
        "limits/values/set_too_large_takes_the_old_value_away",
        |act, _, change| {
            if act.is("refused") {
                *change = Change::Keep;
            }
        },
    ),
    request(
        "an_add_too_large_removes_the_old",
        "an `add` that is too large removes the item",
        "limits/values/add_too_large_keeps_the_old_value",
        |c| {
            if c.is("add") && c.refused && c.number(4) > Some(1_000_000) {
                c.first("delete", "", "");
            }
        },
    ),
    request(
        "an_append_too_large_removes_the_old",
        "an `append` that is too large removes the item",
        "limits/values/append_too_large_keeps_the_old_value",
        |c| {
            if c.is("append") && c.refused && c.number(4) > Some(1_000_000) {
                c.first("delete", "", "");
            }
        },
    ),
    request(
        "the_data_of_a_value_too_large_is_run",
        "a value that is too large is executed",
        "in_step/sizes/commands_inside_a_value_too_large_are_not_run",
        |c| {
            if c.is(STORAGE) && c.refused && c.number(4) > Some(1_000_000) {
                c.answer_line("SERVER_ERROR object too large for cache");
            }
        },
    )
    .after("yrmcds 1.1.9"),
    request(
        "a_value_too_large_hangs_up",
        "a value that is too large closes the connection",
        "in_step/sizes/set_of_a_value_too_large",
        |c| {
            c.hang_up = c.is(STORAGE) && c.refused && c.number(4) > Some(1_000_000);
        },
    ),
    reply(
        "a_value_too_large_is_a_client_error",
        "the refusal of a value that is too large is a CLIENT_ERROR",
        "in_step/sizes/refusal_is_a_server_error",
        |c, out| {
            if c.is(STORAGE) && out.starts_with(b"SERVER_ERROR") {
                out.splice(..6, *b"CLIENT");
            }
        },
    ),
    request(
        "values_are_cut_at_64_kib",
        "a value ends after 65536 bytes",
        "limits/values/value_of_65537_bytes",
        |c| {
            if c.is("set") && !c.refused && c.data().len() > 65_536 {
                let data = c.data()[..65_536].to_vec();
                c.put_data(&data);
            }
        },
    ),
    request(
        "a_page_of_data_loses_a_byte",
        "a value of 8192 bytes loses its last",
        "limits/values/value_of_8192_bytes",
        |c| {
            if c.is("set") && !c.refused && c.data().len() == 8192 {
                let data = c.data()[..8191].to_vec();
                c.put_data(&data);
            }
        },
    ),
    request(
        "a_value_of_16_kib_is_mixed_up",
        "two bytes at 16 KiB change places",
        "limits/values/value_of_16385_bytes",
        |c| {
            if c.is("set") && !c.refused && c.data().len() > 16_384 {
                c.block.swap(16_383, 16_384);
            }
        },
    ),
    request(
        "flags_have_16_bits",
        "flags are cut to 16 bits",
        "limits/flags/seventeenth_bit",
        |c| {
            if let (true, Some(flags)) = (c.is(STORAGE) && !c.refused, c.number(2)) {
                c.put(2, (flags & 0xffff).to_string());
            }
        },
    ),
    reply(
        "flags_are_signed",
        "flags of 2^31 and more are negative",
        "limits/flags/thirty_second_bit_is_not_a_sign",
        |c, out| {
            if c.is("get gets") && out.starts_with(b"VALUE") {
                edit_words(out, |words| {
                    let flags = words
                        .get(2)
                        .and_then(|word| std::str::from_utf8(word).ok()?.parse::<u32>().ok());
                    words[2] = flags.unwrap_or(0).cast_signed().to_string().into_bytes();
                });
            }
        },
    ),
    request(
        "negative_flags_are_zero",
        "negative flags are taken for 0",
        "limits/flags/refuses_negative",
        |c| {
            if c.is("set") && c.word(2).starts_with(b"-") {
                c.put(2, "0");
            }
        },
    ),
    request(
        "flags_end_at_a_letter",
        "letters behind flags are ignored",
        "limits/flags/refuses_digits_then_a_letter",
        |c| {
            let digits = c.word(2).iter().take_while(|byte| byte.is_ascii_digit()).count();
            if c.is("set") && digits > 0 {
                c.cut(2, digits);
            }
        },
    ),
    request(
        "flags_of_32_bits_are_refused",
        "flags of 2^31 and more are refused",
        "limits/flags/largest_32_bit",
        |c| {
            if c.is("set") && c.number(2) > Some(i64::from(i32::MAX)) {
                c.refuse();
            }
        },
    ),
    request(
        "control_bytes_are_refused",
        "a key with a control byte is refused",
        "limits/key_bytes/control_character",
        |c| {
            if c.is("set") && c.word(1).iter().any(|byte| *byte < b' ' && *byte != b'\t') {
                c.refuse();
            }
        },
    ),
    request(
        "keys_are_ascii",
        "a key with bytes above 127 is refused",
        "limits/key_bytes/utf8",
        |c| {
            if c.is("set") && !c.word(1).is_ascii() {
                c.refuse();
            }
        },
    ),
    request(
        "sixty_keys_of_a_get",
        "a `get` of more than 60 keys is refused",
        "retrieval/multiget/hundred_keys",
        |c| {
            if c.is("get") && c.words().count() > 61 {
                c.refuse();
            }
        },
    ),
];
