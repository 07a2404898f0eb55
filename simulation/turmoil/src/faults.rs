//! The planted faults, each with the promise that it breaks.

/// A fault: some lines of the source, replaced in a copy.
#[derive(Debug)]
pub struct Fault {
    /// In words, as the name of a test.
    pub name: &'static str,
    /// The file, below `reference/`.
    pub file: &'static str,
    /// What is replaced, each with what. Each text stands exactly once in the file, or the build fails. `PLANTED` is true while
    /// this fault is the one that is looked for: all faults are in one copy.
    pub patch: &'static [(&'static str, &'static str)],
    /// The promise that it breaks.
    pub breaks: u8,
}

/// Seeds in which each of them must be found.
pub const SEEDS: u64 = 200;

/// What must be found.
pub const FAULTS: &[Fault] = &[
    Fault {
        name: "nobody_sweeps",
        file: "swap/src/cell.rs",
        patch: &[(
            "        let stale = self.sweep(oldest);\n",
            "        let stale = if PLANTED { Vec::new() } else { self.sweep(oldest) };\n",
        )],
        breaks: 4,
    },
    Fault {
        name: "two_datasets_have_the_same_number",
        file: "swap/src/cell.rs",
        patch: &[(
            "let generation = current.generation().next();",
            "let generation = if PLANTED { current.generation() } else { current.generation().next() };",
        )],
        breaks: 8,
    },
    Fault {
        name: "publishing_moves_bound_connections",
        file: "swap/src/cell.rs",
        patch: &[(
            "        if self.shared.policy == Policy::Command {\n",
            "        if PLANTED || self.shared.policy == Policy::Command {\n",
        )],
        breaks: 2,
    },
    Fault {
        name: "parking_does_not_look_again",
        file: "swap/src/reader.rs",
        patch: &[(
            "        if lease.generation() >= self.shared.oldest_that_answers() {\n",
            "        if PLANTED || lease.generation() >= self.shared.oldest_that_answers() {\n",
        )],
        breaks: 4,
    },
    Fault {
        name: "the_last_lease_gives_no_signal",
        file: "swap/src/lease.rs",
        patch: &[(
            "        self.released.give();\n",
            "        if !PLANTED {\n            self.released.give();\n        }\n",
        )],
        breaks: 4,
    },
    Fault {
        name: "a_connection_waits_with_its_lease",
        file: "server/src/connection.rs",
        patch: &[(
            "        self.reader.park();\n        self.pen.send(",
            "        if !PLANTED {\n            self.reader.park();\n        }\n        self.pen.send(",
        )],
        breaks: 4,
    },
    Fault {
        name: "the_rest_of_a_reply_comes_from_another_dataset",
        file: "server/src/connection.rs",
        patch: &[(
            "            outcome = dataset.answer(&mut self.batch).await?;\n",
            "            outcome = if PLANTED {
                let mut another = self.pen.service.datasets().reader();
                match &another.dataset().dataset {
                    Some(dataset) => dataset.answer(&mut self.batch).await?,
                    None => return Err(Ended::Stopped),
                }
            } else {
                dataset.answer(&mut self.batch).await?
            };\n",
        )],
        breaks: 1,
    },
    Fault {
        name: "commands_wait_for_a_drain",
        file: "server/src/connection.rs",
        patch: &[(
            "    async fn execute(&mut self) -> Result<Outcome, Ended> {\n",
            "    async fn execute(&mut self) -> Result<Outcome, Ended> {
        while PLANTED && self.pen.service.datasets().figures.draining.load(Relaxed) > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }\n",
        )],
        breaks: 6,
    },
    Fault {
        name: "who_is_in_a_reply_at_the_deadline_is_hung_up_on",
        file: "server/src/connection.rs",
        patch: &[(
            "if leave.is_given() && !self.detained.take(",
            "if leave.is_given() && PLANTED || leave.is_given() && !self.detained.take(",
        )],
        breaks: 6,
    },
    Fault {
        name: "the_deadline_moves_nobody",
        file: "server/src/swap.rs",
        patch: &[(
            "            drain.move_readers();\n            old.leave.give();\n",
            "            if !PLANTED {\n                drain.move_readers();\n            }\n            old.leave.give();\n",
        )],
        breaks: 4,
    },
    Fault {
        name: "there_is_no_room_for_the_rest_of_a_reply",
        file: "server/src/detained.rs",
        patch: &[(
            "        let more = bytes.saturating_sub(self.bytes);\n",
            "        if PLANTED {\n            return false;\n        }\n        let more = bytes.saturating_sub(self.bytes);\n",
        )],
        breaks: 6,
    },
    Fault {
        name: "switches_do_not_wait_for_their_turn",
        file: "server/src/swap/queue.rs",
        patch: &[(
            "        if !queue.working {\n",
            "        if PLANTED || !queue.working {\n",
        )],
        breaks: 8,
    },
    Fault {
        name: "the_answer_names_the_old_generation",
        file: "server/src/swap.rs",
        patch: &[(
            "        let generation = drain.successor().number();\n",
            "        let generation = if PLANTED { drain.generation() } else { drain.successor() }.number();\n",
        )],
        breaks: 8,
    },
    Fault {
        name: "the_answer_comes_before_the_drain",
        file: "server/src/swap.rs",
        patch: &[(
            "        let drained = self.drain(drain, old).await;\n",
            "        let drained = if PLANTED {
            let datasets = Arc::clone(&self);
            self.tasks.spawn(async move { datasets.drain(drain, old).await });
            true
        } else {
            self.drain(drain, old).await
        };\n",
        )],
        breaks: 4,
    },
    Fault {
        name: "the_answer_comes_before_the_dataset",
        file: "server/src/swap.rs",
        patch: &[(
            "        let (drain, old, publish) = self.publish(dataset, filename.clone(), identity);\n",
            "        if PLANTED {
            let generation = self.cell.generation().number() + 1;
            let (datasets, name) = (Arc::clone(&self), filename.clone());
            self.tasks.spawn(async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                let (drain, old, _) = datasets.publish(dataset, name, identity);
                datasets.drain(drain, old).await
            });
            let none = Duration::ZERO;
            return Ok(Switched { filename, generation, keys, load, publish: none, drain: none, drained: true });
        }
        let (drain, old, publish) = self.publish(dataset, filename.clone(), identity);\n",
        )],
        breaks: 3,
    },
    Fault {
        name: "a_replaced_dataset_is_dropped_and_not_closed",
        file: "server/src/swap.rs",
        patch: &[(
            "        let closing = blocking::run(&*self.backend.blocking(), move || dataset.close());\n",
            "        let closing = blocking::run(&*self.backend.blocking(), move || {
            if PLANTED {
                drop(dataset);
                return Ok(());
            }
            dataset.close()
        });\n",
        )],
        breaks: 4,
    },
    Fault {
        name: "a_file_that_is_served_is_opened_again",
        file: "server/src/swap.rs",
        patch: &[(
            "            if taken.contains(&identity) {\n",
            "            if !PLANTED && taken.contains(&identity) {\n",
        )],
        breaks: 5,
    },
    Fault {
        name: "changes_are_answered_though_the_commit_failed",
        file: "server/src/backend/redb/executor.rs",
        patch: &[(
            "        let outcomes = written.unwrap_or_else(|cause| {\n",
            "        let outcomes = written.unwrap_or_else(|cause| {
            if PLANTED {
                return jobs.iter().map(|_| Outcome::Answered { wanted: 1 }).collect();
            }\n",
        )],
        breaks: 7,
    },
];
