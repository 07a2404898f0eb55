//! `mcspec.toml`: a project's defaults for the options of `mcspec run`.
//!
//! A key is the long option of the same name, and its value goes through the parser of that option: what the command line
//! refuses, the file cannot say. The command line wins. Paths are relative to the file, and a server that the file names
//! is started in the file's directory.

mod find;
mod values;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches as _};

use crate::args::{Cli, Command, Run, command_line};
use crate::exit::Failure;
use values::File;

/// What came from the file.
#[derive(Debug, Clone)]
pub(crate) struct Defaults {
    /// The options that it gave.
    pub(crate) keys: BTreeSet<String>,
}

/// The options that name the server: one of them on the command line replaces whichever the file has.
const TARGETS: [&str; 5] = ["server", "unix", "spawn", "image", "target"];

/// The command line with the project's defaults.
///
/// # Errors
/// The file cannot be read, or says what no option means. A wrong command line ends the program at once.
pub(crate) fn read(arguments: &[OsString]) -> Result<Cli, Failure> {
    let matches = command_line().get_matches_from(arguments);
    let (given, place) = match matches.subcommand() {
        None => (&matches, 1),
        Some(("run", given)) => (given, 2),
        Some(_) => return from_matches(&matches),
    };
    let Some(path) = path(given)? else {
        return from_matches(&matches);
    };
    let file = File::read(&path)?;
    let defaults = wanted(&file, given)?;
    let mut arguments = arguments.to_vec();
    let place = place.min(arguments.len());
    arguments.splice(
        place..place,
        defaults.iter().flat_map(|(_, words)| words.iter().cloned()),
    );
    let matches = command_line()
        .try_get_matches_from(arguments)
        .map_err(|error| Failure::usage(format!("{}: {}", path.display(), values::cause(&error))))?;
    let mut cli = from_matches(&matches)?;
    let run = run_of(&mut cli);
    let keys: BTreeSet<String> = defaults.iter().map(|(key, _)| (*key).to_owned()).collect();
    if TARGETS.iter().any(|key| keys.contains(*key)) {
        run.target.root = path.parent().map(PathBuf::from).filter(|root| root.as_os_str() != "");
    }
    run.defaults = Some(Defaults { keys });
    eprintln!("mcspec: defaults of {}", path.display());
    Ok(cli)
}

fn from_matches(matches: &ArgMatches) -> Result<Cli, Failure> {
    Cli::from_arg_matches(matches).map_err(|error| Failure::usage(values::cause(&error)))
}

fn run_of(cli: &mut Cli) -> &mut Run {
    match &mut cli.command {
        Some(Command::Run(run)) => run,
        _ => &mut cli.run,
    }
}

/// The file to read, if there is one.
fn path(given: &ArgMatches) -> Result<Option<PathBuf>, Failure> {
    if given.get_flag("no_config") {
        return Ok(None);
    }
    match given.get_one::<PathBuf>("config") {
        Some(path) => Ok(Some(path.clone())),
        None => find::find().map_err(|error| Failure::usage(format!("cannot look for {}: {error}", find::NAME))),
    }
}

/// The options of the file that the command line leaves to it, each as the words of a command line.
fn wanted<'f>(file: &'f File, given: &ArgMatches) -> Result<Vec<(&'f str, Vec<OsString>)>, Failure> {
    let is_given = |id: &str| given.value_source(id) == Some(ValueSource::CommandLine);
    let server_is_given = TARGETS.into_iter().any(is_given);
    if let (Some(at), true, false) = (file.key("target"), is_given("expect"), server_is_given) {
        return Err(file.error(
            at,
            "`target` says what is expected, and so does --expect: name the server on the command line, too",
        ));
    }
    let mut wanted = Vec::new();
    for (key, words) in file.options()? {
        let is_replaced = is_given(&key.replace('-', "_"))
            || (TARGETS.contains(&key) && server_is_given)
            || (key == "expect" && is_given("target"))
            || (key == "format" && is_given("bless"));
        if !is_replaced {
            wanted.push((key, words));
        }
    }
    Ok(wanted)
}
