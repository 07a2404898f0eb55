//! The dataset is switched twenty times while 64 connections are under load, against a process of its own: no answer is wrong,
//! no command fails, no connection is dropped.
//!
//! # Layout
//! - `datasets`: two datasets, what each of them answers, and their files.
//! - `client`: one connection under load, and the judge of all its answers.
//! - `expectation`: what a connection may be answered.
//! - `timing`: latencies with and without a swap, and how soon a swap is seen.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod client;
mod datasets;
mod expectation;
#[path = "../support/process.rs"]
mod process;
mod timing;

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, LocalSet};

use crate::client::{Client, Kind, Shared};
use crate::datasets::Dataset;
use crate::expectation::Keeping;
use crate::process::{PATIENCE, Process};

const CONNECTIONS: usize = 64;

/// Decides what the connections ask, and when. Any other number must do as well.
const SEED: u64 = 4;

/// Between two swaps, for the latencies without one.
const REST: Duration = Duration::from_millis(150);

/// A swap to a dataset that is loaded and checked is seen by every connection this soon.
const VISIBLE_WITHIN: Duration = Duration::from_millis(50);

/// What is switched, and how.
struct Scenario {
    datasets: [Dataset; 2],
    arguments: &'static [&'static str],
    keeping: Keeping,
    swaps: u64,
    /// Whether open connections move to a new dataset at their next command.
    moves_at_once: bool,
}

#[test]
fn a_million_keys_on_disk_are_switched_under_load() {
    run(&Scenario {
        datasets: [
            Dataset::new('A', "a.redb", 1_000_000),
            Dataset::new('B', "b.redb", 200_000),
        ],
        arguments: &["--backend", "redb", "--data", "a.redb", "-t", "2"],
        keeping: Keeping::InTheFile,
        swaps: 20,
        moves_at_once: true,
    });
}

#[test]
fn datasets_in_memory_are_switched_under_load() {
    run(&Scenario {
        datasets: [Dataset::new('A', "a.redb", 60_000), Dataset::new('B', "b.redb", 30_000)],
        arguments: &["--backend", "memory", "--data", "a.redb", "-t", "2"],
        keeping: Keeping::UntilTheNextSwap,
        swaps: 20,
        moves_at_once: true,
    });
}

#[test]
fn connections_that_keep_their_dataset_are_moved_by_the_deadline() {
    run(&Scenario {
        datasets: [Dataset::new('A', "a.redb", 10_000), Dataset::new('B', "b.redb", 5_000)],
        arguments: &[
            "--backend",
            "redb",
            "--data",
            "a.redb",
            "--swap-policy",
            "connection",
            "--drain-timeout",
            "1",
        ],
        keeping: Keeping::InTheFile,
        swaps: 4,
        moves_at_once: false,
    });
}

fn run(scenario: &Scenario) {
    let directory = tempfile::tempdir().unwrap();
    for dataset in &scenario.datasets {
        dataset.make(directory.path());
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let shared = LocalSet::new().block_on(&runtime, load_and_swap(directory.path(), scenario));
    let faults = shared.faults();
    let count = |kind| faults.iter().filter(|fault| fault.0 == kind).count();
    let (wrong, failed, dropped) = (count(Kind::Wrong), count(Kind::Failed), count(Kind::Dropped));
    println!("{}", scenario.arguments.join(" "));
    println!("{} swaps, {CONNECTIONS} connections, seed {SEED}", scenario.swaps);
    println!("wrong answers {wrong}, failed commands {failed}, dropped connections {dropped}");
    println!("{}", shared.timing());
    // A fault of one connection is the fault of all, most often.
    let stories: Vec<&str> = faults.iter().map(|fault| fault.1.as_str()).take(5).collect();
    assert!(stories.is_empty(), "seed {SEED}: {stories:#?}");
    let seen_after = shared.timing().seen_after();
    assert!(
        seen_after < VISIBLE_WITHIN || !scenario.moves_at_once,
        "connections are answered from a replaced dataset for {seen_after:?}"
    );
}

/// Swaps to and fro while all connections are under load, and ends when they have all seen the last dataset.
async fn load_and_swap(directory: &Path, scenario: &Scenario) -> Rc<Shared> {
    let process = Arc::new(Process::start(directory, scenario.arguments));
    let shared = Rc::new(Shared::new(scenario.datasets, scenario.keeping));
    let mut connections = JoinSet::new();
    for number in 0..CONNECTIONS {
        let client = Client::connect(process.address, Rc::clone(&shared), SEED, number).await;
        connections.spawn_local(client.run());
    }
    for _ in 0..scenario.swaps {
        tokio::time::sleep(REST).await;
        swap(&process, &shared).await;
    }
    tokio::time::sleep(REST).await;
    shared.end();
    while let Some(ended) = connections.join_next().await {
        ended.unwrap();
    }
    shared
}

async fn swap(process: &Arc<Process>, shared: &Shared) {
    let generation = shared.begin_swap();
    let filename = shared.dataset(generation).filename;
    let asking = Arc::clone(process);
    let sent = Instant::now();
    let (status, answer) = tokio::task::spawn_blocking(move || asking.switch(filename))
        .await
        .unwrap();
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["generation"], generation, "{answer}");
    assert_eq!(answer["drained"], true, "{answer}");
    let load = Duration::from_secs_f64(answer["load_ms"].as_f64().unwrap() / 1e3);
    shared.end_swap(sent, load);
    let deadline = Instant::now() + PATIENCE;
    while !shared.all_have_seen(generation, CONNECTIONS) {
        assert!(
            Instant::now() < deadline,
            "not every connection has seen generation {generation}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
