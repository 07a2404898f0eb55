//! Datasets on a disk: what the program keeps, what it refuses to start with.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::program::{Program, exchange, run};

/// The flags that serve `data` in `directory`, and `more`.
fn flags<'a>(directory: &'a Path, data: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let directory = directory.to_str().unwrap();
    let flags = [
        "--backend",
        "redb",
        "--data-dir",
        directory,
        "--data",
        data,
        "--control",
        "off",
    ];
    [&flags, more].concat()
}

fn start(directory: &Path, data: &str, more: &[&str]) -> Program {
    Program::start_local(&flags(directory, data, more))
}

#[track_caller]
fn fault(arguments: &[&str]) -> String {
    let output = run(&[arguments, &["-l", "127.0.0.1", "-p", "0"]].concat());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}

#[test]
fn what_was_stored_is_there_after_a_stop_and_a_start() {
    for durability in ["immediate", "none"] {
        let directory = tempfile::tempdir().unwrap();
        let more = ["--durability", durability];
        let program = start(directory.path(), "a.redb", &more);
        let mut client = program.connect();
        exchange(&mut client, b"set k 5 0 5\r\nvalue\r\n", b"STORED\r\n");
        exchange(&mut client, b"set brief 0 100 1\r\nx\r\n", b"STORED\r\n");
        program.signal(Signal::SIGTERM);
        assert!(program.wait().success());
        let program = start(directory.path(), "a.redb", &more);
        let mut client = program.connect();
        exchange(&mut client, b"get k\r\n", b"VALUE k 5 5\r\nvalue\r\nEND\r\n");
        exchange(&mut client, b"mg brief v\r\n", b"VA 1\r\nx\r\n");
    }
}

#[test]
fn a_dataset_that_cannot_be_served_is_one_line_and_exit_2() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::write(path.join("text"), "a day's notes\n".repeat(1000)).unwrap();
    fs::create_dir(path.join("sub")).unwrap();
    let holder = start(path, "held.redb", &[]);
    for (data, more, words) in [
        ("text", vec![], "not a dataset"),
        ("sub", vec![], "directory"),
        ("../x.redb", vec![], "outside the data directory"),
        ("/x.redb", vec![], "outside the data directory"),
        ("new.redb", vec!["--readonly"], "no file \"new.redb\""),
        ("missing/new.redb", vec![], "no file"),
        ("held.redb", vec![], "open in another process"),
    ] {
        let fault = fault(&flags(path, data, &more));
        assert!(fault.contains(words), "{data}: {fault}");
    }
    drop(holder);
    let missing = path.join("missing");
    assert!(fault(&flags(&missing, "x.redb", &[])).contains("missing"));
    assert!(fault(&["--backend", "redb"]).contains("--data-dir"));
    assert!(
        fault(&[
            "--backend",
            "redb",
            "--data-dir",
            path.to_str().unwrap(),
            "--control",
            "off"
        ])
        .contains("--data")
    );
    assert!(fault(&["--data", "x"]).contains("--data-dir"));
    assert!(fault(&["--backend", "paper"]).contains("memory"));
}

#[test]
fn clients_switch_read_and_are_refused_as_the_flags_say() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["old.redb", "new.redb"] {
        let program = start(directory.path(), name, &[]);
        let request = format!("set who 0 0 {}\r\n{name}\r\n", name.len());
        exchange(&mut program.connect(), request.as_bytes(), b"STORED\r\n");
        program.signal(Signal::SIGTERM);
        assert!(program.wait().success());
    }
    let program = start(
        directory.path(),
        "old.redb",
        &["--extensions", "--swap-policy", "connection"],
    );
    let mut client = program.connect();
    exchange(&mut client, b"range w\r\n", b"VALUE who 0 8\r\nold.redb\r\nEND\r\n");
    exchange(&mut client, b"switchdb new.redb\r\n", b"OK\r\n");
    exchange(&mut client, b"get who\r\n", b"VALUE who 0 8\r\nnew.redb\r\nEND\r\n");
    drop(program);
    let program = start(directory.path(), "old.redb", &["--readonly"]);
    let mut client = program.connect();
    exchange(
        &mut client,
        b"set who 0 0 1\r\nx\r\nget who\r\nswitchdb new.redb\r\n",
        b"SERVER_ERROR the server is read-only\r\nVALUE who 0 8\r\nold.redb\r\nEND\r\nERROR\r\n",
    );
}

/// A dataset that two servers only read can be served by both.
#[test]
fn a_dataset_can_be_read_by_two_servers_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let program = start(directory.path(), "a.redb", &[]);
    exchange(&mut program.connect(), b"set k 0 0 1\r\nx\r\n", b"STORED\r\n");
    program.signal(Signal::SIGTERM);
    assert!(program.wait().success());
    let servers = [(), ()].map(|()| start(directory.path(), "a.redb", &["--readonly"]));
    for server in &servers {
        exchange(&mut server.connect(), b"get k\r\n", b"VALUE k 0 1\r\nx\r\nEND\r\n");
    }
}

#[test]
fn a_memory_server_loads_what_it_is_told_to() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::write(
        path.join("a.ndjson"),
        "{\"key\":\"k\",\"value\":\"text\",\"flags\":7}\n",
    )
    .unwrap();
    let data_dir = path.to_str().unwrap();
    let program = Program::start_local(&["--data-dir", data_dir, "--data", "a.ndjson", "--control", "off"]);
    let mut client = program.connect();
    exchange(&mut client, b"get k\r\n", b"VALUE k 7 4\r\ntext\r\nEND\r\n");
    exchange(
        &mut client,
        b"set k 0 0 1\r\nx\r\nget k\r\n",
        b"STORED\r\nVALUE k 0 1\r\nx\r\nEND\r\n",
    );
}
