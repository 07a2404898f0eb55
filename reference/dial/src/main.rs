//! wtfdial, the program: a data directory, a server over it, and what is asked of either.
//!
//! # Layout
//! - `flags`: the command line.
//! - `serving`: `wtfdial serve`.

mod flags;
mod serving;

use std::io::Write;
use std::path::{Path, absolute};
use std::process::ExitCode;
use std::{fs, io, panic, thread};

use anyhow::Context;
use clap::Parser;
use wtfdial::http::control::Control;
use wtfdial::redb::{CHECK_THREAD, Store, check};
use wtfdial::{Administration, Name};

use crate::flags::{Command, Flags, UserCommand};

/// Exit code for everything that was not done.
const NOT_DONE: u8 = 2;

fn main() -> ExitCode {
    keep_checks_quiet();
    match run(Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line: the causes after the fault, joined by colons.
            eprintln!("wtfdial: {error:#}");
            ExitCode::from(NOT_DONE)
        }
    }
}

fn run(flags: Flags) -> anyhow::Result<()> {
    let data = flags.data;
    match flags.command.unwrap_or(Command::Serve(flags.serve)) {
        Command::Serve(serve) => serving::run(&data, &serve),
        Command::User(UserCommand::Add { name }) => add_user(&data, &name),
        Command::Backup { file } => backup(&data, &file),
        Command::Check { file } => {
            let census = check(&file)?;
            print(&format!("{} is sound; {census}", file.display()))
        }
    }
}

fn add_user(data: &Path, name: &Name) -> anyhow::Result<()> {
    let token = match reach(data)? {
        Some((runtime, control)) => runtime.block_on(control.add_user(name))?,
        None => {
            make_data_directory(data)?;
            let (_, token) = Store::open(serving::store_file(data))?.add_user(name)?;
            token.reveal().to_owned()
        }
    };
    print(&token)?;
    eprintln!("wtfdial: user {name} added; the line above is the token, which is not stored and not shown again");
    Ok(())
}

fn backup(data: &Path, file: &Path) -> anyhow::Result<()> {
    let to = absolute(file).with_context(|| format!("finding the directory of {} failed", file.display()))?;
    let census = match reach(data)? {
        Some((runtime, control)) => runtime.block_on(control.backup(&to))?,
        None => {
            let store = serving::store_file(data);
            anyhow::ensure!(
                store.exists(),
                "there is no {}; name its directory with --data",
                store.display()
            );
            Store::open(store)?.backup(&to)?
        }
    };
    print(&format!("{} is written and sound; {census}", file.display()))
}

/// The process that serves this data directory, if there is one, and a runtime to speak to it on.
fn reach(data: &Path) -> anyhow::Result<Option<(tokio::runtime::Runtime, Control)>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let socket = serving::control_socket(data);
    let control = runtime
        .block_on(Control::reach(&socket))
        .with_context(|| format!("opening {} failed; run this as the user who serves", socket.display()))?;
    Ok(control.map(|control| (runtime, control)))
}

/// Makes the data directory, open to its owner alone, if it is not there.
fn make_data_directory(data: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .with_context(|| {
            format!(
                "making the directory {} failed; name another with --data",
                data.display()
            )
        })
}

fn print(line: &str) -> anyhow::Result<()> {
    writeln!(io::stdout(), "{line}").context("writing to standard output failed; see where it leads")
}

/// A panic on the thread of a check is damage that the check has found, and is reported as that.
fn keep_checks_quiet() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if thread::current().name() != Some(CHECK_THREAD) {
            report(panic);
        }
    }));
}
