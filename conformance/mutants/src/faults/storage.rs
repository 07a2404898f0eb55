//! Faults of `set`, `add`, `replace`, `append` and `prepend`.

use refcached_store::Change;
use refcached_store::store::Data;

use super::{STORAGE, change, put_by, reply, request, shown, talk};
use crate::command::swap;
use crate::fault::{Fault, Planted};

pub(super) const FAULTS: &[Fault] = &[
    reply(
        "set_answers_ok",
        "a successful `set` is answered by OK",
        "storage/set/stores",
        |c, out| {
            if c.is("set") {
                swap(out, "STORED", "OK");
            }
        },
    ),
    change(
        "set_keeps_the_old_flags",
        "flags of an item stay what they were first",
        "storage/set/overwrites_the_flags",
        |act, item, change| {
            if let (true, Some(item), Some(new)) = (act.is("set"), item, put_by(change)) {
                new.client_flags = item.attributes.client_flags;
            }
        },
    ),
    change(
        "flags_are_lost",
        "flags are always 0",
        "retrieval/get/returns_the_flags",
        |_, _, change| {
            if let Some(new) = put_by(change) {
                new.client_flags = 0;
            }
        },
    )
    .after("kestrel#5"),
    request(
        "flags_other_than_zero_are_refused",
        "an item with flags is refused",
        "limits/flags/one",
        |c| {
            if c.is(STORAGE) && c.word(2) != b"0" {
                c.refuse();
            }
        },
    )
    .after("kumofs#7"),
    shown(
        "add_overwrites",
        "`add` stores over an item",
        "storage/add/keeps_the_existing_value",
        |act, item| {
            if act.is("add") {
                *item = None;
            }
        },
    ),
    shown(
        "add_overwrites_an_empty_value",
        "`add` takes an empty value for none",
        "storage/add/an_empty_value_counts_as_held",
        |act, item| {
            if act.is("add") && item.is_some_and(|item| item.data.is_empty()) {
                *item = None;
            }
        },
    ),
    change(
        "a_refused_add_removes_the_item",
        "an item is gone when an `add` was refused",
        "storage/add/keeps_the_existing_value",
        |act, item, change| {
            if act.is("add") && item.is_some() {
                *change = Change::Remove;
            }
        },
    ),
    change(
        "a_refused_add_takes_the_flags",
        "a refused `add` changes the flags",
        "storage/add/keeps_the_existing_flags",
        |act, item, change| {
            if let (true, true, Some(new)) = (act.is("add"), item.is_some(), put_by(change)) {
                new.client_flags = 0;
            }
        },
    ),
    talk(
        "a_deleted_key_cannot_be_added",
        "`add` is refused after a `delete`, as in memcached 1.2 with a time",
        "storage/add/stores_after_delete",
        |conn, c| {
            let key = c.word(1).to_vec();
            if c.is("delete") {
                conn.ours().insert(key, Vec::new());
            } else if c.is("add") && conn.ours().contains_key(&key) {
                c.answer_line("NOT_STORED");
            }
        },
        |_, _, _| {},
    )
    .after("memcached 1.2, `delete <key> <time>`"),
    talk(
        "data_of_a_refused_add_is_run",
        "the data of an `add` that is refused is executed",
        "storage/add/refused_data_is_not_run_as_a_command",
        |conn, c| {
            let key = c.word(1).to_vec();
            if c.is("set") {
                conn.mine.insert(key, Vec::new());
            } else if c.is("add") && conn.mine.contains_key(&key) {
                c.after = c.block.clone();
            }
        },
        |_, _, _| {},
    ),
    request(
        "replace_creates",
        "`replace` stores where nothing is",
        "storage/replace/does_not_create",
        |c| {
            if c.is("replace") {
                c.put(0, "set");
            }
        },
    ),
    change(
        "replace_keeps_the_flags",
        "`replace` does not change the flags",
        "storage/replace/replaces_the_flags",
        |act, item, change| {
            if let (true, Some(item), Some(new)) = (act.is("replace"), item, put_by(change)) {
                new.client_flags = item.attributes.client_flags;
            }
        },
    ),
    request(
        "append_creates",
        "`append` stores where nothing is",
        "storage/append/does_not_create",
        |c| {
            if c.is("append") {
                c.first("add", " 0 0 0", "\r\n");
            }
        },
    ),
    request(
        "prepend_creates",
        "`prepend` stores where nothing is",
        "storage/prepend/does_not_create",
        |c| {
            if c.is("prepend") {
                c.first("add", " 0 0 0", "\r\n");
            }
        },
    ),
    request(
        "append_prepends",
        "`append` adds before the data",
        "storage/append/adds_after_existing_data",
        |c| {
            if c.is("append") {
                c.put(0, "prepend");
            }
        },
    ),
    request(
        "prepend_appends",
        "`prepend` adds after the data",
        "storage/prepend/adds_before_existing_data",
        |c| {
            if c.is("prepend") {
                c.put(0, "append");
            }
        },
    ),
    request(
        "append_replaces",
        "`append` forgets the old data",
        "storage/append/adds_after_existing_data",
        |c| {
            if c.is("append") {
                c.put(0, "replace");
            }
        },
    ),
    change(
        "append_clears_the_flags",
        "`append` changes the flags",
        "storage/append/keeps_the_flags_of_the_item",
        |act, _, change| {
            if let (true, Some(new)) = (act.is("append"), put_by(change)) {
                new.client_flags = 0;
            }
        },
    ),
    change(
        "prepend_clears_the_flags",
        "`prepend` changes the flags",
        "storage/prepend/keeps_the_flags_of_the_item",
        |act, _, change| {
            if let (true, Some(new)) = (act.is("prepend"), put_by(change)) {
                new.client_flags = 0;
            }
        },
    ),
    request(
        "append_heeds_a_negative_time",
        "`append` with a negative time ends the item",
        "storage/append/ignores_a_negative_exptime",
        |c| {
            if c.is("append") && c.word(3).starts_with(b"-") {
                c.then("touch", " -1", "");
            }
        },
    ),
    request(
        "append_of_nothing_removes",
        "an `append` of no bytes removes the item",
        "storage/append/nothing_appended_changes_nothing",
        |c| {
            if c.is("append") && c.data().is_empty() {
                c.then("delete", "", "");
            }
        },
    ),
    request(
        "append_keeps_the_line_end",
        "what is appended has its line end with it",
        "storage/append/adds_after_existing_data",
        |c| {
            if c.is("append") {
                let data = c.block.clone();
                c.put_data(&data);
            }
        },
    ),
    change(
        "a_shorter_value_leaves_a_rest",
        "the old value stays behind a shorter new one",
        "storage/set/overwrites_with_a_shorter_value",
        |act, item, change| {
            if let (true, Some(item), Change::Put(_, data)) = (act.is("set"), item, change)
                && let Data::Bytes(before) = *data
                && before.len() < item.data.len()
            {
                *data = Data::Around { before, after: b"" };
            }
        },
    ),
    request(
        "values_end_at_nul",
        "a value ends at its first NUL",
        "storage/set/nul_inside_the_value",
        |c| {
            cut_data(c, b"\0");
        },
    ),
    request(
        "values_end_at_a_line_end",
        "a value ends at its first CR LF",
        "storage/set/crlf_inside_the_value",
        |c| {
            cut_data(c, b"\r\n");
        },
    )
    .after("infinispan#5299 (ISPN-7086)"),
    request(
        "values_are_trimmed",
        "blanks around a value are lost",
        "storage/set/blanks_around_the_value_are_kept",
        |c| {
            if c.is(STORAGE) && !c.refused {
                let data = c.data().trim_ascii().to_vec();
                c.put_data(&data);
            }
        },
    ),
    request(
        "values_are_made_utf8",
        "bytes that are no UTF-8 are replaced",
        "storage/set/invalid_utf8_is_kept",
        |c| {
            if c.is(STORAGE) && !c.refused {
                let data = String::from_utf8_lossy(c.data()).into_owned();
                c.put_data(data.as_bytes());
            }
        },
    ),
    request(
        "values_lose_the_eighth_bit",
        "values are ASCII",
        "storage/set/every_byte_value_comes_back",
        |c| {
            if c.is(STORAGE) && !c.refused {
                let data: Vec<u8> = c.data().iter().map(|byte| byte & 0x7f).collect();
                c.put_data(&data);
            }
        },
    ),
    request(
        "tabs_become_blanks",
        "tabs in values become blanks",
        "storage/set/tabs_are_kept",
        |c| {
            for byte in c.block.iter_mut().filter(|byte| **byte == b'\t') {
                *byte = b' ';
            }
        },
    ),
    request(
        "empty_values_are_refused",
        "a value of no bytes is refused",
        "storage/set/stores_an_empty_value",
        |c| {
            if c.is("set") && c.word(4) == b"0" {
                c.refuse();
            }
        },
    ),
    change(
        "an_empty_value_removes",
        "storing no bytes removes the item",
        "storage/set/overwrites_with_an_empty_value",
        |act, _, change| {
            if act.is("set") && matches!(change, Change::Put(_, Data::Bytes([]))) {
                *change = Change::Remove;
            }
        },
    ),
    reply(
        "lengths_count_characters",
        "the length of a value counts its characters",
        "storage/set/length_counts_bytes_not_characters",
        |c, out| {
            let end = out.windows(2).position(|window| window == b"\r\n").unwrap_or(0);
            let wide = out.iter().skip(end).filter(|byte| (0x80..0xc0).contains(*byte)).count();
            if c.is("get") && wide > 0 {
                crate::command::edit_words(out, |words| {
                    let bytes = words
                        .get(3)
                        .and_then(|word| std::str::from_utf8(word).ok()?.parse::<usize>().ok());
                    if let Some(bytes) = bytes {
                        words[3] = (bytes - wide.min(bytes)).to_string().into_bytes();
                    }
                });
            }
        },
    ),
    Fault::new(
        "keys_ignore_case",
        "keys that differ in case are one",
        "storage/set/keys_differ_by_case",
        Planted::Key(<[u8]>::to_ascii_lowercase),
    ),
    Fault::new(
        "keys_lose_their_last_byte",
        "keys that differ in their last byte are one",
        "storage/set/keys_differ_in_their_last_byte",
        Planted::Key(|key| key[..key.len().saturating_sub(1).max(1)].to_vec()),
    ),
    Fault::new(
        "keys_that_are_numbers_are_read_so",
        "a key of digits loses its leading zeros",
        "storage/set/key_may_look_like_a_number",
        Planted::Key(|key| {
            let zeros = key.iter().take_while(|byte| **byte == b'0').count();
            key[zeros.min(key.len() - 1)..].to_vec()
        }),
    ),
];

/// Cuts the value of a storage command at the first `end` in it.
fn cut_data(c: &mut crate::command::Command, end: &[u8]) {
    let data = c.data();
    if let Some(at) = data.windows(end.len()).position(|window| window == end)
        && c.is(STORAGE)
        && !c.refused
    {
        let data = data[..at].to_vec();
        c.put_data(&data);
    }
}
