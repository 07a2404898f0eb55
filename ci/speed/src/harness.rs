//! What users of the suite wait for: the suite itself on the server within it, simulated worlds, the explorer.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::Serialize;

use crate::measure::median;
use crate::report::Line;

/// Each time is the middle one of so many.
const ROUNDS: usize = 3;

const DELIVERIES: [&str; 4] = ["whole", "bytes", "cuts", "pipelined"];

/// Commands of a world of five clients that send 50 messages each.
const COMMANDS_OF_A_WORLD: f64 = 250.0;

/// What came out.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    all_deliveries_s: f64,
    /// Each alone, in the order of [`DELIVERIES`].
    one_delivery_s: Vec<f64>,
    /// The longest that a case asks to wait.
    longest_wait_s: f64,
    /// From the start of the program to its end with the verdict of one case.
    first_verdict_s: f64,
    /// Commands of clients in simulated worlds, a second, one world at a time.
    world_commands_per_s: f64,
    /// The same with two at a time, over it.
    worlds_by_two: f64,
    /// Histories of the explorer.
    explored_per_s: f64,
    /// The same, over the seconds that its process and the server within it had of processors.
    explored_per_cpu_s: f64,
}

/// Measures all of it. Whoever takes a quick look has one measurement of each, and fewer worlds.
pub(crate) fn run(mcspec: &Path, quick: bool) -> anyhow::Result<Figures> {
    let rounds = if quick { 1 } else { ROUNDS };
    let judged = |delivery: &str| middle(rounds, mcspec, &["run", "--no-config", "--delivery", delivery]);
    let (worlds, commands) = if quick {
        ("0..200", 200_000)
    } else {
        ("0..2000", 2_000_000)
    };
    let simulation = mcspec.with_file_name("hotswap-sim");
    let simulated = |jobs| simulated(&simulation, worlds, jobs);
    let one_at_a_time = simulated("1")?;
    let number = commands.to_string();
    let explored = took(mcspec, &["explore", "--seed", "1", "--commands", &number])?;
    Ok(Figures {
        all_deliveries_s: judged("all")?,
        one_delivery_s: DELIVERIES.into_iter().map(judged).collect::<anyhow::Result<_>>()?,
        longest_wait_s: longest_wait(mcspec)?,
        first_verdict_s: middle(5 * rounds, mcspec, &["run", "--no-config", "storage/set/stores"])?,
        world_commands_per_s: one_at_a_time,
        worlds_by_two: simulated("2")? / one_at_a_time,
        explored_per_s: f64::from(commands) / explored.time.as_secs_f64(),
        explored_per_cpu_s: f64::from(commands) / explored.processors.as_secs_f64(),
    })
}

impl Figures {
    pub(crate) fn lines(&self) -> Vec<Line> {
        let slowest = self.one_delivery_s.iter().copied().fold(0.0, f64::max);
        let each: Vec<String> = DELIVERIES
            .iter()
            .zip(&self.one_delivery_s)
            .map(|(name, seconds)| format!("{name} {seconds:.1}"))
            .collect();
        let worlds = self.world_commands_per_s / COMMANDS_OF_A_WORLD;
        vec![
            Line::told(
                "the whole suite, all deliveries",
                format!("{:.1} s", self.all_deliveries_s),
            )
            .at_most(self.all_deliveries_s, 15.0, "15 s"),
            Line::told(
                format!("one delivery, of which a case waits {:.1} s", self.longest_wait_s),
                format!("{} s", each.join(", ")),
            )
            .at_most(slowest, 4.0, "4 s"),
            Line::told(
                "from start to the end with one verdict",
                format!("{:.0} ms", 1e3 * self.first_verdict_s),
            )
            .at_most(self.first_verdict_s, 0.1, "100 ms"),
            Line::told(
                "simulated worlds of 250 commands, one at a time",
                format!("{worlds:.0} a second"),
            )
            .at_least(worlds, 300.0, "300"),
            Line::told(
                "the same, two at a time",
                format!("{:.2} times as many", self.worlds_by_two),
            ),
            Line::told(
                "commands of the explorer",
                format!("{:.0} a second", self.explored_per_s),
            )
            .at_least(self.explored_per_s, 100_000.0, "100,000"),
            Line::told(
                "the same, for each second of a processor, the server's own included",
                format!("{:.0}", self.explored_per_cpu_s),
            ),
        ]
    }
}

/// What a program took.
struct Took {
    time: Duration,
    /// Of all processors, in user code and in the kernel.
    processors: Duration,
    said: String,
}

/// Runs a program that is to succeed.
fn took(program: &Path, words: &[&str]) -> anyhow::Result<Took> {
    let asked = || format!("{} {}", program.display(), words.join(" "));
    let before = of_children()?;
    let start = Instant::now();
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("`{}` cannot be started; `ci/bench` builds it", asked()))?;
    let time = start.elapsed();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "`{}` ended with {}:\n{said}",
        asked(),
        output.status
    );
    Ok(Took {
        time,
        processors: of_children()? - before,
        said,
    })
}

/// What all programs that have ended have had of processors.
fn of_children() -> anyhow::Result<Duration> {
    use nix::sys::resource::{UsageWho, getrusage};
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let times = [usage.user_time(), usage.system_time()];
    // Times that have passed are not negative.
    let microseconds = times
        .iter()
        .map(|time| time.tv_sec() * 1_000_000 + time.tv_usec())
        .sum::<i64>();
    Ok(Duration::from_micros(microseconds.unsigned_abs()))
}

/// The middle one of so many times, in seconds.
fn middle(rounds: usize, program: &Path, words: &[&str]) -> anyhow::Result<f64> {
    let times = (0..rounds).map(|_| Ok(took(program, words)?.time.as_secs_f64()));
    Ok(median(times.collect::<anyhow::Result<_>>()?))
}

/// Commands a second in these worlds, by what the program says of them.
fn simulated(program: &Path, worlds: &str, jobs: &str) -> anyhow::Result<f64> {
    let took = took(program, &["--seeds", worlds, "--jobs", jobs])?;
    let (before, _) = took.said.split_once(" commands in").with_context(|| {
        format!(
            "{} does not say how many commands there were: {}",
            program.display(),
            took.said
        )
    })?;
    let commands: f64 = before.rsplit(' ').next().unwrap_or_default().parse()?;
    Ok(commands / took.time.as_secs_f64())
}

/// The longest wait of a case, in seconds.
fn longest_wait(mcspec: &Path) -> anyhow::Result<f64> {
    let listed: serde_json::Value = serde_json::from_str(&took(mcspec, &["list", "--format", "json"])?.said)?;
    let cases = listed.as_array().context("`mcspec list --format json` gives no list")?;
    let waits = cases.iter().filter_map(|case| case["waits_ms"].as_f64());
    Ok(waits.fold(0.0, f64::max) / 1e3)
}
