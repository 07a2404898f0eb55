//! mcspec as a gate: target files, expectations, former runs, parts, reports in files.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use support::{CASES, directory_with, example, text};

/// A directory with cases, and a target file that starts the odd server.
struct Project {
    directory: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        Self {
            directory: directory_with(CASES),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a target file with these entries.
    fn target(&self, entries: &str) {
        let start = format!(
            "[start]\ncommands = ['{} {{port}} empty']\n\n",
            example("odd_server").display()
        );
        std::fs::write(self.path("odd.toml"), start + entries).unwrap();
    }

    /// Runs in the project's directory.
    fn mcspec(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_mcspec"))
            .args(["run", "--cases", "cases", "--seed", "5"])
            .args(arguments)
            .current_dir(self.directory.path())
            .output()
            .unwrap()
    }

    fn code(&self, arguments: &[&str]) -> i32 {
        let output = self.mcspec(arguments);
        let code = output.status.code().unwrap();
        println!(
            "{arguments:?}: {code}\n{}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        code
    }
}

fn apply(diff: &[u8], directory: &Path) {
    std::fs::write(directory.join("edit.diff"), diff).unwrap();
    let applied = Command::new("git")
        .args(["apply", "edit.diff"])
        .current_dir(directory)
        .status()
        .unwrap();
    assert!(applied.success());
}

const DECLARED: &str = "[[deviation]]\ncases = 's/t/wrong'\nreason = 'it says END'\n";

#[test]
fn a_target_file_starts_the_server_and_declares_what_it_does_otherwise() {
    let project = Project::new();
    project.target("");
    assert_eq!(project.code(&["--target", "odd.toml"]), 1);
    project.target(DECLARED);
    let output = project.mcspec(&["--target", "odd.toml"]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(
        report.contains("known deviation: it says END\n  seen in s/t/wrong\n"),
        "{report}"
    );
    assert!(report.contains("conforms but for 1 known deviation:"), "{report}");
    project.target("[[deviation]]\ncases = 's/t/miss'\nreason = 'x'\n");
    let output = project.mcspec(&["--target", "odd.toml", "s/t/miss"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("UNEXPECTED-PASS s/t/miss"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn expectations_alone_serve_a_server_that_is_named_otherwise() {
    let project = Project::new();
    std::fs::write(project.path("known.toml"), DECLARED).unwrap();
    let spawn = format!("{} {{port}} empty", example("odd_server").display());
    assert_eq!(project.code(&["--spawn", &spawn]), 1);
    assert_eq!(project.code(&["--spawn", &spawn, "--expect", "known.toml"]), 0);
    assert_eq!(
        project.code(&["--target", "./known.toml"]),
        2,
        "it does not say how the server starts"
    );
}

#[test]
fn bless_prints_an_edit_that_a_person_has_to_complete() {
    let project = Project::new();
    project.target("");
    let output = project.mcspec(&["--target", "odd.toml", "--bless"]);
    assert_eq!(output.status.code(), Some(1));
    apply(&output.stdout, project.directory.path());
    let output = project.mcspec(&["--target", "odd.toml"]);
    assert_eq!(output.status.code(), Some(1), "nobody has written a reason");
    assert!(
        text(&output.stdout).contains("no reason is given"),
        "{}",
        text(&output.stdout)
    );
    let file = std::fs::read_to_string(project.path("odd.toml")).unwrap();
    std::fs::write(project.path("odd.toml"), file.replace("\"?\"", "\"it says END\"")).unwrap();
    assert_eq!(project.code(&["--target", "odd.toml"]), 0);
    assert_eq!(text(&project.mcspec(&["--target", "odd.toml", "--bless"]).stdout), "");
}

#[test]
fn against_a_baseline_only_what_got_worse_fails() {
    let project = Project::new();
    project.target("");
    let run = |more: &[&str]| project.code(&[&["--target", "odd.toml"], more].concat());
    assert_eq!(run(&["--report", "json=out/before.json"]), 1);
    assert_eq!(run(&["--baseline", "out/before.json"]), 0);
    std::fs::write(project.path("cases/s/t.case"), CASES.replace("< END\n", "< ENDING\n")).unwrap();
    assert_eq!(run(&["--baseline", "out/before.json"]), 1);
    assert_eq!(run(&["--baseline", "out/none.json"]), 2);
    std::fs::write(project.path("out/none.json"), "{}").unwrap();
    assert_eq!(run(&["--baseline", "out/none.json"]), 2);
}

#[test]
fn parts_hold_every_case_once() {
    let project = Project::new();
    project.target(DECLARED);
    let mut seen = Vec::new();
    for part in ["1/2", "2/2"] {
        let arguments = ["--target", "odd.toml", "--partition", part, "--format", "json"];
        let output = project.mcspec(&arguments);
        if output.status.code() == Some(4) {
            continue;
        }
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let cases = report["cases"].as_array().unwrap().clone();
        seen.extend(cases.iter().map(|case| case["id"].as_str().unwrap().to_owned()));
    }
    seen.sort();
    assert_eq!(seen, ["s/t/miss", "s/t/wrong"]);
}

#[test]
fn watch_runs_again_when_the_program_changes() {
    let project = Project::new();
    let (program, next) = (project.path("server"), project.path("next"));
    std::fs::copy(example("odd_server"), &program).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mcspec"))
        .args(["run", "--cases", "cases", "--spawn", "./server {port} empty", "--watch"])
        .current_dir(project.directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let reports = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let mut verdicts = reports.filter(|line| line.starts_with("NOT OK") || line.starts_with("ok"));
    assert!(verdicts.next().unwrap().starts_with("NOT OK"));
    std::fs::copy(example("odd_server"), &next).unwrap();
    std::fs::rename(&next, &program).unwrap();
    assert!(verdicts.next().unwrap().starts_with("NOT OK"), "it ran again");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_wrong_gate_ends_with_2() {
    let project = Project::new();
    for arguments in [
        &["--bless"][..],
        &["--target", "none"],
        &["--target", "./none.toml"],
        &["--expect", "none.toml"],
        &["--partition", "3/2"],
        &["--report", "pdf=x"],
        &["--report", "json"],
        &["--retries", "many"],
        &["--report", "json=cases/s/t.case/x.json"],
    ] {
        assert_eq!(project.code(arguments), 2, "{arguments:?}");
    }
    std::fs::write(project.path("bad.toml"), "[start]\nserver = 'x'\n").unwrap();
    let output = project.mcspec(&["--target", "bad.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).starts_with("mcspec: bad.toml:1: "),
        "{}",
        text(&output.stderr)
    );
}
