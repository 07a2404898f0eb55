//! `mcspec run`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mcspec_suite::baseline::Baseline;
use mcspec_suite::case::Library;
use mcspec_suite::expect::Expectations;
use mcspec_suite::known::KnownBugs;
use mcspec_suite::profile::Profile;
use mcspec_suite::report::Report;
use mcspec_suite::run::{Options, run_on_several};
use mcspec_suite::selection::Selection;
use mcspec_suite::target::{Target, probe};
use mcspec_suite::verdict::Verdict;

use super::select::{count_of_part, known_capabilities, library, selected};
use super::{deliver, watch};
use crate::args::Run;
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::targets::{More, Running, Started, start};

pub(crate) fn run(args: &Run) -> Result<Exit, Failure> {
    if args.gate.watch {
        return watch::watch(args);
    }
    let outcome = once(args)?;
    deliver::deliver(args, &outcome)?;
    Ok(exit(&outcome.report))
}

/// All that a run is made from and comes to.
pub(super) struct Outcome {
    pub(super) library: Library,
    /// The target file, if there is one.
    pub(super) profile: Option<Profile>,
    pub(super) report: Report,
    /// Program files of the server.
    pub(super) programs: Vec<PathBuf>,
}

/// Reads all that the run is made from, and judges.
pub(super) fn once(args: &Run) -> Result<Outcome, Failure> {
    let library = library(args.select.cases.as_deref())?;
    let chosen = selected(&library, &args.select)?;
    let selection = Selection::new(&chosen, args.gate.partition);
    let count = count_of_part(&chosen, args.gate.partition)?;
    known_capabilities(&args.require)?;
    let profile = profile(args)?;
    let baseline = args.gate.baseline.as_deref().map(baseline).transpose()?;
    let expectations = profile
        .as_ref()
        .map(|profile| profile.expectations.clone())
        .unwrap_or_default();
    let mut options = options(args, expectations)?;
    let most = profile.as_ref().and_then(|profile| profile.jobs).unwrap_or(u16::MAX);
    options.jobs = options.jobs.min(most.into());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::unreachable(format!("no runtime could be started: {error}")))?;
    let mut progress = Progress::new(count * options.deliveries.len());
    let judged = runtime.block_on(async {
        tokio::select! {
            judged = judge(&library, &chosen, args, profile.as_ref(), options, &mut progress) => judged,
            _ = tokio::signal::ctrl_c() => Err(Failure::unreachable("interrupted; the target was stopped")),
        }
    });
    // What is left of the embedded server must not hold up the end.
    runtime.shutdown_background();
    let (mut report, programs) = judged?;
    report.selection = Some(selection);
    report.baseline = baseline.map(|baseline| baseline.compare(&report.results));
    Ok(Outcome {
        library,
        profile,
        report,
        programs,
    })
}

fn profile(args: &Run) -> Result<Option<Profile>, Failure> {
    let profile = match (&args.target.target, &args.gate.expect) {
        (Some(name), _) => Profile::named(name),
        (None, Some(file)) => Profile::from_file(file),
        (None, None) if args.gate.bless => {
            return Err(Failure::usage(
                "--bless needs the target file that it edits: --target FILE or --expect FILE",
            ));
        }
        (None, None) => return Ok(None),
    };
    profile.map(Some).map_err(|error| Failure::usage(error.to_string()))
}

fn baseline(file: &Path) -> Result<Baseline, Failure> {
    let failed = |cause: String| Failure::usage(format!("--baseline {}: {cause}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    Baseline::from_json(&text).map_err(|error| failed(error.to_string()))
}

fn options(args: &Run, expectations: Expectations) -> Result<Options, Failure> {
    Ok(Options {
        deliveries: args.delivery.0.clone(),
        dialect: args.dialect.clone(),
        timeout: args.timeout,
        jobs: args.jobs.into(),
        seed: args.seed.unwrap_or_else(new_seed),
        require: args.require.iter().cloned().collect(),
        known_bugs: KnownBugs::of_memcached().map_err(|error| Failure::usage(error.to_string()))?,
        expectations,
        retries: args.gate.retries.into(),
        part: args.gate.partition,
    })
}

/// A seed that no other run has: two runs on one live server must not meet in their keys.
pub(super) fn new_seed() -> u64 {
    let age = SystemTime::now().duration_since(UNIX_EPOCH);
    (age.map_or(0, |age| age.as_nanos()) / 1000 % 1_000_000_000_000) as u64
}

/// A server that has started and been probed.
pub(super) struct Reached {
    pub(super) target: Target,
    pub(super) name: String,
    pub(super) flag: String,
    pub(super) running: Running,
}

/// Probes a server that has started; one that cannot be judged is stopped.
pub(super) async fn reach(started: Started, timeout: Duration) -> Result<Reached, Failure> {
    let Started {
        address,
        name,
        flag,
        running,
    } = started;
    let mut target = match probe(&address, timeout).await {
        Ok(target) => target,
        Err(error) => {
            let more = running.last_words().await;
            running.stop().await;
            return Err(Failure::unreachable(format!("{error}{more}")));
        }
    };
    if !matches!(running, Running::Elsewhere) {
        target.own();
    }
    Ok(Reached {
        target,
        name,
        flag,
        running,
    })
}

async fn judge(
    library: &Library,
    ids: &BTreeSet<String>,
    args: &Run,
    profile: Option<&Profile>,
    options: Options,
    progress: &mut Progress,
) -> Result<(Report, Vec<PathBuf>), Failure> {
    // Expectations alone do not say how a server starts.
    let starting = profile.filter(|_| args.target.target.is_some());
    let started = start(&args.target, starting, args.timeout).await?;
    let Reached {
        mut target,
        name,
        flag,
        running,
    } = reach(started, args.timeout).await?;
    let mut faults = options.expectations.declare(&mut target);
    let single = args.one_instance || profile.is_some_and(|profile| profile.one_instance);
    let count = if single { 0 } else { running.more_max() };
    let more = More::new(&args.target, starting, args.timeout, options.seed);
    let instances = (0..count).map(|_| more.start(&target.address)).collect();
    let results = run_on_several(library, ids, &target, instances, &options, &mut |result| {
        progress.add(result);
    })
    .await;
    progress.finish();
    let programs = running.programs();
    tokio::join!(running.stop(), more.stop());
    faults.extend(options.expectations.faults(library, &target, &results));
    let mut report = Report::new(target, name, replay(args, &flag), results);
    report.dialect = options.dialect;
    report.seed = options.seed;
    report.faults = faults;
    Ok((report, programs))
}

/// The start of a command that plays a case again in the same way.
fn replay(args: &Run, target: &str) -> String {
    // What the project's file gave, it gives again.
    let is_default = |key: &str| {
        args.defaults
            .as_ref()
            .is_some_and(|defaults| defaults.keys.contains(key))
    };
    let names_target = ["server", "unix", "spawn", "image", "target"]
        .into_iter()
        .any(is_default);
    let mut command = String::from("mcspec run");
    if args.gate.no_config {
        command += " --no-config";
    }
    if let Some(file) = &args.gate.config {
        command += &format!(" --config {}", file.display());
    }
    if let Some(directory) = args.select.cases.as_ref().filter(|_| !is_default("cases")) {
        command += &format!(" --cases {}", directory.display());
    }
    if let Some(release) = args.dialect.as_ref().filter(|_| !is_default("dialect")) {
        command += &format!(" --dialect {release}");
    }
    if !target.is_empty() && !names_target {
        command += &format!(" {target}");
    }
    if let Some(file) = args.gate.expect.as_ref().filter(|_| !is_default("expect")) {
        command += &format!(" --expect {}", file.display());
    }
    command
}

pub(super) fn exit(report: &Report) -> Exit {
    let has = |verdict| report.results.iter().any(|result| result.verdict == verdict);
    if report.passes() {
        Exit::Conforms
    } else if has(Verdict::HarnessError) && !has(Verdict::Fail) && !has(Verdict::UnexpectedPass) {
        Exit::Unreachable
    } else {
        Exit::DoesNotConform
    }
}
