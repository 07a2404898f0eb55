//! mcspec: proves whether a server speaks memcached.
//!
//! # Layout
//! - `args`: the command line. `exit`: exit codes and the errors that carry them.
//! - `config`: `mcspec.toml`, a project's defaults.
//! - `commands`: what each command does.
//! - `targets`: how a target is reached: an address, a command to spawn, an image, the embedded refcached.
//! - `progress`: the progress bar.
//!
//! It is the one place beside the tests that may see both the suite and the reference server, which it embeds as the
//! default target.

mod args;
mod commands;
mod config;
mod exit;
mod progress;
mod targets;

use args::{Cli, Command};
use exit::{Exit, Failure};

fn main() -> std::process::ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    let exit = config::read(&arguments)
        .and_then(carry_out)
        .unwrap_or_else(|Failure { exit, message }| {
            eprintln!("mcspec: {message}");
            exit
        });
    exit.into()
}

fn carry_out(cli: Cli) -> Result<Exit, Failure> {
    match cli.command {
        None => commands::run(&cli.run),
        Some(Command::Run(run)) => commands::run(&run),
        Some(Command::List(list)) => commands::list(&list),
        Some(Command::Explain(explain)) => commands::explain(&explain),
        Some(Command::Explore(explore)) => commands::explore(&explore),
        Some(Command::Diff(diff)) => commands::diff(&diff),
        Some(Command::Matrix(matrix)) => commands::matrix(&matrix),
        Some(Command::Export(export)) => commands::export(&export),
        Some(Command::Schema(schema)) => commands::schema(schema),
        Some(Command::Coverage(coverage)) => commands::coverage(&coverage),
        Some(Command::Fuzz(fuzz)) => commands::fuzz(&fuzz),
        Some(Command::Init(init)) => commands::init(&init),
        Some(Command::Completions(completions)) => commands::completions(&completions),
        Some(Command::Man(man)) => commands::man(&man),
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
