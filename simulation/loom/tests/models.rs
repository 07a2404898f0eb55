//! The models hold, each in every execution that there is, or within the bound that stands beside it.

use swap_models::explore::{Bound, holds};

/// The source of the cell, with loom's primitives.
#[path = "."]
#[allow(unreachable_pub, dead_code, reason = "of a copy only what the models use is used")]
mod product {
    mod sync {
        pub(crate) use loom::sync::atomic;
        pub(crate) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
    }

    #[path = "../../../reference/swap/src/cell.rs"]
    pub mod cell;
    #[path = "../../../reference/swap/src/drain.rs"]
    pub mod drain;
    #[path = "../../../reference/swap/src/lease.rs"]
    pub mod lease;
    #[path = "../../../reference/swap/src/reader.rs"]
    pub mod reader;
    #[path = "../../../reference/swap/src/signal.rs"]
    pub mod signal;

    #[path = "bodies/mod.rs"]
    pub mod bodies;
}

use product::bodies;

#[test]
fn two_publishers_and_a_reader() {
    holds(bodies::two_publishers_and_a_reader, Bound::Preemptions(4), 14_470);
}

#[test]
fn a_reader_and_two_publishes() {
    holds(bodies::a_reader_and_two_publishes, Bound::Preemptions(4), 5_441);
}

#[test]
fn a_failed_load_beside_a_reader_and_a_publisher() {
    holds(
        bodies::a_failed_load_beside_a_reader_and_a_publisher,
        Bound::Preemptions(4),
        5_612,
    );
}

#[test]
fn a_bound_reader_stays_until_the_deadline_moves_it() {
    holds(
        bodies::a_bound_reader_stays_until_the_deadline_moves_it,
        Bound::Exhaustive,
        415,
    );
}

#[test]
fn two_deadlines_that_race() {
    holds(bodies::two_deadlines_that_race, Bound::Exhaustive, 45);
}

#[test]
fn bound_readers_that_end_are_not_waited_for() {
    holds(
        bodies::bound_readers_that_end_are_not_waited_for,
        Bound::Preemptions(4),
        9_771,
    );
}

#[test]
fn a_drain_against_late_leases() {
    holds(bodies::a_drain_against_late_leases, Bound::Preemptions(3), 30_625);
}

#[test]
fn an_idle_reader_does_not_hold_up_a_drain() {
    holds(
        bodies::an_idle_reader_does_not_hold_up_a_drain,
        Bound::Exhaustive,
        6_707,
    );
}

#[test]
fn readers_and_the_cell_are_dropped_during_a_swap() {
    holds(
        bodies::readers_and_the_cell_are_dropped_during_a_swap,
        Bound::Preemptions(3),
        9_961,
    );
}

#[test]
fn a_task_that_polls_a_drain_is_woken() {
    holds(bodies::a_task_that_polls_a_drain_is_woken, Bound::Preemptions(4), 4_657);
}

#[test]
fn a_drain_that_is_dropped_leaves_the_closing_to_the_last_lease() {
    holds(
        bodies::a_drain_that_is_dropped_leaves_the_closing_to_the_last_lease,
        Bound::Exhaustive,
        32_881,
    );
}
