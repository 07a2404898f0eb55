//! Exclusive cases on instances of their own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "other tests use the rest")]
mod fake;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use fake::{Fake, Reply};
use mcspec_suite::case::Library;
use mcspec_suite::play::Delivery;
use mcspec_suite::run::{Options, run_on_several};
use mcspec_suite::target::probe;
use mcspec_suite::verdict::Verdict;

fn library(cases: &str) -> (Library, BTreeSet<String>) {
    let file = ("s/t.case".to_owned(), format!("section s/t\n\n{cases}"));
    let library = Library::from_files(vec![file]).unwrap();
    let ids = library.cases().map(|(id, ..)| id).collect();
    (library, ids)
}

/// The tests do not wait for the time to be over: a busy machine has it all.
fn patient() -> Options {
    Options {
        timeout: Duration::from_secs(30),
        ..Options::default()
    }
}

#[tokio::test]
async fn exclusive_cases_run_on_other_instances_while_the_others_wait() {
    const EACH: usize = 8;
    let left = Arc::new(AtomicUsize::new(0));
    let entered = Arc::new(AtomicUsize::new(0));
    // The first server answers `leave` only once the second has seen all: cases that follow the others never would be.
    let seen = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
    let (entering, leaving, last) = (Arc::clone(&entered), Arc::clone(&seen), Arc::clone(&left));
    let first = Fake::new(move |line| {
        match line {
            "enter" => drop(entering.fetch_add(1, Ordering::SeqCst)),
            "leave" => {
                let all = leaving.0.lock().unwrap();
                let too_few = |seen: &mut Vec<usize>| seen.len() < EACH / 2;
                drop(leaving.1.wait_while(all, too_few).unwrap());
                last.fetch_add(1, Ordering::SeqCst);
            }
            // Of those that follow.
            "alone" => assert_eq!(last.load(Ordering::SeqCst), EACH),
            _ => return Reply::line("ERROR"),
        }
        Reply::line("OK")
    });
    let (waiting, alone) = (Arc::clone(&entered), Arc::clone(&seen));
    let second = Fake::new(move |_| {
        alone.0.lock().unwrap().push(waiting.load(Ordering::SeqCst));
        alone.1.notify_all();
        Reply::line("OK")
    });
    let mut cases = String::new();
    for i in 0..EACH {
        let shared = "  > enter\n  < OK\n  wait 30ms\n  > leave\n  < OK\n";
        cases += &format!("case s{i} DEFACTO\n  observed 1.6.9\n{shared}");
        cases += &format!("case e{i} DEFACTO\n  observed 1.6.9\n  exclusive\n  > alone\n  < OK\n  wait 30ms\n");
    }
    let (library, ids) = library(&cases);
    let target = probe(first.address(), Duration::from_secs(5)).await.unwrap();
    // The second of them cannot be had: what would run there follows the others, on the first server.
    let more = [Some(second.address().clone()), None].map(std::future::ready);
    let results = run_on_several(&library, &ids, &target, more.into(), &patient(), &mut |_| {}).await;
    assert!(results.iter().all(|result| result.verdict == Verdict::Pass));
    let order: Vec<&str> = results.iter().map(|result| result.id.as_str()).collect();
    assert_eq!(order[..4], ["s/t/s0", "s/t/e0", "s/t/s1", "s/t/e1"]);
    assert_eq!(
        *seen.0.lock().unwrap(),
        [EACH; EACH / 2],
        "none begins before the others wait"
    );
}

#[tokio::test]
async fn another_instance_is_asked_for_only_where_it_saves_a_wait() {
    let server = Fake::new(|_| Reply::line("OK"));
    let target = probe(server.address(), Duration::from_secs(5)).await.unwrap();
    let case = |more: &str, end: &str| format!("case c DEFACTO\n  observed 1.6.9\n{more}  > x\n  < OK\n{end}");
    for (case, expected) in [
        (case("  exclusive\n", "  wait 1ms\n"), true),
        (case("  exclusive\n", ""), false),
        (case("", "  wait 1ms\n"), false),
        (case("  needs meta-old\n  exclusive\n", "  wait 1ms\n"), false),
    ] {
        let (library, ids) = library(&case);
        let asked = AtomicBool::new(false);
        let second = async {
            asked.store(true, Ordering::SeqCst);
            None
        };
        let results = run_on_several(&library, &ids, &target, vec![second], &patient(), &mut |_| {}).await;
        assert_eq!(asked.into_inner(), expected, "{case}");
        // There is none, and the case runs on the one that there is.
        assert!(matches!(results[0].verdict, Verdict::Pass | Verdict::Unsupported));
    }
}

#[tokio::test]
async fn each_case_runs_on_the_same_instance_in_every_run_and_slow_deliveries_are_spread() {
    let here = Fake::new(|_| Reply::line("OK"));
    let target = probe(here.address(), Duration::from_secs(5)).await.unwrap();
    let mut cases = String::new();
    for i in 0..4 {
        cases += &format!("case e{i} DEFACTO\n  observed 1.6.9\n  exclusive\n  > e{i} word\n  < OK\n  wait 1ms\n");
    }
    let (library, ids) = library(&cases);
    let options = Options {
        deliveries: Delivery::ALL.to_vec(),
        ..patient()
    };
    let mut runs = Vec::new();
    for _ in 0..2 {
        let seen: Vec<Arc<Mutex<Vec<String>>>> = Delivery::ALL.iter().map(|_| Arc::default()).collect();
        let servers: Vec<Fake> = seen
            .iter()
            .map(|seen| {
                let seen = Arc::clone(seen);
                Fake::new(move |line| {
                    seen.lock().unwrap().push(line.to_owned());
                    Reply::line("OK")
                })
            })
            .collect();
        let more = servers
            .iter()
            .map(|server| std::future::ready(Some(server.address().clone())))
            .collect();
        let results = run_on_several(&library, &ids, &target, more, &options, &mut |_| {}).await;
        assert!(results.iter().all(|result| result.verdict == Verdict::Pass));
        let seen: Vec<Vec<String>> = seen.iter().map(|seen| seen.lock().unwrap().clone()).collect();
        runs.push(seen);
    }
    assert_eq!(runs[0], runs[1]);
    for seen in &runs[0] {
        assert_eq!(
            seen.len(),
            4,
            "each has a case in each of the deliveries, which differ in what they take"
        );
    }
}
