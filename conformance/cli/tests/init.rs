//! `mcspec init`: a first target file, which hides nothing until a person has written why.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::process::{Command, Output};

use support::{CASES, directory_with, example, text};

/// Behind those that all tests share.
const MORE_CASES: &str = "
case at_times MUST
  quote \"a miss\"
  > gets {k}
  < END

case emptied MUST
  quote \"a miss\"
  needs flush
  exclusive
  > flush_all
  < OK

case refused MUST
  quote \"a miss\"
  needs flush
  exclusive
  > flush_all now
  < ERROR
";

/// A directory with cases.
struct Project {
    directory: tempfile::TempDir,
}

impl Project {
    fn new() -> Self {
        Self {
            directory: directory_with(&[CASES, MORE_CASES].concat()),
        }
    }

    fn mcspec(&self, arguments: &[&str]) -> Output {
        let (command, rest) = arguments.split_first().unwrap();
        Command::new(env!("CARGO_BIN_EXE_mcspec"))
            .args([command, "--cases", "cases"])
            .args(rest)
            .current_dir(self.directory.path())
            .output()
            .unwrap()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.directory.path().join(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).unwrap();
    }
}

fn spawn(mode: &str) -> String {
    format!("{} {{port}} {mode}", example("odd_server").display())
}

#[test]
fn a_first_file_fails_until_a_person_has_written_every_reason() {
    let project = Project::new();
    let output = project.mcspec(&["init", "--spawn", &spawn("wavers"), "--delivery", "whole,bytes"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("wrote odd_server.toml: "),
        "{}",
        text(&output.stderr)
    );
    let file = project.read("odd_server.toml");
    assert!(file.contains("name = \"odd_server\"\n"), "{file}");
    assert!(
        file.contains("cases = [\n  \"s/t/wrong\",\n]\nreason = \"?\"\n"),
        "{file}"
    );
    let at_times = "cases = [\n  \"s/t/at_times\",\n]\nintermittent = true\nreason = \"?\"\n";
    assert!(file.contains(at_times), "{file}");
    // None of its cases passed but one that expects a refusal, so that it is lacking, and no deviation.
    assert!(file.contains("\nflush = \"?\"    # 2\n"), "{file}");
    assert!(!file.contains("s/t/emptied") && !file.contains("s/t/miss"), "{file}");
    // What the probe did not find is not passed over either.
    assert!(file.contains("\ntouch = \"?\"    # 0\n"), "{file}");

    let run = |arguments: &[&str]| project.mcspec(&[&["run", "--target", "odd_server.toml"], arguments].concat());
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let report = text(&output.stdout);
    for words in [
        "no reason is given why the server lacks `flush`",
        "declares it, but gives no reason",
    ] {
        assert!(report.contains(words), "{words}: {report}");
    }
    let complete = file.replace("\"?\"", "\"it is odd\"");
    let (before, after) = complete.rsplit_once("\"it is odd\"").unwrap();
    project.write("odd_server.toml", &format!("{before}\"?\"{after}"));
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(1), "one reason is missing");
    project.write("odd_server.toml", &complete);
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert_eq!(
        text(&run(&["--bless"]).stdout),
        "",
        "nothing is left to bring up to date"
    );
}

#[test]
fn what_passes_at_first_and_not_always_is_written_down() {
    let project = Project::new();
    let output = project.mcspec(&["init", "--spawn", &spawn("tires")]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let file = project.read("odd_server.toml");
    let at_times = "cases = [\n  \"s/t/at_times\",\n]\nintermittent = true\nreason = \"?\"\n";
    assert!(file.contains(at_times), "{file}");
}

#[test]
fn what_came_too_late_once_is_told_and_not_written_down() {
    let project = Project::new();
    let output = project.mcspec(&["init", "--spawn", &spawn("lags"), "--timeout", "2"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(said.contains("1 cases that deviate, in 1 entries"), "{said}");
    assert!(
        said.contains("mcspec: 1 cases had no answer in time at first and then passed"),
        "{said}"
    );
    assert!(!project.read("odd_server.toml").contains("at_times"));
}

#[test]
fn a_file_that_is_there_is_not_replaced_unasked() {
    let project = Project::new();
    project.write("here.toml", "mine");
    let init = |more: &[&str]| {
        let spawn = spawn("empty");
        project.mcspec(&[&["init", "--spawn", spawn.as_str()], more].concat())
    };
    let output = init(&["--output", "here.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("here.toml is there already; --force replaces it"));
    assert_eq!(project.read("here.toml"), "mine");
    let output = init(&["--output", "here.toml", "--force", "--name", "other"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(project.read("here.toml").contains("name = \"other\"\n"));
    assert_eq!(init(&["--output", "new/directory/x.toml"]).status.code(), Some(0));
    let output = init(&["--output", "-"]);
    assert_eq!(
        text(&output.stdout),
        project.read("new/directory/x.toml"),
        "the same again"
    );
}

#[test]
fn a_server_is_named_and_must_be_one() {
    let project = Project::new();
    for (arguments, code, words) in [
        (&["init"][..], 2, "which server?"),
        (&["init", "--target", "yrmcds"], 2, "has its file already"),
        (&["init", "--server", "127.0.0.1:1"], 3, "no connection"),
        (&["init", "--spawn", "memcached"], 2, "does not say where the port goes"),
    ] {
        let output = project.mcspec(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
    }
    let files = std::fs::read_dir(project.directory.path()).unwrap().count();
    assert_eq!(files, 1, "nothing but the cases is there");
}
