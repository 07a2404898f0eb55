//! Faults of `ma`.

use super::{change, put_by, reply, request};
use crate::command::{edit_words, swap};
use crate::fault::Fault;

pub(super) const FAULTS: &[Fault] = &[
    request(
        "ma_ignores_the_delta",
        "D of `ma` does nothing",
        "meta/ma_count/delta",
        |c| {
            if c.is("ma") && !c.refused {
                c.without(b'D');
            }
        },
    ),
    request(
        "ma_counts_up_only",
        "the mode of `ma` does nothing",
        "meta/ma_count/counts_down_in_mode_d",
        |c| {
            if c.is("ma") && !c.refused {
                c.without(b'M');
            }
        },
    ),
    request(
        "ma_takes_any_mode",
        "a mode that is not known counts up",
        "meta/ma_modes/unknown_mode_is_refused",
        |c| {
            if c.is("ma") && c.refused {
                c.without(b'M');
            }
        },
    ),
    request(
        "ma_does_not_create",
        "N of `ma` does nothing",
        "meta/ma_vivify/miss_creates_the_counter",
        |c| {
            if c.is("ma") && !c.refused {
                c.without(b'N');
            }
        },
    ),
    request(
        "ma_creates_unasked",
        "`ma` of what is not there creates a zero",
        "meta/ma_count/miss_is_not_found",
        |c| {
            if c.is("ma") && !c.refused && !c.has(b'N') && !c.has(b'b') {
                c.first("add", " 0 0 1", "0\r\n");
            }
        },
    ),
    request(
        "ma_begins_with_zero",
        "J of `ma` does nothing",
        "meta/ma_vivify/initial_value",
        |c| {
            if c.is("ma") && !c.refused {
                c.without(b'J');
            }
        },
    ),
    request(
        "ma_shows_the_value_unasked",
        "`ma` answers the value without v",
        "meta/ma_count/counts_up_by_one",
        |c| {
            if c.is("ma") && !c.refused && !c.has(b'v') {
                c.push("v");
            }
        },
    ),
    request(
        "ma_does_not_update_the_time",
        "T of `ma` does nothing",
        "meta/ma_cas_ttl/keeps_an_updated_ttl",
        |c| {
            if c.is("ma") && !c.refused {
                c.without(b'T');
            }
        },
    ),
    request(
        "ma_does_not_compare",
        "C of `ma` does nothing",
        "meta/ma_cas_ttl/other_cas_is_refused",
        |c| {
            if c.is("ma") && !c.refused {
                c.without(b'C');
            }
        },
    ),
    change(
        "ma_keeps_the_cas",
        "`ma` does not change the cas",
        "meta/ma_count/returns_the_new_cas",
        |act, item, change| {
            if let (true, Some(item), Some(new)) = (act.is("ma"), item, put_by(change)) {
                new.cas = item.attributes.cas;
            }
        },
    ),
    change(
        "ma_clears_the_flags",
        "`ma` changes the flags",
        "meta/ma_count/keeps_the_client_flags",
        |act, _, change| {
            if let (true, Some(new)) = (act.is("ma"), put_by(change)) {
                new.client_flags = 0;
            }
        },
    ),
    change(
        "ma_forgets_the_time",
        "`ma` makes an item live for ever",
        "meta/ma_count/keeps_the_ttl",
        |act, item, change| {
            if let (true, true, Some(new)) = (act.is("ma"), item.is_some(), put_by(change)) {
                new.expiry = refcached_store::Expiry::NEVER;
            }
        },
    ),
    reply(
        "quiet_hides_a_miss_of_ma",
        "q of `ma` hides NF",
        "meta/ma_quiet/miss_is_shown",
        |c, out| {
            if c.is("ma") && c.has(b'q') && out.starts_with(b"NF") {
                out.clear();
            }
        },
    ),
    request(
        "quiet_is_not_known_to_ma",
        "`ma` with q answers HD",
        "meta/ma_quiet/success_is_hidden",
        |c| {
            if c.is("ma") {
                c.without(b'q');
            }
        },
    ),
    reply(
        "quiet_shows_a_value_of_ma",
        "`ma` with q answers VA",
        "meta/ma_quiet/value_is_hidden_too",
        |c, out| {
            if c.is("ma") && c.has(b'q') && c.has(b'v') && out.is_empty() {
                out.extend_from_slice(b"VA 1\r\n1\r\n");
            }
        },
    ),
    reply(
        "the_value_of_ma_is_padded",
        "the value that `ma` answers is padded",
        "meta/ma_count/reply_after_counting_down_is_not_padded",
        |c, out| {
            if c.is("ma") && c.has(b'M') && out.starts_with(b"VA 2\r\n") {
                out[3] = b'3';
                out.insert(out.len() - 2, b' ');
            }
        },
    ),
    reply(
        "a_word_is_no_number_of_ma",
        "`ma` of a word answers NF",
        "meta/ma_errors/value_that_is_no_number",
        |c, out| {
            if c.is("ma") && out.starts_with(b"CLIENT_ERROR cannot") {
                *out = b"NF\r\n".to_vec();
            }
        },
    ),
    reply(
        "ma_does_not_return_the_opaque",
        "`ma` leaves O out",
        "meta/ma_count/returns_the_opaque",
        |c, out| {
            if c.is("ma") && (out.starts_with(b"HD") || out.starts_with(b"VA")) {
                edit_words(out, |words| words.retain(|word| word.first() != Some(&b'O')));
            }
        },
    ),
    reply(
        "a_lost_ma_is_not_found",
        "`ma` with an old cas answers NF",
        "meta/ma_cas_ttl/other_cas_is_refused",
        |c, out| {
            if c.is("ma") {
                swap(out, "EX", "NF");
            }
        },
    ),
];
