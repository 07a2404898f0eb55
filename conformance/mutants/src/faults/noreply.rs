//! Faults of `noreply`.

use super::{STORAGE, reply, request, talk};
use crate::fault::Fault;

/// A fault: `noreply` is not heeded by `verb`.
macro_rules! answers_all_the_same {
    ($name:literal, $verb:literal, $killer:literal) => {
        request($name, concat!("`", $verb, "` with noreply is answered"), $killer, |c| {
            if c.is($verb) && c.noreply() {
                c.take(c.words().count() - 1);
            }
        })
    };
}

/// A fault: a refusal of `verb` is answered although noreply was asked.
macro_rules! answers_a_refusal {
    ($name:literal, $verb:literal, $refusal:literal, $killer:literal) => {
        talk(
            $name,
            concat!("`", $verb, "` with noreply answers ", $refusal),
            $killer,
            |conn, c| {
                if c.is($verb) && c.noreply() && !c.refused {
                    conn.mine.insert(b"asked".to_vec(), Vec::new());
                    c.take(c.words().count() - 1);
                }
            },
            |conn, _, out| {
                if conn.mine.remove(&b"asked"[..]).is_some() && !out.starts_with($refusal.as_bytes()) {
                    out.clear();
                }
            },
        )
    };
}

pub(super) const FAULTS: &[Fault] = &[
    request(
        "noreply_is_not_known",
        "every command is answered",
        "noreply/success/set_is_silent",
        |c| {
            if c.noreply() && !c.is("get gets gat gats") {
                c.take(c.words().count() - 1);
            }
        },
    )
    .after("dragonfly#1203"),
    answers_all_the_same!("a_silent_add_is_answered", "add", "noreply/success/add_is_silent"),
    answers_all_the_same!(
        "a_silent_replace_is_answered",
        "replace",
        "noreply/success/replace_is_silent"
    ),
    answers_all_the_same!(
        "a_silent_append_is_answered",
        "append",
        "noreply/success/append_is_silent"
    ),
    answers_all_the_same!(
        "a_silent_prepend_is_answered",
        "prepend",
        "noreply/success/prepend_is_silent"
    ),
    answers_all_the_same!("a_silent_cas_is_answered", "cas", "noreply/success/cas_is_silent"),
    answers_all_the_same!("a_silent_incr_is_answered", "incr", "noreply/success/incr_is_silent"),
    answers_all_the_same!("a_silent_decr_is_answered", "decr", "noreply/success/decr_is_silent"),
    answers_all_the_same!("a_silent_touch_is_answered", "touch", "noreply/success/touch_is_silent"),
    answers_all_the_same!(
        "a_silent_verbosity_is_answered",
        "verbosity",
        "admin/verbosity/noreply_is_silent"
    ),
    request(
        "a_silent_delete_is_refused",
        "`delete` takes noreply for a time and refuses it",
        "noreply/success/delete_is_silent",
        |c| {
            if c.is("delete") && c.noreply() {
                c.refuse();
            }
        },
    )
    .after("memcached#1312"),
    request(
        "a_silent_delete_does_nothing",
        "`delete` with noreply does nothing",
        "noreply/success/delete_is_silent",
        |c| {
            if c.is("delete") && c.noreply() {
                c.answer = Some(Vec::new());
            }
        },
    )
    .after("memcached#1312"),
    request(
        "a_silent_incr_does_nothing",
        "`incr` with noreply does nothing",
        "noreply/success/incr_is_silent",
        |c| {
            if c.is("incr") && c.noreply() {
                c.answer = Some(Vec::new());
            }
        },
    ),
    request(
        "a_silent_set_of_a_large_value_is_lost",
        "`set` with noreply loses values over 4 KiB",
        "noreply/success/large_value_is_swallowed",
        |c| {
            if c.is("set") && c.noreply() && c.block.len() > 4096 {
                c.answer = Some(Vec::new());
            }
        },
    ),
    answers_a_refusal!(
        "a_refused_silent_add_is_answered",
        "add",
        "NOT_STORED",
        "noreply/refusals/add_of_a_key_that_is_held"
    ),
    answers_a_refusal!(
        "a_refused_silent_replace_is_answered",
        "replace",
        "NOT_STORED",
        "noreply/refusals/replace_of_a_key_that_is_absent"
    ),
    answers_a_refusal!(
        "a_lost_silent_cas_is_answered",
        "cas",
        "EXISTS",
        "noreply/refusals/cas_of_a_key_that_has_changed"
    ),
    answers_a_refusal!(
        "a_silent_cas_of_nothing_is_answered",
        "cas",
        "NOT_FOUND",
        "noreply/refusals/cas_of_a_key_that_is_absent"
    ),
    answers_a_refusal!(
        "a_silent_delete_of_nothing_is_answered",
        "delete",
        "NOT_FOUND",
        "noreply/refusals/delete_of_a_key_that_is_absent"
    ),
    answers_a_refusal!(
        "a_silent_incr_of_nothing_is_answered",
        "incr",
        "NOT_FOUND",
        "noreply/refusals/incr_of_a_key_that_is_absent"
    ),
    answers_a_refusal!(
        "a_silent_incr_of_a_word_is_answered",
        "incr",
        "CLIENT_ERROR",
        "noreply/refusals/incr_of_a_word"
    ),
    answers_a_refusal!(
        "a_silent_touch_of_nothing_is_answered",
        "touch",
        "NOT_FOUND",
        "noreply/refusals/touch_of_a_key_that_is_absent"
    ),
    talk(
        "silence_lasts",
        "the reply after a silent command is left out, too",
        "noreply/success/set_is_silent",
        |_, _| {},
        |conn, c, out| {
            if !c.is("mn") && conn.mine.remove(&b"silent"[..]).is_some() {
                out.clear();
            }
            if c.noreply() {
                conn.mine.insert(b"silent".to_vec(), Vec::new());
            }
        },
    ),
    talk(
        "silent_commands_are_late",
        "a command with noreply is executed after the next one",
        "noreply/success/delete_set_get_keep_their_order",
        |conn, c| {
            if c.noreply() && !c.refused && c.is("set add delete") {
                let command = c.forwarded();
                conn.mine.entry(b"late".to_vec()).or_default().extend(command);
                c.answer = Some(Vec::new());
            } else if !c.is("mn") {
                c.after = conn.mine.remove(&b"late"[..]).unwrap_or_default();
            }
        },
        |_, _, _| {},
    )
    .after("Netflix/dynomite#67"),
    talk(
        "quit_loses_a_silent_set",
        "a silent `set` right before `quit` is lost",
        "noreply/success/set_before_quit_is_stored",
        |conn, c| {
            if c.noreply() && !c.refused && c.is("set") {
                let command = c.forwarded();
                conn.mine.insert(b"held".to_vec(), command);
                c.answer = Some(Vec::new());
            } else if let Some(held) = conn.mine.remove(&b"held"[..])
                && !c.is("quit")
            {
                c.before = held;
            }
        },
        |_, _, _| {},
    )
    .after("twitter/pelikan#234"),
    request(
        "noreply_may_be_shortened",
        "`norep` is noreply",
        "noreply/words/abbreviation_is_not_noreply",
        |c| {
            let last = c.words().count().saturating_sub(1);
            if last > 1 && c.word(last).starts_with(b"nor") && b"noreply".starts_with(c.word(last)) {
                c.put(last, "noreply");
            }
        },
    ),
    request(
        "noreply_may_be_in_upper_case",
        "`NOREPLY` is noreply",
        "noreply/words/upper_case_is_not_noreply",
        |c| {
            let last = c.words().count().saturating_sub(1);
            if last > 1 && c.word(last).eq_ignore_ascii_case(b"noreply") {
                c.put(last, "noreply");
            }
        },
    ),
    request(
        "any_word_is_noreply",
        "any word after the last argument silences",
        "noreply/words/one_is_not_noreply",
        |c| {
            if c.is("set add replace append prepend") && !c.refused && c.words().count() == 6 {
                c.put(5, "noreply");
            }
        },
    ),
    reply(
        "noreply_silences_errors",
        "a refused line that ends in noreply is not answered",
        "noreply/words/version_knows_no_noreply",
        |c, out| {
            if c.noreply() && !c.is("get gets gat gats") {
                out.clear();
            }
        },
    ),
    request(
        "the_data_of_a_silent_refusal_is_run",
        "what follows a line refused with noreply is executed",
        "noreply/errors/set_of_a_value_too_large",
        |c| {
            if c.is(STORAGE) && c.refused && c.noreply() {
                c.answer = Some(Vec::new());
            }
        },
    ),
    request(
        "unknown_commands_ignore_noreply",
        "an unknown command with noreply is answered",
        "noreply/words/unknown_command_with_noreply",
        |c| {
            if c.refused && c.noreply() && c.is("bogus") {
                c.answer_line("ERROR");
            }
        },
    )
    .once_right(),
];
