//! What the suite finds: measured, and written down.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use futures_util::StreamExt as _;
use mcspec_mutants::explorer::{COMMANDS, Explored, explored, first_finding};
use mcspec_mutants::faults::SECTIONS;
use mcspec_mutants::judge::Judge;
use mcspec_mutants::page::page;
use mcspec_mutants::survey::{self, Survey};
use mcspec_mutation::campaign::Outcomes;
use mcspec_mutation::survivors::Survivors;
use mcspec_suite::case::Library;

/// How long a mutant may do nothing while an answer is due.
const TIMEOUT: Duration = Duration::from_secs(3);

/// What the suite finds: measured, and written down.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the whole suite and memccapable on every planted fault, and notes what they find.
    Measure {
        /// Where the figures go.
        #[arg(long, default_value = "target/effectiveness.json")]
        to: PathBuf,
        /// How many mutants run side by side.
        #[arg(long, default_value_t = 4)]
        jobs: usize,
    },
    /// Runs the explorer on every planted fault.
    Explore {
        /// Where the figures go.
        #[arg(long, default_value = "target/exploration.json")]
        to: PathBuf,
        /// How many mutants run side by side: most of them wait.
        #[arg(long, default_value_t = 24)]
        jobs: usize,
    },
    /// Writes conformance/EFFECTIVENESS.md from what was measured.
    Page {
        /// The figures of `measure`.
        #[arg(long, default_value = "target/effectiveness.json")]
        from: PathBuf,
        /// The figures of `explore`, if it has run.
        #[arg(long, default_value = "target/exploration.json")]
        explored: PathBuf,
        /// The directory that ci/mutation has written, if it has; of several, a later one replaces what it has run again.
        #[arg(long, default_value = "target/mutation")]
        mutation: Vec<PathBuf>,
        /// The page.
        #[arg(long, default_value = "conformance/EFFECTIVENESS.md")]
        to: PathBuf,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Measure { to, jobs } => write_json(&to, &on_runtime(measure(jobs))?)?,
        Command::Explore { to, jobs } => {
            let explored = on_runtime(explore(jobs))?;
            write_json(&to, &explored)?;
            let errors: Vec<String> = explored.iter().filter_map(Explored::error).collect();
            for error in &errors {
                println!("{error}");
            }
            return Ok(ExitCode::from(u8::from(!errors.is_empty())));
        }
        Command::Page {
            from,
            explored,
            mutation,
            to,
        } => write_page(&from, &explored, &mutation, &to)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn on_runtime<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(work)
}

fn write_json(to: &Path, figures: &impl serde::Serialize) -> anyhow::Result<()> {
    std::fs::write(to, serde_json::to_string_pretty(figures)?).with_context(|| format!("cannot write {}", to.display()))
}

async fn measure(jobs: usize) -> anyhow::Result<Survey> {
    let library = Library::built_in()?;
    let cases = library.cases().count();
    let judge = Judge::new(library, TIMEOUT).await?.with_retries(1);
    let sound = survey::sound(&judge).await?;
    let faults: Vec<_> = SECTIONS
        .iter()
        .flat_map(|(section, faults)| faults.iter().map(move |fault| (*section, fault)))
        .collect();
    let all = faults.len();
    let mut records = Vec::new();
    let mut runs = futures_util::stream::iter(faults)
        .map(async |(section, fault)| survey::record(&judge, &sound, section, fault).await)
        .buffered(jobs.max(1));
    while let Some(record) = runs.next().await {
        let record = record?;
        let found = record.found.as_ref().map_or("SURVIVES", |first| first.case.as_str());
        eprintln!(
            "{}/{all} {}: {found}; memccapable: {}",
            records.len() + 1,
            record.fault,
            record.peer_failed
        );
        records.push(record);
    }
    drop(runs);
    Ok(Survey {
        cases,
        sound_ms: sound.whole.as_millis() as u64,
        peer_fails_sound: sound.peer.failed.iter().map(|test| (*test).to_owned()).collect(),
        records,
    })
}

async fn explore(jobs: usize) -> anyhow::Result<Vec<Explored>> {
    if let Some(finding) = first_finding(None, COMMANDS).await? {
        bail!(
            "the server without a fault differs from the model; mend that first\n{}",
            finding.transcript
        );
    }
    let faults = SECTIONS
        .iter()
        .flat_map(|(section, faults)| faults.iter().map(move |fault| (*section, fault)));
    let mut runs = futures_util::stream::iter(faults)
        .map(async |(section, fault)| explored(section, fault).await)
        .buffered(jobs.max(1));
    let mut all = Vec::new();
    while let Some(record) = runs.next().await {
        let record = record?;
        let found = record
            .commands
            .map_or("not found".to_owned(), |commands| commands.to_string());
        eprintln!("{}: {found}", record.fault);
        all.push(record);
    }
    Ok(all)
}

fn write_page(from: &Path, explored: &Path, mutation: &[PathBuf], to: &Path) -> anyhow::Result<()> {
    let before = std::fs::read_to_string(to).unwrap_or_default();
    let survey: Option<Survey> = match std::fs::read_to_string(from) {
        Ok(text) => Some(serde_json::from_str(&text).with_context(|| from.display().to_string())?),
        Err(_) => {
            eprintln!(
                "{} is not there, so what the page says of planted faults stays",
                from.display()
            );
            None
        }
    };
    let explored: Option<Vec<Explored>> = match std::fs::read_to_string(explored) {
        Ok(text) => Some(serde_json::from_str(&text)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", explored.display())),
    };
    let survivors = Survivors::listed()?;
    let run: Vec<PathBuf> = mutation
        .iter()
        .filter(|directory| directory.exists())
        .cloned()
        .collect();
    let outcomes = match run.is_empty() {
        true => None,
        false => Some(Outcomes::read(&run)?),
    };
    let page = page(
        &before,
        survey.as_ref(),
        explored.as_deref(),
        outcomes.as_ref().map(|outcomes| (outcomes, &survivors)),
    );
    std::fs::write(to, page).with_context(|| format!("cannot write {}", to.display()))
}
