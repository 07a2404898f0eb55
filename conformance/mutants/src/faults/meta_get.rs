//! Faults of `mg`, `me` and `mn`.

use refcached_store::item::Marks;

use super::{reply, request, shown};
use crate::command::{become_text, edit_words, swap};
use crate::fault::Fault;

/// A fault: a flag is left out of the reply to `mg`.
macro_rules! leaves_out {
    ($name:literal, $flag:literal, $killer:literal) => {
        reply(
            $name,
            concat!("the reply to `mg` leaves `", $flag, "` out"),
            $killer,
            |c, out| {
                if c.is("mg") && (out.starts_with(b"HD") || out.starts_with(b"VA")) {
                    edit_words(out, |words| {
                        words.retain(|word| word.first() != Some(&$flag.as_bytes()[0]))
                    });
                }
            },
        )
    };
}

pub(super) const FAULTS: &[Fault] = &[
    request(
        "a_bare_mg_is_a_miss",
        "`mg` without flags always misses",
        "meta/mg_flags/bare_hit",
        |c| {
            if c.is("mg") && c.words().count() == 2 {
                c.answer_line("EN");
            }
        },
    )
    .after("memcached#906"),
    reply(
        "a_miss_returns_no_key_and_opaque",
        "EN has neither key nor opaque",
        "meta/mg_miss/miss_returns_key_and_opaque_in_order",
        |c, out| {
            if c.is("mg") && out.starts_with(b"EN") {
                become_text(out, "EN\r\n");
            }
        },
    )
    .after("memcached#880, #938")
    .once_right(),
    reply(
        "flags_come_back_sorted",
        "the flags of a reply are in the order of their letters",
        "meta/mg_flags/flags_come_back_in_the_reverse_order_asked",
        |c, out| {
            if c.is("mg") && (out.starts_with(b"HD") || out.starts_with(b"VA")) {
                edit_words(out, |words| {
                    let first = if words[0] == b"VA" { 2 } else { 1 };
                    words[first..].sort();
                });
            }
        },
    ),
    request(
        "quiet_is_not_known_to_mg",
        "`mg` with q answers a miss",
        "meta/mg_quiet/miss_is_hidden",
        |c| {
            if c.is("mg") {
                c.without(b'q');
            }
        },
    ),
    reply(
        "quiet_hides_a_hit",
        "`mg` with q hides hits, too",
        "meta/mg_quiet/hit_with_value_is_shown",
        |c, out| {
            if c.is("mg") && c.has(b'q') && out.starts_with(b"VA") {
                out.clear();
            }
        },
    ),
    reply(
        "quiet_hides_a_bare_hit",
        "`mg` with q hides a hit without a value",
        "meta/mg_quiet/hit_without_value_is_shown",
        |c, out| {
            if c.is("mg") && c.has(b'q') && out.starts_with(b"HD") {
                out.clear();
            }
        },
    ),
    reply(
        "quiet_hides_errors",
        "`mg` with q hides errors",
        "meta/mg_quiet/unknown_flag_is_shown",
        |c, out| {
            if c.is("mg") && c.has(b'q') && out.starts_with(b"CLIENT_ERROR") {
                out.clear();
            }
        },
    )
    .after("memcached#868"),
    leaves_out!("mg_does_not_return_the_key", "k", "meta/mg_flags/k_returns_the_key"),
    leaves_out!(
        "mg_does_not_return_the_opaque",
        "O",
        "meta/opaque/comes_back_with_a_hit"
    ),
    leaves_out!("mg_does_not_return_the_size", "s", "meta/mg_flags/s_returns_the_size"),
    leaves_out!(
        "mg_does_not_return_the_time",
        "t",
        "meta/mg_flags/t_returns_the_remaining_seconds"
    ),
    leaves_out!(
        "mg_does_not_return_the_mark_of_base64",
        "b",
        "meta/base64_keys/key_of_a_binary_item_comes_back_in_base64"
    ),
    leaves_out!(
        "mg_does_not_return_the_flags",
        "f",
        "meta/mg_flags/f_returns_the_client_flags"
    ),
    reply(
        "no_time_is_zero",
        "an item that does not expire has t0",
        "meta/mg_flags/t_of_an_item_without_expiry",
        |c, out| {
            if c.is("mg") {
                swap(out, " t-1", " t0");
            }
        },
    ),
    reply(
        "the_size_counts_the_line_end",
        "s counts the CR LF",
        "meta/mg_flags/s_returns_the_size",
        |c, out| {
            if c.is("mg") && (out.starts_with(b"HD") || out.starts_with(b"VA")) {
                edit_words(out, |words| {
                    for word in words.iter_mut().skip(1).filter(|word| word.first() == Some(&b's')) {
                        let size = std::str::from_utf8(&word[1..])
                            .ok()
                            .and_then(|digits| digits.parse::<u64>().ok());
                        *word = format!("s{}", size.unwrap_or(0) + 2).into_bytes();
                    }
                });
            }
        },
    ),
    reply(
        "an_opaque_has_8_bytes",
        "an opaque is cut to 8 bytes",
        "meta/opaque/of_31_bytes",
        |_, out| {
            if out.starts_with(b"HD") || out.starts_with(b"VA") || out.starts_with(b"EN") {
                edit_words(out, |words| {
                    for word in words.iter_mut().filter(|word| word.first() == Some(&b'O')) {
                        word.truncate(9);
                    }
                });
            }
        },
    ),
    request(
        "an_opaque_may_have_32_bytes",
        "the limit of an opaque is a byte too high",
        "meta/opaque/of_32_bytes_is_refused",
        |c| {
            if let Some((place, token)) = c.flag(b'O')
                && token.len() == 32
            {
                let cut = [b"O", &token[1..]].concat();
                c.put(place, cut);
            }
        },
    ),
    request(
        "a_flag_twice_is_once",
        "a flag that stands twice is taken",
        "meta/mg_errors/duplicate_flag",
        |c| {
            if c.is("mg") {
                let mut seen = Vec::new();
                let words: Vec<Vec<u8>> = c.words().map(<[u8]>::to_vec).collect();
                let kept = words.into_iter().enumerate().filter(|(place, word)| {
                    let fresh = *place < 2 || !seen.contains(&word[0]);
                    seen.push(if *place < 2 { 0 } else { word[0] });
                    fresh
                });
                c.line = kept.map(|(_, word)| word).collect::<Vec<_>>().join(&b' ');
            }
        },
    ),
    request(
        "unknown_flags_are_ignored",
        "a flag that is not known is ignored",
        "meta/mg_errors/unknown_flag",
        |c| {
            for letter in [b'!', b'?', b'z', b'a', b'd', b'e', b'g', b'j'] {
                if c.is("mg") {
                    c.without(letter);
                }
            }
        },
    ),
    request(
        "mg_does_not_update_the_time",
        "T of `mg` does nothing",
        "meta/mg_ttl/updates_the_ttl",
        |c| {
            if c.is("mg") && !c.refused {
                c.without(b'T');
            }
        },
    ),
    reply(
        "an_update_of_the_time_is_returned",
        "T of `mg` comes back",
        "meta/mg_ttl/updates_the_ttl",
        |c, out| {
            if let (true, Some((_, token))) = (c.is("mg") && out.starts_with(b"HD"), c.flag(b'T')) {
                let token = token.to_vec();
                edit_words(out, |words| words.push([b"T", &token[..]].concat()));
            }
        },
    ),
    request(
        "u_is_ignored",
        "a read with u counts as one",
        "meta/mg_flags/u_does_not_mark_the_item_as_hit",
        |c| {
            if c.is("mg") {
                c.without(b'u');
            }
        },
    ),
    shown(
        "every_item_was_hit",
        "h is always 1",
        "meta/mg_flags/h_is_0_before_the_first_hit_then_1",
        |act, item| {
            if let (true, Some(item)) = (act.is("mg"), item) {
                item.attributes.marks = item.attributes.marks.with(Marks::FETCHED);
            }
        },
    ),
    shown(
        "no_item_was_hit",
        "h is always 0",
        "meta/mg_flags/h_is_0_before_the_first_hit_then_1",
        |act, item| {
            if let (true, Some(item)) = (act.is("mg"), item) {
                item.attributes.marks = item.attributes.marks.without(Marks::FETCHED);
            }
        },
    ),
    reply(
        "the_last_access_is_now",
        "l is always 0",
        "meta/mg_flags/l_counts_seconds",
        |c, out| {
            if c.is("mg") && (out.starts_with(b"HD") || out.starts_with(b"VA")) {
                edit_words(out, |words| {
                    for word in words.iter_mut().skip(1).filter(|word| word.first() == Some(&b'l')) {
                        *word = b"l0".to_vec();
                    }
                });
            }
        },
    ),
    request(
        "base64_is_not_decoded",
        "a key with b is taken as it stands",
        "meta/base64_keys/mg_finds_a_key_given_in_base64",
        |c| {
            if c.is("mg") && !c.refused {
                c.without(b'b');
            }
        },
    ),
    reply(
        "a_header_is_a_value",
        "`mg` without v answers VA 0",
        "meta/mg_flags/hit_without_value_is_a_header",
        |c, out| {
            if c.is("mg") && out.starts_with(b"HD") && c.words().count() > 2 {
                swap(out, "HD", "VA 0");
                out.extend_from_slice(b"\r\n");
            }
        },
    ),
    reply(
        "a_hit_is_ok",
        "`mg` answers OK for HD, as in 1.6.6",
        "meta/mg_flags/bare_hit",
        |c, out| {
            if c.is("mg") && out.starts_with(b"HD") {
                swap(out, "HD", "OK");
            }
        },
    )
    .after("meta-memcache-py#12"),
    request(
        "mg_takes_251_bytes",
        "a key of 251 bytes is cut by `mg`",
        "meta/mg_errors/key_of_251_bytes",
        |c| {
            if c.is("mg") && c.word(1).len() == 251 {
                c.cut(1, 250);
            }
        },
    ),
    request(
        "mn_refuses_words",
        "`mn` with a word is refused",
        "meta/noop/arguments_are_ignored",
        |c| {
            if c.is("mn") && c.words().count() > 1 {
                c.answer_line("ERROR");
            }
        },
    ),
    request(
        "me_counts_as_a_fetch",
        "`me` marks the item as fetched",
        "meta/debug/me_itself_is_no_fetch",
        |c| {
            if c.is("me") && !c.refused {
                // No `mg` of a hit is silent, but a touch of nothing new marks the item, too.
                c.first("touch", " 0", "");
            }
        },
    ),
    reply(
        "me_of_nothing_is_not_found",
        "`me` of what is not there answers NF",
        "meta/debug/miss",
        |c, out| {
            if c.is("me") {
                swap(out, "EN\r\n", "NF\r\n");
            }
        },
    ),
];
