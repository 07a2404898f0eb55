//! What a new user does with the guide: gates a server in a fresh repository, and sees it get better and worse.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::process::{Command, Output};

use support::{example, text};

/// A fresh repository of somebody who writes a server.
struct Repository {
    directory: tempfile::TempDir,
}

impl Repository {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let made = Command::new("git")
            .args(["init", "--quiet"])
            .current_dir(&directory)
            .status();
        assert!(made.unwrap().success());
        Self { directory }
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.directory.path().join(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).unwrap();
    }

    fn mcspec(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_mcspec"))
            .args(arguments)
            .current_dir(self.directory.path())
            .output()
            .unwrap()
    }

    /// Exit code and report of the gate, for one section of the suite.
    fn gate(&self) -> (i32, String) {
        let output = self.mcspec(&["run", "storage"]);
        let report = text(&output.stdout) + &text(&output.stderr);
        (output.status.code().unwrap(), report)
    }
}

#[test]
fn a_server_is_gated_gets_better_and_gets_worse() {
    let repository = Repository::new();
    let command = format!("{} {{port}} append_prepends", example("faulty_server").display());
    let output = repository.mcspec(&["init", "--spawn", &command, "--output", "mycache.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    repository.write(
        "mcspec.toml",
        "target = 'mycache.toml'\nreport = { junit = 'out/junit.xml' }\n",
    );
    let (code, report) = repository.gate();
    assert_eq!(code, 1, "no reason is written yet: {report}");
    assert!(report.contains("no reason is given"), "{report}");

    let known = repository
        .read("mycache.toml")
        .replace("\"?\"", "\"append puts its data first\"");
    repository.write("mycache.toml", &known);
    let (code, report) = repository.gate();
    assert_eq!(code, 0, "{report}");
    assert!(report.contains("conforms but for"), "{report}");
    assert!(
        report.contains("known deviation: append puts its data first\n  seen in storage/append/"),
        "{report}"
    );

    // The deviation is mended, and the file still declares it.
    let mended = known.replace(" append_prepends", "");
    repository.write("mycache.toml", &mended);
    let (code, report) = repository.gate();
    assert_eq!(code, 1, "{report}");
    assert!(report.contains("UNEXPECTED-PASS storage/append/"), "{report}");
    assert!(report.contains("declares that it fails; take it out there"), "{report}");
    assert!(
        repository.read("out/junit.xml").contains("<failure"),
        "the report for the CI system says so, too"
    );
    let edit = repository.mcspec(&["run", "--bless"]);
    repository.write("edit.diff", &text(&edit.stdout));
    let applied = Command::new("git")
        .args(["apply", "edit.diff"])
        .current_dir(&repository.directory)
        .status();
    assert!(applied.unwrap().success(), "{}", text(&edit.stdout));
    let (code, report) = repository.gate();
    assert_eq!(code, 0, "{report}");

    // A regression: `add` stores over what is there.
    let mended = repository.read("mycache.toml");
    repository.write("mycache.toml", &mended.replace("{port}", "{port} add_overwrites"));
    let (code, report) = repository.gate();
    assert_eq!(code, 1, "{report}");
    let failure = report
        .split("\n\n")
        .find(|part| part.contains("FAIL storage/add/keeps_the_existing_value"));
    let failure = failure.unwrap_or_else(|| panic!("{report}"));
    for words in [
        "only if the server *doesn't* already hold data for this key",
        "NOT_STORED\\r\\n",
        "replay    mcspec run storage/add/keeps_the_existing_value --delivery whole",
    ] {
        assert!(report.contains(words), "{words}: {failure}");
    }
}
