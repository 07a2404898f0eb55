//! One run of the suite on one mutant, in a process of its own.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::verdict::Backend;

/// What came of one mutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The suite failed, or the process ended without a verdict: the case, the delivery, and what was wrong, each on a line.
    Caught(String),
    /// The suite did not come to an end.
    Hangs,
    /// The suite passed.
    Survives,
    /// The suite never calls the function that it is in.
    NotReached,
    /// It does not compile.
    Unviable,
}

/// How many times all is run where each time something fails that passes alone.
const RUNS: usize = 3;

/// Runs the suite on the server of `program`, over `backend`, with this mutant; 0 is the server as it is.
///
/// A case that fails must fail again on a fresh server, alone or in one of those that it rests on: on a busy machine one that
/// waits, or is waited for, may come too late for its own claim. Where it passes then, all is run again: what fails each time, if
/// not with the same case, is caught all the same, for the server without a mutant is run as often and never fails. A server
/// that could not be asked at all must be so again.
///
/// # Errors
/// When the program does not start or says that it was called wrongly.
pub async fn run(program: &Path, backend: Backend, mutant: usize, timeout: Duration) -> anyhow::Result<(Outcome, f64)> {
    let start = Instant::now();
    let end = async |case: &[&str]| {
        let mut command = Command::new(program);
        command
            .env("MCSPEC_MUTANT", mutant.to_string())
            .arg(backend.name())
            .args(case);
        end_of(command, timeout).await
    };
    let mut outcome = Outcome::Survives;
    for _ in 0..RUNS {
        outcome = end(&[]).await?;
        let Outcome::Caught(first) = &outcome else {
            break;
        };
        let failed = case_of(first);
        let again = end(&failed).await?;
        if matches!(&again, Outcome::Caught(again) if failed.is_empty() == case_of(again).is_empty()) {
            break;
        }
    }
    Ok((outcome, start.elapsed().as_secs_f64()))
}

/// The case and the delivery that a failure names, if it does.
fn case_of(failure: &str) -> Vec<&str> {
    let lines: Vec<&str> = failure.lines().collect();
    match lines[..] {
        [case, delivery, _] => vec![case, delivery],
        _ => Vec::new(),
    }
}

/// The functions that the suite reaches in the server as it is, each named by its first mutant.
///
/// # Errors
/// When the suite does not pass: then it can judge no mutant.
pub async fn reached(program: &Path, backend: Backend, timeout: Duration) -> anyhow::Result<BTreeSet<usize>> {
    let directory = tempfile::tempdir()?;
    let told = directory.path().join("reached");
    let mut command = Command::new(program);
    command.env("MCSPEC_REACHED", &told).arg(backend.name());
    let outcome = end_of(command, timeout).await?;
    if outcome != Outcome::Survives {
        bail!("the suite does not pass on the server without a mutant, over {backend:?}: {outcome:?}");
    }
    let text = std::fs::read_to_string(&told).context("the suite reached no function that has mutants")?;
    text.lines().map(|line| Ok(line.parse()?)).collect()
}

async fn end_of(mut command: Command, timeout: Duration) -> anyhow::Result<Outcome> {
    let ended = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let Ok(output) = tokio::time::timeout(timeout, ended).await else {
        return Ok(Outcome::Hangs);
    };
    let output = output.context("cannot run the suite")?;
    match output.status.code() {
        Some(0) => Ok(Outcome::Survives),
        Some(1) => Ok(Outcome::Caught(
            String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        )),
        // What the judging program ends with itself. A panic of the server is one of its threads, and the suite's to see.
        Some(code) if code == crate::verdict::WRONG_CALL => bail!("the suite was called wrongly"),
        _ => Ok(Outcome::Caught(format!("the process ended with {}", output.status))),
    }
}
