//! Faults of `get` and `gets`.

use super::{lines, reply, request};
use crate::command::{become_text, edit_words, swap};
use crate::fault::Fault;

pub(super) const FAULTS: &[Fault] = &[
    reply(
        "a_miss_of_get_is_not_found",
        "`get` of what is not there answers NOT_FOUND",
        "retrieval/get/miss_is_a_bare_end",
        |c, out| {
            if c.is("get") && out == b"END\r\n" {
                become_text(out, "NOT_FOUND\r\n");
            }
        },
    )
    .after("pelikan-io/pelikan#150"),
    reply(
        "a_miss_of_gets_is_silent",
        "`gets` of what is not there answers nothing",
        "retrieval/gets/miss_is_a_bare_end",
        |c, out| {
            if c.is("gets") && out == b"END\r\n" {
                out.clear();
            }
        },
    ),
    request(
        "get_returns_the_unique",
        "`get` is `gets`",
        "retrieval/get/returns_value",
        |c| {
            if c.is("get") {
                c.put(0, "gets");
            }
        },
    ),
    request(
        "gets_is_get",
        "`gets` leaves the number out",
        "retrieval/gets/returns_the_unique",
        |c| {
            if c.is("gets") {
                c.put(0, "get");
            }
        },
    ),
    reply(
        "flags_and_length_change_places",
        "VALUE has the length before the flags",
        "retrieval/get/returns_value",
        |c, out| {
            if c.is("get") && out.starts_with(b"VALUE") {
                edit_words(out, |words| words.swap(2, 3));
            }
        },
    )
    .after("twitter/finagle#32"),
    reply(
        "unique_before_the_length",
        "VALUE has the number before the length",
        "retrieval/gets/returns_the_unique",
        |c, out| {
            if c.is("gets") && out.starts_with(b"VALUE") {
                edit_words(out, |words| words.swap(3, 4));
            }
        },
    )
    .after("twitter/finagle#32"),
    request(
        "get_removes",
        "an item can be read once",
        "retrieval/get/changes_nothing",
        |c| {
            if c.is("get") {
                c.then("delete", "", "");
            }
        },
    ),
    request(
        "a_miss_creates",
        "reading what is not there creates it",
        "retrieval/get/a_miss_does_not_create",
        |c| {
            if c.is("get") && c.words().count() == 2 {
                c.then("add", " 0 0 0", "\r\n");
            }
        },
    ),
    request(
        "one_key_of_a_get",
        "only the first key of a `get` is looked up",
        "retrieval/multiget/returns_all_that_are_held",
        |c| {
            if c.is("get") && !c.refused {
                c.line = [b"get ", c.word(1)].concat();
            }
        },
    ),
    request(
        "twenty_four_keys_of_a_get",
        "the keys after the twenty-fourth are lost",
        "retrieval/multiget/the_twenty_fourth_key_and_beyond",
        |c| {
            if c.is("get") && !c.refused {
                c.line = c.words().take(25).collect::<Vec<_>>().join(&b' ');
            }
        },
    ),
    request(
        "a_long_get_loses_its_last_key",
        "the last key of a line over 2 KiB is lost",
        "retrieval/multiget/line_of_four_thousand_bytes",
        |c| {
            if c.is("get") && c.line.len() > 2048 {
                c.take(c.words().count() - 1);
            }
        },
    )
    .after("memcached#849"),
    request(
        "a_key_named_twice_is_answered_once",
        "a `get` answers each key once",
        "retrieval/multiget/a_key_named_twice_is_answered_twice",
        |c| {
            if c.is("get") && !c.refused {
                let mut words: Vec<Vec<u8>> = c.words().map(<[u8]>::to_vec).collect();
                let mut seen = std::collections::BTreeSet::new();
                words.retain(|word| seen.insert(word.clone()));
                c.line = words.join(&b' ');
            }
        },
    ),
    request(
        "keys_of_a_get_are_sorted",
        "the values come in the order of the keys' names",
        "retrieval/multiget/answers_in_the_order_of_the_keys",
        |c| {
            if c.is("get") && !c.refused {
                let mut words: Vec<Vec<u8>> = c.words().map(<[u8]>::to_vec).collect();
                words[1..].sort();
                c.line = words.join(&b' ');
            }
        },
    ),
    reply(
        "each_value_has_its_end",
        "END follows each value of a `get`",
        "retrieval/multiget/returns_all_that_are_held",
        |c, out| {
            if c.is("get") && c.words().count() > 2 {
                let values = out.clone();
                out.clear();
                for line in lines(&values) {
                    if line.starts_with(b"VALUE ") && !out.is_empty() {
                        out.extend_from_slice(b"END\r\n");
                    }
                    out.extend_from_slice(&line);
                }
            }
        },
    ),
    reply(
        "misses_are_marked",
        "a `get` of several keys answers NOT_FOUND when none is there",
        "retrieval/multiget/all_missing_is_one_end",
        |c, out| {
            if c.is("get") && c.words().count() > 2 && out == b"END\r\n" {
                become_text(out, "NOT_FOUND\r\nEND\r\n");
            }
        },
    ),
    reply(
        "two_keys_have_one_number",
        "`gets` answers the first key's number for all",
        "retrieval/gets/numbers_of_two_keys_differ",
        |c, out| {
            let values = lines(out);
            let number = |line: &[u8]| line.rsplit(|&byte| byte == b' ').next().map(<[u8]>::to_vec);
            let mut first = None;
            if c.is("gets") {
                out.clear();
                for line in values {
                    if !line.starts_with(b"VALUE ") {
                        out.extend(line);
                        continue;
                    }
                    let kept = first.get_or_insert_with(|| number(&line).unwrap_or_default());
                    let head = line.len() - number(&line).unwrap_or_default().len();
                    out.extend_from_slice(&line[..head]);
                    out.extend_from_slice(kept);
                }
            }
        },
    )
    .after("dragonfly#5063"),
    request(
        "commas_separate_keys",
        "a comma ends a key",
        "retrieval/multiget/comma_does_not_separate",
        |c| {
            if c.is("get") {
                for byte in c.line.iter_mut().filter(|byte| **byte == b',') {
                    *byte = b' ';
                }
            }
        },
    ),
    request(
        "get_knows_noreply",
        "`get` with a last key `noreply` is silent",
        "retrieval/multiget/noreply_is_a_key_here",
        |c| {
            if c.is("get gets") && c.noreply() {
                c.answer = Some(Vec::new());
            }
        },
    ),
    reply(
        "a_value_ends_at_a_line_end_of_its_own",
        "a reply ends with the first END in it",
        "storage/set/end_line_inside_the_value",
        |c, out| {
            if c.is("get")
                && let Some(at) = out.windows(7).position(|window| window == b"\r\nEND\r\n")
            {
                out.truncate(at + 7);
            }
        },
    ),
    reply(
        "a_line_feed_at_the_end_is_lost",
        "a value that ends in LF loses it",
        "storage/set/value_ends_in_lf",
        |c, out| {
            if c.is("get") {
                swap(out, "\n\r\nEND\r\n", "\r\nEND\r\n");
            }
        },
    ),
    reply(
        "end_is_missing_after_a_value",
        "a reply with a value has no END",
        "retrieval/get/returns_value",
        |c, out| {
            if c.is("get") && out.starts_with(b"VALUE") {
                out.truncate(out.len() - 5);
            }
        },
    ),
    reply(
        "the_key_is_not_echoed",
        "VALUE has the key in lower case",
        "limits/key_bytes/upper_case_is_kept",
        |c, out| {
            if c.is("get") && out.starts_with(b"VALUE") {
                edit_words(out, |words| words[1].make_ascii_lowercase());
            }
        },
    ),
];
