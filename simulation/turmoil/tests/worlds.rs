//! Worlds keep all promises, and a seed is a history.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use hotswap_sim::history::{What, rendered};
use hotswap_sim::runner;

/// Worlds that every run of the tests goes through.
const SEEDS: u64 = 600;

/// Seeds whose histories are compared: all kinds of worlds are among them.
const COMPARED: u64 = 24;

#[test]
fn all_promises_are_kept() {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let counts: [AtomicUsize; 6] = Default::default();
    let bad = runner::run_all(0..SEEDS, jobs, |outcome| {
        for event in &outcome.events {
            let kind = match &event.what {
                What::Answered { .. } => 0,
                What::Opened { .. } => 1,
                What::Crashed => 2,
                What::Trouble(_) | What::DiskFails { .. } => 3,
                What::Status { .. } => 4,
                What::Left { .. } => 5,
                _ => continue,
            };
            counts[kind].fetch_add(1, Relaxed);
        }
        for violation in &outcome.violations {
            let seed = outcome.plan.seed;
            println!("seed {seed}: {violation}\n  replay: cargo run -p hotswap-sim -- --seeds {seed} --trace");
        }
    });
    assert!(bad.is_empty(), "broken in the worlds of {bad:?}");
    // A world in which nothing happens keeps every promise.
    let counts = counts.map(|count| count.into_inner() as u64 / SEEDS);
    println!("in a world: answers, datasets, crashes, troubles, statuses, values left: {counts:?}");
    assert!(counts[0] > 100 && counts[1] >= 3 && counts[5] >= 8, "{counts:?}");
}

#[test]
fn a_seed_is_a_history_in_one_process() {
    for seed in 0..COMPARED {
        let run = || rendered(&runner::run(seed).events);
        let (first, second) = (run(), run());
        for (first, second) in first.lines().zip(second.lines()) {
            assert_eq!(first, second, "seed {seed}");
        }
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}

#[test]
fn a_seed_is_a_history_in_two_processes_and_on_any_thread() {
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotswap-sim"));
        let seeds = format!("0..{COMPARED}");
        let output = command
            .args(["--seeds", &seeds, "--trace"])
            .output()
            .expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let told = String::from_utf8(output.stdout).expect("a history is text");
        // The last line says how long it took.
        let (histories, _) = told.trim_end().rsplit_once('\n').expect("more than one line");
        histories.to_owned()
    };
    let (first, second) = (run(), run());
    for (first, second) in first.lines().zip(second.lines()) {
        assert_eq!(first, second);
    }
    assert_eq!(first.len(), second.len());
    let here: String = (0..COMPARED)
        .map(|seed| {
            let outcome = runner::run(seed);
            format!("{}{}", outcome.plan, rendered(&outcome.events))
        })
        .collect();
    assert_eq!(here.trim_end(), first);
}
