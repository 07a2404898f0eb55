//! Faults of `md`.

use refcached_store::Change;

use super::{change, reply, request};
use crate::command::{edit_words, swap};
use crate::fault::Fault;

pub(super) const FAULTS: &[Fault] = &[
    reply(
        "md_with_the_right_cas_is_lost",
        "`md` with the right cas answers EX",
        "meta/md_delete/matching_cas_deletes",
        |c, out| {
            if c.is("md") && c.has(b'C') {
                swap(out, "HD", "EX");
            }
        },
    )
    .after("memcached#844"),
    request(
        "md_does_not_compare",
        "C of `md` does nothing",
        "meta/md_delete/other_cas_is_refused",
        |c| {
            if c.is("md") && !c.refused {
                c.without(b'C');
            }
        },
    ),
    change(
        "md_does_nothing",
        "`md` answers and leaves the item",
        "meta/md_delete/deletes_an_item",
        |act, _, change| {
            if act.is("md") && matches!(change, Change::Remove) {
                *change = Change::Keep;
            }
        },
    ),
    reply(
        "md_of_nothing_is_a_miss_of_mg",
        "`md` of what is not there answers EN",
        "meta/md_delete/miss_is_not_found",
        |c, out| {
            if c.is("md") {
                swap(out, "NF", "EN");
            }
        },
    ),
    reply(
        "quiet_hides_a_miss_of_md",
        "q of `md` hides NF",
        "meta/md_quiet/miss_is_shown",
        |c, out| {
            if c.is("md") && c.has(b'q') && out.starts_with(b"NF") {
                out.clear();
            }
        },
    ),
    reply(
        "quiet_hides_a_lost_md",
        "q of `md` hides EX",
        "meta/md_quiet/refused_cas_is_shown",
        |c, out| {
            if c.is("md") && c.has(b'q') && out.starts_with(b"EX") {
                out.clear();
            }
        },
    )
    .after("memcached#868"),
    request(
        "quiet_is_not_known_to_md",
        "`md` with q answers HD",
        "meta/md_quiet/success_is_hidden",
        |c| {
            if c.is("md") {
                c.without(b'q');
            }
        },
    ),
    request(
        "removing_the_value_deletes",
        "x of `md` does nothing: the item goes",
        "meta/md_remove_value/value_is_gone_and_the_item_stays",
        |c| {
            if c.is("md") && !c.refused {
                c.without(b'x');
            }
        },
    ),
    reply(
        "md_does_not_return_the_key",
        "`md` leaves k out",
        "meta/md_delete/returns_the_key",
        |c, out| {
            if c.is("md") && out.starts_with(b"HD") {
                edit_words(out, |words| words.retain(|word| word.first() != Some(&b'k')));
            }
        },
    ),
    reply(
        "a_miss_of_md_returns_no_opaque",
        "NF has no opaque",
        "meta/md_delete/miss_returns_key_and_opaque",
        |c, out| {
            if c.is("md") && out.starts_with(b"NF") {
                edit_words(out, |words| words.truncate(1));
            }
        },
    ),
    request(
        "md_ignores_unknown_flags",
        "`md` with an unknown flag deletes",
        "meta/md_errors/unknown_flag_keeps_the_item",
        |c| {
            if c.is("md") && c.refused {
                c.first("delete", "", "");
            }
        },
    ),
    request(
        "md_takes_no_base64",
        "`md` takes a key with b as it stands",
        "meta/base64_keys/md_deletes_the_decoded_key",
        |c| {
            if c.is("md") && !c.refused {
                c.without(b'b');
            }
        },
    ),
    request(
        "md_takes_no_given_cas",
        "E of `md` does nothing",
        "meta/md_stale/invalidation_takes_a_given_cas",
        |c| {
            if c.is("md") && !c.refused {
                c.without(b'E');
            }
        },
    ),
];
