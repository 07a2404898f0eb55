//! When mcspec starts the server more than once, and that nothing of it is left.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::Path;
use std::process::{Command, Output};

use support::{directory_with, example};

const CASES: &str = "section s/t
source protocol.txt:1

case keeps MUST
  quote \"kept\"
  > set {k} 0 0 1 | a
  < STORED
  wait 300ms
  > get {k}
  < VALUE {k} 0 1 | a | END

case flushes MUST
  quote \"gone\"
  needs flush
  exclusive
  > set {k} 0 0 1 | a
  < STORED
  > flush_all
  < OK
  wait 300ms
  > get {k}
  < END

case flushes_at_once MUST
  quote \"gone\"
  needs flush
  exclusive
  > flush_all
  < OK
";

/// A directory with cases, and a server that writes the id of its process there when it starts.
struct Project {
    directory: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        let directory = directory_with(CASES);
        std::fs::create_dir(directory.path().join("held")).unwrap();
        Self { directory }
    }

    /// The command that starts a server which keeps what it stores in this directory.
    fn command(held: &str) -> String {
        let server = example("odd_server");
        format!(
            "sh -c 'echo $$ >> started; exec {} {{port}} stores {held}'",
            server.display()
        )
    }

    /// Runs, expects that the server conforms and that all that was started is gone; gives how many times it was started
    /// and what was said on standard error.
    fn starts(&self, arguments: &[&str]) -> (usize, String) {
        self.starts_of("run", arguments)
    }

    /// The same of another command than `run`.
    fn starts_of(&self, command: &str, arguments: &[&str]) -> (usize, String) {
        let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_mcspec"))
            .args([command, "--cases", "cases"])
            .args(arguments)
            .current_dir(self.directory.path())
            .output()
            .unwrap();
        let (report, said) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        assert_eq!(status.code(), Some(0), "{report}{said}");
        let log = self.directory.path().join("started");
        let started = std::fs::read_to_string(&log).unwrap();
        std::fs::remove_file(log).unwrap();
        for id in started.lines() {
            assert!(!Path::new("/proc").join(id).exists(), "{id} still runs");
        }
        (started.lines().count(), said)
    }
}

#[test]
fn exclusive_cases_that_wait_have_an_instance_of_their_own() {
    let project = Project::new();
    let apart = Project::command("{dir}");
    let all = ["--delivery", "all", "--spawn", &apart];
    assert_eq!(
        project.starts(&all),
        (5, String::new()),
        "one each for the waits of four deliveries"
    );
    let partition = ["--partition", "1/1", "--retries", "2", "--spawn", &apart];
    assert_eq!(project.starts(&partition), (2, String::new()));
    for none in ["s/t/keeps", "s/t/flushes_at_once"] {
        assert_eq!(project.starts(&["--spawn", &apart, none]), (1, String::new()), "{none}");
    }
    assert_eq!(
        project.starts(&["--spawn", &apart, "--one-instance"]),
        (1, String::new())
    );
}

#[test]
fn a_first_target_file_comes_from_as_many_instances() {
    let project = Project::new();
    let apart = Project::command("{dir}");
    let arguments = ["--delivery", "all", "--spawn", &apart, "--output", "-"];
    let (starts, said) = project.starts_of("init", &arguments);
    assert_eq!(starts, 5, "{said}");
}

#[test]
fn a_target_file_says_that_there_can_be_only_one() {
    let project = Project::new();
    let file = project.directory.path().join("odd.toml");
    for (key, starts) in [("", 2), ("one_instance = true\n", 1)] {
        let command = toml_string(&Project::command("{dir}"));
        std::fs::write(&file, format!("{key}[start]\ncommands = [{command}]\n")).unwrap();
        assert_eq!(
            project.starts(&["--target", "odd.toml"]),
            (starts, String::new()),
            "{key}"
        );
    }
}

fn toml_string(text: &str) -> String {
    format!("\"\"\"{text}\"\"\"")
}

#[test]
fn two_instances_that_hold_the_same_are_not_used_side_by_side() {
    let project = Project::new();
    let (starts, said) = project.starts(&["--spawn", &Project::command("held")]);
    assert_eq!(starts, 2);
    assert!(said.contains("no instance of their own for exclusive cases"), "{said}");
    assert!(said.contains("is found on the second, too"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn an_instance_that_does_not_start_is_said_and_done_without() {
    let project = Project::new();
    let server = example("odd_server");
    // `mkdir` succeeds once.
    let command = format!(
        "sh -c 'echo $$ >> started; mkdir once || exit 1; exec {} {{port}} stores {{dir}}'",
        server.display()
    );
    let (starts, said) = project.starts(&["--spawn", &command]);
    assert_eq!(starts, 2);
    assert!(
        said.contains("which follow the others instead") && said.contains("it ended"),
        "{said}"
    );
}
