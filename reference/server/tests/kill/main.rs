//! The process is killed in the middle of durable writes, fifty times: no acknowledged write is lost, and the file opens.
//!
//! What the process had handed to the system survives its death, synced or not: that a write is synced before it is
//! acknowledged is for the simulation to show, which cuts the power.
//!
//! # Layout
//! - `ledger`: what one writer has changed, what was acknowledged of it, and what may therefore be found.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod ledger;
#[path = "../support/process.rs"]
mod process;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use crate::ledger::{Change, Ledger};
use crate::process::{PATIENCE, Process, command};

const ROUNDS: u64 = 50;
const WRITERS: usize = 8;

/// Decides what is written and when the process is killed. Any other number must do as well.
const SEED: u64 = 9;

/// A process is killed after this many acknowledgements, at most.
const ACKNOWLEDGED_MAX: u64 = 80;

/// A process that has just been started is killed after this long, at most: a file is being opened, or repaired.
const OPENING_MS_MAX: u64 = 60;

const FILE: [&str; 4] = ["--backend", "redb", "--data", "kill.redb"];

#[test]
fn no_acknowledged_write_is_lost_when_the_process_is_killed() {
    println!("seed {SEED}");
    let directory = tempfile::tempdir().unwrap();
    let mut random = Random(SEED);
    let mut ledgers: Vec<Ledger> = (0..WRITERS).map(Ledger::new).collect();
    let mut acknowledged = 0;
    let mut undecided = 0;
    for round in 0..ROUNDS {
        let process = Process::start(directory.path(), &FILE);
        verify(process.address, &mut ledgers).unwrap_or_else(|fault| panic!("round {round}, seed {SEED}: {fault}"));
        acknowledged += write_until_killed(process, &mut ledgers, &mut random);
        undecided += ledgers.iter().map(Ledger::undecided).sum::<usize>();
        if random.below(5) == 0 {
            kill_while_opening(directory.path(), Duration::from_millis(random.below(OPENING_MS_MAX)));
        }
    }
    let process = Process::start(directory.path(), &FILE);
    verify(process.address, &mut ledgers).unwrap_or_else(|fault| panic!("at the end, seed {SEED}: {fault}"));
    println!("{ROUNDS} kills: {acknowledged} acknowledged writes are there, {undecided} were under way");
    // Else the process was not killed in the middle of anything.
    assert!(acknowledged > ROUNDS && undecided > ROUNDS as usize / 2);
}

/// Lets all writers write until some acknowledgements have come, kills the process, and gives how many had come in all.
fn write_until_killed(process: Process, ledgers: &mut [Ledger], random: &mut Random) -> u64 {
    let enough = 1 + random.below(ACKNOWLEDGED_MAX);
    let address = process.address;
    thread::scope(|scope| {
        let (acknowledged, acknowledgements) = channel();
        for ledger in ledgers {
            let random = Random(random.next() | 1);
            let acknowledged = acknowledged.clone();
            scope.spawn(move || write(address, ledger, random, &acknowledged));
        }
        drop(acknowledged);
        for _ in 0..enough {
            acknowledgements
                .recv_timeout(PATIENCE)
                .expect("the server acknowledges what is written");
        }
        drop(process);
        enough + acknowledgements.iter().count() as u64
    })
}

/// Writes, a few changes at a time, until the connection breaks.
fn write(address: SocketAddr, ledger: &mut Ledger, mut random: Random, acknowledged: &Sender<()>) {
    let mut stream = connect(address);
    let mut replies = BufReader::new(stream.try_clone().unwrap());
    loop {
        let changes: Vec<Change> = (0..=random.below(3)).map(|_| ledger.choose(&mut random)).collect();
        let request: String = changes.iter().map(|change| change.request.as_str()).collect();
        if stream.write_all(request.as_bytes()).is_err() {
            return;
        }
        for change in changes {
            let mut reply = String::new();
            match replies.read_line(&mut reply) {
                Ok(_) if reply.ends_with('\n') => {}
                _ => return,
            }
            assert_eq!(reply, change.reply, "{}", change.request.escape_debug());
            ledger.acknowledge(&change);
            // The one who counts has gone once the process is killed.
            let _ = acknowledged.send(());
        }
    }
}

/// Holds all that is there against all that may be.
fn verify(address: SocketAddr, ledgers: &mut [Ledger]) -> Result<(), String> {
    let mut stream = connect(address);
    let mut replies = BufReader::new(stream.try_clone().unwrap());
    for ledger in ledgers {
        for key in ledger.keys() {
            stream.write_all(format!("get {key}\r\n").as_bytes()).unwrap();
            let found = read_value(&mut replies);
            ledger.settle(&key, found)?;
        }
    }
    Ok(())
}

fn read_value(replies: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    replies.read_line(&mut line).unwrap();
    if line == "END\r\n" {
        return None;
    }
    let (_, length) = line.trim_end().rsplit_once(' ').unwrap();
    let mut value = vec![0; length.parse::<usize>().unwrap()];
    replies.read_exact(&mut value).unwrap();
    let mut end = [0; 7];
    replies.read_exact(&mut end).unwrap();
    assert_eq!(&end, b"\r\nEND\r\n");
    Some(String::from_utf8(value).unwrap())
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Starts a process and kills it a moment later, whatever it is doing then.
fn kill_while_opening(directory: &Path, after: Duration) {
    let mut child = command()
        .args(["-l", "127.0.0.1:0", "--control", "off", "--data-dir"])
        .arg(directory)
        .args(FILE)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A xorshift generator: enough to vary what is done.
pub(crate) struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
