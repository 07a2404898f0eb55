//! Starts refcached, talks to it, ends it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Long enough for a machine under load: it is reached only when something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// A command that runs the program with a clean environment.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refcached"));
    command
        .args(arguments)
        .env_remove("RUST_LOG")
        .env_remove("MEMCACHED_PORT_FILENAME")
        .stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    output(&mut command(arguments))
}

/// Runs a command of the program to its end, which must come soon.
pub(crate) fn output(command: &mut Command) -> Output {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    let (ended, end) = channel();
    thread::spawn(move || ended.send(child.wait_with_output().unwrap()));
    end.recv_timeout(PATIENCE).unwrap_or_else(|error| {
        kill(pid, Signal::SIGKILL).unwrap();
        panic!("{command:?} has not ended: {error}");
    })
}

/// A running server; killed when dropped.
pub(crate) struct Program {
    child: Child,
    log: Receiver<String>,
    /// What it said it listens on, without `tcp:` or `unix:`.
    pub(crate) endpoints: Vec<String>,
}

impl Program {
    /// Starts it and waits until it listens on `endpoints` addresses.
    pub(crate) fn start(command: &mut Command, endpoints: usize) -> Program {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let (lines, log) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if lines.send(line).is_err() {
                    break;
                }
            }
        });
        let mut program = Program {
            child,
            log,
            endpoints: Vec::new(),
        };
        while program.endpoints.len() < endpoints {
            let line = program.wait_for_log("listening");
            let (_, endpoint) = line.split_once("endpoint=").unwrap();
            let (_, address) = endpoint.split_once(':').unwrap();
            program.endpoints.push(address.to_owned());
        }
        program
    }

    /// Starts it on one port of 127.0.0.1.
    pub(crate) fn start_local(arguments: &[&str]) -> Program {
        let arguments = [&["-l", "127.0.0.1", "-p", "0"], arguments].concat();
        Program::start(&mut command(&arguments), 1)
    }

    /// Waits for a line of the log that contains `words`, and gives it.
    pub(crate) fn wait_for_log(&self, words: &str) -> String {
        let mut seen = Vec::new();
        loop {
            match self.log.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("no {words:?} in the log ({error}); it has {seen:#?}"),
            }
        }
    }

    /// Whether a line with `words` has come since it was last asked.
    pub(crate) fn has_logged(&self, words: &str) -> bool {
        self.log.try_iter().any(|line| line.contains(words))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.endpoints[0].parse().unwrap()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.address())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, signal).unwrap();
    }

    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Reads as many bytes as `expected` has and compares.
#[track_caller]
pub(crate) fn expect(stream: &mut impl Read, expected: &[u8]) {
    let mut received = vec![0; expected.len()];
    let read = stream.read_exact(&mut received);
    assert!(read.is_ok(), "{read:?} in place of {}", expected.escape_ascii());
    assert_eq!(received.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[track_caller]
pub(crate) fn exchange(stream: &mut (impl Read + Write), request: &[u8], reply: &[u8]) {
    stream.write_all(request).unwrap();
    expect(stream, reply);
}

/// Reads to the end of the stream and expects nothing more.
#[track_caller]
pub(crate) fn expect_end(stream: &mut impl Read) {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.escape_ascii().to_string(), "");
}
