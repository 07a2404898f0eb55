//! Runs the suite on the mutants that cargo-mutants lists.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use mcspec_mutation::campaign::{Campaign, Outcomes};
use mcspec_mutation::mutant::{self, Shard};
use mcspec_mutation::survivors::Survivors;

/// Runs the suite on the mutants that cargo-mutants lists.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the mutants, runs the suite on each, and notes what comes of it.
    Run(RunArguments),
    /// Holds the list of survivors against what was noted.
    Check {
        /// The list of mutants, as `cargo mutants --list --json` prints it.
        #[arg(long)]
        list: PathBuf,
        /// Where `outcomes.json` is; of several, a later one replaces what it has run again.
        #[arg(long, required = true)]
        out: Vec<PathBuf>,
    },
}

#[derive(clap::Args)]
struct RunArguments {
    /// The list of mutants, as `cargo mutants --list --json` prints it.
    #[arg(long)]
    list: PathBuf,
    /// A copy of the tree that the list is of: its sources are changed and built.
    #[arg(long)]
    tree: PathBuf,
    /// Where `outcomes.json` goes.
    #[arg(long)]
    out: PathBuf,
    /// The commit that the tree is of.
    #[arg(long)]
    commit: String,
    /// The day.
    #[arg(long)]
    date: String,
    /// One of several equal parts of the list, K/N with K from 0.
    #[arg(long, default_value = "0/1")]
    shard: Shard,
    /// Does not run again what was killed or did not compile in an earlier run, of which this is the directory.
    #[arg(long)]
    known: Vec<PathBuf>,
    /// How many mutants run side by side. Most of what the suite takes is waiting for items to expire.
    #[arg(long, default_value_t = 3)]
    jobs: usize,
    /// How many seconds a mutant may take.
    #[arg(long, default_value_t = 300)]
    timeout: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Run(arguments) => {
            run(arguments).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Check { list, out } => {
            let outcomes = Outcomes::read(&out)?;
            let all: BTreeSet<String> = mutant::read(&list)?.into_iter().map(|mutant| mutant.name).collect();
            let faults = Survivors::listed()?.faults(&outcomes, &all);
            for fault in &faults {
                println!("{fault}");
            }
            println!("{}", outcomes.rate());
            Ok(ExitCode::from(u8::from(!faults.is_empty())))
        }
    }
}

async fn run(arguments: RunArguments) -> anyhow::Result<()> {
    let campaign = Campaign {
        tree: arguments.tree,
        out: arguments.out,
        shard: arguments.shard,
        known: Outcomes::read(&arguments.known)?.settled(),
        jobs: arguments.jobs.max(1),
        timeout: Duration::from_secs(arguments.timeout),
    };
    let outcomes = Outcomes {
        commit: arguments.commit,
        date: arguments.date,
        ..Outcomes::default()
    };
    campaign.run(&mutant::read(&arguments.list)?, outcomes).await?;
    Ok(())
}
