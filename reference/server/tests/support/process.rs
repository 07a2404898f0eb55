//! A refcached of its own process with a data directory and a control API, for tests that treat it roughly.

#![allow(dead_code, reason = "each of the tests uses a part of it")]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Long enough for a machine under load: it is reached only when something is wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Lines of the log that are kept for the report of a failure.
const LOG_LINES_MAX: usize = 200;

/// A command that runs the program with a clean environment.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refcached"));
    for variable in ["RUST_LOG", "MEMCACHED_PORT_FILENAME", "REFCACHED_CONTROL_TOKEN"] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs the program to its end, which must be a good one.
pub(crate) fn run(arguments: &[&str]) -> Output {
    let output = command().args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "refcached {arguments:?}: {said}");
    output
}

/// A running server; killed when dropped, as `kill -9` does, and dead then.
pub(crate) struct Process {
    child: Child,
    log: Arc<Mutex<VecDeque<String>>>,
    pub(crate) address: SocketAddr,
    /// Where its control API is, if it has one.
    pub(crate) control: Option<SocketAddr>,
}

impl Process {
    /// Starts the server on free ports, with a data directory and the control API, and waits until it serves.
    pub(crate) fn start(directory: &Path, arguments: &[&str]) -> Process {
        let mut command = command();
        command.args(["--control", "127.0.0.1:0", "--data-dir"]).arg(directory);
        command.args(arguments);
        Process::spawn(command)
    }

    /// Starts the server on a free port, and waits until it serves.
    pub(crate) fn spawn(mut command: Command) -> Process {
        command.args(["-l", "127.0.0.1:0"]).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&log);
        let (tell, told) = channel();
        thread::spawn(move || {
            // The control API is named before the address of the server, which is named when it serves.
            let mut control: Option<SocketAddr> = None;
            for line in stderr.lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("url=http://") {
                    control = Some(address.trim_end_matches('/').parse().unwrap());
                }
                let address = line
                    .split_once("listening endpoint=tcp:")
                    .map(|(_, address)| address.parse().unwrap());
                let mut kept = kept.lock().unwrap();
                kept.push_back(line);
                if kept.len() > LOG_LINES_MAX {
                    kept.pop_front();
                }
                if let Some(address) = address {
                    tell.send((address, control)).unwrap();
                }
            }
        });
        let (address, control) = told.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            let _ = child.kill();
            panic!("refcached does not serve ({error}); it said {:#?}", log.lock().unwrap());
        });
        Process {
            child,
            log,
            address,
            control,
        }
    }

    /// Asks it to stop in good order.
    pub(crate) fn ask_to_stop(&self) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        kill(pid, Signal::SIGTERM).unwrap();
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// What it said, once there is a line with these words in it.
    pub(crate) fn log_with(&self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let lines = self.log.lock().unwrap().make_contiguous().join("\n");
            if lines.contains(words) {
                return lines;
            }
            assert!(Instant::now() < deadline, "no {words:?} in the log; it has {lines}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks for a switch, and gives the status and the answer, whose end it waits for.
    pub(crate) fn switch(&self, filename: &str) -> (u16, serde_json::Value) {
        let body = format!("filename={filename}");
        let length = body.len();
        self.http(&format!(
            "POST /api/v1/switchdb HTTP/1.1\r\nhost: refcached\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
    }

    /// How it is.
    pub(crate) fn status(&self) -> serde_json::Value {
        let request = "GET /api/v1/status HTTP/1.1\r\nhost: refcached\r\nconnection: close\r\n\r\n";
        self.http(request).1
    }

    fn http(&self, request: &str) -> (u16, serde_json::Value) {
        let mut stream = TcpStream::connect(self.control.unwrap()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the server said: {:#?}", self.log.lock().unwrap());
        }
    }
}
