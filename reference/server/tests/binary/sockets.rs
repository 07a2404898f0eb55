//! TCP, IPv6, Unix sockets, the limit on connections.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};

use nix::sys::signal::Signal::SIGTERM;

use crate::program::{Program, command, connect, exchange, expect_end, run};

const SET_AND_GET: &[u8] = b"set a 0 0 1\r\nb\r\nget a\r\n";
const STORED_AND_VALUE: &[u8] = b"STORED\r\nVALUE a 0 1\r\nb\r\nEND\r\n";

#[test]
fn it_serves_on_several_addresses_with_one_store() {
    let program = Program::start(&mut command(&["-l", "127.0.0.1:0,127.0.0.1", "-p", "0"]), 2);
    let mut first = connect(program.endpoints[0].parse().unwrap());
    let mut second = connect(program.endpoints[1].parse().unwrap());
    exchange(&mut first, SET_AND_GET, STORED_AND_VALUE);
    exchange(&mut second, b"get a\r\n", b"VALUE a 0 1\r\nb\r\nEND\r\n");
}

#[test]
fn stats_conns_shows_the_listener_and_who_is_connected() {
    let program = Program::start_local(&[]);
    let mut other = program.connect();
    exchange(&mut other, b"mn\r\n", b"MN\r\n");
    let mut client = program.connect();
    client.write_all(b"stats conns\r\nquit\r\n").unwrap();
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    let listener = program.address();
    for line in [
        format!("STAT 1:addr tcp:{listener}"),
        "STAT 1:state conn_listening".to_owned(),
        format!("STAT 2:addr tcp:{}", other.local_addr().unwrap()),
        format!("STAT 2:listen_addr tcp:{listener}"),
        format!("STAT 3:addr tcp:{}", client.local_addr().unwrap()),
        format!("STAT 3:listen_addr tcp:{listener}"),
    ] {
        assert!(text.lines().any(|there| there == line), "{line} in {text}");
    }
}

#[test]
fn it_serves_ipv6_or_says_that_the_machine_has_none() {
    if TcpListener::bind("[::1]:0").is_ok() {
        let program = Program::start(&mut command(&["-l", "::1", "-p", "0"]), 1);
        assert!(program.address().is_ipv6());
        exchange(&mut program.connect(), SET_AND_GET, STORED_AND_VALUE);
    } else {
        let output = run(&["-l", "::1", "-p", "0"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains("[::1]:0"));
    }
}

#[test]
fn it_serves_all_addresses_of_the_machine_unless_told_otherwise() {
    let program = Program::start(&mut command(&["-p", "0"]), 1);
    let port = program.address().port();
    assert!(program.address().ip().is_unspecified());
    exchange(
        &mut connect(([127, 0, 0, 1], port).into()),
        SET_AND_GET,
        STORED_AND_VALUE,
    );
}

#[test]
fn a_unix_socket_serves_with_the_permissions_asked_for_and_goes_with_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let program = Program::start(&mut command(&["-s", path.to_str().unwrap(), "-a", "0750"]), 1);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o750);
    exchange(&mut UnixStream::connect(&path).unwrap(), SET_AND_GET, STORED_AND_VALUE);
    program.signal(SIGTERM);
    assert_eq!(program.wait().code(), Some(0));
    assert!(!path.exists());
}

#[test]
fn the_socket_of_a_dead_server_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let _program = Program::start(&mut command(&["-s", path.to_str().unwrap()]), 1);
    exchange(&mut UnixStream::connect(&path).unwrap(), SET_AND_GET, STORED_AND_VALUE);
}

#[test]
fn the_socket_of_a_living_server_is_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let path_text = path.to_str().unwrap();
    let _program = Program::start(&mut command(&["-s", path_text]), 1);
    let output = run(&["-s", path_text]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains("another server is listening"), "{stderr}");
    exchange(&mut UnixStream::connect(&path).unwrap(), SET_AND_GET, STORED_AND_VALUE);
}

#[test]
fn a_file_in_place_of_the_socket_is_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("precious");
    fs::write(&path, "content").unwrap();
    let output = run(&["-s", path.to_str().unwrap()]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("no socket"), "{stderr}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "content");
}

#[test]
fn a_socket_path_that_cannot_be_written_is_one_line_and_exit_2() {
    let directory = tempfile::tempdir().unwrap();
    for path in [
        directory.path().join("missing/socket"),
        directory.path().join("x".repeat(200)),
    ] {
        let output = run(&["-s", path.to_str().unwrap()]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.contains("cannot listen on"), "{stderr}");
    }
}

#[test]
fn a_connection_above_the_limit_is_told_so_and_its_place_is_given_on() {
    let program = Program::start_local(&["-c", "2"]);
    let mut first = program.connect();
    let mut second = program.connect();
    exchange(&mut first, SET_AND_GET, STORED_AND_VALUE);
    exchange(&mut second, b"mn\r\n", b"MN\r\n");
    let mut third = program.connect();
    let mut told = String::new();
    third.read_to_string(&mut told).unwrap();
    assert_eq!(told, "ERROR Too many open connections\r\n");

    second.write_all(b"quit\r\n").unwrap();
    expect_end(&mut second);
    // The place is free a moment after the client has seen the end of its connection.
    while !is_admitted(&program) {}
    exchange(&mut first, b"mn\r\n", b"MN\r\n");
}

fn is_admitted(program: &Program) -> bool {
    let mut client = program.connect();
    // A rejected connection may be gone before this is sent.
    let _ = client.write_all(b"mn\r\n");
    let mut answer = [0; 2];
    client.read_exact(&mut answer).is_ok_and(|()| &answer == b"MN")
}

#[test]
fn values_up_to_the_item_size_are_served_and_larger_ones_refused() {
    let program = Program::start_local(&["-I", "4m"]);
    let mut client = program.connect();
    let value = vec![b'v'; 4_000_000];
    let request = [b"set k 0 0 4000000\r\n", &value[..], b"\r\nget k\r\n"].concat();
    let reply = [b"STORED\r\nVALUE k 0 4000000\r\n", &value[..], b"\r\nEND\r\n"].concat();
    exchange(&mut client, &request, &reply);
    let value = vec![b'v'; (4 << 20) + 1];
    let request = [b"set k 0 0 4194305\r\n", &value[..], b"\r\nmn\r\n"].concat();
    let refused = b"SERVER_ERROR object too large for cache\r\nMN\r\n";
    exchange(&mut client, &request, refused);
}
