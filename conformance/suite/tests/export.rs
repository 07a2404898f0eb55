//! The cases as JSON: as the schema says, and nothing lost.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod valid;

use std::collections::BTreeSet;

use mcspec_suite::case::Library;
use mcspec_suite::export::{CASES_SCHEMA, to_json};
use mcspec_suite::known::KnownBugs;
use mcspec_suite::play::Delivery;
use serde_json::{Value, json};
use valid::assert_valid;

/// The cases whose ids begin so.
fn export(library: &Library, expanded: &[Delivery], begin: &str) -> Value {
    let ids = library.cases().map(|(id, ..)| id);
    let ids: BTreeSet<String> = ids.filter(|id| id.starts_with(begin)).collect();
    let text = to_json(library, &ids, expanded, &KnownBugs::of_memcached().unwrap()).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn one(case: &str) -> Value {
    let text = format!("section s/t\nsource protocol.txt:1\n\n{case}");
    let library = Library::from_files(vec![("s/t.case".to_owned(), text)]).unwrap();
    export(&library, &[], "")["cases"][0].clone()
}

#[test]
fn the_whole_suite_is_as_the_schema_says() {
    let library = Library::built_in().unwrap();
    let plain = export(&library, &[], "");
    assert_valid(CASES_SCHEMA, "", &plain);
    assert_eq!(plain["cases"].as_array().unwrap().len(), library.cases().count());
    assert!(plain["cases"][0].get("deliveries").is_none());
    // All of it would take a minute: the document is ten times as large.
    let expanded = export(&library, &Delivery::ALL, "storage/cas/");
    assert_valid(CASES_SCHEMA, "", &expanded);
    assert_eq!(expanded["cases"][0]["deliveries"].as_object().unwrap().len(), 4);
}

#[test]
fn every_byte_survives() {
    let escapes: String = (0..=255).map(|byte| format!("\\x{byte:02x}")).collect();
    let case = one(&format!(
        "case c DEFACTO\n  observed 1.6.9\n  > {escapes}\\c\n  silent\n"
    ));
    let sent = case["steps"][0]["writes"][0][0].as_str().unwrap();
    let bytes: Vec<u32> = sent.chars().map(u32::from).collect();
    assert_eq!(bytes, (0..=255).collect::<Vec<u32>>());
}

#[test]
fn steps_say_what_a_runner_does() {
    let case = one(
        "case c MUST\n  quote \"q\"\n  needs cas\n  > gets {k} ~ {bytes 3}\n  <? VALUE {k} {cas} | {lines} | END\n  \
                    B> cas {cas+1} {unix-5}\n  B< any\n    ..1.6.39  ERROR\n    1.6.40..  (silent)\n  B half-close\n  wait 1100ms\n  closed\n",
    );
    let steps = &case["steps"];
    assert_eq!(
        steps[0],
        json!({ "on": "A", "line": 7, "do": "send", "writes": [
            ["gets ", { "kind": "key", "n": 0 }], [{ "kind": "filler", "bytes": 3 }, "\r\n"]
        ] })
    );
    assert_eq!(
        steps[1]["answers"],
        json!([{ "bytes": [
            "VALUE ", { "kind": "key", "n": 0 }, " ", { "kind": "capture", "name": "cas" }, "\r\n",
            { "kind": "lines", "end": "\r\n" }, "END\r\n"
        ] }])
    );
    assert_eq!(
        steps[2]["writes"],
        json!([["cas ", { "kind": "captured", "name": "cas", "plus": 1 }, " ", { "kind": "unix", "plus": -5 }, "\r\n"]])
    );
    assert_eq!(
        steps[3],
        json!({ "on": "B", "line": 10, "do": "receive", "fenced": true, "answers": [
            { "releases": { "last": "1.6.39" }, "bytes": ["ERROR\r\n"] },
            { "releases": { "first": "1.6.40" }, "bytes": [] },
        ] })
    );
    assert_eq!(steps[4]["do"], "half-close");
    assert_eq!((&steps[5]["do"], &steps[5]["ms"]), (&json!("wait"), &json!(1100)));
    assert_eq!(steps[6]["answers"], json!([{ "closed": true }]));
    assert_eq!((&case["level"], &case["needs"]), (&json!("MUST"), &json!(["cas"])));
}

#[test]
fn a_fault_of_memcached_stands_with_the_case_that_shows_it() {
    let document = export(&Library::built_in().unwrap(), &[], "");
    let bugs: Vec<&Value> = document["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|case| case.get("upstream_bugs"))
        .collect();
    assert!(!bugs.is_empty());
    assert_eq!(bugs[0][0]["releases"], json!({ "first": "1.6.40", "last": "1.6.45" }));
}
