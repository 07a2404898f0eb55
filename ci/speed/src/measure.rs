//! Rounds of measurements, the servers in turn, and the middle of what came out.

use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::load::Load;
use crate::mix::{self, Mix};
use crate::requests::{self, Pipeline};
use crate::server::{Contender, Server};

/// What to measure.
pub(crate) struct Plan {
    pub(crate) contenders: [Contender; 2],
    pub(crate) threads: usize,
    pub(crate) time: Duration,
    pub(crate) rounds: usize,
    pub(crate) mixes: Vec<Mix>,
    pub(crate) seed: u64,
}

/// What came out.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    /// Threads of each server.
    pub(crate) threads: usize,
    /// Whether servers and generator had processors of their own.
    pub(crate) apart: bool,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) seed: u64,
    pub(crate) mixes: Vec<Compared>,
}

/// Two servers under one mix.
#[derive(Debug, Serialize)]
pub(crate) struct Compared {
    pub(crate) mix: &'static str,
    pub(crate) servers: [Measured; 2],
    /// The second server's operations per second of its processors, over the first one's.
    pub(crate) ratio: f64,
    /// What `ratio` is to be at least.
    pub(crate) goal: f64,
    /// Whether the servers hold enough for their memory to be compared.
    pub(crate) resident_bytes_matter: bool,
}

/// One server under one mix, each figure the middle one of all rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) server: &'static str,
    /// Operations a second.
    pub(crate) rate: f64,
    /// Operations per second that processors spent on the server.
    pub(crate) rate_per_cpu: f64,
    /// Of a pipeline, in microseconds.
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
    /// Of the server, after the mix's keys were stored, in bytes.
    pub(crate) resident_bytes: u64,
}

/// One measurement.
pub(crate) struct Figures {
    pub(crate) rate: f64,
    pub(crate) rate_per_cpu: f64,
    latencies_us: [f64; 3],
    resident_bytes: u64,
}

/// Measures all mixes; servers are kept on the first `processors`, if there are others for the generator.
pub(crate) fn run(plan: &Plan, processors: Option<usize>) -> anyhow::Result<Results> {
    let bar = ProgressBar::new((plan.mixes.len() * plan.rounds * 2) as u64).with_style(
        // The template is a constant, and right.
        ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} of about {duration}  {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut mixes = Vec::new();
    for mix in &plan.mixes {
        bar.set_message(mix.name);
        mixes.push(compare(plan, mix, processors, &bar).with_context(|| format!("mix `{}`", mix.name))?);
    }
    bar.finish_and_clear();
    Ok(Results {
        threads: plan.threads,
        apart: processors.is_some(),
        rounds: plan.rounds,
        seconds: plan.time.as_secs_f64(),
        seed: plan.seed,
        mixes,
    })
}

/// Both servers run all the time, and are measured in turn: what disturbs the machine disturbs both.
fn compare(plan: &Plan, mix: &Mix, processors: Option<usize>, bar: &ProgressBar) -> anyhow::Result<Compared> {
    let pipelines = requests::pipelines(mix, plan.seed);
    let mut runs = Vec::new();
    for contender in &plan.contenders {
        let server = Server::start(contender, plan.threads, processors)?;
        fill(&server, mix)?;
        let load = Load::connect(server.address, mix.connections)?;
        runs.push((contender, server, load, Vec::new()));
    }
    for _ in 0..plan.rounds {
        for (contender, server, load, figures) in &mut runs {
            let measured = measure(server, load, mix, &pipelines, plan.time);
            figures.push(measured.with_context(|| contender.name)?);
            bar.inc(1);
        }
    }
    let mut servers = runs
        .into_iter()
        .map(|(contender, _, _, figures)| middle(contender.name, &figures));
    let (Some(first), Some(second)) = (servers.next(), servers.next()) else {
        unreachable!("there are two contenders");
    };
    Ok(Compared {
        mix: mix.name,
        goal: mix.goal,
        resident_bytes_matter: mix.keys >= mix::MILLION,
        ratio: second.rate_per_cpu / first.rate_per_cpu,
        servers: [first, second],
    })
}

/// Stores all keys of the mix.
pub(crate) fn fill(server: &Server, mix: &Mix) -> anyhow::Result<()> {
    let mut load = Load::connect(server.address, 1)?;
    for pipeline in requests::filling(mix) {
        load.run(&[pipeline], Duration::ZERO)
            .context("while the keys were stored")?;
    }
    Ok(())
}

pub(crate) fn measure(
    server: &Server,
    load: &mut Load,
    mix: &Mix,
    pipelines: &[Pipeline],
    time: Duration,
) -> anyhow::Result<Figures> {
    let before = server.cpu_ns()?;
    let seen = load.run(pipelines, time)?;
    let cpu_s = (server.cpu_ns()? - before) as f64 / 1e9;
    let operations = seen.pipelines as f64 * mix.operations() as f64;
    Ok(Figures {
        rate: operations / seen.elapsed.as_secs_f64(),
        rate_per_cpu: operations / cpu_s,
        latencies_us: [0.5, 0.99, 0.999].map(|quantile| seen.latencies.value_at_quantile(quantile) as f64 / 1e3),
        resident_bytes: server.resident_bytes()?,
    })
}

fn middle(server: &'static str, figures: &[Figures]) -> Measured {
    let of = |figure: fn(&Figures) -> f64| median(figures.iter().map(figure).collect());
    Measured {
        server,
        rate: of(|figures| figures.rate),
        rate_per_cpu: of(|figures| figures.rate_per_cpu),
        p50_us: of(|figures| figures.latencies_us[0]),
        p99_us: of(|figures| figures.latencies_us[1]),
        p999_us: of(|figures| figures.latencies_us[2]),
        resident_bytes: of(|figures| figures.resident_bytes as f64) as u64,
    }
}

pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
