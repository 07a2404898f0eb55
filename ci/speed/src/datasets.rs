//! Datasets in files, and their replacement under load: what only refcached does.

use std::fs;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::Serialize;

use crate::load::Load;
use crate::measure::{Plan, measure, median};
use crate::mix::{self, Ask, Mix};
use crate::report::Line;
use crate::requests;
use crate::server::{Contender, Server};

/// The load goes on so long before a switch is asked for, and after it was answered.
const AROUND_A_SWITCH: Duration = Duration::from_millis(300);

/// Records of all datasets here, 100 bytes each.
const KEYS: Mix = Mix {
    keys: mix::MILLION,
    connections: 64,
    ..mix::GET
};

/// What came out.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    /// Making a file of text.
    load_s: f64,
    /// Acknowledged when they are on the disk.
    durable_sets_per_s: f64,
    /// Per second of the server's processors, over the same of the backend in memory.
    gets_to_memory: f64,
    misses_to_memory: f64,
    swaps: Vec<Swap>,
}

/// Switches under load, each figure the middle one of all rounds.
#[derive(Debug, Serialize)]
struct Swap {
    backend: &'static str,
    /// From the order to its answer, with the check of the new file.
    switch_s: f64,
    worst_without_us: f64,
    worst_with_us: f64,
    p999_without_us: f64,
    p999_with_us: f64,
    resident_before_bytes: u64,
    resident_after_bytes: u64,
}

impl Figures {
    pub(crate) fn lines(&self) -> Vec<Line> {
        let mut lines = vec![
            Line::told("`refcached load` from text", format!("{:.1} s", self.load_s)).at_most(self.load_s, 3.0, "3 s"),
            Line::told(
                "durable sets, 64 connections",
                format!("{:.0} a second", self.durable_sets_per_s),
            )
            .at_least(self.durable_sets_per_s, 50_000.0, "50,000"),
            Line::told("gets of 8, CPU, over memory's", format!("{:.2}", self.gets_to_memory)).at_least(
                self.gets_to_memory,
                0.5,
                "0.5",
            ),
            Line::told(
                "misses of 8, CPU, over memory's",
                format!("{:.2}", self.misses_to_memory),
            )
            .at_least(self.misses_to_memory, 1.0, "1.0"),
        ];
        lines.extend(self.swaps.iter().flat_map(Swap::lines));
        lines
    }
}

impl Swap {
    fn lines(&self) -> [Line; 4] {
        let Swap { backend, .. } = self;
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let (before, after) = (mib(self.resident_before_bytes), mib(self.resident_after_bytes));
        let (worst, with) = (self.worst_without_us / 1e3, self.worst_with_us / 1e3);
        [
            Line::told(
                format!("{backend}: a switch under load, its check included"),
                format!("{:.1} s", self.switch_s),
            ),
            Line::told(
                format!("{backend}: worst command without and with a switch"),
                format!("{worst:.1} ms, {with:.1} ms"),
            )
            .at_most(with, worst + 1.0, "1 ms more"),
            Line::told(
                format!("{backend}: p99.9 without and with a switch"),
                format!("{:.0} us, {:.0} us", self.p999_without_us, self.p999_with_us),
            )
            .at_most(self.p999_with_us, 1.1 * self.p999_without_us, "10 % more"),
            Line::told(
                format!("{backend}: memory before and after the switches"),
                format!("{before:.0} MiB, {after:.0} MiB"),
            )
            .at_most(after, 1.1 * before, "10 % more"),
        ]
    }
}

/// Makes two datasets and serves them. `processors` as with [`Server::start`].
pub(crate) fn run(plan: &Plan, program: &Path, processors: Option<usize>) -> anyhow::Result<Figures> {
    let directory = tempfile::tempdir().context("there is no place for datasets")?;
    let load_s = make(program, directory.path())?;
    let bench = Bench {
        plan,
        program: program.to_owned(),
        directory: directory.path().to_owned(),
        processors,
    };
    let (memory, redb) = (bench.start("memory")?, bench.start("redb")?);
    let gets = bench.compare([&redb, &memory], Ask::Get).context("gets")?;
    let misses = bench.compare([&redb, &memory], Ask::Miss).context("misses")?;
    let durable_sets_per_s = bench.durable_sets(&redb).context("durable sets")?;
    drop((memory, redb));
    Ok(Figures {
        load_s,
        durable_sets_per_s,
        gets_to_memory: gets,
        misses_to_memory: misses,
        swaps: ["memory", "redb"]
            .into_iter()
            .map(|backend| bench.swaps(backend).with_context(|| format!("switches of {backend}")))
            .collect::<anyhow::Result<_>>()?,
    })
}

/// Makes `a.redb` and `b.redb`, alike. Gives the seconds that one took.
fn make(program: &Path, directory: &Path) -> anyhow::Result<f64> {
    let text = directory.join("records.ndjson");
    let value = String::from_utf8_lossy(&requests::value(&KEYS)).into_owned();
    let mut out = BufWriter::new(fs::File::create(&text).context("the text cannot be written")?);
    for key in 0..KEYS.keys {
        writeln!(out, r#"{{"key":"{}","value":"{value}"}}"#, requests::name(key))?;
    }
    out.flush()?;
    let start = Instant::now();
    let status = Command::new(program)
        .arg("load")
        .arg("--from")
        .arg(&text)
        .arg("--to")
        .arg(directory.join("a.redb"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .with_context(|| format!("{} cannot be started", program.display()))?;
    ensure!(status.success(), "`refcached load` failed: {status}");
    let taken = start.elapsed();
    fs::copy(directory.join("a.redb"), directory.join("b.redb")).context("the dataset cannot be copied")?;
    fs::remove_file(&text)?;
    Ok(taken.as_secs_f64())
}

struct Bench<'p> {
    plan: &'p Plan,
    program: PathBuf,
    directory: PathBuf,
    processors: Option<usize>,
}

impl Bench<'_> {
    fn start(&self, backend: &str) -> anyhow::Result<Server> {
        let directory = self.directory.to_string_lossy();
        let flags = [
            "--control",
            "off",
            "--extensions",
            "--backend",
            backend,
            "--data-dir",
            &directory,
        ];
        // Two servers cannot have one file of redb open.
        let flags = [
            &flags[..],
            &["--data", if backend == "redb" { "a.redb" } else { "b.redb" }],
        ]
        .concat();
        let contender = Contender::new("refcached", self.program.clone(), &flags);
        Server::start(&contender, self.plan.threads, self.processors)
    }

    /// Operations per CPU second of the first server over those of the second.
    fn compare(&self, servers: [&Server; 2], ask: Ask) -> anyhow::Result<f64> {
        let mix = Mix {
            ask,
            pipeline: 8,
            ..KEYS
        };
        let pipelines = requests::pipelines(&mix, self.plan.seed);
        let mut ratios = Vec::new();
        for _ in 0..self.plan.rounds {
            let mut rates = Vec::new();
            for server in servers {
                let mut load = Load::connect(server.address, mix.connections)?;
                rates.push(measure(server, &mut load, &mix, &pipelines, self.plan.time)?.rate_per_cpu);
            }
            ratios.push(rates[0] / rates[1]);
        }
        Ok(median(ratios))
    }

    fn durable_sets(&self, server: &Server) -> anyhow::Result<f64> {
        let mix = Mix { ask: Ask::Set, ..KEYS };
        let pipelines = requests::pipelines(&mix, self.plan.seed);
        let mut load = Load::connect(server.address, mix.connections)?;
        let rates = (0..self.plan.rounds)
            .map(|_| Ok(measure(server, &mut load, &mix, &pipelines, self.plan.time)?.rate))
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(median(rates))
    }

    /// Switches to and fro, each time after as long a time without a switch.
    fn swaps(&self, backend: &'static str) -> anyhow::Result<Swap> {
        let server = self.start(backend)?;
        let pipelines = requests::pipelines(&KEYS, self.plan.seed);
        let mut load = Load::connect(server.address, KEYS.connections)?;
        let mut files = ["a.redb", "b.redb"]
            .into_iter()
            .cycle()
            .skip(usize::from(backend == "redb"));
        // The first one fills caches, and says how long they take.
        let mut taken = self.switch(&server, &mut load, &pipelines, &mut files)?.0;
        let resident_before_bytes = server.resident_bytes()?;
        let (mut switch, mut worst, mut p999) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.plan.rounds.min(3) {
            let quiet = load.run(&pipelines, taken + 2 * AROUND_A_SWITCH)?;
            let (time, seen) = self.switch(&server, &mut load, &pipelines, &mut files)?;
            taken = time;
            let us = |ns: u64| ns as f64 / 1e3;
            switch.push(time.as_secs_f64());
            worst.push([&quiet, &seen].map(|seen| us(seen.latencies.max())));
            p999.push([&quiet, &seen].map(|seen| us(seen.latencies.value_at_quantile(0.999))));
        }
        let middle = |pairs: &[[f64; 2]], at: usize| median(pairs.iter().map(|pair| pair[at]).collect());
        Ok(Swap {
            backend,
            switch_s: median(switch),
            worst_without_us: middle(&worst, 0),
            worst_with_us: middle(&worst, 1),
            p999_without_us: middle(&p999, 0),
            p999_with_us: middle(&p999, 1),
            resident_before_bytes,
            resident_after_bytes: server.resident_bytes()?,
        })
    }

    /// Switches to the next file while the load goes on. Gives how long that took, and what the load saw.
    fn switch(
        &self,
        server: &Server,
        load: &mut Load,
        pipelines: &[requests::Pipeline],
        files: &mut impl Iterator<Item = &'static str>,
    ) -> anyhow::Result<(Duration, crate::load::Seen)> {
        let address = server.address;
        let file = files.next().context("there is always a next file")?;
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let switching = scope.spawn(|| {
                thread::sleep(AROUND_A_SWITCH);
                let taken = order_switch(address, file);
                thread::sleep(AROUND_A_SWITCH);
                done.store(true, Ordering::Relaxed);
                taken
            });
            let seen = load.run_until(pipelines, |_| done.load(Ordering::Relaxed))?;
            // A panic in there would be one of this program.
            let taken = switching
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok((taken, seen))
        })
    }
}

/// Orders the switch and waits for its answer.
fn order_switch(address: SocketAddr, file: &str) -> anyhow::Result<Duration> {
    let mut stream = TcpStream::connect(address)?;
    let start = Instant::now();
    write!(stream, "switchdb {file}\r\n")?;
    let mut answer = String::new();
    BufReader::new(&stream).read_line(&mut answer)?;
    ensure!(answer == "OK\r\n", "`switchdb {file}` was answered {answer:?}");
    Ok(start.elapsed())
}
