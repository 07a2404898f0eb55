//! `mcspec explore` and `mcspec diff`: silent about a server that is in order, loud about one that is not, and what they
//! write down can be replayed.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::mpsc;

use mcspec_mutants::judge::ANY_PORT;
use mcspec_mutants::{faults, server};

fn mcspec(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mcspec"))
        .args(arguments)
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Refcached with the fault of this name, or without one; it serves until the test's process ends.
fn mutant(fault: Option<&str>) -> String {
    let fault = fault.map(|name| faults::named(name).unwrap());
    let (sender, address) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let running = server::start(fault, ANY_PORT).await.unwrap();
            sender.send(running.address.to_string()).unwrap();
            std::future::pending::<()>().await;
        });
    });
    address.recv().unwrap()
}

/// The case files that were written into `out`.
fn found(out: &Path) -> Vec<String> {
    let files = std::fs::read_dir(out.join("found")).unwrap();
    let mut texts: Vec<String> = files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    texts.sort();
    texts
}

/// The seed that the last lines of a run name.
fn seed(output: &str) -> Option<u64> {
    let (_, after) = output.rsplit_once("seed ")?;
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[test]
fn a_finding_is_shrunk_written_and_replayed() {
    let server = mutant(Some("append_prepends"));
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().to_str().unwrap();
    let bounds = ["--commands", "10000", "--seed", "7", "--findings", "1", "--out", out];
    let output = mcspec(&[&["explore", "--server", &server], &bounds[..]].concat());
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}{}", stderr(&output));
    assert!(text.contains("1 differences, 0 seen once"), "{text}");
    assert_eq!(seed(&text), Some(7), "{text}");

    let cases = found(directory.path());
    assert_eq!(cases.len(), 1, "{text}");
    assert!(
        cases[0].contains("  > append ") && cases[0].contains("found by seed 7"),
        "{}",
        cases[0]
    );
    assert!(cases[0].matches("\n  > ").count() <= 3, "not shrunk:\n{}", cases[0]);

    let again = mcspec(&["run", "--cases", out, "--server", &server]);
    assert_eq!(again.status.code(), Some(1), "{}", stdout(&again));
    let sound = mcspec(&["run", "--cases", out]);
    assert_eq!(sound.status.code(), Some(0), "{}", stdout(&sound));

    let replay = text
        .lines()
        .find_map(|line| line.strip_prefix("replay: mcspec "))
        .unwrap();
    let replayed = mcspec(&replay.split(' ').collect::<Vec<_>>());
    assert_eq!(replayed.status.code(), Some(1), "{replay}\n{}", stdout(&replayed));
}

#[test]
fn nothing_is_found_in_the_embedded_server_and_the_seed_is_told() {
    let output = mcspec(&["explore", "--commands", "3000"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(text.contains("no difference") && seed(&text).is_some(), "{text}");
}

#[test]
fn clients_at_once_are_linearizable_or_not() {
    let bounds = ["--concurrent", "--commands", "2000", "--seed", "3"];
    let output = mcspec(&[&["explore"], &bounds[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(
        stdout(&output).trim_end().ends_with("seed 3: linearizable"),
        "{}",
        stdout(&output)
    );

    let server = mutant(Some("a_lost_cas_is_told_as_won"));
    let output = mcspec(&[&["explore", "--server", &server], &bounds[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(
        stdout(&output).contains("seed 3: not linearizable"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn two_servers_that_differ_are_shown_with_the_shortest_transcript() {
    let (left, right) = (mutant(None), mutant(Some("touch_of_nothing_is_touched")));
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().to_str().unwrap();
    let bounds = ["--commands", "4000", "--seed", "5", "--findings", "1", "--out", out];
    let output = mcspec(&[&["diff", "--server", &left, "--server", &right], &bounds[..]].concat());
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}{}", stderr(&output));
    assert!(text.contains("touch: `NOT_FOUND` expected, `TOUCHED` came"), "{text}");
    let cases = found(directory.path());
    assert_eq!(cases.len(), 1, "{text}");
    assert_eq!(cases[0].matches("\n  > ").count(), 1, "not shrunk:\n{}", cases[0]);
    for (server, code) in [(&left, 0), (&right, 1)] {
        let replayed = mcspec(&["run", "--cases", out, "--server", server]);
        assert_eq!(
            replayed.status.code(),
            Some(code),
            "{}\n{}",
            stdout(&replayed),
            cases[0]
        );
    }
}

#[test]
fn two_servers_that_do_not_differ_conform() {
    let (left, right) = (mutant(None), mutant(None));
    let bounds = ["--commands", "2000", "--seed", "5"];
    let output = mcspec(&[&["diff", "--server", &left, "--server", &right], &bounds[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("no difference"), "{}", stdout(&output));
}

#[test]
fn bad_input_is_told_in_one_line() {
    for (code, arguments) in [
        (2, &["explore", "--only", "slow:1"][..]),
        (2, &["explore", "--commands", "many"]),
        (2, &["explore", "--lanes", "0"]),
        (2, &["explore", "--release", "new"]),
        (2, &["explore", "--concurrent", "--only", "quick:1"]),
        (2, &["diff", "--only", "quick"]),
        (3, &["explore", "--server", "127.0.0.1:1"]),
        (3, &["diff", "--server", "127.0.0.1:1", "--server", "127.0.0.1:1"]),
    ] {
        let output = mcspec(arguments);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{text}");
        assert!(
            !text.trim().is_empty() && !text.contains("panicked"),
            "{arguments:?}\n{text}"
        );
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("error") || first.starts_with("mcspec"),
            "{arguments:?}\n{text}"
        );
    }
}
