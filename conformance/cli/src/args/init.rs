//! The flags of `init`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Deliveries, Target, deliveries, seconds};

#[derive(Debug, Args)]
pub(crate) struct Init {
    #[command(flatten)]
    pub(crate) target: Target,
    /// What reports call the server; without this the name of its program or image, or `server`
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The file to write, `-` for standard output; without this NAME.toml
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(long)]
    pub(crate) force: bool,
    /// How to cut what is sent into writes, as in the runs that the file is for; `all`, or several separated by commas
    #[arg(long, value_name = "DELIVERY", default_value = "whole", value_parser = deliveries)]
    pub(crate) delivery: Deliveries,
    /// Seconds that the probe may take, and that a server may do nothing while an answer is due
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// How many cases run at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(crate) jobs: u16,
    /// Take the cases of this directory in place of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub(crate) cases: Option<PathBuf>,
}
