//! The commands that the pages, workflows and manifests show are ones that this command line takes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use clap::error::ErrorKind;
use mcspec_suite::case::Library;
use mcspec_suite::profile::Profile;

use super::{Cli, Command};

/// What stands for something of the reader's, and what it is here.
const PLACEHOLDERS: [(&str, &str); 6] = [
    ("HOST:PORT", "127.0.0.1:11211"),
    ("K/N", "1/2"),
    ("k/n", "1/2"),
    (" PID", " 1"),
    ("${{ matrix.part }}", "1/2"),
    ("${{ strategy.job-index }}", "1"),
];

/// What ends a command within a line.
const ENDS: [&str; 7] = ["|", ">", ">>", "&&", "||", ";", "&"];

/// A command as it is shown.
struct Shown {
    place: String,
    /// What follows `mcspec`.
    words: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// The pages, workflows and manifests of the tree.
fn pages(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", ".git", "corpus", "artifacts"].contains(&name.as_str()) {
            pages(&path, found);
        } else if [".md", ".yml", ".yaml"].iter().any(|end| name.ends_with(end)) || name == "Dockerfile" {
            found.push(path);
        }
    }
}

fn all_shown() -> Vec<Shown> {
    let root = root();
    let mut files = Vec::new();
    pages(&root, &mut files);
    let mut shown = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().display().to_string();
        let is_page = name.ends_with(".md");
        // A command that goes on in the next line is one.
        let text = fs::read_to_string(&file).unwrap().replace("\\\n", " ");
        let mut in_block = false;
        for (number, line) in (1..).zip(text.lines()) {
            let place = format!("{name}:{number}");
            if is_page && line.starts_with("```") {
                in_block = !in_block;
            }
            let mut commands = Vec::new();
            if !is_page || in_block {
                let before = ["# ", "- ", "run: ", "$ "];
                let bare = before
                    .iter()
                    .fold(line.trim(), |line, mark| line.strip_prefix(mark).unwrap_or(line));
                commands.push(bare);
            } else {
                commands.extend(line.split('`').skip(1).step_by(2));
            }
            let found = commands.into_iter().filter_map(words);
            // The comments of the others have sentences that begin with the name.
            let found = found.filter(|words| is_page || words.first().is_none_or(|first| is_known(first)));
            shown.extend(found.map(|words| Shown {
                place: place.clone(),
                words,
            }));
        }
    }
    shown
}

/// What follows `mcspec` where the text is such a command, as a shell would take it apart.
fn words(command: &str) -> Option<Vec<String>> {
    let starts = ["mcspec ", "docker run ", "cargo run --release -- "];
    if !starts.iter().any(|start| command.starts_with(start)) {
        return None;
    }
    let filled_in = PLACEHOLDERS
        .iter()
        .fold(command.to_owned(), |text, (name, value)| text.replace(name, value));
    let words = shlex::split(&filled_in)?;
    let program = words.iter().position(|word| matches!(word.as_str(), "mcspec" | "--"))?;
    let words = words[program + 1..].iter();
    let words = words.take_while(|word| !ENDS.contains(&word.as_str()));
    Some(words.filter(|word| *word != "...").cloned().collect())
}

fn is_known(command: &str) -> bool {
    let cli = <Cli as clap::CommandFactory>::command();
    command.starts_with('-') || cli.find_subcommand(command).is_some()
}

#[test]
fn every_command_that_is_shown_is_one() {
    let shown = all_shown();
    assert!(shown.len() >= 30, "only {} commands were found", shown.len());
    let library = Library::built_in().unwrap();
    let mut wrong = Vec::new();
    for Shown { place, words } in &shown {
        let all = std::iter::once("mcspec").chain(words.iter().map(String::as_str));
        match Cli::try_parse_from(all) {
            Ok(cli) => {
                let faults = wrong_names(&cli, &library);
                wrong.extend(faults.map(|fault| format!("{place}: mcspec {}: {fault}", words.join(" "))));
            }
            Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {}
            Err(error) => wrong.push(format!("{place}: mcspec {}: {error}", words.join(" "))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Cases and targets that are named and are not there.
fn wrong_names(cli: &Cli, library: &Library) -> impl Iterator<Item = String> {
    let mut faults = Vec::new();
    let (select, target) = match &cli.command {
        Some(Command::Run(run)) => (Some(&run.select), Some(&run.target)),
        Some(Command::List(list)) => (Some(&list.select), None),
        None => (Some(&cli.run.select), Some(&cli.run.target)),
        Some(Command::Explain(explain)) => {
            let id = &explain.id;
            if !is_placeholder(id) && library.cases().all(|(known, ..)| known != *id) {
                faults.push(format!("there is no case {id}"));
            }
            (None, None)
        }
        Some(_) => (None, None),
    };
    if let Some(select) = select.filter(|select| select.cases.is_none()) {
        for glob in select.patterns.iter().chain(&select.exclude) {
            let pattern = glob.to_string();
            if !is_placeholder(&pattern) && !library.cases().any(|(id, ..)| glob.matches(&id)) {
                faults.push(format!("no case fits {pattern}"));
            }
        }
    }
    if let Some(name) = target.and_then(|target| target.target.as_deref())
        && !is_placeholder(name)
        && !name.ends_with(".toml")
        && let Err(error) = Profile::named(name)
    {
        faults.push(error.to_string());
    }
    faults.into_iter()
}

/// Whether the reader is to put something else here: `NAME`, `CASE`, `<section>/<topic>`.
fn is_placeholder(word: &str) -> bool {
    word.contains('<') || word.chars().next().is_some_and(char::is_uppercase)
}

#[test]
fn commands_are_found_where_they_are_shown() {
    let words = |text| words(text).map(|words| words.join(" "));
    assert_eq!(words("mcspec run 'meta/ms_*' # why").as_deref(), Some("run meta/ms_*"));
    assert_eq!(
        words("mcspec run --server HOST:PORT | head").as_deref(),
        Some("run --server 127.0.0.1:11211")
    );
    assert_eq!(
        words("docker run --rm --network n mcspec list").as_deref(),
        Some("list")
    );
    assert_eq!(words("cargo run --release -- --seed 7").as_deref(), Some("--seed 7"));
    assert_eq!(words("mcspec exploer").as_deref(), Some("exploer"));
    assert_eq!(words("cargo run -p other"), None);
}
