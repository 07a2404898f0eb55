//! Faults of `incr` and `decr`.

use refcached_store::Change;
use refcached_store::store::Data;

use super::{change, number_in, put_by, reply, request, shown};
use crate::command::{become_text, edit_words, swap};
use crate::fault::Fault;

pub(super) const FAULTS: &[Fault] = &[
    reply(
        "digits_are_read_as_bytes",
        "`incr` adds to the code of the digit: 5 and 1 is 54",
        "arithmetic/incr/reads_decimal_digits_not_bytes",
        |c, out| {
            if let (true, Some(number @ 0..10)) = (c.is("incr"), number_in(out)) {
                become_text(out, format!("{}\r\n", number + 48));
            }
        },
    )
    .after("hazelcast#19644"),
    request(
        "decr_goes_below_zero",
        "`decr` wraps at zero",
        "arithmetic/decr/stops_at_zero",
        |c| {
            if let (true, Some(delta)) = (c.is("decr"), delta(c)) {
                c.put(2, 0u64.wrapping_sub(delta).to_string());
                c.put(0, "incr");
            }
        },
    ),
    change(
        "a_sum_that_wraps_is_not_stored",
        "the value stays when `incr` wraps",
        "arithmetic/incr/stores_what_has_wrapped",
        |act, item, change| {
            if let (true, Some(item), Change::Put(_, Data::Bytes(new))) = (act.is("incr"), item, &*change)
                && new.trim_ascii().len() < item.data.len()
            {
                *change = Change::Keep;
            }
        },
    ),
    request(
        "operands_have_32_bits",
        "the operand is cut to 32 bits",
        "arithmetic/incr/largest_operand_wraps",
        |c| {
            if let (true, Some(delta)) = (c.is("incr decr"), delta(c)) {
                c.put(2, (delta & 0xffff_ffff).to_string());
            }
        },
    ),
    reply(
        "numbers_are_floating",
        "numbers go through 53 bits",
        "arithmetic/incr/is_exact_beyond_53_bits",
        |c, out| {
            if let (true, Some(number)) = (c.is("incr decr"), number_in(out)) {
                become_text(out, format!("{}\r\n", number as f64 as u64));
            }
        },
    ),
    reply(
        "numbers_are_signed",
        "numbers of 2^63 and more are negative",
        "arithmetic/incr/passes_63_bits",
        |c, out| {
            if let (true, Some(number)) = (c.is("incr decr"), number_in(out)) {
                become_text(out, format!("{}\r\n", number.cast_signed()));
            }
        },
    ),
    reply(
        "the_reply_of_decr_is_padded",
        "`decr` answers as many bytes as the value has",
        "arithmetic/decr/reply_is_not_padded",
        |c, out| {
            if c.is("decr") && number_in(out).is_some_and(|number| number < 10) {
                swap(out, "\r\n", " \r\n");
            }
        },
    )
    .after("memcachex#27"),
    reply(
        "a_shrunken_number_has_a_wrong_length",
        "the length does not count what a number is padded with",
        "arithmetic/decr/length_agrees_with_shrunken_data",
        |c, out| {
            if c.is("get") && out.starts_with(b"VALUE") && out.windows(8).any(|window| window == b" \r\nEND\r\n") {
                edit_words(out, |words| words[3] = b"1".to_vec());
            }
        },
    )
    .after("ApsaraCache#19"),
    request(
        "incr_creates",
        "`incr` of what is not there counts from zero",
        "arithmetic/incr/not_found_when_absent",
        |c| {
            if c.is("incr") {
                c.first("add", " 0 0 1", "0\r\n");
            }
        },
    ),
    request(
        "decr_creates_silently",
        "`decr` of what is not there creates a zero",
        "arithmetic/decr/does_not_create",
        |c| {
            if c.is("decr") {
                c.then("add", " 0 0 1", "0\r\n");
            }
        },
    ),
    reply(
        "a_word_is_not_found",
        "`incr` of a word answers NOT_FOUND",
        "arithmetic/data/words_are_refused",
        |c, out| {
            if c.is("incr decr") && out.starts_with(b"CLIENT_ERROR cannot") {
                become_text(out, "NOT_FOUND\r\n");
            }
        },
    )
    .after("mcrouter#186"),
    shown(
        "a_word_counts_as_zero",
        "`incr` takes a word for zero",
        "arithmetic/data/words_are_refused",
        |act, item| {
            if let (true, Some(item)) = (act.is("incr decr"), item)
                && item.data.first().is_some_and(u8::is_ascii_alphabetic)
            {
                item.data = b"0";
            }
        },
    ),
    shown(
        "a_number_ends_at_a_letter",
        "`incr` ignores letters behind a number",
        "arithmetic/data/digits_then_a_letter_is_refused",
        |act, item| {
            if let (true, Some(item)) = (act.is("incr decr"), item) {
                let digits = item.data.iter().take_while(|byte| byte.is_ascii_digit()).count();
                item.data = if digits > 0 { &item.data[..digits] } else { item.data };
            }
        },
    ),
    shown(
        "no_data_counts_as_zero",
        "`incr` takes an empty value for zero",
        "arithmetic/data/empty_data_is_refused",
        |act, item| {
            if let (true, Some(item)) = (act.is("incr decr"), item)
                && item.data.is_empty()
            {
                item.data = b"0";
            }
        },
    ),
    shown(
        "leading_zeros_are_refused",
        "a number with leading zeros is no number",
        "arithmetic/data/leading_zeros_are_decimal",
        |act, item| {
            if let (true, Some(item)) = (act.is("incr decr"), item)
                && item.data.len() > 1
                && item.data[0] == b'0'
            {
                item.data = b"octal";
            }
        },
    ),
    shown(
        "a_value_of_2_to_the_64_is_cut",
        "a value beyond 64 bits counts as the largest number",
        "arithmetic/data/two_to_the_64_is_refused",
        |act, item| {
            if let (true, Some(item)) = (act.is("incr decr"), item)
                && item.data.len() >= 20
                && item.data > &b"18446744073709551615"[..]
            {
                item.data = b"18446744073709551615";
            }
        },
    ),
    request(
        "an_operand_ends_at_a_letter",
        "letters behind an operand are ignored",
        "arithmetic/operands/incr_refuses_digits_then_a_letter",
        |c| {
            let digits = c.word(2).iter().take_while(|byte| byte.is_ascii_digit()).count();
            if c.is("incr decr") && digits > 0 {
                c.cut(2, digits);
            }
        },
    ),
    request(
        "a_negative_operand_counts_down",
        "`incr` by -1 is `decr` by 1",
        "arithmetic/operands/incr_refuses_negative",
        |c| {
            if let (true, Some(digits)) = (c.is("incr"), c.word(2).strip_prefix(b"-").map(<[u8]>::to_vec)) {
                c.put(2, digits);
                c.put(0, "decr");
            }
        },
    ),
    request(
        "an_operand_may_be_hexadecimal",
        "`0x10` is 16",
        "arithmetic/operands/incr_refuses_hexadecimal",
        |c| {
            let digits = std::str::from_utf8(c.word(2))
                .ok()
                .and_then(|word| word.strip_prefix("0x"));
            if let (true, Some(number)) = (
                c.is("incr"),
                digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()),
            ) {
                c.put(2, number.to_string());
            }
        },
    ),
    request(
        "a_fraction_hangs_up",
        "`incr` by 0.2 closes the connection",
        "arithmetic/operands/incr_refuses_fraction",
        |c| {
            c.hang_up = c.is("incr decr") && c.word(2).contains(&b'.');
        },
    )
    .after("mcrouter#186"),
    request(
        "a_large_operand_is_cut",
        "an operand beyond 64 bits counts as the largest",
        "arithmetic/operands/incr_refuses_one_more_than_64_bits",
        |c| {
            if c.is("incr decr") && c.word(2).len() >= 20 && c.word(2).iter().all(u8::is_ascii_digit) {
                c.put(2, u64::MAX.to_string());
            }
        },
    ),
    change(
        "incr_clears_the_flags",
        "`incr` changes the flags",
        "arithmetic/incr/keeps_the_flags",
        |act, _, change| {
            if let (true, Some(new)) = (act.is("incr"), put_by(change)) {
                new.client_flags = 0;
            }
        },
    ),
    change(
        "a_number_that_grows_loses_its_flags",
        "flags are lost when a number gets another digit",
        "arithmetic/incr/keeps_the_flags_when_the_data_grows",
        |act, item, change| {
            if let (true, Some(item), Change::Put(new, Data::Bytes(data))) = (act.is("incr"), item, change)
                && data.len() > item.data.len()
            {
                new.client_flags = 0;
            }
        },
    ),
    change(
        "decr_clears_the_flags",
        "`decr` changes the flags",
        "arithmetic/decr/keeps_the_flags",
        |act, _, change| {
            if let (true, Some(new)) = (act.is("decr"), put_by(change)) {
                new.client_flags = 0;
            }
        },
    ),
    change(
        "the_difference_is_not_stored",
        "`decr` answers and stores nothing",
        "arithmetic/decr/stores_the_difference",
        |act, _, change| {
            if act.is("decr") {
                *change = Change::Keep;
            }
        },
    ),
    change(
        "the_sum_is_not_stored",
        "`incr` answers and stores nothing",
        "arithmetic/incr/stores_the_sum",
        |act, _, change| {
            if act.is("incr") {
                *change = Change::Keep;
            }
        },
    ),
    request(
        "an_extra_word_is_refused",
        "`incr` with a word too many is refused",
        "arithmetic/incr/extra_word_is_ignored",
        |c| {
            if c.is("incr") && c.words().count() > 3 && !c.noreply() {
                c.answer_line("ERROR");
            }
        },
    ),
    request(
        "by_zero_counts_one",
        "`incr` by 0 counts 1",
        "arithmetic/incr/by_zero_changes_nothing",
        |c| {
            if c.is("incr") && c.word(2) == b"0" {
                c.put(2, "1");
            }
        },
    ),
];

fn delta(c: &crate::command::Command) -> Option<u64> {
    std::str::from_utf8(c.word(2)).ok()?.parse().ok()
}
