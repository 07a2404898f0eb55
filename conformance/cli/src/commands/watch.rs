//! `mcspec run --watch`: runs again whenever something changes that the run depends on.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use super::deliver::deliver;
use super::run::{Outcome, exit, once};
use crate::args::Run;
use crate::exit::{Exit, Failure};

/// How often the files are looked at. A linker replaces its output, which notifications of the system are easily lost on.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// Runs until it is interrupted; a server that does not start any more is reported, and the next change awaited.
pub(super) fn watch(args: &Run) -> Result<Exit, Failure> {
    let mut files: Vec<PathBuf> = Vec::new();
    loop {
        let mut before = states(&files);
        match once(args) {
            Ok(outcome) => {
                let first = files.is_empty();
                files = watched(args, &outcome);
                if files.is_empty() {
                    return Err(Failure::usage(
                        "--watch has nothing to watch: it takes a server that it starts itself, a target file or --cases",
                    ));
                }
                // Taken before the report is shown: whoever has seen it may change a file at once.
                if first || before.len() != files.len() {
                    before = states(&files);
                }
                deliver(args, &outcome)?;
                eprintln!(
                    "mcspec: exit code would be {}; waiting for a change",
                    exit(&outcome.report) as u8
                );
            }
            // The first run decides whether the command line is right; later ones may meet a server in the making.
            Err(failure) if files.is_empty() => return Err(failure),
            Err(failure) => eprintln!("mcspec: {failure}; waiting for a change"),
        }
        wait_for_change(&files, &before);
    }
}

/// The files that a run depends on.
fn watched(args: &Run, outcome: &Outcome) -> Vec<PathBuf> {
    let mut files = outcome.programs.clone();
    if let Some(profile) = &outcome.profile {
        files.push(PathBuf::from(&profile.file));
    }
    if let Some(directory) = &args.select.cases {
        let topics = outcome.library.topics().iter();
        files.extend(topics.map(|topic| directory.join(format!("{}.case", topic.section))));
    }
    files.retain(|file| file.exists());
    files
}

/// What tells one state of a file from another; `None` while it is not there.
type State = Option<(SystemTime, u64)>;

fn states(files: &[PathBuf]) -> Vec<State> {
    files.iter().map(|file| state(file)).collect()
}

fn state(file: &Path) -> State {
    let data = std::fs::metadata(file).ok()?;
    Some((data.modified().ok()?, data.len()))
}

/// Waits until the files differ from `before` and have not changed between two looks.
fn wait_for_change(files: &[PathBuf], before: &[State]) {
    let mut last = before.to_vec();
    loop {
        sleep(BETWEEN_LOOKS);
        let now = states(files);
        if now == last && now != before && now.iter().all(Option::is_some) {
            return;
        }
        last = now;
    }
}
