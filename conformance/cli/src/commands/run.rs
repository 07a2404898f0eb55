//! `mcspec run`.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use mcspec_suite::case::Library;
use mcspec_suite::known::KnownBugs;
use mcspec_suite::report::{Report, Style, pretty_failure, pretty_summary, to_json};
use mcspec_suite::run::{Options, run as run_cases};
use mcspec_suite::target::probe;
use mcspec_suite::verdict::Verdict;

use super::select::{known_capabilities, library, selected};
use crate::args::{Format, Run};
use crate::exit::{Exit, Failure};
use crate::progress::{Progress, no_colour};
use crate::targets::{Running, Started, start};

pub(crate) fn run(args: &Run) -> Result<Exit, Failure> {
    let library = library(args.select.cases.as_deref())?;
    let ids = selected(&library, &args.select)?;
    known_capabilities(&args.require)?;
    let options = options(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::unreachable(format!("no runtime could be started: {error}")))?;
    let report = runtime.block_on(async {
        tokio::select! {
            report = judge(&library, &ids, args, options) => report,
            _ = tokio::signal::ctrl_c() => Err(Failure::unreachable("interrupted; the target was stopped")),
        }
    });
    // What is left of the embedded server must not hold up the end.
    runtime.shutdown_background();
    let report = report?;
    write(args.format, &report, &library)?;
    Ok(exit(&report))
}

fn options(args: &Run) -> Result<Options, Failure> {
    let clock = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |age| age.as_nanos())
    };
    Ok(Options {
        deliveries: args.delivery.0.clone(),
        dialect: args.dialect.clone(),
        timeout: args.timeout,
        jobs: args.jobs.into(),
        // Two runs on one live server must not meet in their keys.
        seed: args.seed.unwrap_or_else(|| (clock() / 1000 % 1_000_000_000_000) as u64),
        require: args.require.iter().cloned().collect(),
        known_bugs: KnownBugs::of_memcached().map_err(|error| Failure::usage(error.to_string()))?,
    })
}

async fn judge(library: &Library, ids: &BTreeSet<String>, args: &Run, options: Options) -> Result<Report, Failure> {
    let Started {
        address,
        name,
        flag,
        running,
    } = start(&args.target, args.timeout).await?;
    let target = match probe(&address, args.timeout).await {
        Ok(mut target) => {
            if !matches!(running, Running::Elsewhere) {
                target.own();
            }
            target
        }
        Err(error) => {
            let more = running.last_words().await;
            running.stop().await;
            return Err(Failure::unreachable(format!("{error}{more}")));
        }
    };
    let mut progress = Progress::new(ids.len() * options.deliveries.len());
    let results = run_cases(library, ids, &target, &options, &mut |result| progress.add(result)).await;
    progress.finish();
    running.stop().await;
    let mut report = Report::new(target, name, replay(args, &flag), results);
    report.dialect = options.dialect;
    report.seed = options.seed;
    Ok(report)
}

/// The start of a command that plays a case again in the same way.
fn replay(args: &Run, target: &str) -> String {
    let mut command = String::from("mcspec run");
    if let Some(directory) = &args.select.cases {
        command += &format!(" --cases {}", directory.display());
    }
    if let Some(release) = &args.dialect {
        command += &format!(" --dialect {release}");
    }
    if !target.is_empty() {
        command += &format!(" {target}");
    }
    command
}

fn write(format: Format, report: &Report, library: &Library) -> Result<(), Failure> {
    let text = match format {
        Format::Json => to_json(report, library).map_err(|error| Failure::unreachable(error.to_string()))?,
        Format::Pretty => pretty(report, library),
    };
    // A reader that has seen enough closes the pipe; that is no error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

fn pretty(report: &Report, library: &Library) -> String {
    let colour = std::io::stdout().is_terminal() && !no_colour();
    let style = if colour { Style::Colour } else { Style::Plain };
    let shown = |verdict: Verdict| {
        matches!(
            verdict,
            Verdict::Fail | Verdict::HarnessError | Verdict::Nonstrict | Verdict::Informational
        )
    };
    let mut text = String::new();
    for result in report.results.iter().filter(|result| shown(result.verdict)) {
        text.push_str(&pretty_failure(report, library, result, style));
        text.push('\n');
    }
    text.push_str(&pretty_summary(report, style));
    text
}

fn exit(report: &Report) -> Exit {
    let has = |verdict| report.results.iter().any(|result| result.verdict == verdict);
    if has(Verdict::Fail) {
        Exit::DoesNotConform
    } else if has(Verdict::HarnessError) {
        Exit::Unreachable
    } else if report.conforms() {
        Exit::Conforms
    } else {
        Exit::DoesNotConform
    }
}
