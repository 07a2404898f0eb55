//! The README's lines, as written: `cargo run` is the program that was built for this test, port 7070 one that is free.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

#[path = "support/program.rs"]
mod program;

use std::process::Command;

use serde_json::{Value, json};

use crate::program::{Program, text};

const README: &str = include_str!("../README.md");

/// What stands for what the reader has: `cargo`, and the port.
const READER: &str = r#"
cargo() {
    [ "$1 $2 $3 $4" = "run --release -p wtfdial" ] || { echo "the README runs another program: $*" >&2; exit 9; }
    shift 4
    [ "$1" = "--" ] && shift
    "$PROGRAM" "$@"
}
curl() { command curl --fail --max-time 3 "${@//:7070/:$PORT}"; }
"#;

/// The lines of the README's blocks of commands.
fn lines() -> Vec<&'static str> {
    let blocks = README
        .split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.strip_prefix("sh\n"));
    blocks.flat_map(str::lines).collect()
}

#[test]
fn the_readmes_lines_work_as_written() {
    let lines = lines();
    assert_eq!(lines[0], "cargo run --release -p wtfdial");
    let program = Program::serve();
    let port = program.url("").rsplit(':').next().unwrap().to_owned();
    // One after the other in one shell; between them a mark, and the exit code.
    let script: String = lines[1..]
        .iter()
        .map(|line| format!("{line}\nprintf '\\n--- %s\\n' $?\n"))
        .collect();
    let output = Command::new("bash")
        .args(["-c", &format!("{READER}{script}")])
        .current_dir(program.path("."))
        .env("PROGRAM", env!("CARGO_BIN_EXE_wtfdial"))
        .env("PORT", port)
        .output()
        .unwrap();
    let said = text(&output.stdout);
    let parts: Vec<&str> = said.split("\n--- ").collect();
    assert_eq!(parts.len(), lines.len(), "{said}\n{}", text(&output.stderr));
    // The answer to a line, the code of the one before it on its first line.
    let answer = |index: usize| parts[index].split_once('\n').map_or("", |(_, answer)| answer).trim();
    let code = |index: usize| parts[index + 1].lines().next().unwrap();
    let json = |index: usize| serde_json::from_str::<Value>(answer(index)).unwrap_or_else(|_| panic!("{said}"));
    let about: Vec<&str> = lines[1..].to_vec();
    for (index, line) in about.iter().enumerate() {
        // The events go on until the reader stops them: here, until curl's time is over.
        let expected = if line.ends_with("/events") { "28" } else { "0" };
        assert_eq!(code(index), expected, "{line}\n{said}\n{}", text(&output.stderr));
    }
    assert_eq!(json(1)["level"], 20.0);
    assert_eq!(json(2)["level"], 65.5);
    assert_eq!(json(3)["name"], "Deploys");
    assert_eq!(json(4)["dials"][0]["level"], 65.5);
    assert_eq!(json(5), json!({ "id": 1, "name": "ada" }));
    assert!(answer(6).starts_with("event: dial\ndata: {\"id\":1,"), "{said}");
    assert!(
        answer(7).ends_with("copy.redb is written and sound; users: 1, dials: 1"),
        "{said}"
    );
    assert_eq!(answer(8), "copy.redb is sound; users: 1, dials: 1");
}

#[test]
fn the_readme_names_files_that_there_are() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let named: Vec<&str> = README
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| {
            ["src/", "tests/", "proto/", "page/"]
                .iter()
                .any(|start| word.starts_with(start))
        })
        .collect();
    assert!(named.len() >= 10, "{named:?}");
    for word in named {
        let (start, rest) = word.split_once('{').unwrap_or((word, ""));
        let (choices, end) = rest.split_once('}').unwrap_or(("", ""));
        for choice in choices.split(',') {
            let path = root.join(format!("{start}{choice}{end}"));
            assert!(path.exists(), "{} is named in the README", path.display());
        }
    }
    assert!(README.lines().count() <= 60);
}
