//! Faults of `touch`, `gat` and `gats`.

use refcached_store::Change;
use refcached_store::store::Data;

use super::{change, put_by, reply, request};
use crate::command::{become_text, swap};
use crate::fault::Fault;

pub(super) const FAULTS: &[Fault] = &[
    request("touch_is_unknown", "there is no `touch`", "touch/touch/touches", |c| {
        if c.is("touch") {
            c.answer_line("ERROR");
        }
    })
    .after("tarantool/memcached#47"),
    reply(
        "touch_of_nothing_is_touched",
        "`touch` of what is not there answers TOUCHED",
        "touch/touch/not_found_when_absent",
        |c, out| {
            if c.is("touch") {
                swap(out, "NOT_FOUND", "TOUCHED");
            }
        },
    ),
    request(
        "touch_creates",
        "`touch` of what is not there creates it",
        "touch/touch/does_not_create",
        |c| {
            if c.is("touch") {
                c.then("add", " 0 0 0", "\r\n");
            }
        },
    ),
    change(
        "touch_does_nothing",
        "`touch` answers and leaves the time",
        "touch/touch/lengthens_the_life",
        |act, _, change| {
            if act.is("touch") {
                *change = Change::Keep;
            }
        },
    ),
    request(
        "touch_of_zero_ends",
        "`touch` with 0 ends the item",
        "touch/touch/zero_never_expires",
        |c| {
            if c.is("touch") && c.word(2) == b"0" {
                c.put(2, "-1");
            }
        },
    )
    .after("infinispan#12658 (ISPN-16310)"),
    request(
        "touch_refuses_a_negative_time",
        "`touch` with a negative time is refused",
        "touch/touch/negative_expires_at_once",
        |c| {
            if c.is("touch") && c.word(2).starts_with(b"-") {
                c.answer_line("CLIENT_ERROR invalid exptime argument");
            }
        },
    )
    .after("twemproxy#344"),
    change(
        "touch_clears_the_flags",
        "`touch` changes the flags",
        "touch/touch/keeps_value_and_flags",
        |act, _, change| {
            if let (true, Some(new)) = (act.is("touch"), put_by(change)) {
                new.client_flags = 0;
            }
        },
    ),
    change(
        "touch_empties_the_value",
        "`touch` loses the value",
        "touch/touch/keeps_value_and_flags",
        |act, _, change| {
            if let (true, Change::Put(_, data)) = (act.is("touch"), change) {
                *data = Data::Bytes(b"");
            }
        },
    ),
    change(
        "touch_never_shortens",
        "`touch` takes the later of two times",
        "touch/touch/shortens_the_life",
        |act, item, change| {
            if let (true, Some(item), Some(new)) = (act.is("touch"), item, put_by(change)) {
                new.expiry = new.expiry.max(item.attributes.expiry);
            }
        },
    ),
    request(
        "touch_ends_a_time_at_a_letter",
        "letters behind a time are ignored",
        "touch/touch/refuses_digits_then_a_letter",
        |c| {
            let digits = c.word(2).iter().take_while(|byte| byte.is_ascii_digit()).count();
            if c.is("touch") && digits > 0 {
                c.cut(2, digits);
            }
        },
    ),
    request(
        "touch_of_a_fraction_hangs_up",
        "`touch` with 0.2 closes the connection",
        "touch/touch/refuses_a_fraction",
        |c| {
            c.hang_up = c.is("touch") && c.word(2).contains(&b'.');
        },
    )
    .after("mcrouter#186"),
    request(
        "touch_takes_a_word_for_zero",
        "a time that is no number is 0",
        "touch/touch/refuses_a_word",
        |c| {
            if c.is("touch") && c.word(2).first().is_some_and(u8::is_ascii_alphabetic) {
                c.put(2, "0");
            }
        },
    ),
    request("gat_is_unknown", "there is no `gat`", "touch/gat/returns_value", |c| {
        if c.is("gat") {
            c.answer_line("ERROR");
        }
    })
    .after("twemproxy#631, mcrouter#222"),
    request(
        "gat_reads_one_key",
        "`gat` looks at its first key only",
        "touch/gat/several_keys",
        |c| {
            if c.is("gat gats") && !c.refused {
                c.line = c.words().take(3).collect::<Vec<_>>().join(&b' ');
            }
        },
    )
    .after("twemproxy#631"),
    request(
        "gat_does_not_touch",
        "`gat` is `get`",
        "touch/gat/lengthens_the_life",
        |c| {
            if c.is("gat") && !c.refused {
                c.take(1);
                c.put(0, "get");
            }
        },
    ),
    change(
        "gat_touches_to_no_end",
        "`gat` makes an item live for ever",
        "touch/gat/shortens_the_life",
        |act, _, change| {
            if let (true, Some(new)) = (act.is("gat gats"), put_by(change)) {
                new.expiry = refcached_store::Expiry::NEVER;
            }
        },
    ),
    reply(
        "a_miss_of_gat_is_not_found",
        "`gat` of what is not there answers NOT_FOUND",
        "touch/gat/miss_is_a_bare_end",
        |c, out| {
            if c.is("gat gats") && out == b"END\r\n" {
                become_text(out, "NOT_FOUND\r\n");
            }
        },
    ),
    request(
        "gat_creates",
        "`gat` of what is not there creates it",
        "touch/gat/does_not_create",
        |c| {
            if c.is("gat") && !c.refused {
                c.after = [b"add ", c.word(2), b" 0 0 0 noreply\r\n\r\n"].concat();
            }
        },
    ),
    request(
        "gats_is_gat",
        "`gats` leaves the number out",
        "touch/gats/returns_the_unique",
        |c| {
            if c.is("gats") {
                c.put(0, "gat");
            }
        },
    ),
    request(
        "gat_is_gats",
        "`gat` answers the number, too",
        "touch/gat/returns_value",
        |c| {
            if c.is("gat") {
                c.put(0, "gats");
            }
        },
    ),
    request(
        "gat_hides_what_it_ends",
        "`gat` with a negative time answers a miss",
        "touch/gat/negative_returns_the_value_then_it_is_gone",
        |c| {
            if c.is("gat") && c.word(1).starts_with(b"-") {
                c.answer_line("END");
            }
        },
    ),
    change(
        "gat_clears_the_flags",
        "`gat` changes the flags",
        "touch/gat/keeps_value_and_flags",
        |act, _, change| {
            if let (true, Some(new)) = (act.is("gat"), put_by(change)) {
                new.client_flags = 0;
            }
        },
    ),
];
