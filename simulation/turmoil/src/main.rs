//! `hotswap-sim`: runs worlds and says what went wrong in them.

use std::io::{IsTerminal, Write, stdout};
use std::ops::Range;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::available_parallelism;
use std::time::Instant;

use anyhow::Context;
use clap::Parser;
use hotswap_sim::history::{What, rendered};
use hotswap_sim::runner::{self, Outcome};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Runs the reference server in simulated worlds, replaces its dataset while everything else goes wrong, and holds what clients
/// saw against the promises of a hot swap. A world is a seed.
#[derive(Debug, Parser)]
#[command(name = "hotswap-sim", version)]
struct Arguments {
    /// The seeds: A..B without B, A..=B with it, or a single one
    #[arg(long, value_name = "A..B", default_value = "0..500", value_parser = seeds)]
    seeds: Range<u64>,

    /// Worlds that are run at a time [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,

    /// Print the plan and the history of each world
    #[arg(long)]
    trace: bool,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let number = |text: &str| {
        let number = text.parse::<u64>();
        number.map_err(|_| format!("{text:?} is not a number; write 0..500, or 7 for a single seed"))
    };
    let up_to = |last: u64| last.checked_add(1).ok_or_else(|| format!("{last} has no next seed"));
    let range = match text.split_once("..") {
        Some((first, end)) => {
            let end = match end.strip_prefix('=') {
                Some(last) => up_to(number(last)?)?,
                None => number(end)?,
            };
            number(first)?..end
        }
        None => number(text)?..up_to(number(text)?)?,
    };
    if range.is_empty() {
        return Err("there is no seed in it; write A..B with A below B, or A..=B".to_owned());
    }
    Ok(range)
}

fn main() -> anyhow::Result<ExitCode> {
    let Arguments { seeds, jobs, trace } = Arguments::parse();
    let jobs = jobs.unwrap_or_else(|| available_parallelism().map_or(1, usize::from));
    // Histories are told one after the other.
    let jobs = if trace { 1 } else { jobs };
    let bar = progress_bar(seeds.end - seeds.start);
    let began = Instant::now();
    let commands = AtomicUsize::new(0);
    let bad = runner::run_all(seeds.clone(), jobs, |outcome| {
        if trace {
            // Whoever closed the pipe has read enough.
            let _ = write!(stdout().lock(), "{}{}", outcome.plan, rendered(&outcome.events));
        }
        if !outcome.violations.is_empty() {
            bar.suspend(|| tell(outcome));
        }
        let sent = outcome
            .events
            .iter()
            .filter(|event| matches!(event.what, What::Sent { .. }));
        commands.fetch_add(sent.count(), Relaxed);
        bar.inc(1);
    });
    bar.finish_and_clear();
    let took = began.elapsed().as_secs_f64();
    let worlds = seeds.end - seeds.start;
    let mut out = stdout().lock();
    writeln!(
        out,
        "{worlds} worlds and {} commands in {took:.1} s, {:.0} worlds a second; {} broke a promise",
        commands.into_inner(),
        worlds as f64 / took,
        bad.len()
    )
    .context("cannot write the result")?;
    Ok(if bad.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A bar on a terminal, nothing elsewhere.
fn progress_bar(worlds: u64) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(worlds), target);
    let template = "{wide_bar} {pos}/{len} worlds, {per_sec}, {eta} left";
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn tell(outcome: &Outcome) {
    let seed = outcome.plan.seed;
    println!("seed {seed}:");
    for violation in &outcome.violations {
        println!("  {violation}");
    }
    println!("  replay: cargo run -p hotswap-sim -- --seeds {seed} --trace");
}

#[cfg(test)]
mod tests;
