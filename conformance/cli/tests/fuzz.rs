//! `mcspec fuzz`: silent about a server that is in order, loud about one that is not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output};

fn mcspec(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mcspec"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Knows no command but the fence, so that data blocks are taken for commands.
fn deaf_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut writer = client.try_clone().unwrap();
                let lines = BufReader::new(client).split(b'\n').map_while(Result::ok);
                for line in lines {
                    let answer: &[u8] = if line == b"mn\r" { b"MN\r\n" } else { b"ERROR\r\n" };
                    if writer.write_all(answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

#[test]
fn nothing_is_found_in_the_embedded_server() {
    let output = mcspec(&["fuzz", "--seed", "1", "--for", "3"]);
    let text = text(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("nothing found"), "{text}");
}

#[test]
fn a_finding_is_shrunk_to_a_case_that_fails() {
    let server = deaf_server();
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().to_str().unwrap();
    let output = mcspec(&["fuzz", "--server", &server, "--seed", "7", "--for", "30", "--out", out]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("FOUND in trial"), "{}", text(&output));

    let case = std::fs::read_to_string(directory.path().join("fuzz/found.case")).unwrap();
    assert_eq!(case.matches("\n  > ").count(), 1, "not shrunk:\n{case}");
    let replayed = mcspec(&["run", "--cases", out, "--server", &server]);
    assert_eq!(replayed.status.code(), Some(1), "{}\n{case}", text(&replayed));
    let other = mcspec(&["run", "--cases", out]);
    assert_eq!(other.status.code(), Some(0), "{}\n{case}", text(&other));
}

#[test]
fn a_server_that_is_not_there_is_code_3_and_a_process_that_is_not_there_code_2() {
    let output = mcspec(&["fuzz", "--server", "127.0.0.1:1", "--for", "1"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    let output = mcspec(&["fuzz", "--pid", "4294967295", "--for", "1"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
}
