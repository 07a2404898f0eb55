//! `refcached load` and `refcached dump`: datasets as text, from the command line.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use refcached::transfer::{self, Format, TransferProgress};
use refcached::{Clock, SystemClock};

/// The reference memcached server: datasets as text.
#[derive(Debug, Parser)]
#[command(name = "refcached", disable_version_flag = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a dataset from a text file
    ///
    /// A line of NDJSON is an object: {"key":"k","value":"v","flags":0,"exptime":0}. flags and exptime may be left out; exptime is
    /// Unix time in seconds, 0 is never. Bytes that are not UTF-8 stand in key_base64 and value_base64. CSV has a
    /// header with the same names. Of entries with the same key the last one counts. CAS values are given anew.
    Load(Load),
    /// Write a dataset as text, in the order of its keys
    ///
    /// The dataset must not be in use: copy the file of one that is served, or serve it with --readonly.
    Dump(Dump),
}

#[derive(Debug, Args)]
struct Load {
    /// The text: a file whose name ends on .ndjson, .jsonl or .csv
    #[arg(long, value_name = "FILE")]
    from: PathBuf,

    /// The dataset to be made
    #[arg(long, value_name = "FILE.redb")]
    to: PathBuf,

    /// Replace the dataset if there is one
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
struct Dump {
    /// The dataset
    #[arg(long, value_name = "FILE.redb")]
    from: PathBuf,

    /// The text to be written; - is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    to: PathBuf,

    /// Its format [default: what its name ends on; ndjson for standard output]
    #[arg(long)]
    format: Option<TextFormat>,

    /// Replace the text if there is one
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum TextFormat {
    Ndjson,
    Csv,
}

/// Whether a command line is for [`run`]: memcached's flags have no words of their own.
pub(crate) fn is_meant(arguments: &[OsString]) -> bool {
    arguments.get(1).is_some_and(|word| word == "load" || word == "dump")
}

/// Does what the command line asks for.
pub(crate) fn run(arguments: &[OsString]) -> anyhow::Result<()> {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            // The reader may have gone away: there is nobody left to tell.
            let _ = std::io::stdout().write_all(error.to_string().as_bytes());
            return Ok(());
        }
        Err(error) => {
            let text = error.to_string();
            let fault = text.lines().next().unwrap_or_default();
            let fault = fault.strip_prefix("error: ").unwrap_or(fault);
            anyhow::bail!("{fault}; see refcached load --help and refcached dump --help");
        }
    };
    match arguments.command {
        Command::Load(load) => run_load(&load),
        Command::Dump(dump) => run_dump(&dump),
    }
}

fn run_load(load: &Load) -> anyhow::Result<()> {
    let bar = Bar::new("loading", "{bytes}/{total_bytes}");
    let loaded = transfer::load(&load.from, &load.to, load.force, SystemClock::new().now(), |at| {
        bar.show(at);
    })?;
    drop(bar);
    let to = load.to.display();
    let mut line = format!("{} items in {to}", loaded.items);
    for (count, what) in [(loaded.replaced, "replaced by later ones"), (loaded.expired, "expired")] {
        if count > 0 {
            line += &format!(", {count} entries {what}");
        }
    }
    eprintln!("{line}");
    Ok(())
}

fn run_dump(dump: &Dump) -> anyhow::Result<()> {
    let to_stdout = dump.to == Path::new("-");
    let named = match dump.format {
        Some(TextFormat::Ndjson) => Some(Format::Ndjson),
        Some(TextFormat::Csv) => Some(Format::Csv),
        None if to_stdout => Some(Format::Ndjson),
        None => Format::of(&dump.to),
    };
    let Some(format) = named else {
        anyhow::bail!(
            "{}: no such format; let the name end on .ndjson or .csv, or give --format",
            dump.to.display()
        );
    };
    let now = SystemClock::new().now();
    let bar = Bar::new("dumping", "{pos}/{len} items");
    let show = |at| bar.show(at);
    let dumped = if to_stdout {
        let out = std::io::stdout().lock();
        transfer::dump(&dump.from, (Path::new("standard output"), out), format, now, show)?
    } else {
        transfer::dump_to(&dump.from, &dump.to, format, dump.force, now, show)?
    };
    drop(bar);
    if !to_stdout {
        eprintln!("{} items in {}", dumped.items, dump.to.display());
    }
    Ok(())
}

/// A progress bar on standard error, if that is a terminal; gone when it is dropped.
struct Bar(ProgressBar);

impl Bar {
    fn new(verb: &'static str, figures: &str) -> Bar {
        if !std::io::stderr().is_terminal() {
            return Bar(ProgressBar::hidden());
        }
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = if plain { "" } else { ".green" };
        let bar = ProgressBar::new(0).with_message(verb);
        let template = format!("{{msg}} {{bar:40{colour}}} {figures} {{eta}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Bar(bar)
    }

    fn show(&self, at: TransferProgress) {
        self.0.set_length(at.of);
        self.0.set_position(at.done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn only_the_two_words_are_meant() {
        let meant = |line: &str| {
            let arguments: Vec<_> = line.split(' ').map(OsString::from).collect();
            is_meant(&arguments)
        };
        assert!(meant("refcached load --from a") && meant("refcached dump"));
        assert!(!meant("refcached") && !meant("refcached -p 0") && !meant("refcached -u load"));
    }
}
