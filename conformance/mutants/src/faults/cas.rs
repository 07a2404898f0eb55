//! Faults of `cas` and of the number that changes with an item.

use refcached_store::Change;
use refcached_store::store::Data;

use super::{change, put_by, reply, request, shown, talk};
use crate::command::{edit_words, swap};
use crate::fault::{Fault, Planted};

/// A fault: `verbs` leave the number as it was.
macro_rules! keeps_the_number {
    ($name:literal, $verb:literal, $killer:literal) => {
        change(
            $name,
            concat!("`", $verb, "` does not change the number"),
            $killer,
            |act, item, change| {
                if let (true, Some(item), Some(new)) = (act.is($verb), item, put_by(change)) {
                    new.cas = item.attributes.cas;
                }
            },
        )
    };
}

/// A fault: `verbs` change the number and must not.
macro_rules! changes_the_number {
    ($name:literal, $verb:literal, $killer:literal) => {
        change(
            $name,
            concat!("`", $verb, "` changes the number"),
            $killer,
            |act, item, change| {
                if let (true, Some(item)) = (act.is($verb), item) {
                    let mut attributes = item.attributes;
                    attributes.cas += 1;
                    *change = Change::Put(attributes, Data::Same);
                }
            },
        )
    };
}

pub(super) const FAULTS: &[Fault] = &[
    reply(
        "the_number_is_always_zero",
        "`gets` answers 0",
        "storage/cas/stores_when_unchanged",
        |c, out| {
            if c.is("gets") && out.starts_with(b"VALUE") {
                edit_words(out, |words| words[4] = b"0".to_vec());
            }
        },
    )
    .after("dragonfly#5033, kumofs#2"),
    change(
        "the_same_value_keeps_the_number",
        "storing the same value does not change the number",
        "cas/changes/set_of_the_same_value_changes_it",
        |act, item, change| {
            if let (true, Some(item), Change::Put(new, Data::Bytes(data))) = (act.is("set"), item, change)
                && *data == item.data
            {
                new.cas = item.attributes.cas;
            }
        },
    ),
    keeps_the_number!("replace_keeps_the_number", "replace", "cas/changes/replace_changes_it"),
    keeps_the_number!("append_keeps_the_number", "append", "cas/changes/append_changes_it"),
    keeps_the_number!("prepend_keeps_the_number", "prepend", "cas/changes/prepend_changes_it"),
    keeps_the_number!("incr_keeps_the_number", "incr", "cas/changes/incr_changes_it"),
    keeps_the_number!("decr_keeps_the_number", "decr", "cas/changes/decr_changes_it"),
    keeps_the_number!("cas_keeps_the_number", "cas", "storage/cas/the_number_serves_once"),
    changes_the_number!("touch_changes_the_number", "touch", "cas/keeps/touch_keeps_it"),
    changes_the_number!("gat_changes_the_number", "gat", "cas/keeps/gat_keeps_it"),
    changes_the_number!("gats_changes_the_number", "gats", "cas/keeps/gats_keeps_it"),
    changes_the_number!(
        "a_refused_add_changes_the_number",
        "add",
        "cas/keeps/a_refused_add_keeps_it"
    ),
    change(
        "a_refused_cas_changes_the_number",
        "a `cas` that was refused changes the number",
        "cas/keeps/a_refused_cas_keeps_it",
        |act, item, change| {
            if let (true, Some(item), Change::Keep) = (act.is("cas"), item, &*change) {
                let mut attributes = item.attributes;
                attributes.cas += 1;
                *change = Change::Put(attributes, Data::Same);
            }
        },
    ),
    change(
        "a_refused_cas_clears_the_flags",
        "a `cas` that was refused changes the flags",
        "storage/cas/refusal_keeps_the_flags",
        |act, item, change| {
            if let (true, Some(item), Change::Keep) = (act.is("cas"), item, &*change) {
                let mut attributes = item.attributes;
                attributes.client_flags = 0;
                *change = Change::Put(attributes, Data::Same);
            }
        },
    ),
    change(
        "new_items_begin_with_one",
        "the number of each new item is 1",
        "storage/cas/exists_after_delete_and_set",
        |act, item, change| {
            if let (true, None, Some(new)) = (act.is("set add"), item, put_by(change)) {
                new.cas = 1;
            }
        },
    ),
    talk(
        "cas_does_not_compare",
        "`cas` stores whatever the number is",
        "storage/cas/exists_when_changed",
        |_, c| {
            if c.is("cas") && !c.refused {
                c.take(5);
                c.put(0, "replace");
            }
        },
        |_, c, out| {
            if c.is("replace") {
                swap(out, "NOT_STORED", "NOT_FOUND");
            }
        },
    ),
    talk(
        "cas_of_zero_does_not_compare",
        "`cas` with the number 0 stores",
        "storage/cas/zero_is_a_number_like_others",
        |_, c| {
            if c.is("cas") && c.word(5) == b"0" {
                c.take(5);
                c.put(0, "replace");
            }
        },
        |_, _, _| {},
    ),
    request(
        "cas_creates",
        "`cas` of what is not there stores",
        "storage/cas/not_found_when_absent",
        |c| {
            if c.is("cas") && !c.refused {
                let line = c.line.clone();
                c.first("add", " 0 0 0", "\r\n");
                c.line = line;
                c.take(5);
                c.put(0, "set");
            }
        },
    ),
    reply(
        "a_refused_cas_is_not_stored",
        "`cas` with an old number answers NOT_STORED",
        "storage/cas/exists_when_changed",
        |c, out| {
            if c.is("cas") {
                swap(out, "EXISTS", "NOT_STORED");
            }
        },
    ),
    reply(
        "cas_of_nothing_exists",
        "`cas` of what is not there answers EXISTS",
        "storage/cas/not_found_when_absent",
        |c, out| {
            if c.is("cas") {
                swap(out, "NOT_FOUND", "EXISTS");
            }
        },
    ),
    talk(
        "numbers_belong_to_a_connection",
        "each connection is told numbers of its own",
        "connections/races/the_second_cas_loses",
        |conn, c| {
            if let (true, Some(number)) = (c.is("cas"), c.number(5)) {
                c.put(5, (number - 1000 * conn.number as i64).to_string());
            }
        },
        |conn, c, out| {
            if c.is("gets") && out.starts_with(b"VALUE") {
                edit_words(out, |words| {
                    let number = words
                        .get(4)
                        .and_then(|word| std::str::from_utf8(word).ok()?.parse::<u64>().ok());
                    words[4] = (number.unwrap_or(0) + 1000 * conn.number).to_string().into_bytes();
                });
            }
        },
    ),
    shown(
        "numbers_have_32_bits",
        "a number is cut to 32 bits",
        "meta/ms_cas/given_cas_may_have_64_bits",
        |_, item| {
            if let Some(item) = item {
                item.attributes.cas &= 0xffff_ffff;
            }
        },
    ),
    reply(
        "numbers_are_signed_in_gets",
        "`gets` answers a negative number from 2^63 on",
        "meta/dialects/gets_shows_a_given_cas_of_64_bits",
        |c, out| {
            if c.is("gets") && out.starts_with(b"VALUE") {
                edit_words(out, |words| {
                    let number = words
                        .get(4)
                        .and_then(|word| std::str::from_utf8(word).ok()?.parse::<u64>().ok());
                    words[4] = number.unwrap_or(0).cast_signed().to_string().into_bytes();
                });
            }
        },
    )
    .after("carrot-cache#332"),
    Fault::new(
        "a_lost_cas_is_told_as_won",
        "`cas` with an old number answers STORED and stores nothing",
        "storage/cas/exists_when_changed",
        Planted::Reply(|c, out| {
            if c.is("cas") {
                swap(out, "EXISTS", "STORED");
            }
        }),
    ),
];
