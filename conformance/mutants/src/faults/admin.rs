//! Faults of `version`, `verbosity`, `quit`, `shutdown` and the commands that tune.

use super::{reply, request};
use crate::command::{become_text, swap};
use crate::fault::{Fault, Planted};

pub(super) const FAULTS: &[Fault] = &[
    request(
        "version_is_unknown",
        "there is no `version`",
        "admin/version/answers_one_line",
        |c| {
            if c.is("version") {
                c.answer_line("ERROR");
            }
        },
    )
    .after("twemproxy PR#632"),
    reply(
        "version_has_a_v",
        "the version begins with a letter",
        "admin/version/begins_with_a_number",
        |c, out| {
            if c.is("version") {
                swap(out, "VERSION ", "VERSION v");
            }
        },
    ),
    request(
        "version_refuses_arguments",
        "`version` with a word is refused",
        "admin/version/arguments_are_ignored",
        |c| {
            if c.is("version") && c.words().count() > 1 {
                c.answer_line("ERROR");
            }
        },
    ),
    request(
        "verbosity_is_unknown",
        "there is no `verbosity`",
        "admin/verbosity/answers_ok",
        |c| {
            if c.is("verbosity") {
                c.answer_line("ERROR");
            }
        },
    ),
    request(
        "verbosity_needs_no_number",
        "`verbosity` without a number answers OK",
        "admin/verbosity/without_a_number",
        |c| {
            if c.line == b"verbosity" {
                c.answer_line("OK");
            }
        },
    ),
    request(
        "verbosity_sets_nothing",
        "`verbosity` answers and sets nothing",
        "admin/verbosity/sets_the_level",
        |c| {
            if c.is("verbosity") && !c.refused && !c.noreply() {
                c.answer_line("OK");
            }
        },
    ),
    request(
        "verbosity_takes_a_word",
        "`verbosity` with a word is 0",
        "admin/verbosity/refuses_a_word",
        |c| {
            if c.is("verbosity") && c.word(1).first().is_some_and(u8::is_ascii_alphabetic) && !c.noreply() {
                c.put(1, "0");
            }
        },
    ),
    request(
        "quit_with_words_is_unknown",
        "`quit` with a word stays",
        "admin/quit/arguments_are_ignored",
        |c| {
            if c.is("quit") && c.words().count() > 1 {
                c.answer_line("ERROR");
            }
        },
    ),
    Fault::new(
        "shutdown_is_obeyed",
        "any client may stop the server",
        "admin/shutdown/disabled_by_default",
        Planted::Config(|config| config.shutdown_command = true),
    ),
    reply(
        "a_disabled_shutdown_is_silent",
        "`shutdown` that is disabled is not answered",
        "admin/shutdown/disabled_by_default",
        |c, out| {
            if c.is("shutdown") {
                out.clear();
            }
        },
    ),
    request(
        "memlimit_counts_bytes",
        "`cache_memlimit` counts kibibytes",
        "admin/cache_memlimit/counts_in_megabytes",
        |c| {
            if let (true, Some(limit)) = (c.is("cache_memlimit"), c.number(1)) {
                c.put(1, (limit * 2).to_string());
            }
        },
    ),
    request(
        "memlimit_flushes",
        "`cache_memlimit` takes all items away",
        "admin/cache_memlimit/keeps_the_items",
        |c| {
            if c.is("cache_memlimit") && !c.noreply() {
                c.before = b"flush_all noreply\r\n".to_vec();
            }
        },
    ),
    request(
        "memlimit_takes_nothing_for_zero",
        "`cache_memlimit` without a number answers OK",
        "admin/cache_memlimit/without_a_number",
        |c| {
            if c.line == b"cache_memlimit" {
                c.answer_line("OK");
            }
        },
    ),
    reply(
        "crawler_of_an_unknown_class_is_ok",
        "`lru_crawler crawl` of an unknown class answers OK",
        "admin/lru_crawler/crawl_of_an_unknown_class",
        |c, out| {
            if c.is("lru_crawler") && out.starts_with(b"BADCLASS") {
                become_text(out, "OK\r\n");
            }
        },
    ),
    reply(
        "slabs_reassign_to_itself_is_ok",
        "`slabs reassign` of a class to itself answers OK",
        "admin/slabs/reassign_to_the_same_class",
        |c, out| {
            if c.is("slabs") && out.starts_with(b"SAME") {
                become_text(out, "OK\r\n");
            }
        },
    ),
];
