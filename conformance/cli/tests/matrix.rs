//! mcspec for other programs: the matrix of real runs, the parts of a partitioned run, the export and the schemas.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn mcspec(arguments: &[&str], directory: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcspec"));
    command.args(arguments).current_dir(directory).output().unwrap()
}

/// What it prints, when it ends with this code.
fn prints(code: i32, arguments: &[&str], directory: &Path) -> String {
    let output = mcspec(arguments, directory);
    let (out, error) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {out}{error}");
    if code == 0 { out } else { error }
}

/// Runs a few cases on the built-in server in three parts and as a whole.
fn reports() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let run = |file: &str, options: &[&str]| {
        let report = format!("json={file}");
        let cases = [
            "run",
            "storage/add",
            "storage/append",
            "meta/noop",
            "--delivery",
            "whole,cuts",
            "--report",
            &report,
        ];
        prints(0, &[&cases[..], options].concat(), directory.path());
    };
    run("whole.json", &[]);
    for part in ["1", "2", "3"] {
        run(&format!("part{part}.json"), &["--partition", &format!("{part}/3")]);
    }
    directory
}

fn assert_valid(schema: &str, document: &str, directory: &Path) {
    let schema: Value = serde_json::from_str(&prints(0, &["schema", schema], directory)).unwrap();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("urn:mcspec:tested", schema).unwrap();
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("urn:mcspec:tested", &mut schemas).unwrap();
    if let Err(error) = schemas.validate(&serde_json::from_str(document).unwrap(), index) {
        panic!("{error:#}");
    }
}

#[test]
fn the_parts_of_a_run_come_to_what_the_whole_does() {
    let directory = reports();
    let here = directory.path();
    let whole = prints(0, &["matrix", "x=whole.json", "--format", "json"], here);
    let parts = [
        "matrix",
        "x=part3.json",
        "x=part1.json",
        "x=part2.json",
        "--format",
        "json",
    ];
    assert_eq!(prints(0, &parts, here), whole);
    assert_valid("matrix", &whole, here);
    assert_valid(
        "report",
        &std::fs::read_to_string(here.join("part2.json")).unwrap(),
        here,
    );
    let missing = prints(2, &["matrix", "part1.json", "part3.json"], here);
    assert!(missing.contains("the parts 2/3 are missing"), "{missing}");
    let doubled = prints(
        2,
        &["matrix", "part1.json", "part2.json", "part3.json", "part2.json"],
        here,
    );
    assert!(
        doubled.contains("part2.json and part2.json are both part 2/3"),
        "{doubled}"
    );
    let mixed = prints(2, &["matrix", "part1.json", "whole.json"], here);
    assert!(mixed.contains("not parts of one run"), "{mixed}");
    let foreign = prints(2, &["matrix", "no.json"], here);
    assert!(foreign.contains("cannot read no.json"), "{foreign}");
}

#[test]
fn a_matrix_goes_to_a_page_a_readme_and_badges() {
    let directory = reports();
    let here = directory.path();
    let both = [
        "matrix",
        "one=whole.json",
        "other=part1.json",
        "other=part2.json",
        "other=part3.json",
    ];
    let page = [
        &both[..],
        &["--format", "html", "--output", "matrix.html", "--badges", "badges"],
    ]
    .concat();
    assert_eq!(prints(0, &page, here), "");
    let page = std::fs::read_to_string(here.join("matrix.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("other"), "{page}");
    let badge = std::fs::read_to_string(here.join("badges/one.json")).unwrap();
    assert!(badge.contains("\"color\":\"brightgreen\""), "{badge}");

    std::fs::write(
        here.join("a.md"),
        "above\n<!-- mcspec matrix -->\n<!-- end of mcspec matrix -->\nbelow\n",
    )
    .unwrap();
    let stale = prints(1, &[&both[..], &["--into", "a.md", "--check"]].concat(), here);
    assert!(
        stale.contains("out of date") && stale.contains("+| storage |"),
        "{stale}"
    );
    prints(0, &[&both[..], &["--into", "a.md"]].concat(), here);
    prints(0, &[&both[..], &["--into", "a.md", "--check"]].concat(), here);
    let text = std::fs::read_to_string(here.join("a.md")).unwrap();
    assert!(
        text.starts_with("above\n") && text.ends_with("below\n") && text.contains("| | one | other |"),
        "{text}"
    );
}

#[test]
fn an_export_is_as_its_schema_says() {
    let here = Path::new(".");
    let text = prints(0, &["export", "storage/add", "connections", "--expand", "all"], here);
    assert_valid("cases", &text, here);
    let document: Value = serde_json::from_str(&text).unwrap();
    let deliveries = document["cases"][0]["deliveries"].as_object().unwrap();
    assert_eq!(deliveries.len(), 4);
    assert!(prints(4, &["export", "no/such/case"], here).contains("no case fits"));
}
