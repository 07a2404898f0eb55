//! The program: what it prints, how it ends, and what it does beside a serving one.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;

use crate::program::{Program, command, text};

/// Runs a command that fails: nothing on standard output, one line on standard error, exit code 2.
fn refused(directory: &TempDir, arguments: &[&str]) -> String {
    let output = command(directory.path(), arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "");
    let line = text(&output.stderr);
    assert_eq!(line.lines().count(), 1, "{line}");
    line.trim_end().to_owned()
}

#[test]
fn an_empty_directory_is_served_at_once_and_users_are_added_meanwhile() {
    let program = Program::serve();
    assert_eq!(
        program.call("GET", "/dials", None, None).1,
        json!({ "dials": [], "next": null })
    );
    let token = program.add_user("ada");
    let created = program.call("POST", "/dials", Some(&token), Some(&json!({ "name": "mood" })));
    assert_eq!(created.0, 201);
    let set = program.call("PUT", "/dials/1/level", Some(&token), Some(&json!({ "level": 42.5 })));
    assert_eq!((set.0, &set.1["level"]), (200, &json!(42.5)));
    let again = program.run(&["user", "add", "ada"]);
    assert_eq!(again.status.code(), Some(2));
    assert_eq!(
        text(&again.stderr),
        "wtfdial: there is already a user named \"ada\"; choose another name\n"
    );
}

#[test]
fn what_was_acknowledged_is_there_after_a_stop_and_after_a_kill() {
    let mut program = Program::serve();
    let token = program.add_user("ada");
    for (round, (signal, code)) in [("-TERM", Some(0)), ("-KILL", None), ("-INT", Some(0))]
        .into_iter()
        .enumerate()
    {
        let name = json!({ "name": format!("dial {round}") });
        assert_eq!(program.call("POST", "/dials", Some(&token), Some(&name)).0, 201);
        let (ended, directory) = program.end(signal);
        assert_eq!(ended, code, "{signal}");
        program = Program::serve_in(directory);
        let dials = program.call("GET", "/dials", None, None).1["dials"].clone();
        assert_eq!(dials.as_array().unwrap().len(), round + 1);
        assert_eq!(dials[round]["name"], name["name"]);
    }
}

#[test]
fn users_are_added_without_a_serving_process_too() {
    let directory = tempfile::tempdir().unwrap();
    let output = command(directory.path(), &["user", "add", "ada"]).output().unwrap();
    assert!(output.status.success());
    let program = Program::serve_in(directory);
    let me = program.call("GET", "/me", Some(text(&output.stdout).trim_end()), None);
    assert_eq!(me, (200, json!({ "id": 1, "name": "ada" })));
}

#[test]
fn a_backup_is_made_while_it_serves_checked_and_served_in_its_turn() {
    let program = Program::serve();
    let token = program.add_user("ada");
    let body = json!({ "name": "mood", "level": 12 });
    assert_eq!(program.call("POST", "/dials", Some(&token), Some(&body)).0, 201);
    let output = program.run(&["backup", "copy.redb"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let copy = program.path("copy.redb");
    assert_eq!(
        text(&output.stdout),
        "copy.redb is written and sound; users: 1, dials: 1\n"
    );
    assert_eq!(
        text(&program.run(&["check", "copy.redb"]).stdout),
        "copy.redb is sound; users: 1, dials: 1\n"
    );
    // Later changes are not in it.
    assert_eq!(
        program
            .call("PUT", "/dials/1/level", Some(&token), Some(&json!({ "level": 99 })))
            .0,
        200
    );
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(elsewhere.path().join("wtfdial-data")).unwrap();
    fs::copy(copy, elsewhere.path().join("wtfdial-data/dials.redb")).unwrap();
    let restored = Program::serve_in(elsewhere);
    assert_eq!(restored.call("GET", "/dials/1", None, None).1["level"], 12.0);
    assert_eq!(
        restored
            .call("PUT", "/dials/1/level", Some(&token), Some(&json!({ "level": 1 })))
            .0,
        200
    );
}

#[test]
fn a_backup_is_made_of_a_directory_that_nobody_serves() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(
        refused(&directory, &["backup", "copy.redb"]),
        "wtfdial: there is no wtfdial-data/dials.redb; name its directory with --data"
    );
    assert!(
        command(directory.path(), &["user", "add", "ada"])
            .status()
            .unwrap()
            .success()
    );
    assert!(
        command(directory.path(), &["backup", "copy.redb"])
            .status()
            .unwrap()
            .success()
    );
    let checked = command(directory.path(), &["check", "copy.redb"]).output().unwrap();
    assert_eq!(text(&checked.stdout), "copy.redb is sound; users: 1, dials: 0\n");
}

#[test]
fn a_second_process_on_the_same_file_is_refused_and_the_first_goes_on() {
    let program = Program::serve();
    let output = program.run(&["--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "wtfdial: checking wtfdial-data/dials.redb failed: another process has the file open; \
         stop that one, or use it as it runs\n"
    );
    let ada = program.add_user("ada");
    assert_eq!(program.call("GET", "/me", Some(&ada), None).0, 200);
}

#[test]
fn a_damaged_or_foreign_file_is_refused_in_one_line_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    assert!(
        command(directory.path(), &["user", "add", "ada"])
            .status()
            .unwrap()
            .success()
    );
    let path = directory.path().join("wtfdial-data/dials.redb");
    let sound = fs::read(&path).unwrap();
    let mut damaged = sound.clone();
    // All that is behind the header: whatever is there, its checksum is wrong.
    let behind_header = damaged.len().min(4096);
    damaged[behind_header..].iter_mut().for_each(|byte| *byte ^= 0x55);
    for bytes in [&b"Dear diary, today I"[..], &damaged] {
        fs::write(&path, bytes).unwrap();
        for arguments in [
            &["serve"][..],
            &["user", "add", "bob"],
            &["backup", "b"],
            &["check", "wtfdial-data/dials.redb"],
        ] {
            let line = refused(&directory, arguments);
            assert!(
                line.starts_with("wtfdial: checking wtfdial-data/dials.redb failed: the file is damaged"),
                "{line}"
            );
            assert!(line.ends_with("; put it aside and restore a backup"), "{line}");
        }
        assert!(fs::read(&path).unwrap() == bytes, "the file was written to");
    }
    fs::write(&path, sound).unwrap();
    assert!(
        command(directory.path(), &["check", "wtfdial-data/dials.redb"])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn an_address_that_is_taken_and_a_directory_that_cannot_be_are_named() {
    let program = Program::serve();
    let directory = tempfile::tempdir().unwrap();
    let taken = program.url("").replace("http://", "");
    let line = refused(&directory, &["--listen", &taken]);
    assert!(
        line.starts_with(&format!("wtfdial: listening on {taken} failed; choose another address")),
        "{line}"
    );
    fs::write(directory.path().join("file"), "").unwrap();
    let line = refused(&directory, &["--data", "file/data"]);
    assert!(
        line.starts_with("wtfdial: making the directory file/data failed; name another with --data"),
        "{line}"
    );
    let line = refused(&directory, &["check", "nothing.redb"]);
    assert!(
        line.starts_with("wtfdial: checking nothing.redb failed: No such file"),
        "{line}"
    );
}

#[test]
fn a_disk_that_is_full_is_a_503_and_the_service_goes_on() {
    // A limit on the size of files stands for the disk: enough for an empty store, not for many dials.
    let directory = tempfile::tempdir().unwrap();
    let serving = command(directory.path(), &[]);
    let program = std::path::PathBuf::from(serving.get_program());
    let mut limited = std::process::Command::new("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 2100; exec \"$0\" --listen 127.0.0.1:0"])
        .arg(program)
        .current_dir(directory.path());
    let program = Program::start(limited, directory);
    let token = program.add_user("ada");
    let body = json!({ "name": "\u{1F4BE}".repeat(100) });
    let mut created = 0;
    let problem = loop {
        match program.call("POST", "/dials", Some(&token), Some(&body)) {
            (201, _) => created += 1,
            (503, problem) => break problem,
            other => panic!("{other:?}"),
        }
        assert!(created < 50_000, "the limit does not bind");
    };
    assert_eq!(problem["type"], "/problems/storage-unavailable");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("creating a dial failed: there is no more room for the file"),
        "{detail}"
    );
    let last = program.call("GET", &format!("/dials?after={}", created - 1), None, None);
    assert_eq!(last.1["dials"].as_array().unwrap().len(), 1);
    assert_eq!(
        program.call("GET", &format!("/dials/{}", created + 1), None, None).0,
        404
    );
}

/// Whether a connection is closed by the other side before anything comes from it.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    matches!(stream.read(&mut [0; 1]), Ok(0))
}

#[test]
fn stopping_ends_idle_connections_and_event_streams_at_once() {
    let program = Program::serve();
    let token = program.add_user("ada");
    assert_eq!(
        program
            .call("POST", "/dials", Some(&token), Some(&json!({ "name": "mood" })))
            .0,
        201
    );
    let address = program.url("").replace("http://", "");
    let mut idle = TcpStream::connect(&address).unwrap();
    let mut events = TcpStream::connect(&address).unwrap();
    write!(events, "GET /dials/1/events HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
    let mut begun = [0; 12];
    events.read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    assert_eq!(program.end("-TERM").0, Some(0));
    assert!(is_closed(&mut idle));
    let mut rest = String::new();
    events.read_to_string(&mut rest).unwrap();
    // The last chunk: the stream was ended, not cut.
    assert!(rest.ends_with("0\r\n\r\n"), "{rest}");
}
