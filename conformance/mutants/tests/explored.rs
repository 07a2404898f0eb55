//! The explorer finds every fault that its model can express; what it cannot is listed, and the list is not stale.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use mcspec_mutants::beyond::{self, BEYOND};
use mcspec_mutants::explorer::{COMMANDS, Explored, explored, first_finding};
use mcspec_mutants::fault::Fault;
use mcspec_mutants::faults;

/// How many mutants run side by side: those that show in time only wait.
const MUTANTS: usize = 16;
/// Of the faults that are listed, one in so many is explored here; `effectiveness explore` does all.
const SAMPLE: usize = 12;

async fn errors(faults: impl Iterator<Item = &'static Fault>) -> Vec<String> {
    futures_util::stream::iter(faults)
        .map(async |fault| explored("", fault).await.unwrap())
        .buffered(MUTANTS)
        .filter_map(async |record| Explored::error(&record))
        .collect()
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_that_the_model_can_express_is_found() {
    let finding = first_finding(None, COMMANDS).await.unwrap();
    assert!(
        finding.is_none(),
        "the server without a fault: {}",
        finding.unwrap().transcript
    );
    let missed = errors(faults::all().filter(|fault| beyond::reason(fault.name).is_none())).await;
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_listed_is_not_found() {
    let listed = faults::all().filter(|fault| beyond::reason(fault.name).is_some());
    let stale = errors(listed.step_by(SAMPLE)).await;
    assert!(stale.is_empty(), "{}", stale.join("\n"));
}

#[test]
fn the_list_names_faults_that_there_are_each_once() {
    let names: Vec<&str> = BEYOND.iter().flat_map(|group| group.faults.iter().copied()).collect();
    let unknown: Vec<_> = names.iter().filter(|name| faults::named(name).is_none()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert!(
        names.len() * 6 <= faults::all().count(),
        "{} are said to be beyond the model",
        names.len()
    );
}
