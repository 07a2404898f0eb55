//! The program's flags: where the API is, who may ask, and what keeps it from starting.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::channel;
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::process::{PATIENCE, Process, command};

/// The status line of an answer.
fn status(address: SocketAddr, path: &str, token: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

/// The one line on stderr of a start that must fail.
#[track_caller]
fn fault(mut command: Command) -> String {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    let (ended, end) = channel();
    thread::spawn(move || ended.send(child.wait_with_output().unwrap()));
    let Output { status, stderr, .. } = end.recv_timeout(PATIENCE).unwrap_or_else(|error| {
        kill(pid, Signal::SIGKILL).unwrap();
        panic!("{command:?} has not ended: {error}");
    });
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}

fn start_with(control: &str, token_file: &Path) -> Command {
    let mut command = command();
    command.args(["-l", "127.0.0.1:0", "--control", control, "--control-token-file"]);
    command.arg(token_file);
    command
}

#[test]
fn a_port_in_use_is_one_line_and_exit_2() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    let mut command = command();
    command.args(["-l", "127.0.0.1:0", "--control", &address]);
    let fault = fault(command);
    for words in [&address, "in use", "--control off"] {
        assert!(fault.contains(words), "{fault}");
    }
}

#[test]
fn a_token_that_is_none_is_one_line_and_exit_2() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    assert!(fault(start_with(":0", &file)).contains("cannot read the control token"));
    fs::write(&file, "\n").unwrap();
    assert!(fault(start_with(":0", &file)).contains("is empty"));
    let mut empty = command();
    empty
        .args(["-l", "127.0.0.1:0", "--control", ":0"])
        .env("REFCACHED_CONTROL_TOKEN", "");
    assert!(fault(empty).contains("REFCACHED_CONTROL_TOKEN is empty"));
}

#[test]
fn the_token_comes_from_a_file_or_the_environment_and_is_never_logged() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    fs::write(&file, "of-the-file\n").unwrap();
    let with_file = ["--control-token-file", file.to_str().unwrap()];
    for (arguments, right, wrong) in [
        (&with_file[..], "of-the-file", "of-the-environment"),
        (&[], "of-the-environment", "of-the-file"),
    ] {
        let mut command = command();
        command.args(["--control", ":0"]).args(arguments);
        command
            .env("RUST_LOG", "trace")
            .env("REFCACHED_CONTROL_TOKEN", "of-the-environment");
        let process = Process::spawn(command);
        let control = process.control.unwrap();
        assert_eq!(status(control, "/api/v1/status", right), "HTTP/1.1 200 OK");
        assert_eq!(status(control, "/healthz", ""), "HTTP/1.1 200 OK");
        assert_eq!(status(control, "/metrics", wrong), "HTTP/1.1 401 Unauthorized");
        // The last of the requests has its line: those of the others are there.
        let log = process.log_with("unauthenticated");
        assert!(!log.contains(right) && !log.contains(wrong), "{log}");
    }
}

/// The program with these flags, once it serves.
fn started(arguments: &[&str]) -> Process {
    let mut command = command();
    command.args(arguments);
    Process::spawn(command)
}

#[test]
fn there_is_no_api_without_a_data_directory_unless_it_is_asked_for() {
    assert_eq!(started(&[]).control, None);
    assert!(started(&["--control", "127.0.0.1:0"]).control.is_some());
    let directory = tempfile::tempdir().unwrap();
    let with_data = ["--data-dir", directory.path().to_str().unwrap(), "--control"];
    assert_eq!(started(&[&with_data[..], &["off"]].concat()).control, None);
    // The default port may be another program's on this machine; that there is a default is told by the flags' own tests.
    assert!(started(&[&with_data[..], &[":0"]].concat()).control.is_some());
}

#[test]
fn the_api_ends_with_the_server() {
    let mut process = started(&["--control", ":0"]);
    let control = process.control.unwrap();
    let mut idle = TcpStream::connect(control).unwrap();
    idle.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(status(control, "/healthz", ""), "HTTP/1.1 200 OK");
    process.ask_to_stop();
    assert_eq!(process.wait().code(), Some(0));
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
    TcpStream::connect(control).expect_err("the port is closed");
}

#[test]
fn a_server_that_stops_switches_no_more_and_says_so_until_it_has_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let mut process = Process::start(directory.path(), &["--stop-grace", "100"]);
    let control = process.control.unwrap();
    let mut client = TcpStream::connect(process.address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    // The answer shows that the server has the beginning of the next command, too: they came in one segment.
    client.write_all(b"mn\r\nset a 0 0 2\r\nx").unwrap();
    client.read_exact(&mut [0; 4]).unwrap();
    process.ask_to_stop();
    while status(control, "/healthz", "") != "HTTP/1.1 503 Service Unavailable" {}
    let (code, answer) = process.switch("any.redb");
    assert_eq!((code, &answer["type"]), (503, &"/problems/stopping".into()), "{answer}");
    assert_eq!(process.status()["stopping"], true);
    client.write_all(b"y\r\n").unwrap();
    let mut rest = String::new();
    client.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "STORED\r\n");
    assert_eq!(process.wait().code(), Some(0));
}
