//! Another project's tester on a mutant: memccapable of libmemcached, its tests of the text protocol.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use tokio::process::Command;

use crate::fault::Fault;
use crate::judge::ANY_PORT;
use crate::server::{StartError, start};

/// The program; Debian's package `libmemcached-tools` has it.
pub const PROGRAM: &str = "memccapable";

/// Its tests of the text protocol.
const TESTS: [&str; 27] = [
    "version",
    "quit",
    "verbosity",
    "set",
    "set noreply",
    "get",
    "gets",
    "mget",
    "flush",
    "flush noreply",
    "add",
    "add noreply",
    "replace",
    "replace noreply",
    "cas",
    "cas noreply",
    "delete",
    "delete noreply",
    "incr",
    "incr noreply",
    "decr",
    "decr noreply",
    "append",
    "append noreply",
    "prepend",
    "prepend noreply",
    "stat",
];

/// It names each test in a column of this width before it says how it went.
const NAME_WIDTH: usize = 40;

/// How long all of its tests may take; one that waits for an answer gives up after a second.
const RUN_TIMEOUT: Duration = Duration::from_secs(60);

/// What it found on one mutant.
#[derive(Debug)]
pub struct Found {
    /// The tests that did not pass.
    pub failed: BTreeSet<&'static str>,
    /// How long it took.
    pub whole: Duration,
}

/// Why it could not be run.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The mutant does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The program does not.
    #[error("cannot run {PROGRAM}: {0}; it is in Debian's package libmemcached-tools")]
    Run(#[from] io::Error),
}

/// Runs it on a mutant.
///
/// # Errors
/// When the mutant or the program does not start.
pub async fn run(fault: Option<&Fault>) -> Result<Found, PeerError> {
    let mutant = start(fault, ANY_PORT).await?;
    let port = mutant.address.port().to_string();
    let began = Instant::now();
    let mut command = Command::new(PROGRAM);
    command
        .args(["-h", "127.0.0.1", "-p", &port, "-a", "-t", "1"])
        .kill_on_drop(true);
    // What does not end in time has not passed anything that it has not said.
    let output = match tokio::time::timeout(RUN_TIMEOUT, command.output()).await {
        Ok(output) => output?.stdout,
        Err(_) => Vec::new(),
    };
    mutant.stop().await;
    Ok(Found {
        failed: failed(&String::from_utf8_lossy(&output)),
        whole: began.elapsed(),
    })
}

/// The tests that its output does not say to have passed; it tells of failures elsewhere.
fn failed(output: &str) -> BTreeSet<&'static str> {
    let passed = |test: &&str| output.contains(&format!("{:<NAME_WIDTH$}[pass]", format!("ascii {test}")));
    TESTS.into_iter().filter(|test| !passed(test)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_not_said_to_have_passed_has_failed() {
        let all: String = TESTS
            .iter()
            .map(|test| format!("{:<40}[pass]\n", format!("ascii {test}")))
            .collect();
        assert!(failed(&all).is_empty());
        let one = all.replace(
            "ascii delete                            [pass]\n",
            "ascii delete                            ",
        );
        assert_eq!(failed(&one).into_iter().collect::<Vec<_>>(), ["delete"]);
        assert_eq!(failed("").len(), TESTS.len());
    }
}
