//! The faults that the explorer cannot see, and why: what its model or its histories leave out on purpose.
//!
//! All others it must find. One that stands here and is found all the same makes the list stale.

/// Why the explorer cannot see some faults.
#[derive(Debug, Clone, Copy)]
pub struct Beyond {
    /// What is left out, and why.
    pub reason: &'static str,
    /// The faults, by name.
    pub faults: &'static [&'static str],
}

/// All of them.
pub const BEYOND: &[Beyond] = &[
    Beyond {
        reason: "statistics: histories run side by side, so no number of the whole server is known",
        faults: &[
            "a_blank_at_the_end_of_stats_is_refused",
            "an_empty_line_before_end",
            "stats_have_no_end",
            "reset_answers_ok",
            "reset_does_nothing",
            "reset_flushes",
            "any_kind_is_general",
            "the_version_is_another",
            "no_pid",
            "no_uptime",
            "no_curr_connections",
            "sets_are_not_counted",
            "hits_are_not_counted",
            "misses_are_not_counted",
            "deletes_are_not_counted",
            "lost_cas_are_not_counted",
            "flushes_are_not_counted",
            "touches_are_not_counted",
            "settings_without_item_size_max",
        ],
    },
    Beyond {
        reason: "administration: the explorer sends nothing that changes how somebody's server is set up",
        faults: &[
            "a_silent_verbosity_is_answered",
            "verbosity_sets_nothing",
            "verbosity_takes_a_word",
            "shutdown_is_obeyed",
            "a_disabled_shutdown_is_silent",
            "memlimit_counts_bytes",
            "memlimit_flushes",
            "memlimit_takes_nothing_for_zero",
            "crawler_of_an_unknown_class_is_ok",
            "slabs_reassign_to_itself_is_ok",
        ],
    },
    Beyond {
        reason: "`version` and `mn` are what shows that all before was answered, so neither is a command of a history",
        faults: &[
            "version_ends_in_lf",
            "version_is_unknown",
            "version_has_a_v",
            "version_refuses_arguments",
            "mn_refuses_words",
            "a_write_is_late_for_others",
            "noreply_silences_errors",
        ],
    },
    Beyond {
        reason: "delivery: a history's bytes leave in whole commands, and no connection ends within one",
        faults: &[
            "a_line_end_cut_in_two_is_missed",
            "data_behind_its_line_is_a_command",
            "a_segment_of_one_byte_is_lost",
            "a_second_segment_is_taken_twice",
            "a_name_cut_in_two_is_lost",
            "flush_all_is_two_words",
            "a_time_cut_in_two_is_short",
            "a_meta_flag_cut_off_is_lost",
            "a_set_removes_when_it_begins",
            "an_add_is_decided_when_it_begins",
            "half_a_line_is_run",
            "a_value_without_its_end_is_stored",
            "half_a_value_is_stored",
            "a_client_that_ends_removes",
        ],
    },
    Beyond {
        reason: "time: no delayed flush strikes, for its moment is not known and it takes the keys of all; of how long ago an item \
                 was read the model knows only the most",
        faults: &[
            "a_delayed_flush_is_forgotten",
            "a_delayed_flush_spares_later_writes",
            "the_last_access_is_now",
        ],
    },
    Beyond {
        reason: "keys begin with letters of the run's own, so that they are nobody else's",
        faults: &["keys_that_are_numbers_are_read_so"],
    },
    Beyond {
        reason: "avoided: whatever ends a connection, but for a plain `quit`",
        faults: &["http_is_answered", "quit_with_words_is_unknown"],
    },
];

/// Why the explorer cannot see the fault of this name; none if it can.
pub fn reason(fault: &str) -> Option<&'static str> {
    let group = BEYOND.iter().find(|group| group.faults.contains(&fault));
    group.map(|group| group.reason)
}
