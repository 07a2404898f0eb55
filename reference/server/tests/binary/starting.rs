//! What keeps the program from starting, and what it says when it starts.

use std::fs;
use std::net::TcpListener;
use std::process::Output;

use crate::program::{self, Program, command, exchange, output, run};

/// The one line on stderr of a start that must fail.
#[track_caller]
fn fault(output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with("refcached: "), "{stderr}");
    assert_eq!(output.stdout, b"", "stdout is for answers");
    stderr
}

#[test]
fn an_unknown_flag_is_one_line_and_exit_2() {
    let fault = fault(&run(&["--no-such-flag"]));
    assert!(fault.contains("'--no-such-flag'"), "{fault}");
    assert!(fault.contains("--help"), "{fault}");
}

#[test]
fn a_port_in_use_is_one_line_and_exit_2() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    let fault = fault(&run(&["-l", &address.to_string()]));
    assert!(fault.contains(&address.to_string()), "{fault}");
    assert!(fault.contains("in use"), "{fault}");
    assert!(fault.contains("-p"), "{fault}");
}

#[test]
fn an_address_of_another_machine_is_one_line_and_exit_2() {
    // An address set aside for documentation: no machine has it.
    let fault = fault(&run(&["-l", "192.0.2.1", "-p", "0"]));
    assert!(fault.contains("192.0.2.1:0"), "{fault}");
    assert!(fault.contains("no such address"), "{fault}");
}

#[test]
fn a_host_that_does_not_resolve_is_one_line_and_exit_2() {
    // A top-level domain set aside for names that never resolve.
    let fault = fault(&run(&["-l", "cache.invalid", "-p", "0"]));
    assert!(fault.contains("cache.invalid:0"), "{fault}");
    assert!(fault.contains("does not resolve"), "{fault}");
}

#[test]
fn a_dataset_that_is_not_there_is_one_line_with_one_cause_and_exit_2() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = ["--data-dir", directory.path().to_str().unwrap()];
    let flags = ["-p", "0", "--control", "off", "--data", "missing.redb"];
    let fault = fault(&run(&[&data_dir[..], &flags].concat()));
    assert_eq!(fault.matches("missing.redb").count(), 1, "{fault}");
}

#[test]
fn a_log_filter_that_cannot_be_read_is_one_line_and_exit_2() {
    let output = output(command(&["-p", "0"]).env("RUST_LOG", "refcached=loud"));
    assert!(fault(&output).contains("RUST_LOG"));
}

#[test]
fn a_user_that_does_not_exist_is_refused_to_root_and_ignored_for_others() {
    let arguments = ["-u", "no-such-user-here"];
    if nix::unistd::Uid::effective().is_root() {
        let fault = fault(&run(&[&arguments[..], &["-p", "0"]].concat()));
        assert!(fault.contains("no-such-user-here"), "{fault}");
    } else {
        let mut client = Program::start_local(&arguments).connect();
        exchange(&mut client, b"mn\r\n", b"MN\r\n");
    }
}

#[test]
fn root_becomes_the_user_it_is_given_and_others_stay_who_they_are() {
    let program = Program::start_local(&["-u", "nobody"]);
    exchange(&mut program.connect(), b"mn\r\n", b"MN\r\n");
    let expected = if nix::unistd::Uid::effective().is_root() {
        let nobody = nix::unistd::User::from_name("nobody").unwrap();
        nobody.expect("every system has the user nobody").uid
    } else {
        nix::unistd::Uid::effective()
    };
    // Threads have users of their own on Linux: each must have changed.
    for thread in fs::read_dir(format!("/proc/{}/task", program.id())).unwrap() {
        let status = fs::read_to_string(thread.unwrap().path().join("status")).unwrap();
        let uids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
        for uid in uids.split_whitespace() {
            assert_eq!(uid, expected.to_string());
        }
    }
}

#[test]
fn help_and_version_go_to_stdout_with_exit_0() {
    for (flag, words) in [("--help", "--unix-socket"), ("-V", "refcached 0.")] {
        let output = run(&[flag]);
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout.contains(words), "{stdout}");
        assert_eq!(output.stderr, b"");
    }
}

#[test]
fn the_version_command_names_the_dialect() {
    let program = Program::start_local(&[]);
    exchange(&mut program.connect(), b"version\r\n", b"VERSION 1.6.45\r\n");
}

#[test]
fn the_port_file_has_memcacheds_format() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ports");
    let mut command = command(&["-l", "127.0.0.1,127.0.0.1", "-p", "0"]);
    let program = Program::start(command.env("MEMCACHED_PORT_FILENAME", &path), 2);
    let lines: String = program
        .endpoints
        .iter()
        .map(|address| format!("TCP INET: {}\n", address.rsplit_once(':').unwrap().1))
        .collect();
    assert_eq!(fs::read_to_string(path).unwrap(), lines);
}

#[test]
fn a_port_file_that_cannot_be_written_is_one_line_and_exit_2() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing/ports");
    let mut command = command(&["-l", "127.0.0.1", "-p", "0"]);
    let output = output(command.env("MEMCACHED_PORT_FILENAME", &path));
    assert!(fault(&output).contains("MEMCACHED_PORT_FILENAME"));
}

#[test]
fn the_log_has_no_colours_on_a_pipe() {
    let mut command = command(&["-l", "127.0.0.1", "-p", "0"]);
    let program = Program::start(&mut command, 1);
    program.signal(nix::sys::signal::Signal::SIGTERM);
    let line = program.wait_for_log("stopped");
    assert!(!line.contains('\x1b'), "{line:?}");
}

#[test]
fn verbosity_raises_the_level_of_the_log() {
    let program = Program::start_local(&[]);
    let mut client = program.connect();
    exchange(&mut client, b"verbosity 1\r\n", b"OK\r\n");
    // The level changes a moment after the answer; from then on every connection is logged.
    while !program_logs_connections(&program) {}
}

/// Whether a connection that is opened and closed now leaves a line in the log.
fn program_logs_connections(program: &Program) -> bool {
    program::expect_end(&mut {
        let mut client = program.connect();
        std::io::Write::write_all(&mut client, b"quit\r\n").unwrap();
        client
    });
    program.has_logged("connection opened")
}
