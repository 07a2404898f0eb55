//! The planted faults, each with the model that must find it.

/// A fault: some lines of the cell's source, replaced in a copy.
#[derive(Debug)]
pub struct Fault {
    /// In words, as the name of a test.
    pub name: &'static str,
    /// The file of `reference/swap/src`.
    pub file: &'static str,
    /// What is replaced, each with what. Each text stands exactly once in the file, or the build fails.
    pub patch: &'static [(&'static str, &'static str)],
    /// The model that must find it, of `tests/bodies`.
    pub found_by: &'static str,
    /// What that model says then, in part.
    pub says: &'static str,
    /// In how many executions at most.
    pub iterations_max: usize,
}

/// What must be found. Some of it nobody would write on purpose; all of it compiles, and most of it passes a test on real
/// threads.
pub const FAULTS: &[Fault] = &[
    Fault {
        name: "the_number_does_not_rise",
        file: "cell.rs",
        patch: &[("self.oldest.0.fetch_max(oldest.number(), Relaxed);", "")],
        found_by: "two_publishers_and_a_reader",
        says: "promise 3",
        iterations_max: 1_000,
    },
    Fault {
        name: "the_number_may_fall",
        file: "cell.rs",
        patch: &[("self.oldest.0.fetch_max(", "self.oldest.0.store(")],
        found_by: "two_deadlines_that_race",
        says: "promise 3",
        iterations_max: 1_000,
    },
    Fault {
        name: "the_number_rises_before_the_dataset_is_there",
        file: "cell.rs",
        patch: &[
            (
                "        let mut current = lock(&self.shared.current);\n",
                "        if self.shared.policy == Policy::Command {
            self.shared.move_readers(self.generation().next());
        }
        let mut current = lock(&self.shared.current);\n",
            ),
            (
                "        drop(current);
        if self.shared.policy == Policy::Command {
            self.shared.move_readers(generation);
        }\n",
                "        drop(current);\n",
            ),
        ],
        found_by: "two_publishers_and_a_reader",
        says: "promise 3",
        iterations_max: 1_000,
    },
    Fault {
        name: "two_publishers_take_the_same_number",
        file: "cell.rs",
        patch: &[(
            "        let mut current = lock(&self.shared.current);
        let generation = current.generation().next();\n",
            "        let generation = self.generation().next();
        let mut current = lock(&self.shared.current);\n",
        )],
        found_by: "two_publishers_and_a_reader",
        says: "promise 8",
        iterations_max: 1_000,
    },
    Fault {
        name: "publishing_moves_bound_readers",
        file: "cell.rs",
        patch: &[("if self.shared.policy == Policy::Command {", "{")],
        found_by: "a_bound_reader_stays_until_the_deadline_moves_it",
        says: "moved before its deadline",
        iterations_max: 1_000,
    },
    Fault {
        name: "nobody_sweeps",
        file: "cell.rs",
        patch: &[(
            "let stale = self.sweep(oldest);",
            "let stale: Vec<Lease<D>> = Vec::new();",
        )],
        found_by: "an_idle_reader_does_not_hold_up_a_drain",
        says: "deadlock",
        iterations_max: 1_000,
    },
    Fault {
        name: "the_sweep_comes_before_the_number",
        file: "cell.rs",
        patch: &[(
            "        self.oldest.0.fetch_max(oldest.number(), Relaxed);
        let stale = self.sweep(oldest);\n",
            "        let stale = self.sweep(oldest);
        self.oldest.0.fetch_max(oldest.number(), Relaxed);\n",
        )],
        found_by: "an_idle_reader_does_not_hold_up_a_drain",
        says: "deadlock",
        iterations_max: 1_000,
    },
    Fault {
        name: "a_reader_that_ends_leaves_its_slot",
        file: "cell.rs",
        patch: &[("lock(&self.slots).open.remove(&number);", "let _ = number;")],
        found_by: "bound_readers_that_end_are_not_waited_for",
        says: "deadlock",
        iterations_max: 1_000,
    },
    Fault {
        name: "a_command_does_not_look_at_the_number",
        file: "reader.rs",
        patch: &[("lease.generation() < oldest)", "lease.generation() < oldest && false)")],
        found_by: "two_publishers_and_a_reader",
        says: "promise 3",
        iterations_max: 1_000,
    },
    Fault {
        name: "parking_does_not_look_again",
        file: "reader.rs",
        patch: &[("if lease.generation() >= self.shared.oldest_that_answers() {", "{")],
        found_by: "an_idle_reader_does_not_hold_up_a_drain",
        says: "deadlock",
        iterations_max: 1_000,
    },
    Fault {
        name: "parking_looks_before_it_locks",
        file: "reader.rs",
        patch: &[
            (
                "        let mut slot = lock(&self.slot);\n",
                "        let may_answer = lease.generation() >= self.shared.oldest_that_answers();
        let mut slot = lock(&self.slot);\n",
            ),
            (
                "if lease.generation() >= self.shared.oldest_that_answers() {\n            *slot",
                "if may_answer {\n            *slot",
            ),
        ],
        found_by: "an_idle_reader_does_not_hold_up_a_drain",
        says: "deadlock",
        iterations_max: 1_000,
    },
    Fault {
        name: "the_token_goes_before_the_dataset",
        file: "lease.rs",
        patch: &[(
            "    dataset: Arc<Dataset<D>>,\n    token: Arc<Token>,\n}",
            "    token: Arc<Token>,\n    dataset: Arc<Dataset<D>>,\n}",
        )],
        found_by: "a_drain_against_late_leases",
        says: "every lease lets go of the dataset before its token",
        iterations_max: 10_000,
    },
    Fault {
        name: "the_first_lease_that_ends_counts_as_the_last",
        file: "lease.rs",
        patch: &[(
            "token: Arc::clone(&self.token),",
            "token: Arc::new(Token { released: Arc::clone(&self.token.released) }),",
        )],
        found_by: "readers_and_the_cell_are_dropped_during_a_swap",
        says: "every lease lets go of the dataset before its token",
        iterations_max: 10_000,
    },
    Fault {
        name: "the_last_lease_gives_no_signal",
        file: "lease.rs",
        patch: &[("        self.released.give();\n", "")],
        found_by: "a_failed_load_beside_a_reader_and_a_publisher",
        says: "deadlock",
        iterations_max: 1_000,
    },
    Fault {
        name: "a_drain_does_not_wait_for_one_reader",
        file: "drain.rs",
        patch: &[(
            "        self.released.wait();\n",
            "        if self.leases() > 1 {\n            self.released.wait();\n        }\n",
        )],
        found_by: "a_reader_and_two_publishes",
        says: "every lease lets go of the dataset before its token",
        iterations_max: 1_000,
    },
    Fault {
        name: "the_wake_of_a_thread_is_lost",
        file: "signal.rs",
        patch: &[("        self.given.notify_all();\n", "")],
        found_by: "a_reader_and_two_publishes",
        says: "deadlock",
        iterations_max: 1_000,
    },
    Fault {
        name: "a_thread_looks_before_it_locks",
        file: "signal.rs",
        patch: &[(
            "        let mut state = lock(&self.state);
        while !state.is_given {
            state = self.given.wait(state).unwrap_or_else(PoisonError::into_inner);
        }\n",
            "        if !self.is_given() {
            drop(self.given.wait(lock(&self.state)));
        }\n",
        )],
        found_by: "a_reader_and_two_publishes",
        says: "deadlock",
        iterations_max: 1_000,
    },
    Fault {
        name: "the_wake_of_a_task_is_lost",
        file: "signal.rs",
        patch: &[("            waker.wake();\n", "            drop(waker);\n")],
        found_by: "a_task_that_polls_a_drain_is_woken",
        says: "deadlock",
        iterations_max: 1_000,
    },
    Fault {
        name: "a_task_leaves_its_waker_too_late",
        file: "signal.rs",
        patch: &[(
            "        state.waker = Some(cx.waker().clone());\n",
            "        drop(state);
        lock(&self.state).waker = Some(cx.waker().clone());\n",
        )],
        found_by: "a_task_that_polls_a_drain_is_woken",
        says: "deadlock",
        iterations_max: 1_000,
    },
];
