//! The reports of one run in every form, read back by what reads them elsewhere.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[allow(dead_code, reason = "shared with another test")]
mod fake;
mod valid;

use std::time::Duration;

use fake::{Fake, Reply, judged};
use mcspec_suite::baseline::Baseline;
use mcspec_suite::case::Library;
use mcspec_suite::profile::Profile;
use mcspec_suite::report::{REPORT_SCHEMA, Report, SCHEMA, to_html, to_json, to_junit, to_markdown, to_ndjson, to_tap};
use mcspec_suite::run::Options;
use mcspec_suite::selection::{Part, Selection};
use mcspec_suite::verdict::Verdict;
use valid::assert_valid;

/// One case for each kind of verdict; the answers hold what would break a careless page.
const CASES: &str = "section s/t
source protocol.txt:1

case good MUST
  quote \"<b>all & \\\"well\\\"</b>\"
  > good
  < OK

case bad MUST
  quote \"never ]]> <script>\"
  because \"of | a pipe\"
  > bad
  < OK

case known DEFACTO
  observed 1.6.9
  > bad
  < YES

case should SHOULD
  quote \"x\"
  > bad
  < OK

case lacking DEFACTO
  observed 1.6.9
  needs cas
  > good
  < OK

case above DEFACTO
  observed 1.6.9
  rests on s/t/bad
  > bad
  < OK
";

const TARGET: &str = "[[deviation]]\ncases = 's/t/known'\nreason = 'it says <b>no</b> # at all'\n\n\
                      [[deviation]]\ncases = 's/t/none'\nreason = 'x'\n";

async fn report() -> (Report, Library) {
    let server = Fake::new(|line| {
        Reply::line(if line == "good" {
            "OK"
        } else {
            "</code><script>alert(1)</script> ]]> ````` \u{7}"
        })
    });
    let library = judged::library(CASES);
    let profile = Profile::from_toml("odd.toml", TARGET).unwrap();
    let options = Options {
        timeout: Duration::from_millis(400),
        ..Options::default()
    };
    (judged::judge(&library, &server, &profile, options).await, library)
}

#[tokio::test]
async fn junit_can_be_read_back_and_counts_what_is_to_look_into() {
    let (report, library) = report().await;
    let xml = to_junit(&report, &library).unwrap();
    let read = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    let suites: Vec<(&str, usize, usize, usize)> = read
        .test_suites
        .iter()
        .map(|suite| (suite.name.as_str(), suite.tests, suite.failures, suite.skipped))
        .collect();
    assert_eq!(suites, [("s/t", 6, 2, 2), ("expectations", 1, 1, 0)], "{xml}");
    assert!(
        xml.contains("deviation: it says &lt;b>no&lt;/b> # at all") || xml.contains("it says &lt;b&gt;no"),
        "{xml}"
    );
    assert!(!xml.contains('\u{7}'), "a control character is no XML");
}

#[tokio::test]
async fn tap_numbers_every_result_and_marks_what_is_expected() {
    let (report, library) = report().await;
    let tap = to_tap(&report, &library);
    let lines: Vec<&str> = tap.lines().filter(|line| !line.starts_with("# ")).collect();
    assert_eq!(
        lines,
        [
            "TAP version 14",
            "1..7",
            "ok 1 - s/t/good (whole)",
            "not ok 2 - s/t/bad (whole)",
            "not ok 3 - s/t/known (whole) # TODO known deviation: it says <b>no</b> \\# at all",
            "ok 4 - s/t/should (whole) # nonstrict",
            "ok 5 - s/t/lacking (whole) # SKIP unsupported: the server does not offer `cas`",
            "not ok 6 - s/t/above (whole)",
            "not ok 7 - odd.toml:5: no case fits `s/t/none`; take it out",
        ]
    );
    assert!(
        tap.contains("#   replay    mcspec run --target odd s/t/bad --delivery whole\n"),
        "{tap}"
    );
}

#[tokio::test]
async fn markdown_holds_the_verdict_the_table_and_every_failure() {
    let (report, library) = report().await;
    let text = to_markdown(&report, &library);
    assert!(text.starts_with("## \u{274c} mcspec: odd &lt;server>\n"), "{text}");
    assert!(text.contains("| s | 1 | 1 | 1 | 1 | 1 | 1 |\n"), "{text}");
    assert!(text.contains("### 2 to look into"), "{text}");
    assert!(text.contains("- it says &lt;b>no&lt;/b> # at all (1 cases"), "{text}");
    assert_eq!(
        text.matches("`````\n").count(),
        4,
        "a fence opens and closes for each failure: {text}"
    );
}

#[tokio::test]
async fn ndjson_says_the_same_as_json_line_by_line() {
    let (report, library) = report().await;
    let document: serde_json::Value = serde_json::from_str(&to_json(&report, &library).unwrap()).unwrap();
    let text = to_ndjson(&report, &library).unwrap();
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 8);
    assert_eq!(
        (&lines[0]["type"], &lines[0]["target"]),
        (&"run".into(), &document["target"])
    );
    for (line, case) in lines[1..7].iter().zip(document["cases"].as_array().unwrap()) {
        assert_eq!(line["type"], "result");
        assert_eq!((&line["id"], &line["failure"]), (&case["id"], &case["failure"]));
    }
    assert_eq!(
        (&lines[7]["type"], &lines[7]["faults"]),
        (&"end".into(), &document["faults"])
    );
    assert_eq!(
        (&document["passes"], &document["conforms"]),
        (&false.into(), &false.into())
    );
}

#[tokio::test]
async fn the_page_shows_what_a_server_says_as_text() {
    let (report, library) = report().await;
    let page = to_html(&report, &library);
    assert_eq!(page.matches("<script").count(), 1, "only the page's own");
    assert!(page.contains("/code&gt;&lt;script&gt;alert"), "what came is shown");
    assert!(page.contains("replay") && page.contains("mcspec run --target odd s/t/bad --delivery whole"));
    for word in ["src=", "http://", "https://", "@import", "url("] {
        assert!(!page.contains(word), "the page asks for something else: {word}");
    }
}

#[tokio::test]
async fn a_report_stays_short_whatever_was_sent() {
    let (mut report, library) = report().await;
    let mut failures = report
        .results
        .iter_mut()
        .filter_map(|result| result.failure.as_deref_mut());
    let failure = failures.next().unwrap();
    failure.exchanges[0].bytes = vec![b'a'; 10_000_000];
    failure.received = vec![b'b'; 1_000_000];
    failure.first_difference = 999;
    failure.expected = vec!["c".repeat(1_000_000)];
    let text = to_json(&report, &library).unwrap();
    assert!(text.len() < 100_000, "{} bytes", text.len());
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_valid(REPORT_SCHEMA, "", &document);
    let mut cases = document["cases"].as_array().unwrap().iter();
    let failure = &cases.find(|case| !case["failure"].is_null()).unwrap()["failure"];
    assert_eq!(failure["exchanges"][0]["left_out"], 10_000_000 - 16 * 1024);
    assert_eq!(failure["received_left_out"], 1_000_000 - 16 * 1024 - 999);
}

#[tokio::test]
async fn reports_are_as_the_published_schema_says() {
    let (mut report, library) = report().await;
    let baseline = r#"{"schema":1,"cases":[{"id":"s/t/bad","delivery":"whole","verdict":"pass"}]}"#;
    report.baseline = Some(Baseline::from_json(baseline).unwrap().compare(&report.results));
    let ids = library.cases().map(|(id, ..)| id).collect();
    report.selection = Some(Selection::new(&ids, Some(Part { k: 1, n: 1 })));
    let document: serde_json::Value = serde_json::from_str(&to_json(&report, &library).unwrap()).unwrap();
    assert_valid(REPORT_SCHEMA, "", &document);
    assert!(
        !document["baseline"]["worse"].as_array().unwrap().is_empty(),
        "{document}"
    );
    let text = to_ndjson(&report, &library).unwrap();
    for line in text.lines() {
        let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
        if line["type"] == "result" {
            line.as_object_mut().unwrap().remove("type");
            assert_valid(REPORT_SCHEMA, "#/$defs/case", &line);
        } else {
            assert_valid(REPORT_SCHEMA, "#/$defs/line", &line);
        }
    }
    let schema: serde_json::Value = serde_json::from_str(REPORT_SCHEMA).unwrap();
    assert_eq!(schema["properties"]["schema"]["const"], SCHEMA);
    for verdict in Verdict::ALL {
        let named = schema["$defs"]["verdict"]["enum"].as_array().unwrap();
        assert!(named.contains(&verdict.as_str().into()), "{verdict}");
    }
}
