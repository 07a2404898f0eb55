//! The flags on datasets: what holds them, where they lie, how they are replaced.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use refcached::{Config, Durability, Policy};

use super::{SECONDS_MAX, size};

/// The part of the help on these flags.
const HEADING: &str = "Datasets";

/// What holds the items, where it comes from, and how it is replaced.
#[derive(Debug, Args)]
pub(super) struct DatasetFlags {
    /// What holds the items
    #[arg(long, value_name = "NAME", default_value = "memory", value_parser = clap::builder::PossibleValuesParser::new(refcached::BACKENDS), help_heading = HEADING)]
    backend: String,

    /// Where dataset files lie; switching is between files in it
    #[arg(long, value_name = "DIR", help_heading = HEADING)]
    data_dir: Option<PathBuf>,

    /// The dataset to serve first: a path within --data-dir
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    data: Option<String>,

    /// When a change is acknowledged: when it is on the disk, or at once, so that a crash loses the latest ones
    #[arg(long, value_name = "WHEN", default_value = "immediate", value_parser = durability, help_heading = HEADING)]
    durability: Durability,

    /// Memory for pages of an open dataset file: bytes, or with k, m or g behind it. During a switch two files are open
    #[arg(long, value_name = "SIZE", default_value = "256m", value_parser = cache_size, help_heading = HEADING)]
    cache_size: usize,

    /// When open connections move to a new dataset: at their next command, or when they end or --drain-timeout is over
    #[arg(long, value_name = "WHEN", default_value = "command", value_parser = swap_policy, help_heading = HEADING)]
    swap_policy: Policy,

    /// Keep a dataset that was replaced this many seconds for those who still read it; then move them
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=SECONDS_MAX), help_heading = HEADING)]
    drain_timeout: u64,

    /// Refuse all changes
    #[arg(long, help_heading = HEADING)]
    readonly: bool,

    /// Offer switchdb NAME, range PREFIX [LIMIT] and dbstats to every client
    #[arg(long, help_heading = HEADING)]
    extensions: bool,
}

impl DatasetFlags {
    /// Where the server takes its datasets from.
    pub(super) fn has_data_directory(&self) -> bool {
        self.data_dir.is_some()
    }

    /// A configuration with these flags, and all else by default.
    pub(super) fn config(self) -> Config {
        Config {
            backend: self.backend,
            data_dir: self.data_dir,
            data: self.data,
            durability: self.durability,
            cache_bytes: self.cache_size,
            swap_policy: self.swap_policy,
            drain_timeout: Duration::from_secs(self.drain_timeout),
            read_only: self.readonly,
            extensions: self.extensions,
            ..Config::default()
        }
    }
}

fn durability(text: &str) -> Result<Durability, String> {
    match text {
        "immediate" => Ok(Durability::Immediate),
        "none" => Ok(Durability::None),
        _ => Err("choose immediate or none".to_owned()),
    }
}

fn swap_policy(text: &str) -> Result<Policy, String> {
    match text {
        "command" => Ok(Policy::Command),
        "connection" => Ok(Policy::Connection),
        _ => Err("choose command or connection".to_owned()),
    }
}

fn cache_size(text: &str) -> Result<usize, String> {
    match size(text).map(usize::try_from) {
        Some(Ok(bytes)) if bytes >= 1 << 20 => Ok(bytes),
        _ => Err("not a size of 1m at least".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        datasets: DatasetFlags,
    }

    fn config(line: &str) -> Config {
        let flags = Flags::try_parse_from(["refcached"].into_iter().chain(line.split_whitespace()));
        flags
            .map(|flags| flags.datasets.config())
            .unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    #[test]
    fn no_flags_are_the_defaults_of_the_library() {
        assert_eq!(config(""), Config::default());
    }

    #[test]
    fn every_flag_is_heeded() {
        let config = config(
            "--backend redb --data-dir /d --data a/b.redb --durability none --cache-size 1g --swap-policy connection \
             --drain-timeout 3 --readonly --extensions",
        );
        let expected = Config {
            backend: "redb".to_owned(),
            data_dir: Some(PathBuf::from("/d")),
            data: Some("a/b.redb".to_owned()),
            durability: Durability::None,
            cache_bytes: 1 << 30,
            swap_policy: Policy::Connection,
            drain_timeout: Duration::from_secs(3),
            read_only: true,
            extensions: true,
            ..Config::default()
        };
        assert_eq!(config, expected);
    }
}
