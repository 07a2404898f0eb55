//! Measures servers that speak memcached beside each other, on one machine, in one run.
//!
//! # Layout
//! - `mix`: what is asked of them. - `requests`: that as bytes, made beforehand.
//! - `load`: the generator: one thread, many connections. - `server`: starting, pinning, what a process has used.
//! - `measure`: rounds, medians. - `datasets`: what only refcached does. - `harness`: what users of the suite wait for.
//! - `report`: tables. - `plot`: the picture. - `page`: tables in a page of the documentation.
//!
//! It must not know what a server or the suite is made of: both are programs, and what servers have used is read from `/proc`.

mod datasets;
mod harness;
mod load;
mod measure;
mod mix;
mod page;
mod plot;
mod report;
mod requests;
mod server;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;

use crate::measure::Plan;
use crate::server::Contender;

/// How fast memcached and refcached are beside each other.
#[derive(Parser)]
struct Args {
    /// The program to compare with
    #[arg(long, value_name = "PATH", default_value = "memcached")]
    memcached: PathBuf,
    /// The program to measure
    #[arg(long, value_name = "PATH", default_value = "target/release/refcached")]
    refcached: PathBuf,
    /// The suite, which `hotswap-sim` stands beside
    #[arg(long, value_name = "PATH", default_value = "target/release/mcspec")]
    mcspec: PathBuf,
    /// Threads of each server
    #[arg(long, value_name = "N", default_value_t = 1)]
    threads: usize,
    /// Seconds of one measurement [default: 1.2, and 0.3 with --quick]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    time: Option<Duration>,
    /// Measurements of each server and mix, of which the middle one counts [default: 5, and 3 with --quick]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: Option<u16>,
    /// Shorter measurements and fewer: for a look, not for a page
    #[arg(long)]
    quick: bool,
    /// Only mixes whose name has this in it, and neither datasets nor the suite
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Only datasets in files
    #[arg(long, conflicts_with = "only")]
    only_datasets: bool,
    /// Only the suite itself
    #[arg(long, conflicts_with_all = ["only", "only_datasets"])]
    only_harness: bool,
    /// Makes the keys that are asked for
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Where the figures go
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where the picture goes
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// A page whose lines between `<!-- speed -->` and `<!-- /speed -->` the tables take the place of
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let plan = plan(&args);
    anyhow::ensure!(
        args.only_datasets || args.only_harness || !plan.mixes.is_empty(),
        "no mix has `{}` in its name; without --only all of them are measured",
        args.only
    );
    // Before this thread, and with it what it starts, is kept off a processor.
    let harness = if args.only.is_empty() && !args.only_datasets {
        Some(harness::run(&args.mcspec, args.quick).context("the suite")?)
    } else {
        None
    };
    let apart = server::stay_off(plan.threads)?;
    let processors = apart.then_some(plan.threads);
    let results = measure::run(&plan, processors)?;
    let mut tables = report::table(&results);
    let mut datasets = None;
    if args.only.is_empty() && !args.only_harness {
        let measured = datasets::run(&plan, &args.refcached, processors).context("datasets in files")?;
        tables += "\n";
        tables += &report::figures("datasets of 1 million records", &measured.lines());
        datasets = Some(measured);
    }
    if let Some(harness) = &harness {
        tables += "\n";
        tables += &report::figures("the suite and what stands around it", &harness.lines());
    }
    print!("{tables}");
    if let Some(path) = &args.json {
        let all = serde_json::json!({ "servers": results, "datasets": datasets, "harness": harness });
        let json = serde_json::to_string_pretty(&all).context("the results cannot be written as JSON")?;
        fs::write(path, json).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    if let Some(path) = &args.svg {
        plot::draw(&results, path).with_context(|| format!("{} cannot be drawn", path.display()))?;
    }
    if let Some(path) = &args.page {
        page::put(&tables, path)?;
    }
    Ok(())
}

fn plan(args: &Args) -> Plan {
    let time = if args.quick { 0.3 } else { 1.2 };
    let mixes = mix::all().into_iter().filter(|mix| mix.name.contains(&args.only));
    Plan {
        contenders: [
            Contender::new("memcached", args.memcached.clone(), &["-U", "0"]),
            Contender::new("refcached", args.refcached.clone(), &["--control", "off"]),
        ],
        threads: args.threads,
        time: args.time.unwrap_or(Duration::from_secs_f64(time)),
        rounds: args.rounds.unwrap_or(if args.quick { 3 } else { 5 }).into(),
        mixes: mixes.filter(|_| !args.only_datasets && !args.only_harness).collect(),
        seed: args.seed,
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds")?;
    if !(0.05..=600.0).contains(&seconds) {
        return Err("0.05 to 600 seconds".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}
