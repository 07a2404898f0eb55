//! Faults of `ms`.

use super::{change, put_by, reply, request, talk};
use crate::command::{edit_words, swap};
use crate::fault::Fault;

/// A fault: a mode of `ms` is another one.
macro_rules! takes_the_mode {
    ($name:literal, $mode:literal, $other:literal, $killer:literal) => {
        request($name, concat!("mode ", $mode, " of `ms` is ", $other), $killer, |c| {
            if let (true, Some((place, token))) = (c.is("ms") && !c.refused, c.flag(b'M'))
                && token == $mode.as_bytes()
            {
                c.put(place, concat!("M", $other));
            }
        })
    };
}

pub(super) const FAULTS: &[Fault] = &[
    request(
        "a_bad_mode_is_a_set",
        "a mode that is not known is ignored",
        "meta/ms_modes/unknown_mode_is_refused",
        |c| {
            if c.is("ms") && c.refused {
                c.without(b'M');
            }
        },
    ),
    takes_the_mode!("ms_add_stores_over", "E", "S", "meta/ms_modes/add_keeps_an_item"),
    takes_the_mode!("ms_append_prepends", "A", "P", "meta/ms_modes/append_adds_at_the_end"),
    takes_the_mode!(
        "ms_prepend_appends",
        "P",
        "A",
        "meta/ms_modes/prepend_adds_at_the_front"
    ),
    takes_the_mode!(
        "ms_replace_creates",
        "R",
        "S",
        "meta/ms_modes/replace_of_a_miss_is_not_stored"
    ),
    request(
        "ms_append_creates",
        "an append of `ms` stores where nothing is",
        "meta/ms_modes/append_to_a_miss_is_not_stored",
        |c| {
            if c.is("ms") && c.flag(b'M').is_some_and(|(_, token)| token == b"A") && !c.has(b'N') && !c.has(b'b') {
                c.first("add", " 0 0 0", "\r\n");
            }
        },
    ),
    reply(
        "ms_returns_the_size_unasked",
        "`ms` answers s though nobody asked",
        "meta/ms_store/size_only_if_asked",
        |c, out| {
            if c.is("ms") && out.starts_with(b"HD") && c.words().count() > 3 && !c.has(b's') {
                swap(out, "\r\n", " s1\r\n");
            }
        },
    )
    .after("memcached#1045"),
    reply(
        "ms_returns_no_new_cas",
        "c of an append is 0",
        "meta/ms_modes/append_returns_the_new_cas",
        |c, out| {
            if c.is("ms") && c.has(b'M') && out.starts_with(b"HD") {
                edit_words(out, |words| {
                    for word in words.iter_mut().filter(|word| word.first() == Some(&b'c')) {
                        *word = b"c0".to_vec();
                    }
                });
            }
        },
    )
    .after("memcached#842, #845"),
    reply(
        "ms_answers_stored",
        "`ms` answers STORED",
        "meta/ms_store/stores_a_value",
        |c, out| {
            if c.is("ms") {
                swap(out, "HD", "STORED");
            }
        },
    ),
    reply(
        "ms_answers_ok",
        "`ms` answers OK, as in 1.6.6",
        "meta/ms_store/stores_a_value",
        |c, out| {
            if c.is("ms") {
                swap(out, "HD", "OK");
            }
        },
    )
    .after("meta-memcache-py#12"),
    request(
        "ms_ignores_client_flags",
        "F of `ms` does nothing",
        "meta/ms_store/sets_the_client_flags",
        |c| {
            if c.is("ms") && !c.refused {
                c.without(b'F');
            }
        },
    ),
    request(
        "ms_ignores_the_time",
        "T of `ms` does nothing",
        "meta/ms_store/sets_the_ttl",
        |c| {
            if c.is("ms") && !c.refused {
                c.without(b'T');
            }
        },
    ),
    request(
        "ms_does_not_compare",
        "C of `ms` does nothing",
        "meta/ms_cas/other_cas_is_refused",
        |c| {
            if c.is("ms") && !c.refused {
                c.without(b'C');
            }
        },
    ),
    request(
        "ms_takes_no_given_cas",
        "E of `ms` does nothing",
        "meta/ms_cas/given_cas_is_the_cas",
        |c| {
            if c.is("ms") && !c.refused {
                c.without(b'E');
            }
        },
    ),
    reply(
        "a_lost_ms_is_not_stored",
        "`ms` with an old cas answers NS",
        "meta/ms_cas/other_cas_is_refused",
        |c, out| {
            if c.is("ms") {
                swap(out, "EX", "NS");
            }
        },
    ),
    reply(
        "ms_with_a_cas_of_nothing_is_not_stored",
        "`ms` with a cas of what is not there answers NS",
        "meta/ms_cas/cas_on_a_miss_is_not_found",
        |c, out| {
            if c.is("ms") {
                swap(out, "NF", "NS");
            }
        },
    ),
    reply(
        "quiet_hides_a_lost_ms",
        "q of `ms` hides EX",
        "meta/ms_quiet/refused_cas_is_shown",
        |c, out| {
            if c.is("ms") && c.has(b'q') && out.starts_with(b"EX") {
                out.clear();
            }
        },
    )
    .after("memcached#868"),
    reply(
        "quiet_hides_a_refused_ms",
        "q of `ms` hides NS",
        "meta/ms_quiet/refused_add_is_shown",
        |c, out| {
            if c.is("ms") && c.has(b'q') && out.starts_with(b"NS") {
                out.clear();
            }
        },
    )
    .after("memcached#868"),
    request(
        "quiet_is_not_known_to_ms",
        "`ms` with q answers HD",
        "meta/ms_quiet/success_is_hidden",
        |c| {
            if c.is("ms") {
                c.without(b'q');
            }
        },
    ),
    talk(
        "quiet_lasts",
        "q holds for the next command, too",
        "meta/ms_quiet/quiet_holds_for_one_command_only",
        |_, _| {},
        |conn, c, out| {
            if conn.mine.remove(&b"quiet"[..]).is_some() && c.is("ms") && out.starts_with(b"HD") {
                out.clear();
            }
            if c.is("ms") && c.has(b'q') {
                conn.mine.insert(b"quiet".to_vec(), Vec::new());
            }
        },
    ),
    request(
        "the_data_of_a_bad_ms_is_run",
        "the data of an `ms` with an unknown flag is executed",
        "meta/ms_errors/unknown_flag_with_data_that_looks_like_a_command",
        |c| {
            if c.is("ms") && c.refused && c.block.is_empty() {
                c.answer_line("CLIENT_ERROR invalid flag");
            }
        },
    ),
    request(
        "a_bad_flag_removes",
        "an item is gone when an `ms` had an unknown flag",
        "meta/ms_errors/unknown_flag_keeps_the_item",
        |c| {
            if c.is("ms") && c.refused {
                c.first("delete", "", "");
            }
        },
    ),
    reply(
        "ms_does_not_return_the_opaque",
        "`ms` leaves O out",
        "meta/ms_store/returns_the_opaque",
        |c, out| {
            if c.is("ms") && out.starts_with(b"HD") {
                edit_words(out, |words| words.retain(|word| word.first() != Some(&b'O')));
            }
        },
    ),
    reply(
        "a_refused_ms_returns_no_opaque",
        "NS has no opaque",
        "meta/ms_modes/refused_add_returns_key_and_opaque",
        |c, out| {
            if c.is("ms") && out.starts_with(b"NS") {
                edit_words(out, |words| words.truncate(1));
            }
        },
    ),
    change(
        "ms_append_clears_flags_and_time",
        "an append of `ms` changes the flags",
        "meta/ms_modes/append_keeps_flags_and_ttl",
        |act, item, change| {
            if let (true, true, Some(new)) = (act.is("ms"), item.is_some(), put_by(change)) {
                new.client_flags = 0;
            }
        },
    ),
    request(
        "ms_creates_without_a_time",
        "N of an append does not set the time",
        "meta/ms_append_vivify/created_item_has_the_ttl_of_n",
        |c| {
            if let (true, Some((place, _))) = (c.is("ms") && !c.refused, c.flag(b'N')) {
                c.put(place, "N0");
            }
        },
    ),
];
