//! The runner against servers that misbehave in one known way each.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "shared with another test")]
mod fake;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fake::{Fake, Reply};
use mcspec_suite::case::Library;
use mcspec_suite::known::KnownBugs;
use mcspec_suite::play::{Delivery, Problem};
use mcspec_suite::run::{Options, run};
use mcspec_suite::target::{Fence, ProbeProblem, probe};
use mcspec_suite::verdict::{CaseResult, Verdict};

const TIMEOUT: Duration = Duration::from_millis(400);

fn library(cases: &str) -> Library {
    Library::from_files(vec![("s/t.case".to_owned(), format!("section s/t\n\n{cases}"))]).unwrap()
}

fn options() -> Options {
    Options {
        timeout: TIMEOUT,
        seed: 7,
        ..Options::default()
    }
}

async fn judge_with(server: &Fake, cases: &str, options: Options) -> Vec<CaseResult> {
    let library = library(cases);
    let ids: BTreeSet<String> = library.cases().map(|(id, ..)| id).collect();
    let target = probe(server.address(), Duration::from_secs(5)).await.unwrap();
    let mut seen = 0;
    let results = run(&library, &ids, &target, &options, &mut |_| seen += 1).await;
    assert_eq!(seen, results.len());
    results
}

async fn judge(server: &Fake, steps: &str) -> CaseResult {
    let case = format!("case c DEFACTO\n  observed 1.6.9..\n{steps}");
    judge_with(server, &case, options()).await.remove(0)
}

fn problem(result: &CaseResult) -> Problem {
    result.failure.as_ref().unwrap().problem.clone()
}

#[tokio::test]
async fn an_exact_answer_passes_and_a_different_one_fails_at_the_byte() {
    let server = Fake::new(|line| Reply::line(if line == "get a" { "END" } else { "ERROR" }));
    assert_eq!(judge(&server, "  > get a\n  < END\n").await.verdict, Verdict::Pass);
    let result = judge(&server, "  > get a\n  < ENTE\n").await;
    assert_eq!((result.verdict, problem(&result)), (Verdict::Fail, Problem::Differs));
    let failure = result.failure.unwrap();
    assert_eq!((failure.first_difference, failure.line), (2, 6));
    assert_eq!(failure.received, b"END\r\n");
    assert_eq!(failure.expected, ["ENTE\\r\\n"]);
}

#[tokio::test]
async fn one_surplus_byte_after_the_answer_fails() {
    for surplus in ["END\r\n\r\n", "END\r\nx"] {
        let server = Fake::new(move |_| Reply::Bytes(surplus.as_bytes().to_vec()));
        let result = judge(&server, "  > get a\n  < END\n").await;
        assert_eq!(
            (result.verdict, problem(&result)),
            (Verdict::Fail, Problem::OutOfStep),
            "{surplus:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_fails_when_the_time_is_up() {
    let server = Fake::new(|_| Reply::Nothing);
    let start = Instant::now();
    let result = judge(&server, "  > get a\n  < END\n").await;
    assert_eq!(
        (result.verdict, problem(&result)),
        (Verdict::Fail, Problem::TimedOut(TIMEOUT))
    );
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[tokio::test]
async fn closing_is_a_failure_unless_it_is_expected() {
    let server = Fake::new(|_| Reply::Close);
    assert_eq!(problem(&judge(&server, "  > quit\n  < END\n").await), Problem::Closed);
    assert_eq!(problem(&judge(&server, "  > quit\n  silent\n").await), Problem::Closed);
    assert_eq!(judge(&server, "  > quit\n  closed\n").await.verdict, Verdict::Pass);
    let server = Fake::new(|_| Reply::Nothing);
    let result = judge(&server, "  > quit\n  closed\n").await;
    assert_eq!(problem(&result), Problem::TimedOut(TIMEOUT));
}

#[tokio::test]
async fn silence_means_that_the_fence_is_answered_first() {
    let server = Fake::new(|line| {
        if line == "quiet" {
            Reply::Nothing
        } else {
            Reply::line("NOISE")
        }
    });
    assert_eq!(judge(&server, "  > quiet\n  silent\n").await.verdict, Verdict::Pass);
    let result = judge(&server, "  > loud\n  silent\n").await;
    assert_eq!((result.verdict, problem(&result)), (Verdict::Fail, Problem::Differs));
}

#[tokio::test]
async fn captured_numbers_are_sent_back() {
    let server = Fake::new(|line| match line {
        "gets" => Reply::line("cas 18446744073709551615"),
        "cas 18446744073709551615 0 5" => Reply::line("STORED 12"),
        _ => Reply::line("ERROR"),
    });
    let steps = "  > gets\n  <? cas {id}\n  > cas {id} {id+1} {id-18446744073709551610}\n  < STORED {#10..12}\n";
    let steps = steps.replace("{id-18446744073709551610}", "5");
    for delivery in Delivery::ALL {
        let options = Options {
            deliveries: vec![delivery],
            ..options()
        };
        let case = format!("case c DEFACTO\n  observed 1.6.9..\n{steps}");
        let result = judge_with(&server, &case, options).await.remove(0);
        assert_eq!(result.verdict, Verdict::Pass, "{delivery}: {:?}", result.failure);
    }
}

#[tokio::test]
async fn alternatives_tell_the_release_and_must_agree_with_each_other() {
    let server = Fake::new(|line| Reply::line(if line == "old" { "ERROR" } else { "CLIENT_ERROR x" }));
    let any = "  < any\n    ..1.6.39  ERROR\n    1.6.40..  CLIENT_ERROR x\n";
    let old = format!("case c DEFACTO\n  > old\n{any}");
    let both = format!("{old}  > new\n{any}");
    let result = judge_with(&server, &old, options()).await.remove(0);
    assert_eq!(
        (result.verdict, result.releases.unwrap().to_string().as_str()),
        (Verdict::Pass, "..1.6.39")
    );
    let result = judge_with(&server, &both, options()).await.remove(0);
    assert_eq!(problem(&result), Problem::Inconsistent("..1.6.39".parse().unwrap()));
    let demanded = |release: &str| Options {
        dialect: Some(release.parse().unwrap()),
        ..options()
    };
    assert_eq!(
        judge_with(&server, &old, demanded("1.6.18")).await[0].verdict,
        Verdict::Pass
    );
    assert_eq!(
        judge_with(&server, &old, demanded("1.6.45")).await[0].verdict,
        Verdict::Fail
    );
}

#[tokio::test]
async fn an_alternative_that_begins_another_is_told_apart_by_a_fence() {
    let any = "  < any\n    ..1.6.39  ERROR | ERROR\n    1.6.40..1.6.41  ERROR\n    1.6.45  (silent)\n";
    for (answer, release) in [
        ("ERROR\r\nERROR\r\n", "..1.6.39"),
        ("ERROR\r\n", "1.6.40..1.6.41"),
        ("", "1.6.45"),
    ] {
        let server = Fake::new(move |_| Reply::Bytes(answer.as_bytes().to_vec()));
        let result = judge_with(&server, &format!("case c DEFACTO\n  > x\n{any}"), options())
            .await
            .remove(0);
        assert_eq!(
            result.releases.map(|range| range.to_string()).as_deref(),
            Some(release),
            "{:?}",
            result.failure
        );
    }
}

#[tokio::test]
async fn a_case_that_rests_on_a_broken_one_is_blocked_not_failed() {
    let server = Fake::new(|_| Reply::line("ERROR"));
    let case = |name: &str, more: &str, answer: &str| {
        format!("case {name} DEFACTO\n  observed 1.6.9..\n{more}  > x\n  < {answer}\n")
    };
    let cases = [
        case("base", "", "STORED"),
        case("middle", "  rests on s/t/base\n", "STORED"),
        case("top", "  rests on s/t/middle\n", "ERROR"),
        case("alone", "", "ERROR"),
        case("lacking", "  needs meta-old\n", "STORED"),
        case("above_lacking", "  rests on s/t/lacking\n", "STORED"),
    ];
    let results = judge_with(&server, &cases.concat(), options()).await;
    let verdicts: Vec<Verdict> = results.iter().map(|result| result.verdict).collect();
    let [fail, blocked, pass, lacking] = [Verdict::Fail, Verdict::Blocked, Verdict::Pass, Verdict::Unsupported];
    assert_eq!(verdicts, [fail, blocked, blocked, pass, lacking, lacking]);
    assert_eq!(results[2].reason.as_deref(), Some("blocked by s/t/base"));
    let options = Options {
        require: ["meta-old".to_owned()].into(),
        ..options()
    };
    let results = judge_with(&server, &cases.concat(), options).await;
    assert_eq!((results[4].verdict, results[5].verdict), (fail, blocked));
}

#[tokio::test]
async fn levels_decide_what_a_missed_claim_means() {
    let server = Fake::new(|_| Reply::line("ERROR"));
    for (level, verdict) in [
        ("MUST", Verdict::Fail),
        ("SHOULD", Verdict::Nonstrict),
        ("MAY", Verdict::Informational),
        ("DEFACTO", Verdict::Fail),
    ] {
        let case = format!("case c {level}\n  quote \"x\"\n  source p.txt:1\n  observed 1.6.9\n  > x\n  < OK\n");
        assert_eq!(
            judge_with(&server, &case, options()).await[0].verdict,
            verdict,
            "{level}"
        );
    }
}

#[tokio::test]
async fn exclusive_cases_run_with_no_other() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (in_flight, seen) = (Arc::clone(&now), Arc::clone(&most));
    let server = Fake::new(move |line| {
        match line {
            "enter" => {
                in_flight.fetch_add(1, Ordering::SeqCst);
            }
            "alone" => seen.lock().unwrap().push(in_flight.load(Ordering::SeqCst)),
            "leave" => {
                in_flight.fetch_sub(1, Ordering::SeqCst);
            }
            _ => {}
        }
        Reply::line("OK")
    });
    let mut cases = String::new();
    for i in 0..8 {
        let shared = "  > enter\n  < OK\n  wait 30ms\n  > leave\n  < OK\n";
        cases += &format!("case s{i} DEFACTO\n  observed 1.6.9\n{shared}");
        cases += &format!("case e{i} DEFACTO\n  observed 1.6.9\n  exclusive\n  > alone\n  < OK\n");
    }
    assert!(
        judge_with(&server, &cases, options())
            .await
            .iter()
            .all(|result| result.verdict == Verdict::Pass)
    );
    assert_eq!(*most.lock().unwrap(), [0; 8]);
}

#[tokio::test]
async fn pipelined_requests_all_go_out_before_the_first_reply() {
    let server = Fake::batching();
    let steps = "  > one\n  < got one\n  > two\n  < got two\n  > end\n  < got end\n";
    let case = format!("case c DEFACTO\n  observed 1.6.9..\n{steps}");
    let pipelined = Options {
        deliveries: vec![Delivery::Pipelined],
        ..options()
    };
    assert_eq!(judge_with(&server, &case, pipelined).await[0].verdict, Verdict::Pass);
    assert_eq!(judge_with(&server, &case, options()).await[0].verdict, Verdict::Fail);
}

#[tokio::test]
async fn a_known_bug_is_told_from_a_new_one() {
    let toml = "[[upstream-bug]]\ncase = 's/t/c'\nreleases = '1.6.40..1.6.45'\nreceived = '\\r\\nMN'\nreason = 'an empty line too much'\nevidence = 'seen'\n";
    let known = KnownBugs::from_toml("f", toml).unwrap();
    let case = "case c DEFACTO\n  observed 1.6.9\n  > x\n  < ERROR\n";
    for (version, answer, verdict) in [
        ("1.6.45", "ERROR\r\n\r\n", Verdict::UpstreamBug),
        ("1.6.45", "ERROR\r\n!", Verdict::Fail),
        ("1.6.39", "ERROR\r\n\r\n", Verdict::Fail),
        ("1.6.45", "ERROR\r\n", Verdict::Pass),
    ] {
        let server = Fake::with_version(version, move |_| Reply::Bytes(answer.as_bytes().to_vec()));
        let options = Options {
            known_bugs: known.clone(),
            ..options()
        };
        assert_eq!(
            judge_with(&server, case, options).await[0].verdict,
            verdict,
            "{version} {answer:?}"
        );
    }
    assert!(KnownBugs::from_toml("f", "[[upstream-bug]]\ncase = 'x'\n").is_err());
}

#[tokio::test]
async fn a_server_without_mn_is_fenced_by_version() {
    let server = Fake::without_mn();
    let target = probe(server.address(), Duration::from_secs(5)).await.unwrap();
    assert_eq!(
        (target.fence, target.version.as_deref()),
        (Fence::Version, Some("1.4.39"))
    );
    assert_eq!(
        judge(&server, "  > x\n  < ERROR\n  silent\n").await.verdict,
        Verdict::Pass
    );
}

#[tokio::test]
async fn a_target_that_is_no_memcached_is_named_as_what_it_is() {
    let after = |answer: &'static [u8]| Fake::raw(move || answer.to_vec());
    let foreign = |bytes: &[u8]| ProbeProblem::Foreign(bytes.to_vec());
    let cases = [
        (
            after(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            foreign(b"HTTP/1.1 400 Bad Request"),
        ),
        (after(b"\x00\xff\xfe"), foreign(b"\x00\xff\xfe")),
        (after(b"-ERR unknown command\r\n"), foreign(b"-ERR unknown command")),
        (Fake::raw_close(), ProbeProblem::Closed),
        (after(b""), ProbeProblem::Silent),
    ];
    for (server, problem) in cases {
        let start = Instant::now();
        let error = probe(server.address(), TIMEOUT).await.unwrap_err();
        assert_eq!(error.problem, problem);
        assert!(start.elapsed() < Duration::from_secs(10));
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    let nobody = "127.0.0.1:1".parse().unwrap();
    let error = probe(&nobody, TIMEOUT).await.unwrap_err();
    assert!(matches!(error.problem, ProbeProblem::NoConnection(_)), "{error}");
}
