//! `mcspec init`: writes a first target file.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use mcspec_suite::case::Library;
use mcspec_suite::draft::{Draft, draft, note_again, passes_somewhere};
use mcspec_suite::play::Address;
use mcspec_suite::profile::Start;
use mcspec_suite::report::Report;
use mcspec_suite::run::{Options, run_on_several};
use mcspec_suite::verdict::Verdict;

use super::run::{Reached, new_seed, reach};
use super::select::library;
use crate::args::Init;
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::targets::{More, start};

/// How many times a case that did not pass is played again, to tell what fails at times from what fails.
const RETRIES: u32 = 1;
/// How many times more all is played that passed in some delivery: what passes by chance is not seen by playing again what failed.
const MORE_ROUNDS: u32 = 2;

/// Probes the server, plays the suite to it, and writes down what it lacks and where it deviates.
pub(crate) fn init(args: &Init) -> Result<Exit, Failure> {
    let (start, name) = described(args)?;
    let output = args
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{name}.toml")));
    let to_stdout = output == Path::new("-");
    // Before minutes are spent on a run.
    if !to_stdout && !args.force && output.exists() {
        return Err(Failure::usage(format!(
            "{} is there already; --force replaces it, --output FILE names another, and `mcspec run --bless` brings one up to date",
            output.display()
        )));
    }
    let library = library(args.cases.as_deref())?;
    let report = judged(args, &library)?;
    if let Some(broken) = report
        .results
        .iter()
        .find(|result| result.verdict == Verdict::HarnessError)
    {
        let cause = broken
            .failure
            .as_ref()
            .map(|failure| failure.problem.to_string())
            .unwrap_or_default();
        return Err(Failure::unreachable(format!(
            "nothing was written: {} could not be judged: {cause}; does the server still run?",
            broken.id
        )));
    }
    let draft = draft(&name, &start, &library, &report).map_err(|error| Failure::usage(error.to_string()))?;
    if to_stdout {
        // A reader that has seen enough closes the pipe; that is no error.
        let _ = io::stdout().write_all(draft.text.as_bytes());
    } else {
        let written = write(&output, &draft.text, args.force);
        written.map_err(|error| Failure::usage(format!("{} cannot be written: {error}", output.display())))?;
    }
    eprint!("{}", said(&draft, &output, to_stdout));
    Ok(Exit::Conforms)
}

/// How the file says that the server starts, and what it is called.
fn described(args: &Init) -> Result<(Start, String), Failure> {
    let target = &args.target;
    let (start, name) = if let Some(address) = &target.server {
        (Start::Server(address.clone()), None)
    } else if let Some(path) = &target.unix {
        (Start::Server(Address::Unix(path.clone())), None)
    } else if let Some(command) = &target.spawn {
        let program = shlex::split(command).and_then(|words| words.into_iter().next());
        let commands = vec![command.clone()];
        (
            Start::Processes {
                files: Vec::new(),
                commands,
                obtain: None,
            },
            program,
        )
    } else if let Some(image) = &target.image {
        let name = image.split_once(['@', ':']).map_or(image.as_str(), |(name, _)| name);
        (
            Start::Image {
                image: image.clone(),
                tag: None,
            },
            Some(name.to_owned()),
        )
    } else if target.target.is_some() {
        return Err(Failure::usage(
            "--target names a server that has its file already; `mcspec run --bless` brings one up to date",
        ));
    } else {
        return Err(Failure::usage(
            "which server? name it with --spawn 'COMMAND {port}', --server HOST:PORT, --unix PATH or --image IMAGE",
        ));
    };
    let stem = |path: String| {
        Path::new(&path)
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
    };
    let name = args
        .name
        .clone()
        .or(name.and_then(stem))
        .unwrap_or_else(|| "server".to_owned());
    Ok((start, name))
}

fn judged(args: &Init, library: &Library) -> Result<Report, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::unreachable(format!("no runtime could be started: {error}")))?;
    let report = runtime.block_on(async {
        tokio::select! {
            report = judge(args, library) => report,
            _ = tokio::signal::ctrl_c() => Err(Failure::unreachable("interrupted; nothing was written")),
        }
    });
    runtime.shutdown_background();
    report
}

async fn judge(args: &Init, library: &Library) -> Result<Report, Failure> {
    let started = start(&args.target, None, args.timeout).await?;
    let Reached {
        target, name, running, ..
    } = reach(started, args.timeout).await?;
    let options = Options {
        deliveries: args.delivery.0.clone(),
        timeout: args.timeout,
        jobs: args.jobs.into(),
        seed: new_seed(),
        retries: RETRIES,
        ..Options::default()
    };
    // As in a run: exclusive cases, of which many time out on a server that nobody has mended yet, go to instances of their own.
    let more = More::new(&args.target, None, args.timeout, options.seed);
    let started = RefCell::new(BTreeMap::<usize, Address>::new());
    let instance = async |place: usize| {
        let known = started.borrow().get(&place).cloned();
        match known {
            Some(address) => Some(address),
            None => {
                let address = more.start(&target.address).await?;
                started.borrow_mut().insert(place, address.clone());
                Some(address)
            }
        }
    };
    let play = async |ids: &BTreeSet<String>, options: &Options| {
        let instances = (0..running.more_max()).map(&instance).collect();
        let mut progress = Progress::new(ids.len() * options.deliveries.len());
        let results = run_on_several(library, ids, &target, instances, options, &mut |result| {
            progress.add(result);
        })
        .await;
        progress.finish();
        results
    };
    let all = library.cases().map(|(id, ..)| id).collect();
    let mut results = play(&all, &options).await;
    for round in 1..=MORE_ROUNDS {
        let again = Options {
            seed: options.seed.wrapping_add(round.into()),
            retries: 0,
            ..options.clone()
        };
        let played = play(&passes_somewhere(&results), &again).await;
        note_again(&mut results, &played);
    }
    tokio::join!(running.stop(), more.stop());
    Ok(Report::new(target, name, String::new(), results))
}

fn write(file: &Path, text: &str, force: bool) -> io::Result<()> {
    if let Some(directory) = file.parent().filter(|directory| *directory != Path::new("")) {
        std::fs::create_dir_all(directory)?;
    }
    let mut options = OpenOptions::new();
    options.write(true);
    // One that appeared during the run is not replaced either.
    match force {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    options.open(file)?.write_all(text.as_bytes())
}

/// What was found, and what is to be done.
fn said(draft: &Draft, output: &Path, to_stdout: bool) -> String {
    let Draft {
        offers,
        lacks,
        entries,
        deviating,
        late,
        ..
    } = draft;
    let file = if to_stdout {
        "FILE".to_owned()
    } else {
        output.display().to_string()
    };
    let written = if to_stdout {
        String::new()
    } else {
        format!("wrote {file}: ")
    };
    let (offers, lacking) = (offers.len(), lacks.len());
    let mut found = format!(
        "mcspec: {written}{offers} capabilities offered, {lacking} lacking, {deviating} cases that deviate, in {entries} entries\n"
    );
    if *late > 0 {
        found += &format!(
            "mcspec: {late} cases had no answer in time at first and then passed; none is written down, for a busy machine does \
             that: give it rest, or --timeout more\n"
        );
    }
    if lacking + entries == 0 {
        return format!("{found}mcspec: nothing is left to write; `mcspec run --target {file}` is the gate\n");
    }
    format!(
        "{found}mcspec: write a reason in place of each \"?\": what the server does instead, and why; a fault is better mended \
         than declared.\nmcspec: then `mcspec run --target {file}` is the gate; until then it ends with 1\n"
    )
}
