//! mcspec as a command: exit codes, what stands on which stream, and that nothing hangs.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use support::{example, text};

fn mcspec(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mcspec"))
        .args(arguments)
        .env_remove("NO_COLOR")
        .output()
        .unwrap()
}

/// Exit code and standard error.
fn fails(arguments: &[&str]) -> (i32, String) {
    let output = mcspec(arguments);
    assert_eq!(text(&output.stdout), "", "{arguments:?}");
    (output.status.code().unwrap(), text(&output.stderr))
}

/// An odd server on a port of its own, ended with the test.
struct Odd {
    child: Child,
    address: String,
}

impl Odd {
    fn start(mode: &str) -> Self {
        let mut child = Command::new(example("odd_server"))
            .args(["0", mode])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.as_mut().unwrap())
            .read_line(&mut port)
            .unwrap();
        Self {
            child,
            address: format!("127.0.0.1:{}", port.trim()),
        }
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A directory with one file of cases.
fn cases(text: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("s")).unwrap();
    std::fs::write(directory.path().join("s/t.case"), text).unwrap();
    directory
}

const ONE_CASE: &str =
    "section s/t\nsource protocol.txt:1\n\ncase miss MUST\n  quote \"a miss\"\n  > get {k}\n  < END\n";

#[test]
fn without_arguments_the_whole_suite_runs_against_the_built_in_server() {
    let output = mcspec(&[]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert!(report.contains("\nok: the built-in refcached"), "{report}");
    assert!(report.lines().any(|line| line.starts_with("storage")), "{report}");
    assert!(!report.contains('\x1b'), "no colour where there is no terminal");
}

#[test]
fn a_target_that_is_no_memcached_ends_with_3_and_one_line() {
    for (mode, words) in [
        ("hangs", "no answer to `version` within"),
        ("closes", "closed the connection"),
        ("http", "answered `HTTP/1.1 400 Bad Request` to `version`"),
        ("garbage", "answered `\\0\\x01\\xff\\xfe` to `version`"),
    ] {
        let server = Odd::start(mode);
        let start = Instant::now();
        let (code, message) = fails(&["run", "--server", &server.address, "--timeout", "0.5"]);
        assert_eq!(code, 3, "{message}");
        assert!(
            message.contains(words) && message.contains(&server.address),
            "{message}"
        );
        assert_eq!(message.lines().count(), 1, "{message}");
        assert!(start.elapsed() < Duration::from_secs(15), "{mode}");
    }
    let (code, message) = fails(&["run", "--server", "127.0.0.1:1"]);
    assert!(code == 3 && message.contains("127.0.0.1:1: no connection"), "{message}");
    let (code, message) = fails(&["run", "--unix", "/nowhere/at/all.sock"]);
    assert!(
        code == 3 && message.contains("/nowhere/at/all.sock: no connection"),
        "{message}"
    );
}

#[test]
fn wrong_usage_ends_with_2() {
    for arguments in [
        &["run", "--bogus"][..],
        &["run", "--server", "nonsense"],
        &["run", "--server", "127.0.0.1:1", "--unix", "x"],
        &["run", "--delivery", "slowly"],
        &["run", "--dialect", "newest"],
        &["run", "--timeout", "0"],
        &["run", "--require", "teleport"],
        &["run", "--spawn", "memcached"],
        &["run", "--spawn", "memcached '-p {port}"],
        &["run", "a["],
        &["list", "--cases", "/nowhere/at/all"],
    ] {
        assert_eq!(fails(arguments).0, 2, "{arguments:?}");
    }
}

#[test]
fn an_error_in_a_case_file_names_file_line_and_column() {
    let directory = cases("section s/t\n\ncase c MUST\n  > get\n");
    let (code, message) = fails(&["run", "--cases", directory.path().to_str().unwrap()]);
    assert_eq!(code, 2);
    assert!(
        message.starts_with("mcspec: s/t.case:3:6: expected a `quote`"),
        "{message}"
    );
}

#[test]
fn a_selection_without_cases_ends_with_4() {
    for arguments in [
        &["run", "nothing/like/this"][..],
        &["list", "--level", "must", "--exclude", "*"],
        &["explain", "storage/none"],
    ] {
        assert_eq!(fails(arguments).0, 4, "{arguments:?}");
    }
}

#[test]
fn a_failure_shows_quote_bytes_and_replay() {
    let directory = cases(&ONE_CASE.replace("< END", "< ENDE"));
    let path = directory.path().to_str().unwrap();
    let server = Odd::start("empty");
    let output = mcspec(&["run", "--cases", path, "--server", &server.address, "--seed", "5"]);
    assert_eq!(output.status.code(), Some(1));
    let report = text(&output.stdout)
        .replace(&server.address, "ADDRESS")
        .replace(path, "DIR");
    insta::assert_snapshot!(report);
}

#[test]
fn a_server_that_hangs_in_the_middle_fails_within_the_time() {
    let directory = cases(ONE_CASE);
    let server = Odd::start("hangs-later");
    let start = Instant::now();
    let arguments = [
        "run",
        "--cases",
        directory.path().to_str().unwrap(),
        "--server",
        &server.address,
        "--timeout",
        "0.3",
    ];
    let output = mcspec(&arguments);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("the answer was not complete after 300ms"));
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_spawned_server_is_judged_and_ended() {
    let directory = cases(ONE_CASE);
    let path = directory.path().to_str().unwrap();
    let command = |mode: &str| format!("{} {{port}} {mode}", example("odd_server").display());
    let output = mcspec(&["run", "--cases", path, "--spawn", &command("empty"), "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let port = report["target"]["address"].as_str().unwrap().to_owned();
    assert!(std::net::TcpStream::connect(port).is_err(), "the server is still there");
    let (code, message) = fails(&["run", "--cases", path, "--spawn", &command("dies")]);
    assert!(
        code == 3 && message.contains("it ended; its last words: no room for a cache today"),
        "{message}"
    );
    let (code, message) = fails(&["run", "--cases", path, "--spawn", "/nowhere/at/all {port}"]);
    assert!(code == 3 && message.contains("cannot be started"), "{message}");
}

#[test]
fn an_image_that_is_nowhere_ends_with_3() {
    let (code, message) = fails(&["run", "--image", "mcspec.invalid/none:0"]);
    assert_eq!(code, 3, "{message}");
    assert!(
        message.starts_with("mcspec: --image mcspec.invalid/none:0: "),
        "{message}"
    );
    assert_eq!(message.lines().count(), 1, "{message}");
}

#[test]
fn the_json_report_has_an_entry_for_each_case_and_delivery() {
    let directory = cases(ONE_CASE);
    let path = directory.path().to_str().unwrap();
    let server = Odd::start("empty");
    let output = mcspec(&[
        "run",
        "--cases",
        path,
        "--server",
        &server.address,
        "--delivery",
        "all",
        "--format",
        "json",
    ]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let cases = report["cases"].as_array().unwrap();
    let deliveries: Vec<&str> = cases.iter().map(|case| case["delivery"].as_str().unwrap()).collect();
    assert_eq!(deliveries, ["whole", "bytes", "cuts", "pipelined"]);
    assert!(
        cases
            .iter()
            .all(|case| case["id"] == "s/t/miss" && case["verdict"] == "pass" && case["level"] == "MUST")
    );
    assert_eq!((&report["schema"], &report["conforms"]), (&1.into(), &true.into()));
}

#[test]
fn list_and_explain_show_what_a_case_is() {
    let directory = cases(ONE_CASE);
    let path = directory.path().to_str().unwrap();
    assert_eq!(text(&mcspec(&["list", "--cases", path]).stdout), "s/t/miss\n");
    let list: serde_json::Value =
        serde_json::from_slice(&mcspec(&["list", "--cases", path, "--format", "json"]).stdout).unwrap();
    assert_eq!(list[0]["quotes"][0]["source"], "protocol.txt:1");
    insta::assert_snapshot!(text(&mcspec(&["explain", "s/t/miss", "--cases", path]).stdout));
}
