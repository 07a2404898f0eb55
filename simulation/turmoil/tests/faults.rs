//! Each planted fault is found, within few worlds, as the promise that it breaks.

use std::cell::Cell;

use hotswap_sim::faults::{FAULTS, SEEDS};

/// The copies with the faults, made by `build.rs`.
#[allow(warnings, clippy::all, reason = "copies, with faults")]
mod faulty {
    include!(concat!(env!("OUT_DIR"), "/faulty/mod.rs"));
}

thread_local! {
    /// The fault that is looked for. A world runs on one thread.
    static PLANTED: Cell<Option<&'static str>> = const { Cell::new(None) };
}

/// Whether a fault is the one that is looked for. The copies ask.
pub(crate) fn planted(name: &str) -> bool {
    PLANTED.get() == Some(name)
}

/// Runs worlds with a fault until one breaks the promise that it should.
fn finds(name: &'static str) {
    let fault = FAULTS
        .iter()
        .find(|fault| fault.name == name)
        .expect("the test is made from the list");
    PLANTED.set(Some(name));
    let mut others = Vec::new();
    for seed in 0..SEEDS {
        let outcome = faulty::sim::runner::run(seed);
        let of_promise = outcome
            .violations
            .iter()
            .find(|violation| violation.promise == fault.breaks);
        if let Some(violation) = of_promise {
            println!("{name}: seed {seed}: {violation}");
            return;
        }
        others.extend(
            outcome
                .violations
                .into_iter()
                .map(|violation| format!("seed {seed}: {violation}")),
        );
    }
    panic!(
        "promise {} held in {SEEDS} worlds; what else was found: {others:#?}",
        fault.breaks
    );
}

#[test]
fn without_a_fault_the_copy_keeps_all_promises() {
    for seed in 0..SEEDS {
        let outcome = faulty::sim::runner::run(seed);
        assert!(outcome.violations.is_empty(), "seed {seed}: {:#?}", outcome.violations);
    }
}
