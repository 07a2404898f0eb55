//! The parts of a run say together what the whole says, of a server that conforms and of ones that do not: a case of one part may
//! rest on a case of another.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use mcspec_suite::selection::Part;
use serde_json::Value;
use support::{example, text};

/// Enough to have many cases that rest on one of another part.
const CASES: [&str; 5] = [
    "storage/add",
    "arithmetic/incr",
    "noreply/success/set_is_silent",
    "noreply/refusals",
    "noreply/words",
];

const PARTS: u64 = 3;

/// Runs mcspec and gives its exit code and what it printed.
fn mcspec(arguments: &[&str], directory: &Path) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mcspec"))
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap();
    let code = output.status.code().unwrap();
    assert!(code < 2, "{arguments:?}: {}", text(&output.stderr));
    (code, text(&output.stdout))
}

type Judged = BTreeMap<(String, String), (String, Value)>;

/// Of each case and delivery the verdict and the reason.
fn judged(reports: &[String], directory: &Path) -> Judged {
    let mut judged = Judged::new();
    for file in reports {
        let report: Value = serde_json::from_str(&std::fs::read_to_string(directory.join(file)).unwrap()).unwrap();
        for case in report["cases"].as_array().unwrap() {
            let word = |field: &str| case[field].as_str().unwrap().to_owned();
            let twice = judged.insert(
                (word("id"), word("delivery")),
                (word("verdict"), case["reason"].clone()),
            );
            assert_eq!(twice, None, "{} is in two parts", case["id"]);
        }
    }
    judged
}

/// Runs the cases as a whole and in parts, and compares all that is known of them; gives the results.
fn compared(target: &[&str], directory: &Path) -> Judged {
    let run = |more: &[&str], file: &str| {
        let report = format!("json={file}");
        let options = ["--delivery", "whole,pipelined", "--seed", "7", "--report", &report];
        mcspec(&[&["run"], &CASES[..], target, &options, more].concat(), directory).0
    };
    let code = run(&[], "whole.json");
    let parts: Vec<String> = (1..=PARTS).map(|k| format!("part{k}.json")).collect();
    let codes = (1..=PARTS).zip(&parts).map(|(k, file)| {
        let part = format!("{k}/{PARTS}");
        run(&["--partition", &part], file)
    });
    assert_eq!(codes.max(), Some(code), "the parts end as the whole does");
    let whole = judged(&["whole.json".to_owned()], directory);
    assert_eq!(judged(&parts, directory), whole);

    let matrix = |files: &[String]| {
        let named: Vec<String> = files.iter().map(|file| format!("x={file}")).collect();
        let named = named.iter().map(String::as_str);
        let arguments: Vec<&str> = ["matrix", "--format", "json"].into_iter().chain(named).collect();
        mcspec(&arguments, directory).1
    };
    assert_eq!(matrix(&parts), matrix(&["whole.json".to_owned()]));
    whole
}

fn part_of(id: &str) -> u64 {
    let holds = |k: &u64| Part { k: *k, n: PARTS }.holds(id);
    (1..=PARTS).find(holds).unwrap()
}

#[test]
fn a_server_that_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let whole = compared(&[], directory.path());
    assert!(whole.len() > 50 && whole.values().all(|(verdict, _)| verdict == "pass"));
}

#[test]
fn a_case_that_is_blocked_by_one_of_another_part() {
    for fault in ["noreply_is_not_known", "a_sum_ends_in_lf"] {
        let directory = tempfile::tempdir().unwrap();
        let spawn = format!("{} {{port}} {fault}", example("faulty_server").display());
        let whole = compared(&["--spawn", &spawn], directory.path());
        let elsewhere = whole.iter().filter_map(|((id, _), (verdict, reason))| {
            let below = reason.as_str()?.strip_prefix("blocked by ")?;
            (verdict == "blocked" && part_of(below) != part_of(id)).then_some(id)
        });
        assert_ne!(elsewhere.count(), 0, "{fault}");
    }
}

#[test]
fn a_case_that_rests_on_a_deviation_of_another_part() {
    let directory = tempfile::tempdir().unwrap();
    let target = format!(
        "[start]\ncommands = ['{} {{port}} noreply_is_not_known']\n\n\
         [[deviation]]\ncases = 'noreply/success/set_is_silent'\nreason = 'it answers'\n",
        example("faulty_server").display()
    );
    std::fs::write(directory.path().join("target.toml"), target).unwrap();
    let whole = compared(&["--target", "target.toml"], directory.path());
    let elsewhere = whole.iter().filter(|((id, _), (verdict, reason))| {
        let rests = reason
            .as_str()
            .is_some_and(|reason| reason.starts_with("rests on noreply/success/set_is_silent"));
        verdict == "deviation" && rests && part_of("noreply/success/set_is_silent") != part_of(id)
    });
    assert_ne!(elsewhere.count(), 0);
}
