//! `mcspec.toml`: a project's defaults, and what the command line makes of them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::PathBuf;
use std::process::{Command, Output};

use support::{example, text};

const CASES: &str = "section s/t
source protocol.txt:1

case miss MUST
  quote \"a miss\"
  > get {k}
  < END

case wrong SHOULD
  quote \"a miss\"
  > get {k}
  < ENDE
";

/// A repository with cases, a server of its own and a target file.
struct Repository {
    directory: tempfile::TempDir,
}

impl Repository {
    fn new(defaults: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["cases/s", ".git", "src/deep"] {
            std::fs::create_dir_all(path(name)).unwrap();
        }
        std::fs::write(path("cases/s/t.case"), CASES).unwrap();
        std::fs::copy(example("odd_server"), path("server")).unwrap();
        std::fs::write(path("odd.toml"), "[start]\ncommands = ['./server {port} empty']\n").unwrap();
        std::fs::write(path("mcspec.toml"), defaults).unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs in a directory of the repository.
    fn mcspec(&self, directory: &str, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_mcspec"))
            .args(arguments)
            .current_dir(self.path(directory))
            .output()
            .unwrap()
    }

    /// The JSON report of a run in the repository's root.
    fn report(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.mcspec(".", &[&["run", "--format", "json"], arguments].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
    }
}

const DEFAULTS: &str = "# the gate
target = 'odd.toml'
cases = 'cases'
delivery = ['whole', 'bytes']
level = ['must', 'should']
retries = 1
timeout = 0.5
report = { junit = 'out/junit.xml', json = 'out/report.json' }
";

fn results(report: &serde_json::Value) -> Vec<(&str, &str)> {
    let cases = report["cases"].as_array().unwrap().iter();
    cases
        .map(|case| (case["id"].as_str().unwrap(), case["delivery"].as_str().unwrap()))
        .collect()
}

#[test]
fn the_options_of_the_file_hold_wherever_in_the_repository_a_run_starts() {
    let repository = Repository::new(DEFAULTS);
    for directory in [".", "src/deep"] {
        for command in [&["run"][..], &[]] {
            let output = repository.mcspec(directory, command);
            let (said, report) = (text(&output.stderr), text(&output.stdout));
            assert_eq!(output.status.code(), Some(0), "{said}{report}");
            assert!(said.contains("mcspec: defaults of "), "{said}");
            let written = std::fs::read_to_string(repository.path("out/report.json")).unwrap();
            let written: serde_json::Value = serde_json::from_str(&written).unwrap();
            let expected = [
                ("s/t/miss", "whole"),
                ("s/t/miss", "bytes"),
                ("s/t/wrong", "whole"),
                ("s/t/wrong", "bytes"),
            ];
            assert_eq!(results(&written), expected);
            assert_eq!(written["target"]["name"], "odd");
            // What the file gives it gives again.
            assert!(
                report.contains("replay    mcspec run s/t/wrong --delivery whole\n"),
                "{report}"
            );
            std::fs::remove_dir_all(repository.path("out")).unwrap();
        }
    }
    // A server that the file spawns is started beside the file, too.
    let spawns = DEFAULTS.replace("target = 'odd.toml'", "spawn = './server {port} empty'");
    std::fs::write(repository.path("mcspec.toml"), spawns).unwrap();
    let output = repository.mcspec("src/deep", &["run"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn the_command_line_wins() {
    let repository = Repository::new(DEFAULTS);
    let wins = repository.report(&["--delivery", "cuts", "--level", "must"]);
    assert_eq!(results(&wins), [("s/t/miss", "cuts")]);
    // Another server replaces the one of the file, whatever names it.
    let other = format!("{} {{port}} wavers", example("odd_server").display());
    let wins = repository.report(&["--spawn", &other, "--level", "must"]);
    assert!(wins["target"]["name"].as_str().unwrap().contains("wavers"), "{wins}");
    // A word that looks like the command's name is a selection all the same.
    let output = repository.mcspec(".", &["run", "run"]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    // What is expected comes with the target.
    std::fs::write(repository.path("known.toml"), "").unwrap();
    let output = repository.mcspec(".", &["run", "--expect", "known.toml"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.starts_with("mcspec: mcspec.toml:2:1: `target` says what is expected"),
        "{said}"
    );
}

#[test]
fn another_file_or_none_can_be_taken() {
    let repository = Repository::new("bogus = 1\n");
    std::fs::write(
        repository.path("src/gate.toml"),
        DEFAULTS
            .replace("= 'odd", "= '../odd")
            .replace("= 'cases", "= '../cases"),
    )
    .unwrap();
    let root = |arguments: &[&str]| repository.mcspec(".", arguments);
    // The commands of its target start beside the file.
    std::fs::copy(example("odd_server"), repository.path("src/server")).unwrap();
    let output = root(&["run", "--config", "src/gate.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let replay = "mcspec run --config src/gate.toml s/t/wrong --delivery whole";
    assert!(text(&output.stdout).contains(replay), "{}", text(&output.stdout));
    let output = root(&["run", "--no-config", "--cases", "cases"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(!text(&output.stderr).contains("defaults of"));
    for arguments in [
        &["run"][..],
        &["run", "--config", "none.toml"],
        &["run", "--config", "src/gate.toml", "--no-config"],
    ] {
        assert_eq!(root(arguments).status.code(), Some(2), "{arguments:?}");
    }
    // Other commands take nothing from it.
    assert_eq!(root(&["list", "--cases", "cases"]).status.code(), Some(0));
}

#[test]
fn a_mistake_is_named_with_line_and_column() {
    for (file, words) in [
        (
            "retires = 2\n",
            "mcspec.toml:1:1: there is no key `retires`; is `retries` meant?",
        ),
        (
            "timeout = 1\n\n  deliveries = 'all'\n",
            "mcspec.toml:3:3: there is no key `deliveries`; is `delivery` meant?",
        ),
        (
            "xyzzy = 1\n",
            "mcspec.toml:1:1: there is no key `xyzzy`; there are baseline,",
        ),
        (
            "partition = '1/2'\n",
            "mcspec.toml:1:1: `partition` is for one run: give it on the command line",
        ),
        (
            "retries = 'many'\n",
            "mcspec.toml:1:11: `retries`: invalid value 'many'",
        ),
        (
            "delivery = ['whole', 'slowly']\n",
            "mcspec.toml:1:12: `delivery`: invalid value 'whole,slowly'",
        ),
        (
            "level = ['must', 'can']\n",
            "mcspec.toml:1:9: `level`: invalid value 'can'",
        ),
        (
            "timeout = true\n",
            "mcspec.toml:1:11: `timeout`: expected a text, a number or a list of them",
        ),
        ("expect = ['a', 'b']\n", "mcspec.toml:1:10: `expect`: takes one value"),
        (
            "report = { pdf = 'x' }\n",
            "mcspec.toml:1:10: `report`: invalid value 'pdf=x'",
        ),
        ("require = []\n", "mcspec.toml:1:11: `require`: the list is empty"),
        (
            "server = 'a:1'\nspawn = 'x {port}'\n",
            "mcspec.toml:2:1: `server` and `spawn` both name the server",
        ),
        (
            "target = 'yrmcds'\nexpect = 'x.toml'\n",
            "mcspec.toml:2:1: `target` says what is expected",
        ),
        ("timeout = 1\ntimeout = 2\n", "mcspec.toml:2:1: duplicate key"),
        ("timeout = \n", "mcspec.toml:1:"),
    ] {
        let repository = Repository::new(file);
        let output = repository.mcspec(".", &["run"]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{file}: {said}");
        assert!(said.starts_with(&format!("mcspec: {words}")), "{file}: {said}");
        assert_eq!(said.lines().count(), 1, "{file}: {said}");
    }
}
