//! The exit codes: every command reaches each that its help, its manual page and the guide promise, and no other.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use support::{CASES, example, text};

/// Each command with arguments that lead to a code; `ODD` is the odd server that starts, `CACHE` a sound one.
const WAYS: &[(&str, i32, &[&str])] = &[
    ("", 0, &["s/t/miss", "--cases", "cases", "--spawn", "ODD empty"]),
    ("", 1, &["--cases", "cases", "--spawn", "ODD empty"]),
    ("", 2, &["--no-such-option"]),
    ("", 3, &["--server", "127.0.0.1:1"]),
    ("", 4, &["--cases", "cases", "--exclude", "*"]),
    ("run", 0, &["s/t/miss", "--cases", "cases", "--spawn", "ODD empty"]),
    ("run", 1, &["--cases", "cases", "--spawn", "ODD empty"]),
    ("run", 2, &["--cases", "nowhere"]),
    ("run", 3, &["--cases", "cases", "--spawn", "ODD garbage"]),
    ("run", 4, &["nothing/like/this"]),
    ("list", 0, &["--cases", "cases"]),
    ("list", 2, &["--cases", "nowhere"]),
    ("list", 4, &["nothing/like/this"]),
    ("explain", 0, &["s/t/miss", "--cases", "cases"]),
    ("explain", 2, &[]),
    ("explain", 4, &["s/t/none", "--cases", "cases"]),
    ("explore", 0, &["--spawn", "CACHE", "--commands", "50", "--seed", "1"]),
    (
        "explore",
        1,
        &[
            "--spawn",
            "ODD empty",
            "--commands",
            "50",
            "--seed",
            "1",
            "--findings",
            "1",
        ],
    ),
    ("explore", 2, &["--release", "newest"]),
    ("explore", 3, &["--server", "127.0.0.1:1"]),
    (
        "diff",
        0,
        &[
            "--spawn",
            "CACHE",
            "--spawn",
            "CACHE",
            "--commands",
            "50",
            "--seed",
            "1",
        ],
    ),
    (
        "diff",
        1,
        &[
            "--spawn",
            "CACHE",
            "--spawn",
            "ODD empty",
            "--commands",
            "50",
            "--seed",
            "1",
            "--findings",
            "1",
        ],
    ),
    ("diff", 2, &[]),
    ("diff", 3, &["--server", "127.0.0.1:1", "--spawn", "CACHE"]),
    // That the built-in cases cite every paragraph takes memcached's text: `ci/tidy-check` shows it.
    ("coverage", 1, &["--text", "text", "--cases", "cases"]),
    ("coverage", 2, &["--text", "nowhere"]),
    ("fuzz", 0, &["--spawn", "CACHE", "--for", "1", "--seed", "1"]),
    ("fuzz", 1, &["--spawn", "ODD empty", "--for", "30", "--seed", "1"]),
    ("fuzz", 2, &["--for", "never"]),
    ("fuzz", 3, &["--server", "127.0.0.1:1"]),
    ("init", 0, &["--spawn", "ODD empty", "--cases", "cases"]),
    ("init", 2, &[]),
    ("init", 3, &["--server", "127.0.0.1:1"]),
    ("matrix", 0, &["report.json"]),
    ("matrix", 1, &["report.json", "--into", "page.md", "--check"]),
    ("matrix", 2, &["no-such-report.json"]),
    ("export", 0, &["--cases", "cases"]),
    ("export", 2, &["--cases", "nowhere"]),
    ("export", 4, &["--cases", "cases", "no/such/case"]),
    ("schema", 0, &["report"]),
    ("schema", 2, &["nothing"]),
    ("completions", 0, &["bash"]),
    ("completions", 2, &["cmd.exe"]),
    ("man", 0, &[]),
    ("man", 2, &["no-such-command"]),
];

/// A report on one case.
const REPORT: &str = r#"{ "schema": 1, "deliveries": ["whole"], "dialect": null, "passes": true, "conforms": true, "faults": [],
    "target": { "name": "x", "version": null },
    "cases": [{ "id": "s/t/c", "level": "MUST", "delivery": "whole", "verdict": "pass" }] }"#;

fn mcspec(arguments: &[&str], directory: &Path) -> Output {
    let spawned = |word: &str| {
        word.replace("ODD", &format!("{} {{port}}", example("odd_server").display()))
            .replace("CACHE", &format!("{} {{port}}", example("faulty_server").display()))
    };
    Command::new(env!("CARGO_BIN_EXE_mcspec"))
        .args(arguments.iter().map(|word| spawned(word)))
        .current_dir(directory)
        .output()
        .unwrap()
}

/// The codes under `Exit codes:` in the help of a command.
fn promised(command: &str) -> BTreeSet<i32> {
    let words: Vec<&str> = [command, "--help"]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect();
    let help = text(&mcspec(&words, Path::new(".")).stdout);
    let (_, codes) = help
        .split_once("Exit codes:\n")
        .unwrap_or_else(|| panic!("{command}: {help}"));
    let codes = codes.lines().map_while(|line| line.strip_prefix("  "));
    codes
        .map(|line| line.split_whitespace().next().unwrap().parse().unwrap())
        .collect()
}

#[test]
fn every_command_ends_as_its_help_says() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("cases/s")).unwrap();
    std::fs::write(directory.path().join("cases/s/t.case"), CASES).unwrap();
    std::fs::write(
        directory.path().join("text"),
        "Commands\n--------\n\nA sentence that no case cites.\n",
    )
    .unwrap();
    std::fs::write(directory.path().join("report.json"), REPORT).unwrap();
    std::fs::write(
        directory.path().join("page.md"),
        "<!-- mcspec matrix -->\n<!-- end of mcspec matrix -->\n",
    )
    .unwrap();
    // Side by side: one of them waits for servers that say nothing.
    std::thread::scope(|scope| {
        for (command, code, arguments) in WAYS {
            let directory = directory.path();
            scope.spawn(move || {
                let words: Vec<&str> = [*command]
                    .iter()
                    .filter(|word| !word.is_empty())
                    .chain(*arguments)
                    .copied()
                    .collect();
                let output = mcspec(&words, directory);
                let said = format!("{words:?}: {}\n{}", text(&output.stderr), text(&output.stdout));
                assert_eq!(output.status.code(), Some(*code), "{said}");
                // What goes wrong is said, and where an error belongs.
                assert!(*code <= 1 || !output.stderr.is_empty(), "{said}");
                assert!(*code <= 1 || output.stdout.is_empty(), "{said}");
            });
        }
    });
    let commands: BTreeSet<&str> = WAYS.iter().map(|(command, ..)| *command).collect();
    for command in commands {
        let reached = WAYS.iter().filter(|way| way.0 == command).map(|way| way.1);
        let elsewhere = (command == "coverage").then_some(0);
        assert_eq!(promised(command), reached.chain(elsewhere).collect(), "{command}");
    }
}

#[test]
fn help_names_every_command_that_is_tried_here() {
    let help = text(&mcspec(&["--help"], Path::new(".")).stdout);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    for command in commands.filter_map(|line| line.strip_prefix("  ")) {
        // A line that begins further in goes on with what the one before says.
        let Some(command) = command.split(' ').next().filter(|name| !name.is_empty()) else {
            continue;
        };
        let is_tried = WAYS.iter().any(|(tried, ..)| *tried == command);
        assert!(is_tried || command == "help", "{command}: which exit codes has it?");
    }
}

#[test]
fn the_guide_and_the_manual_have_the_codes_of_a_run() {
    let read = |page: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let (guide, readme) = (read("../JUDGING.md"), read("../../README.md"));
    let manual = text(&mcspec(&["man", "run"], Path::new(".")).stdout);
    let (_, manual) = manual.split_once(".SH \"EXIT STATUS\"\n").unwrap();
    for code in promised("run") {
        assert!(
            guide.contains(&format!("\n| {code} | ")),
            "the guide lacks exit code {code}"
        );
        assert!(
            readme.contains(&format!("\n| {code} | ")),
            "the README lacks exit code {code}"
        );
        assert!(
            manual.contains(&format!(".TP\n{code}\n")),
            "the manual lacks exit code {code}"
        );
    }
}

#[test]
fn manual_pages_and_completions_are_made_from_the_command_line() {
    let directory = tempfile::tempdir().unwrap();
    let output = mcspec(&["man", "--output", "pages"], directory.path());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for (page, words) in [
        ("mcspec.1", ["mcspec\\-run(1)", ".SH SYNOPSIS"]),
        ("mcspec-run.1", [".TH mcspec-run 1", "\\-\\-baseline"]),
        ("mcspec-init.1", ["\\-\\-force", ".SH \"EXIT STATUS\""]),
    ] {
        let page = std::fs::read_to_string(directory.path().join("pages").join(page)).unwrap();
        for words in words {
            assert!(page.contains(words), "{words}: {page}");
        }
    }
    let one = text(&mcspec(&["man", "init"], directory.path()).stdout);
    let written = std::fs::read_to_string(directory.path().join("pages/mcspec-init.1")).unwrap();
    assert_eq!(one, written);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = text(&mcspec(&["completions", shell], directory.path()).stdout);
        assert!(
            script.contains("mcspec") && script.contains("baseline"),
            "{shell}: {script}"
        );
    }
    // What bash makes of it, where a user presses the key.
    let script = directory.path().join("mcspec.bash");
    std::fs::write(&script, mcspec(&["completions", "bash"], directory.path()).stdout).unwrap();
    let typed = "source ./mcspec.bash; COMP_WORDS=(mcspec run --base); COMP_CWORD=2; _mcspec mcspec --base run; echo ${COMPREPLY[@]}";
    let output = Command::new("bash")
        .args(["-c", typed])
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "--baseline\n", "{}", text(&output.stderr));
}
