//! mcspec: proves whether a server speaks memcached.
//!
//! # Layout
//! - `args`: the command line. `exit`: exit codes and the errors that carry them.
//! - `commands`: what each command does.
//! - `targets`: how a target is reached: an address, a command to spawn, an image, the embedded refcached.
//! - `progress`: the progress bar.
//!
//! It is the one place beside the tests that may see both the suite and the reference server, which it embeds as the
//! default target.

mod args;
mod commands;
mod exit;
mod progress;
mod targets;

use clap::Parser as _;

use args::{Cli, Command};
use exit::{Exit, Failure};

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        None => commands::run(&cli.run),
        Some(Command::Run(run)) => commands::run(&run),
        Some(Command::List(list)) => commands::list(&list),
        Some(Command::Explain(explain)) => commands::explain(&explain),
        Some(Command::Coverage(coverage)) => commands::coverage(&coverage),
    };
    let exit = result.unwrap_or_else(|Failure { exit, message }| {
        eprintln!("mcspec: {message}");
        exit
    });
    exit.into()
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
