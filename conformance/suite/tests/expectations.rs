//! Declared deviations, former runs and retries, against servers that misbehave in one known way each.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "shared with another test")]
mod fake;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use fake::{Fake, Reply, judged};
use mcspec_suite::baseline::Baseline;
use mcspec_suite::bless::bless;
use mcspec_suite::case::Library;
use mcspec_suite::play::Delivery;
use mcspec_suite::profile::Profile;
use mcspec_suite::report::{Report, to_json};
use mcspec_suite::run::{Options, run};
use mcspec_suite::target::probe;
use mcspec_suite::verdict::Verdict;

/// `good` is answered as the case asks, `bad` otherwise; `above` and `higher` rest
/// on `bad`.
const CASES: &str = "section s/t

case good DEFACTO
  observed 1.6.9
  > good
  < OK

case bad DEFACTO
  observed 1.6.9
  > bad
  < OK

case above DEFACTO
  observed 1.6.9
  rests on s/t/bad
  > bad
  < OK

case higher DEFACTO
  observed 1.6.9
  rests on s/t/above
  > good
  < OK

case lacking DEFACTO
  observed 1.6.9
  needs cas
  > good
  < OK
";

fn library() -> Library {
    judged::library(CASES)
}

fn server() -> Fake {
    Fake::with_version("odd version 2.5", |line| {
        Reply::line(if line == "good" { "OK" } else { "ERROR" })
    })
}

async fn judge(server: &Fake, profile: &Profile, options: Options) -> Report {
    let options = Options {
        timeout: Duration::from_millis(400),
        ..options
    };
    judged::judge(&library(), server, profile, options).await
}

fn profile(text: &str) -> Profile {
    Profile::from_toml("odd.toml", text).unwrap()
}

fn verdicts(report: &Report) -> Vec<Verdict> {
    report.results.iter().map(|result| result.verdict).collect()
}

fn faults(report: &Report) -> Vec<String> {
    report.faults.iter().map(ToString::to_string).collect()
}

use Verdict::{Blocked, Deviation, Fail, Flaky, Pass, UnexpectedPass, Unsupported};

#[tokio::test]
async fn a_declared_deviation_passes_the_run_and_so_does_what_rests_on_it() {
    let profile = profile("[[deviation]]\ncases = 's/t/bad'\nreason = 'it says ERROR'\n");
    let report = judge(&server(), &profile, Options::default()).await;
    assert_eq!(verdicts(&report), [Pass, Deviation, Deviation, Pass, Unsupported]);
    assert!(report.passes() && !report.conforms());
    assert_eq!(report.results[1].reason.as_deref(), Some("it says ERROR"));
    let reason = report.results[2].reason.as_deref().unwrap();
    assert_eq!(reason, "rests on s/t/bad, a known deviation: it says ERROR");
}

#[tokio::test]
async fn an_undeclared_failure_blocks_and_fails() {
    let report = judge(&server(), &profile(""), Options::default()).await;
    assert_eq!(verdicts(&report), [Pass, Fail, Blocked, Blocked, Unsupported]);
    assert!(!report.passes());
}

#[tokio::test]
async fn an_unexpected_pass_fails_the_run_unless_it_is_declared_to_come_and_go() {
    let entry = |more: &str| profile(&format!("[[deviation]]\ncases = 's/t/*'\nreason = 'all of it'\n{more}"));
    let report = judge(&server(), &entry(""), Options::default()).await;
    assert_eq!(
        verdicts(&report),
        [UnexpectedPass, Deviation, Deviation, UnexpectedPass, Unsupported]
    );
    assert!(!report.passes());
    assert!(
        report.results[0]
            .reason
            .as_deref()
            .unwrap()
            .starts_with("odd.toml:1 declares")
    );
    // A report must not change with what passes by chance.
    let report = judge(&server(), &entry("intermittent = true\n"), Options::default()).await;
    assert!(report.passes());
    assert_eq!(
        verdicts(&report),
        [Deviation, Deviation, Deviation, Deviation, Unsupported]
    );
}

#[tokio::test]
async fn an_entry_without_a_reason_excuses_nothing() {
    let profile = profile("[[deviation]]\ncases = 's/t/bad'\nreason = '?'\n[lacks]\nstats = ''\n");
    let report = judge(&server(), &profile, Options::default()).await;
    assert_eq!(verdicts(&report)[1], Fail);
    let faults = faults(&report);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("odd.toml:5: no reason is given why the server lacks `stats`"));
    assert!(faults[1].starts_with("odd.toml:1: no reason is given"), "{faults:?}");
}

#[tokio::test]
async fn an_entry_that_fits_nothing_fails_the_run() {
    let bad = "[[deviation]]\ncases = ['s/t/bad', 's/t/gone']\nreason = 'x'\n";
    let lacking = "[[deviation]]\ncases = 's/t/lacking'\nreason = 'x'\n";
    let report = judge(&server(), &profile(&format!("{bad}{lacking}")), Options::default()).await;
    let found = faults(&report);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("no case fits `s/t/gone`"), "{found:?}");
    assert!(
        found[1].starts_with("odd.toml:4: covers only cases of capabilities"),
        "{found:?}"
    );
    assert!(!report.passes());
}

#[tokio::test]
async fn in_a_part_of_the_suite_an_entry_may_lack_what_it_is_for() {
    let server = server();
    let profile = profile("[[deviation]]\ncases = ['s/t/bad', 's/t/lacking']\nreason = 'x'\n");
    let mut target = probe(server.address(), Duration::from_secs(5)).await.unwrap();
    let expectations = &profile.expectations;
    expectations.declare(&mut target);
    let library = library();
    // Without the case of the capability that the server lacks, with it alone, and with both.
    for ids in [&["s/t/bad"][..], &["s/t/lacking"], &["s/t/bad", "s/t/lacking"]] {
        let ids: BTreeSet<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let results = run(&library, &ids, &target, &Options::default(), &mut |_| {}).await;
        assert_eq!(results.len(), ids.len());
        assert_eq!(expectations.faults(&library, &target, &results), []);
    }
}

#[tokio::test]
async fn an_entry_covers_only_its_bytes_its_deliveries_and_its_releases() {
    for (more, verdict) in [
        ("received = 'ERROR\\r\\n'", Deviation),
        ("received = 'CLIENT_ERROR'", Fail),
        ("deliveries = ['whole']", Deviation),
        ("deliveries = ['bytes']", Fail),
        ("releases = '2.0..2.5'", Deviation),
        ("releases = '2.6..'", Fail),
    ] {
        let text = format!("[[deviation]]\ncases = 's/t/bad'\nreason = 'x'\n{more}\n");
        let report = judge(&server(), &profile(&text), Options::default()).await;
        assert_eq!(report.results[1].verdict, verdict, "{more}");
    }
}

#[tokio::test]
async fn capabilities_are_declared_over_the_probe_but_not_against_it() {
    let declared = profile("offers = ['cas']\n[lacks]\nflush = 'a proxy cannot'\n");
    let report = judge(&server(), &declared, Options::default()).await;
    assert_eq!(
        verdicts(&report)[4],
        Pass,
        "the case runs although the probe saw nothing"
    );
    assert!(!report.target.capabilities.contains("flush"));
    assert_eq!(faults(&report), [] as [&str; 0]);
}

/// A server whose first answer to `good` is wrong.
fn wrong_once() -> Fake {
    let seen = Mutex::new(0);
    Fake::new(move |line| {
        let mut seen = seen.lock().unwrap();
        if line == "good" {
            *seen += 1;
        }
        Reply::line(if line == "good" && *seen > 1 { "OK" } else { "ERROR" })
    })
}

#[tokio::test]
async fn what_passes_at_the_second_try_is_flaky_and_never_a_pass() {
    let options = |retries| Options {
        retries,
        jobs: 1,
        ..Options::default()
    };
    for (retries, verdict) in [(0, Fail), (2, Flaky)] {
        let report = judge(&wrong_once(), &profile(""), options(retries)).await;
        let result = &report.results[0];
        assert_eq!(result.verdict, verdict);
        assert!(result.failure.is_some(), "what went wrong at first is kept");
        assert_eq!(report.results[1].verdict, Fail, "what never passes stays a failure");
    }
}

#[tokio::test]
async fn against_a_baseline_only_what_got_worse_fails() {
    let before = judge(&server(), &profile(""), Options::default()).await;
    let json = to_json(&before, &library()).unwrap();
    let baseline = Baseline::from_json(&json).unwrap();
    let compared = |report: &Report| baseline.compare(&report.results);

    let mut same = judge(&server(), &profile(""), Options::default()).await;
    same.baseline = Some(compared(&same));
    assert!(same.passes() && !same.conforms());
    assert_eq!(same.baseline.unwrap().still_failing, 3);

    let all_wrong = Fake::new(|_| Reply::line("ERROR"));
    let mut worse = judge(&all_wrong, &profile(""), Options::default()).await;
    worse.baseline = Some(compared(&worse));
    assert!(!worse.passes());
    let changes: Vec<String> = worse.baseline.unwrap().worse.iter().map(ToString::to_string).collect();
    assert_eq!(changes, ["s/t/good (whole): pass before, fail now"]);

    let all_right = Fake::new(|_| Reply::line("OK"));
    let better = judge(&all_right, &profile(""), Options::default()).await;
    assert_eq!(compared(&better).better.len(), 3);

    let other = judge(
        &server(),
        &profile(""),
        Options {
            deliveries: vec![Delivery::Bytes],
            ..Options::default()
        },
    )
    .await;
    let unknown = compared(&other).worse;
    assert!(
        unknown.iter().all(|change| change.before.is_none()) && unknown.len() == 3,
        "{unknown:?}"
    );

    assert!(Baseline::from_json("{}").is_err());
    assert!(Baseline::from_json(&json.replacen("\"schema\": 1", "\"schema\": 99", 1)).is_err());
}

#[tokio::test]
async fn bless_gives_the_edit_that_a_person_has_to_complete() {
    let text = "# Kept.\n[start]\nserver = '127.0.0.1:1'\n\n# Goes with its entry.\n[[deviation]]\ncases = 's/t/good'\nreason = 'x'\n";
    let profile = profile(text);
    let options = Options {
        deliveries: Delivery::ALL.to_vec(),
        ..Options::default()
    };
    let report = judge(&server(), &profile, options).await;
    let diff = bless(&profile, &library(), &report).unwrap();
    insta::assert_snapshot!(diff);

    let blessed = "[[deviation]]\ncases = ['s/t/bad']\nreason = '?'\n";
    let profile = Profile::from_toml("odd.toml", blessed).unwrap();
    let report = judge(&server(), &profile, Options::default()).await;
    assert!(!report.passes());
    assert_eq!(
        bless(&profile, &library(), &report).unwrap(),
        "",
        "nothing to add until a person writes the reason"
    );
}

#[tokio::test]
async fn bless_narrows_a_pattern_to_what_still_fails() {
    let profile = profile("[[deviation]]\ncases = 's/t/*'\nreason = 'all of it'\n");
    let report = judge(&server(), &profile, Options::default()).await;
    insta::assert_snapshot!(bless(&profile, &library(), &report).unwrap());
}
