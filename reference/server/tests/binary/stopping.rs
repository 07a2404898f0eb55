//! Signals.

use std::io::Write;
use std::net::TcpStream;

use nix::sys::signal::Signal::{self, SIGINT, SIGTERM};

use crate::program::{Program, exchange, expect, expect_end};

fn stops_in_good_order(signal: Signal, name: &str) {
    let program = Program::start_local(&[]);
    let address = program.address();
    let mut idle = program.connect();
    exchange(&mut idle, b"mn\r\n", b"MN\r\n");
    let mut busy = program.connect();
    // The answer shows that the server has the beginning of the next command, too: they came in one segment.
    exchange(&mut busy, b"mn\r\nset a 0 0 5\r\nab", b"MN\r\n");
    program.signal(signal);
    program.wait_for_log(name);
    program.wait_for_log("stopping");
    TcpStream::connect(address).expect_err("the port is closed");
    expect_end(&mut idle);
    busy.write_all(b"cde\r\nget a\r\nappend a 0 0 1\r\nf\r\nget a\r\n")
        .unwrap();
    let replies = b"STORED\r\nVALUE a 0 5\r\nabcde\r\nEND\r\nSTORED\r\nVALUE a 0 6\r\nabcdef\r\nEND\r\n";
    expect(&mut busy, replies);
    expect_end(&mut busy);
    program.wait_for_log("stopped");
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn sigterm_finishes_the_commands_in_hand() {
    stops_in_good_order(SIGTERM, "SIGTERM");
}

#[test]
fn sigint_finishes_the_commands_in_hand() {
    stops_in_good_order(SIGINT, "SIGINT");
}

#[test]
fn a_client_that_never_finishes_is_hung_up_on() {
    let program = Program::start_local(&["--stop-grace", "0"]);
    let mut client = program.connect();
    exchange(&mut client, b"mn\r\nset a 0 0 5\r\nab", b"MN\r\n");
    program.signal(SIGTERM);
    program.wait_for_log("hanging up");
    expect_end(&mut client);
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn the_shutdown_command_ends_the_program_where_enabled() {
    let program = Program::start_local(&["-A"]);
    let mut client = program.connect();
    client.write_all(b"shutdown\r\n").unwrap();
    expect_end(&mut client);
    assert_eq!(program.wait().code(), Some(0));
}
