//! Every fault is found by the case that it names, in the delivery that it names; the server without a fault passes.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use mcspec_mutants::faults::{self, SECTIONS};
use mcspec_mutants::judge::{Judge, has_found};
use mcspec_suite::case::Library;
use mcspec_suite::play::Delivery;
use mcspec_suite::verdict::Verdict;

/// How long a mutant may do nothing while an answer is due. Some never answer, so this is what they cost; the server
/// without a fault must answer within it on a machine with much else to do.
const TIMEOUT: Duration = Duration::from_secs(3);

/// How many mutants run side by side: most of them wait, for an expiry or for an answer that does not come.
const MUTANTS: usize = 12;

#[allow(clippy::unwrap_used, reason = "a test")]
async fn judge() -> Judge {
    Judge::new(Library::built_in().unwrap(), TIMEOUT).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_is_found_by_the_case_that_it_names() {
    let judge = judge().await;
    let verdicts: Vec<_> = futures_util::stream::iter(faults::all())
        .map(async |fault| (fault, judge.verdict_of_killer(fault).await.unwrap()))
        .buffered(MUTANTS)
        .collect()
        .await;
    let mut missed = Vec::new();
    for (fault, verdict) in &verdicts {
        if verdict.is_some_and(has_found) {
            continue;
        }
        let said = verdict.map_or("no such case", Verdict::as_str);
        missed.push(format!(
            "{}: {} ({}) says `{said}`",
            fault.name, fault.killer, fault.delivery
        ));
    }
    assert!(
        missed.is_empty(),
        "{} of {} faults are not found by the case that they name:\n{}",
        missed.len(),
        verdicts.len(),
        missed.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_without_a_fault_passes_what_kills_the_others() {
    let judge = judge().await;
    for delivery in Delivery::ALL {
        let killers = faults::all().filter(|fault| fault.delivery == delivery);
        let ids: BTreeSet<String> = killers.flat_map(|fault| judge.with_foundations(fault.killer)).collect();
        let results = judge.run(None, &ids, &[delivery], &mut |_| {}).await.unwrap();
        let failed: Vec<_> = results
            .iter()
            .filter(|result| result.verdict != Verdict::Pass)
            .collect();
        assert!(failed.is_empty(), "{failed:#?}");
        assert_eq!(results.len(), ids.len());
    }
}

/// A fault that is said to show in one delivery only must not show in the plain one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_one_delivery_does_not_show_in_the_plain_one() {
    let judge = judge().await;
    for fault in faults::all().filter(|fault| fault.delivery != Delivery::Whole) {
        let ids = judge.with_foundations(fault.killer);
        let results = judge
            .run(Some(fault), &ids, &[Delivery::Whole], &mut |_| {})
            .await
            .unwrap();
        let failed: Vec<_> = results
            .iter()
            .filter(|result| result.verdict != Verdict::Pass)
            .collect();
        assert!(failed.is_empty(), "{}: {failed:#?}", fault.name);
    }
}

#[test]
fn names_are_unique_and_there_are_many() {
    let names: BTreeSet<&str> = faults::all().map(|fault| fault.name).collect();
    assert_eq!(names.len(), faults::all().count());
    assert!(names.len() >= 150, "{}", names.len());
    for (section, faults) in SECTIONS {
        assert!(!faults.is_empty(), "{section}");
    }
}

#[test]
fn faults_are_planted_at_every_seam_and_modelled_on_real_ones() {
    let kinds: BTreeSet<&str> = faults::all().map(|fault| fault.planted.seam()).collect();
    let expected = [
        "clock",
        "configuration",
        "connection",
        "reply",
        "request",
        "request and reply",
        "store",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expected);
    let modelled = faults::all().filter(|fault| fault.after.is_some()).count();
    assert!(modelled >= 40, "{modelled} faults are modelled on real ones");
}
