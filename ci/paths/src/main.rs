//! Counts the instructions of the hot paths by callgrind and compares them with the figures in `ci/paths/figures.toml`.
//!
//! # Layout
//! - `paths`: what is counted. - `callgrind`: how. - `figures`: what is committed, and the comparison.
//!
//! A run of callgrind plays a path N times, a second one 2N times: the difference is the path, without the start of the
//! process. Only instructions of this program count, and calls of libraries by their number: which `memcpy` a machine's libc
//! takes depends on its processor and its release, what this program asks of it does not.

mod callgrind;
mod figures;
mod paths;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Parser, Subcommand};

use crate::figures::{Count, Figures};
use crate::paths::Path;

/// How many times a path is played in the shorter of the two runs: a multiple of all sizes of what it works on.
const TIMES: u64 = 2_000;

/// Counts the instructions of the hot paths and compares them with the committed figures.
#[derive(Parser)]
struct Args {
    #[command(subcommand)]
    order: Option<Order>,
    /// The committed figures
    #[arg(long, value_name = "FILE", default_value = "ci/paths/figures.toml")]
    figures: PathBuf,
    /// Replaces the figures of this kind of machine by what was counted
    #[arg(long)]
    write: bool,
}

#[derive(Subcommand)]
enum Order {
    /// Plays a path, to be counted
    Play {
        /// Its name
        path: String,
        /// How many times
        times: u64,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    if let Some(Order::Play { path, times }) = args.order {
        let Some(found) = paths::ALL.iter().find(|known| known.name == path) else {
            bail!("there is no path `{path}`; there are {}", names().join(", "));
        };
        (found.play)(times);
        return Ok(ExitCode::SUCCESS);
    }
    let mut figures = Figures::read(&args.figures)?;
    let counted = paths::ALL
        .iter()
        .map(|path| Ok((path.name, count(path)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if args.write {
        figures.replace(&counted);
        figures.write(&args.figures)?;
        return Ok(ExitCode::SUCCESS);
    }
    let judged = figures.judge(&counted);
    print!("{}", judged.text);
    Ok(if judged.passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn names() -> Vec<&'static str> {
    paths::ALL.iter().map(|path| path.name).collect()
}

/// What playing the path once more costs.
fn count(path: &Path) -> anyhow::Result<Count> {
    let once = callgrind::count(path.name, TIMES)?;
    let twice = callgrind::count(path.name, 2 * TIMES)?;
    let per_time = |once: u64, twice: u64| twice.saturating_sub(once) as f64 / TIMES as f64;
    Ok(Count {
        instructions: per_time(once.instructions, twice.instructions),
        library_calls: per_time(once.library_calls, twice.library_calls),
    })
}
