//! `mcspec explore` and `mcspec diff`.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mcspec_explore::explore::{ExploreError, Options, Summary, explore as run_histories, explore_one};
use mcspec_explore::generate::Offer;
use mcspec_explore::linear::{Concurrent, Rounds, concurrent};
use mcspec_explore::{Oracle, Site};
use mcspec_suite::case::Release;
use mcspec_suite::profile::Profile;
use mcspec_suite::target::{Target, probe};

use crate::args::{Bounds, Diff, Explore, Target as Asked};
use crate::exit::{Exit, Failure};
use crate::progress::Meter;
use crate::targets::{Running, Started, start};

/// The release that is modelled when a server does not say which it is.
const NEWEST: &str = "1.6.45";
/// The oldest release whose meta commands are modelled.
const FIRST_META: &str = "1.6.18";
/// How long a run is that no flag bounds.
const TIME: Duration = Duration::from_secs(30);

pub(crate) fn explore(args: &Explore) -> Result<Exit, Failure> {
    on_runtime(async {
        let server = Server::open(&args.target, args.bounds.timeout).await?;
        let result = if args.concurrent {
            explore_concurrently(args, &server).await
        } else {
            explore_alone(args, &server).await
        };
        server.running.stop().await;
        result
    })
}

pub(crate) fn diff(args: &Diff) -> Result<Exit, Failure> {
    on_runtime(async {
        let left = Server::open(&args.sides.left, args.bounds.timeout).await?;
        let right = match Server::open(&args.sides.right, args.bounds.timeout).await {
            Ok(right) => right,
            Err(failure) => {
                left.running.stop().await;
                return Err(failure);
            }
        };
        let result = compare(args, &left, &right).await;
        left.running.stop().await;
        right.running.stop().await;
        result
    })
}

fn on_runtime(work: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::unreachable(format!("no runtime could be started: {error}")))?;
    let result = runtime.block_on(async {
        tokio::select! {
            result = work => result,
            _ = tokio::signal::ctrl_c() => Err(Failure::unreachable("interrupted; what was started was stopped")),
        }
    });
    runtime.shutdown_background();
    result
}

/// A server that was reached and probed.
struct Server {
    target: Target,
    name: String,
    flag: String,
    running: Running,
}

impl Server {
    async fn open(asked: &Asked, timeout: Duration) -> Result<Self, Failure> {
        let profile = match &asked.target {
            Some(name) => Some(Profile::named(name).map_err(|error| Failure::usage(error.to_string()))?),
            None => None,
        };
        let Started {
            address,
            name,
            flag,
            running,
        } = start(asked, profile.as_ref(), timeout).await?;
        match probe(&address, timeout).await {
            Ok(target) => Ok(Self {
                target,
                name,
                flag,
                running,
            }),
            Err(error) => {
                let more = running.last_words().await;
                running.stop().await;
                Err(Failure::unreachable(format!("{error}{more}")))
            }
        }
    }

    fn is_ours(&self) -> bool {
        !matches!(self.running, Running::Elsewhere)
    }

    fn site(&self, patience: Duration) -> Site {
        Site {
            address: self.target.address.clone(),
            fence: self.target.fence,
            patience,
        }
    }

    fn offers(&self, capability: &str) -> bool {
        self.target.capabilities.contains(capability)
    }
}

fn release(text: &str) -> Result<Release, Failure> {
    text.parse()
        .map_err(|expected| Failure::usage(format!("expected {expected}")))
}

async fn explore_alone(args: &Explore, server: &Server) -> Result<Exit, Failure> {
    let modelled = match args.release.clone().or_else(|| server.target.release()) {
        Some(release) => release,
        None => release(NEWEST)?,
    };
    let meta = server.offers("meta") && modelled >= release(FIRST_META)?;
    let offer = Offer {
        meta,
        flush: server.is_ours(),
        comparable: false,
    };
    let oracle = Oracle::Model(modelled.clone());
    let options = options(&args.bounds, args.findings, server, oracle, modelled.clone(), offer);
    let summary = run(&options, &args.bounds).await?;
    let commands = if meta { "text and meta" } else { "text only" };
    let heading = format!("{} against the model of {modelled} ({commands})", server.name);
    let replay = replay("explore", &[&server.flag], args.release.as_ref(), options.seed);
    finish(&summary, &heading, &replay, options.seed, args.bounds.out.as_deref())
}

async fn compare(args: &Diff, left: &Server, right: &Server) -> Result<Exit, Failure> {
    let offers = |capability| left.offers(capability) && right.offers(capability);
    let offer = Offer {
        meta: offers("meta"),
        flush: left.is_ours() && right.is_ours(),
        comparable: true,
    };
    let oracle = Oracle::Server(right.site(args.bounds.timeout));
    let spoken = left.target.release().map_or_else(|| release(NEWEST), Ok)?;
    let options = options(&args.bounds, args.findings, left, oracle, spoken, offer);
    let summary = run(&options, &args.bounds).await?;
    let heading = format!("{} (expected) and {} (what came)", left.name, right.name);
    let replay = replay("diff", &[&left.flag, &right.flag], None, options.seed);
    finish(&summary, &heading, &replay, options.seed, args.bounds.out.as_deref())
}

/// A run against `server`, which speaks as `release` does, judged by `oracle`.
fn options(
    bounds: &Bounds,
    findings: usize,
    server: &Server,
    oracle: Oracle,
    release: Release,
    offer: Offer,
) -> Options {
    let limits = limits(bounds);
    Options {
        site: server.site(bounds.timeout),
        oracle,
        release: Some(release),
        offer,
        seed: limits.seed,
        first: 0,
        commands: limits.commands,
        time: limits.time,
        findings,
        lanes: bounds.lanes.into(),
        shrinks: true,
    }
}

/// The bounds of a run.
struct Limits {
    seed: u64,
    commands: Option<u64>,
    time: Option<Duration>,
}

fn limits(bounds: &Bounds) -> Limits {
    let clock = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_millis() as u64 % 1_000_000_000);
    let unbounded = bounds.time.is_none() && bounds.commands.is_none();
    Limits {
        seed: bounds.seed.unwrap_or(clock),
        commands: bounds.commands,
        time: bounds.time.or(unbounded.then_some(TIME)),
    }
}

async fn run(options: &Options, bounds: &Bounds) -> Result<Summary, Failure> {
    let meter = Meter::new(options.commands, options.time);
    let summary = match bounds.only {
        Some((pace, number)) => explore_one(options, pace, number).await,
        None => {
            run_histories(options, &mut |progress| {
                meter.show(progress.commands, progress.elapsed, progress.findings);
            })
            .await
        }
    };
    meter.finish();
    summary.map_err(|error: ExploreError| Failure::unreachable(error.to_string()))
}

/// The start of a command that plays one history again.
fn replay(command: &str, flags: &[&str], release: Option<&Release>, seed: u64) -> String {
    let mut words = vec![format!("mcspec {command}")];
    words.extend(
        flags
            .iter()
            .filter(|flag| !flag.is_empty())
            .map(|flag| (*flag).to_owned()),
    );
    words.extend(release.map(|release| format!("--release {release}")));
    words.push(format!("--seed {seed}"));
    words.join(" ")
}

fn finish(summary: &Summary, heading: &str, replay: &str, seed: u64, out: Option<&Path>) -> Result<Exit, Failure> {
    for finding in &summary.findings {
        let times = if finding.times > 1 {
            format!(", {} times", finding.times)
        } else {
            String::new()
        };
        println!("{}{times}\n", finding.kind);
        println!("{}", indented(&finding.transcript));
        println!("replay: {replay} --only {}:{}\n", finding.pace.word(), finding.history);
        write(out, &finding.name, &finding.transcript)?;
    }
    for unsteady in &summary.unsteady {
        println!("seen once, and not again when history {} was repeated\n", unsteady.name);
        println!("{}", indented(&unsteady.transcript));
        write(out, &unsteady.name, &unsteady.transcript)?;
    }
    let seconds = summary.elapsed.as_secs_f64();
    println!(
        "{heading}: {} commands in {} histories, {seconds:.1} s, {:.0} a second, seed {seed}",
        summary.commands,
        summary.histories,
        summary.commands as f64 / seconds.max(0.001)
    );
    if summary.put_aside > 0 {
        println!(
            "{} histories could not be judged: too much was possible",
            summary.put_aside
        );
    }
    match (summary.findings.len(), summary.unsteady.len()) {
        (0, 0) => {
            println!("no difference");
            Ok(Exit::Conforms)
        }
        (found, unsteady) => {
            println!("{found} differences, {unsteady} seen once");
            Ok(Exit::DoesNotConform)
        }
    }
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("  {line}").trim_end().to_owned() + "\n")
        .collect()
}

fn write(out: Option<&Path>, name: &str, transcript: &str) -> Result<(), Failure> {
    let Some(out) = out else { return Ok(()) };
    let file = out.join("found").join(format!("{name}.case"));
    let written = std::fs::create_dir_all(out.join("found")).and_then(|()| std::fs::write(&file, transcript));
    written.map_err(|error| Failure::usage(format!("--out: {} cannot be written: {error}", file.display())))?;
    println!("  written to {}", file.display());
    Ok(())
}

async fn explore_concurrently(args: &Explore, server: &Server) -> Result<Exit, Failure> {
    let bounds = limits(&args.bounds);
    let options = Concurrent {
        site: server.site(args.bounds.timeout),
        seed: bounds.seed,
        commands: bounds.commands,
        time: bounds.time,
    };
    let meter = Meter::new(bounds.commands, bounds.time);
    let rounds = concurrent(&options, &mut |operations, elapsed| meter.show(operations, elapsed, 0)).await;
    meter.finish();
    let Rounds {
        rounds,
        operations,
        violation,
        elapsed,
    } = rounds.map_err(|error| Failure::unreachable(error.to_string()))?;
    let found = violation.is_some();
    if let Some((number, violation)) = violation {
        println!("round {number}: {violation}\n");
        println!(
            "replay: mcspec explore {} --concurrent --seed {}; the system decides the order\n",
            server.flag, bounds.seed
        );
    }
    println!(
        "{}: {operations} operations of several clients on one key, {rounds} rounds, {:.1} s, seed {}: {}",
        server.name,
        elapsed.as_secs_f64(),
        bounds.seed,
        if found { "not linearizable" } else { "linearizable" }
    );
    Ok(if found { Exit::DoesNotConform } else { Exit::Conforms })
}
