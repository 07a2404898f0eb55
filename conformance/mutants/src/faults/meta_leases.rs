//! Faults of what `mg` and `md` do against stampedes: N, R, stale items, who wins.

use refcached_store::item::Marks;

use super::{change, put_by, reply, request, shown};
use crate::command::{edit_words, swap};
use crate::fault::Fault;

pub(super) const FAULTS: &[Fault] = &[
    request(
        "a_miss_is_not_vivified",
        "N of `mg` does nothing",
        "meta/mg_vivify/first_request_wins",
        |c| {
            if c.is("mg") && !c.refused {
                c.without(b'N');
            }
        },
    ),
    reply(
        "everybody_wins",
        "who comes second is told to recache, too",
        "meta/mg_vivify/later_requests_see_that_it_was_won",
        |c, out| {
            if c.is("mg") {
                swap(out, " Z", " W");
            }
        },
    ),
    reply(
        "nobody_wins",
        "the first is not told to recache",
        "meta/mg_vivify/first_request_wins",
        |c, out| {
            if c.is("mg") {
                swap(out, " W", "");
            }
        },
    ),
    reply(
        "losers_are_not_told",
        "the second is not told that another one recaches",
        "meta/mg_vivify/another_connection_sees_that_it_was_won",
        |c, out| {
            if c.is("mg") {
                swap(out, " Z", "");
            }
        },
    ),
    request(
        "a_stub_does_not_expire",
        "the time of N is ignored",
        "meta/mg_vivify/stub_has_the_ttl_given",
        |c| {
            if let (true, Some((place, _))) = (c.is("mg") && !c.refused, c.flag(b'N')) {
                c.put(place, "N0");
            }
        },
    ),
    shown(
        "a_stub_is_no_item",
        "`add` does not see an item made by N",
        "meta/mg_vivify/stub_is_an_item_for_add",
        |act, item| {
            if act.is("add") && item.is_some_and(|item| item.attributes.marks.has(Marks::WON)) {
                *item = None;
            }
        },
    ),
    request(
        "recache_always_wins",
        "R wins whatever the time left",
        "meta/mg_recache/high_ttl_does_not_win",
        |c| {
            if let (true, Some((place, _))) = (c.is("mg") && !c.refused, c.flag(b'R')) {
                c.put(place, "R2000000000");
            }
        },
    ),
    request(
        "recache_never_wins",
        "R does nothing",
        "meta/mg_recache/low_ttl_wins",
        |c| {
            if c.is("mg") && !c.refused {
                c.without(b'R');
            }
        },
    ),
    shown(
        "every_reader_wins_a_stale_item",
        "who has won a stale item is forgotten",
        "meta/md_stale/later_readers_see_that_it_was_won",
        |act, item| {
            if let (true, Some(item)) = (act.is("mg"), item)
                && item.attributes.marks.has(Marks::STALE)
            {
                item.attributes.marks = item.attributes.marks.without(Marks::WON);
            }
        },
    ),
    shown(
        "stale_is_not_marked",
        "X is never answered",
        "meta/md_stale/first_reader_wins",
        |act, item| {
            if let (true, Some(item)) = (act.is("mg"), item) {
                item.attributes.marks = item.attributes.marks.without(Marks::STALE);
            }
        },
    ),
    reply(
        "marks_come_first",
        "W comes before the flags asked",
        "meta/mg_vivify/win_mark_comes_after_the_flags_asked",
        |c, out| {
            if c.is("mg") && out.starts_with(b"HD") {
                edit_words(out, |words| {
                    if words.last().map(Vec::as_slice) == Some(b"W") {
                        words.pop();
                        words.insert(1, b"W".to_vec());
                    }
                });
            }
        },
    ),
    change(
        "a_new_value_keeps_the_mark",
        "storing over a stale item leaves it stale",
        "meta/md_stale/set_clears_the_marks",
        |act, item, change| {
            if let (true, Some(item), Some(new)) = (act.is("set ms"), item, put_by(change)) {
                new.marks = new.marks.with(item.attributes.marks);
            }
        },
    ),
    request(
        "md_invalidation_deletes",
        "I of `md` does nothing: the item goes",
        "meta/md_stale/first_reader_wins",
        |c| {
            if c.is("md") && !c.refused {
                c.without(b'I');
            }
        },
    ),
    request(
        "invalidation_keeps_the_old_time",
        "T of `md I` does nothing",
        "meta/md_stale/invalidation_updates_the_ttl",
        |c| {
            if c.is("md") && c.has(b'I') {
                c.without(b'T');
            }
        },
    ),
    request(
        "ms_knows_no_older_cas",
        "I of `ms` does nothing",
        "meta/ms_invalidate/older_cas_is_stored_as_stale",
        |c| {
            if c.is("ms") && !c.refused {
                c.without(b'I');
            }
        },
    ),
];
