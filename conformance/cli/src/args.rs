//! The command line.

mod explore;
mod gate;
mod init;
mod matrix;
#[cfg(test)]
mod pages;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use mcspec_suite::case::{Level, Release};
use mcspec_suite::glob::Glob;
use mcspec_suite::play::{Address, Delivery};

use crate::config::Defaults;
use crate::exit;

pub(crate) use explore::{Bounds, Diff, Explore};
pub(crate) use gate::{Destination, Format, Gate};
pub(crate) use init::Init;
pub(crate) use matrix::{Export, Matrix, MatrixForm, MatrixReport, SchemaArgs, SchemaOf};

/// Proves whether a server speaks memcached.
///
/// Without a command, runs the whole suite; without a target, against the built-in reference server.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) run: Run,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The whole command line, with the exit codes under the help of each command.
pub(crate) fn command_line() -> clap::Command {
    let mut command = Cli::command().after_help(exit_codes(None));
    let names: Vec<String> = command
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    for name in names {
        let codes = exit_codes(Some(&name));
        command = command.mut_subcommand(name, |command| command.after_help(codes));
    }
    command
}

fn exit_codes(command: Option<&str>) -> String {
    let codes = exit::codes(command).iter();
    let lines = codes.map(|(code, meaning)| format!("\n  {}  {meaning}", *code as u8));
    format!("Exit codes:{}", lines.collect::<String>())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the suite against a server
    Run(Box<Run>),
    /// List the cases, one id a line
    List(List),
    /// Show a case: its transcript, the words of the protocol text, how to replay it
    Explain(Explain),
    /// Play random histories to a server and judge it by a model of the protocol; shrink what differs to a case
    Explore(Box<Explore>),
    /// Play the same random histories to two servers; shrink what differs to a case
    Diff(Box<Diff>),
    /// Put the JSON reports on several servers side by side, and the parts of a partitioned run together
    Matrix(Matrix),
    /// Write every case as JSON, for a runner in another language
    Export(Export),
    /// Show the JSON Schema of what this program writes
    Schema(SchemaArgs),
    /// Show which paragraphs of memcached's protocol text no case cites
    Coverage(CoverageArgs),
    /// Send random and broken streams to a server of yours, and shrink what goes wrong to a case
    Fuzz(Fuzz),
    /// Write a first target file for a server, from a probe and a run of the suite
    Init(Init),
    /// Print the completions of the command line for a shell
    Completions(Completions),
    /// Print a manual page, or write them all
    Man(Man),
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) select: Select,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) gate: Gate,
    /// How to cut what is sent into writes; `all`, or several separated by commas
    #[arg(long, value_name = "DELIVERY", default_value = "whole", value_parser = deliveries)]
    pub(crate) delivery: Deliveries,
    /// Demand the answers of exactly this release of memcached
    #[arg(long, value_name = "RELEASE", value_parser = expected::<Release>)]
    pub(crate) dialect: Option<Release>,
    /// Capabilities whose absence is a failure, separated by commas
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub(crate) require: Vec<String>,
    /// Seconds that the probe may take, and that a server may do nothing while an answer is due
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// How many cases run at once
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(crate) jobs: u16,
    /// Start a server that mcspec starts itself only once: exclusive cases follow the others then, in place of running on
    /// instances of their own meanwhile
    #[arg(long)]
    pub(crate) one_instance: bool,
    /// Makes the keys of the run; a new one each time unless given
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// The form of the report on standard output
    #[arg(long, value_enum, default_value_t = Format::Pretty)]
    pub(crate) format: Format,
    /// What `mcspec.toml` gave.
    #[arg(skip)]
    pub(crate) defaults: Option<Defaults>,
}

#[derive(Debug, Args)]
pub(crate) struct Select {
    /// Ids, sections or patterns such as `storage/*`; all cases without any
    #[arg(value_name = "CASE", value_parser = expected_glob)]
    pub(crate) patterns: Vec<Glob>,
    /// Leave out what fits this pattern; may be given several times
    #[arg(long, value_name = "CASE", value_parser = expected_glob)]
    pub(crate) exclude: Vec<Glob>,
    /// Only cases of these levels, separated by commas
    #[arg(long, value_name = "LEVEL", value_delimiter = ',', value_parser = level)]
    pub(crate) level: Vec<Level>,
    /// Only cases that need one of these capabilities, separated by commas
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',')]
    pub(crate) capability: Vec<String>,
    /// Take the cases of this directory in place of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub(crate) cases: Option<PathBuf>,
}

#[derive(Debug, Default, Args)]
#[group(multiple = false)]
pub(crate) struct Target {
    /// A server that is running: HOST:PORT
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) server: Option<Address>,
    /// A server that is running on a Unix socket
    #[arg(long, value_name = "PATH")]
    pub(crate) unix: Option<PathBuf>,
    /// Start a server with this command and stop it afterwards; {port} stands for a free port, {port NAME} for
    /// another one, {dir} for a directory that is gone afterwards, {socket} for the path of a Unix socket
    #[arg(long, value_name = "COMMAND")]
    pub(crate) spawn: Option<String>,
    /// Start a server from this image and remove it afterwards; it listens on port 11211 of its container
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Option<String>,
    /// A known server, or a target file: how it starts, and what it is known to do otherwise
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) target: Option<String>,
    /// Where the server is started: the directory of the file that names it, if that is not the working directory.
    #[arg(skip)]
    pub(crate) root: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) select: Select,
    /// The form of the list
    #[arg(long, value_enum, default_value_t = ListFormat::Plain)]
    pub(crate) format: ListFormat,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The case's id
    #[arg(value_name = "CASE")]
    pub(crate) id: String,
    /// Take the cases of this directory in place of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub(crate) cases: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Fuzz {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Where the trials come from: the same seed, the same trials
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// For how many seconds
    #[arg(long = "for", value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) time: Duration,
    /// Seconds that the server may take for an answer
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// The server's process on this machine, whose memory is watched
    #[arg(long, value_name = "PID")]
    pub(crate) pid: Option<u32>,
    /// How much that process may grow after the first trials, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    pub(crate) growth: u32,
    /// The directory of cases into which a finding is written
    #[arg(long, value_name = "DIR", default_value = "mcspec-found")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The page of this command in place of the one of mcspec
    #[arg(value_name = "COMMAND")]
    pub(crate) command: Option<String>,
    /// Write the pages of all commands into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CoverageArgs {
    /// The protocol text of memcached 1.6.45
    #[arg(long, value_name = "FILE")]
    pub(crate) text: PathBuf,
    /// Show the paragraphs that are cited, too
    #[arg(long)]
    pub(crate) all: bool,
    /// Take the cases of this directory in place of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub(crate) cases: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// One id a line
    Plain,
    /// Section, level, quotes, sources and releases of each case
    Json,
}

/// Deliveries in the order in which they run.
#[derive(Debug, Clone)]
pub(crate) struct Deliveries(pub(crate) Vec<Delivery>);

fn deliveries(text: &str) -> Result<Deliveries, String> {
    if text == "all" {
        return Ok(Deliveries(Delivery::ALL.to_vec()));
    }
    let mut named: Vec<Delivery> = text
        .split(',')
        .map(str::parse)
        .collect::<Result<_, String>>()
        .map_err(|expected| format!("expected `all` or {expected}"))?;
    named.sort_unstable();
    named.dedup();
    Ok(Deliveries(named))
}

fn expected<T: std::str::FromStr<Err = String>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|expected| format!("expected {expected}"))
}

fn expected_glob(text: &str) -> Result<Glob, String> {
    Glob::new(text)
}

fn level(text: &str) -> Result<Level, String> {
    let found = Level::ALL
        .into_iter()
        .find(|level| level.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| "expected must, should, may or defacto".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text
        .trim_end_matches('s')
        .parse()
        .ok()
        .filter(|seconds| (0.001..=3600.0).contains(seconds));
    seconds
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "expected seconds, more than 0 and up to 3600".to_owned())
}
