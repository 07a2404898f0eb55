//! Reports on several servers side by side, and the parts of one run put together.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod valid;

use mcspec_suite::matrix::{MATRIX_SCHEMA, Matrix, Source, to_badges, to_html, to_json, to_markdown};
use mcspec_suite::play::Delivery;
use serde_json::{Value, json};
use valid::assert_valid;

/// A report: the name of the server, the part, and of each case its verdict in the plain delivery.
fn report(name: &str, part: Option<(u64, u64)>, verdicts: &[(&str, &str)]) -> Value {
    let cases: Vec<Value> = verdicts
        .iter()
        .map(|(id, verdict)| case(id, "whole", verdict))
        .collect();
    let gone = ["fail", "unexpected-pass", "blocked", "harness-error"];
    let passes = !verdicts.iter().any(|(_, verdict)| gone.contains(verdict));
    let mut selection = json!({ "cases": 4, "fingerprint": "00000000000000aa" });
    if let Some((k, n)) = part {
        selection["part"] = json!({ "k": k, "n": n });
    }
    json!({
        "schema": 1, "deliveries": ["whole"], "dialect": null, "seed": 5, "selection": selection,
        "target": { "name": name, "address": "x", "version": "1.6.9", "fence": "mn", "capabilities": [] },
        "passes": passes, "conforms": passes, "counts": {}, "faults": [], "behaves_like": null, "cases": cases,
    })
}

fn case(id: &str, delivery: &str, verdict: &str) -> Value {
    let mut case = json!({ "id": id, "level": "MUST", "delivery": delivery, "verdict": verdict, "milliseconds": 1.0 });
    if verdict == "fail" {
        case["failure"] = json!({
            "file": "s/t.case", "line": 3, "problem": "the answer differs", "received": "STO</code><script>x\\r\\n",
            "quotes": [{ "text": "<b>must</b>", "source": "protocol.txt:1" }], "expected": ["STORED\\r\\n"],
            "exchanges": [{ "connection": "A", "sent": true, "bytes": "set a 0 0 1\\r\\n" }],
            "first_difference": 3, "replay": format!("mcspec run {id}"),
        });
    } else if verdict == "deviation" {
        case["reason"] = json!("a | reason");
    }
    case
}

fn matrix(reports: &[Value]) -> Result<Matrix, String> {
    let source = |(i, report): (usize, &Value)| Source {
        name: None,
        file: format!("{i}.json"),
        text: report.to_string(),
    };
    let sources: Vec<Source> = reports.iter().enumerate().map(source).collect();
    Matrix::from_reports(&sources).map_err(|error| error.to_string())
}

const GOOD: &[(&str, &str)] = &[
    ("a/t/x", "pass"),
    ("a/t/y", "pass"),
    ("b/t/x", "pass"),
    ("b/t/y", "pass"),
];
const BAD: &[(&str, &str)] = &[
    ("a/t/x", "pass"),
    ("a/t/y", "fail"),
    ("b/t/x", "deviation"),
    ("b/t/y", "unsupported"),
];

#[test]
fn the_table_has_a_row_for_each_section_and_a_column_for_each_server() {
    let matrix = matrix(&[report("good|one", None, GOOD), report("bad", None, BAD)]).unwrap();
    assert_eq!(
        to_markdown(&matrix).replace('\u{a0}', " "),
        "| | good\\|one | bad |\n|---|:---|:---|\n| a | \u{2713} 2 | \u{2713} 1 \u{2717} 1 |\n\
         | b | \u{2713} 2 | \u{2013} 1 \u{2260} 1 |\n\
         | **cases** | **\u{2713} 4** | **\u{2713} 1 \u{2013} 1 \u{2260} 1 \u{2717} 1** |\n\n\
         \u{2713} pass \u{b7} \u{2013} unsupported \u{b7} \u{2260} deviation \u{b7} \u{2717} fail\n"
    );
}

#[test]
fn a_case_is_as_good_as_its_worst_delivery() {
    let mut report = report("x", None, GOOD);
    report["cases"]
        .as_array_mut()
        .unwrap()
        .push(case("a/t/x", "cuts", "fail"));
    let text = to_markdown(&matrix(std::slice::from_ref(&report)).unwrap()).replace('\u{a0}', " ");
    assert!(text.contains("| a | \u{2713} 1 \u{2717} 1 |"), "{text}");
    let text = to_markdown(&matrix(&[report]).unwrap().only(&[Delivery::Whole])).replace('\u{a0}', " ");
    assert!(text.contains("| a | \u{2713} 2 |"), "{text}");
}

#[test]
fn the_parts_of_one_run_become_one_column() {
    let parts = [
        report("x", Some((2, 2)), &BAD[2..]),
        report("x", Some((1, 2)), &BAD[..2]),
    ];
    let merged = matrix(&parts).unwrap();
    let whole = matrix(&[report("x", None, BAD)]).unwrap();
    let value = |matrix: &Matrix| serde_json::from_str::<Value>(&to_json(matrix).unwrap()).unwrap();
    assert_eq!(value(&merged), value(&whole));
    assert_eq!(value(&merged)["servers"][0]["passes"], false, "one part failed");
}

#[test]
fn parts_that_are_missing_doubled_or_of_other_runs_are_refused() {
    let part = |k, n| report("x", Some((k, n)), &GOOD[..1]);
    let refused = |reports: &[Value]| matrix(reports).unwrap_err();
    assert_eq!(
        refused(&[part(1, 4), part(3, 4)]),
        "of the run on `x`, the parts 2/4, 4/4 are missing; give their reports, too"
    );
    assert_eq!(
        refused(&[part(1, 2), part(2, 2), part(1, 2)]),
        "0.json and 2.json are both part 1/2 of the run on `x`; leave one out"
    );
    assert!(refused(&[part(1, 2), part(2, 3)]).contains("the numbers of parts differ"));
    let mut other = part(2, 2);
    other["selection"]["fingerprint"] = json!("00000000000000bb");
    assert!(
        refused(&[part(1, 2), other])
            .contains("0.json and 1.json are parts of different runs on `x`: the selected cases differ")
    );
    let mut other = part(2, 2);
    other["deliveries"] = json!(["cuts"]);
    assert!(refused(&[part(1, 2), other]).contains("the deliveries differ"));
    let twice = refused(&[report("x", None, GOOD), report("x", None, GOOD)]);
    assert!(
        twice.contains("0.json and 1.json both report on `x`") && twice.contains("NAME=1.json"),
        "{twice}"
    );
}

#[test]
fn what_is_no_report_is_refused_by_its_name() {
    let mut old = report("x", None, GOOD);
    old["schema"] = json!(7);
    assert!(
        matrix(&[old])
            .unwrap_err()
            .contains("0.json: it has schema 7, but this mcspec reads schema 1")
    );
    assert!(
        matrix(&[json!({})])
            .unwrap_err()
            .contains("0.json: it is no JSON report of mcspec")
    );
    let lost = Source {
        name: None,
        file: "f".to_owned(),
        text: "{\"schema\":1".to_owned(),
    };
    assert!(Matrix::from_reports(&[lost]).is_err());
}

#[test]
fn the_document_is_as_its_schema_says() {
    let matrix = matrix(&[report("good", None, GOOD), report("bad", None, BAD)]).unwrap();
    let document: Value = serde_json::from_str(&to_json(&matrix).unwrap()).unwrap();
    assert_valid(MATRIX_SCHEMA, "", &document);
    assert_eq!(
        document["cases"][0],
        json!({ "id": "a/t/y", "verdicts": ["pass", "fail"] })
    );
    assert_eq!(
        document["servers"][1]["standing"],
        "does not conform: 1 case to look into"
    );
}

#[test]
fn a_badge_says_how_a_server_stands() {
    let matrix = matrix(&[
        report("g", None, GOOD),
        report("b/", None, BAD),
        report("d", None, &BAD[2..]),
    ])
    .unwrap();
    let badges = to_badges(&matrix).unwrap();
    let read = |name: &str| serde_json::from_str::<Value>(&badges[name]).unwrap();
    assert_eq!(
        read("g.json"),
        json!({ "schemaVersion": 1, "label": "memcached", "message": "conforms, 4 cases", "color": "brightgreen", "isError": false })
    );
    assert_eq!(
        (&read("b.json")["message"], &read("b.json")["color"]),
        (&json!("1 of 3 cases fail"), &json!("red"))
    );
    assert_eq!(read("d.json")["message"], "1 known deviations in 1 cases");
}

#[test]
fn the_page_leads_from_the_table_to_each_failure_and_shows_bytes_as_text() {
    let page = to_html(&matrix(&[report("good", None, GOOD), report("bad", None, BAD)]).unwrap());
    assert!(
        page.contains("href=\"#server-1-a-t-y\"") && page.contains("id=\"server-1-a-t-y\""),
        "{page}"
    );
    assert!(page.contains("mcspec run a/t/y") && page.contains("a | reason"));
    assert_eq!(page.matches("<script").count(), 1, "only the page's own");
    assert!(
        page.contains("STO<mark>&lt;</mark>/code&gt;&lt;script&gt;"),
        "the first wrong byte is marked"
    );
    for word in ["src=", "http://", "https://", "@import", "url("] {
        assert!(!page.contains(word), "the page asks for something else: {word}");
    }
}
