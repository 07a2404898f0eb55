//! Faults of `delete`.

use refcached_store::Change;

use super::{change, reply, request};
use crate::command::swap;
use crate::fault::Fault;

pub(super) const FAULTS: &[Fault] = &[
    reply(
        "delete_answers_ok",
        "a successful `delete` is answered by OK",
        "deletion/delete/deletes",
        |c, out| {
            if c.is("delete") {
                swap(out, "DELETED", "OK");
            }
        },
    )
    .after("kestrel#79"),
    change(
        "delete_does_nothing",
        "`delete` answers and leaves the item",
        "deletion/delete/deletes",
        |act, _, change| {
            if act.is("delete") {
                *change = Change::Keep;
            }
        },
    ),
    reply(
        "delete_of_nothing_is_deleted",
        "`delete` of what is not there answers DELETED",
        "deletion/delete/not_found_when_absent",
        |c, out| {
            if c.is("delete") {
                swap(out, "NOT_FOUND", "DELETED");
            }
        },
    ),
    request(
        "a_time_of_zero_hangs_up",
        "`delete` with the time 0 closes the connection",
        "deletion/delete/a_time_of_zero_is_accepted",
        |c| {
            c.hang_up = c.is("delete") && c.word(2) == b"0";
            if c.hang_up {
                c.answer = Some(Vec::new());
            }
        },
    )
    .after("twemproxy#143"),
    request(
        "a_time_is_refused",
        "`delete` with a time other than 0 is refused",
        "deletion/delete/a_time_other_than_zero",
        |c| {
            if c.is("delete") && c.number(2).is_some_and(|time| time != 0) {
                c.answer_line("CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]");
            }
        },
    )
    .once_right(),
    request(
        "a_word_after_the_key_is_unknown",
        "`delete` with a word after its key is no command",
        "deletion/delete/an_unknown_word_after_the_key",
        |c| {
            if c.is("delete") && c.words().count() == 3 && !c.noreply() && c.number(2).is_none() {
                c.answer_line("ERROR");
            }
        },
    ),
    change(
        "delete_spares_empty_values",
        "`delete` takes an empty value for none",
        "deletion/delete/deletes_an_empty_value",
        |act, item, change| {
            if act.is("delete") && item.is_some_and(|item| item.data.is_empty()) {
                *change = Change::Keep;
            }
        },
    ),
];
