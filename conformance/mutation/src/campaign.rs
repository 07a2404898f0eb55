//! All mutants of a list, or a part of them: built, run, and noted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};

use crate::mutant::{Mutant, Shard};
use crate::plant::Numbered;
use crate::tree::{Program, Tree};
use crate::trial::{self, Outcome};
use crate::verdict::Backend;

/// After how many mutants the server without one is run again: if the suite fails on it, the machine is too busy for the
/// cases that wait, and a mutant that fails may be none that was caught.
const SOUND_EVERY: usize = 40;

/// What to do, and with what.
#[derive(Debug)]
pub struct Campaign {
    /// The copy of the tree that may be changed.
    pub tree: PathBuf,
    /// Where what is built and what comes of it is put.
    pub out: PathBuf,
    /// Which part of the list.
    pub shard: Shard,
    /// Mutants that are known to be killed, or not to compile; they are not run again.
    pub known: BTreeSet<String>,
    /// How many mutants run side by side.
    pub jobs: usize,
    /// How long one may take.
    pub timeout: Duration,
}

/// What came of a campaign: what `outcomes.json` holds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Outcomes {
    /// The commit that was mutated; of several runs, all of them.
    pub commit: String,
    /// The day, as `YYYY-MM-DD`.
    pub date: String,
    /// How many mutants the list has, of which this may be a part.
    pub listed: usize,
    /// How many seconds it took, building included.
    pub seconds: f64,
    /// How many times the suite ran on the server without a mutant, and passed.
    pub sound: usize,
    /// What came of each.
    pub mutants: Vec<Record>,
}

/// What came of one mutant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its name, see [`Mutant::name`].
    pub mutant: String,
    /// The line that it is in.
    pub line: usize,
    /// What came of it.
    pub outcome: Outcome,
    /// How many seconds the suite took.
    pub seconds: f64,
}

/// The backend on which a mutant shows: what is mutated of one shows on no other.
fn backend(mutant: &Mutant) -> Backend {
    if mutant.file.starts_with("reference/store/src/redb") {
        Backend::Redb
    } else {
        Backend::Memory
    }
}

impl Record {
    /// Whether nothing has caught it.
    pub fn survives(&self) -> bool {
        matches!(self.outcome, Outcome::Survives | Outcome::NotReached)
    }
}

impl Outcomes {
    /// Reads `outcomes.json` of these directories: parts of a list, of which a later one replaces what it has run again.
    ///
    /// # Errors
    /// When one is not there or is not such a file.
    pub fn read(directories: &[PathBuf]) -> anyhow::Result<Self> {
        let mut all = Outcomes::default();
        for directory in directories {
            let path = directory.join("outcomes.json");
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}; run ci/mutation first", path.display()))?;
            let later: Outcomes = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
            let again: BTreeSet<&str> = later.mutants.iter().map(|record| &*record.mutant).collect();
            all.mutants.retain(|record| !again.contains(&*record.mutant));
            drop(again);
            all.seconds += later.seconds;
            all.sound += later.sound;
            all.mutants.extend(later.mutants);
            if !all.commit.split(", ").any(|commit| commit == later.commit) {
                let comma = if all.commit.is_empty() { "" } else { ", " };
                all.commit = [&all.commit, comma, &later.commit].concat();
            }
            (all.date, all.listed) = (later.date, later.listed);
        }
        Ok(all)
    }

    /// The mutants that need not be run again while the server stays as it is: a suite that grows finds no less.
    pub fn settled(&self) -> BTreeSet<String> {
        let settled = self.mutants.iter().filter(|record| !record.survives());
        settled.map(|record| record.mutant.clone()).collect()
    }

    /// How many ended so.
    pub fn count(&self, ended: impl Fn(&Outcome) -> bool) -> usize {
        self.mutants.iter().filter(|record| ended(&record.outcome)).count()
    }

    /// What it came to, in a sentence or two.
    pub fn rate(&self) -> String {
        let unviable = self.count(|outcome| *outcome == Outcome::Unviable);
        let hang = self.count(|outcome| *outcome == Outcome::Hangs);
        let not_reached = self.count(|outcome| *outcome == Outcome::NotReached);
        let survive = self.count(|outcome| *outcome == Outcome::Survives);
        let viable = self.mutants.len() - unviable;
        let killed = viable - survive - not_reached;
        format!(
            "{} of {} mutants were run: {unviable} do not compile, {killed} are killed ({hang} of them hang), {survive} survive, \
             and {not_reached} are in functions that the suite never reaches. {:.1} % of the {viable} viable ones are killed.",
            self.mutants.len(),
            self.listed,
            100.0 * killed as f64 / viable.max(1) as f64,
        )
    }
}

impl Campaign {
    /// Does it. `outcomes` says of what tree; it is written to `outcomes.json` as it grows.
    ///
    /// # Errors
    /// When the tree does not compile without mutants, when the suite does not pass without one, and when files cannot be
    /// written.
    pub async fn run(&self, list: &[Mutant], mut outcomes: Outcomes) -> anyhow::Result<Outcomes> {
        let start = Instant::now();
        outcomes.listed = list.len();
        let mutants: Vec<Numbered<'_>> = list
            .iter()
            .enumerate()
            .filter(|(place, mutant)| self.shard.holds(*place) && !self.known.contains(&mutant.name))
            .map(|(place, mutant)| (place + 1, mutant))
            .collect();
        if mutants.is_empty() {
            bail!(
                "there is no mutant to run in this part of the list, which has {}",
                list.len()
            );
        }
        let tree = Tree::new(&self.tree, &self.out.join("build"), &mutants)?;
        let alone = tree.alone(&mutants)?;
        let (alone, together): (Vec<_>, Vec<_>) = mutants.into_iter().partition(|(number, _)| alone.contains(number));
        let mut book = Book {
            path: self.out.join("outcomes.json"),
            outcomes,
            start,
            expected: alone.len() + together.len(),
        };
        self.run_together(&tree, &together, &mut book).await?;
        self.run_alone(&tree, &alone, &mut book).await?;
        book.write()?;
        Ok(book.outcomes)
    }

    /// The mutants that fit into one program.
    async fn run_together(&self, tree: &Tree, mutants: &[Numbered<'_>], book: &mut Book) -> anyhow::Result<()> {
        let program = tree.build_all(mutants)?;
        let path = self.keep(&program.path, "planted")?;
        let mut reached = BTreeMap::new();
        for backend in mutants
            .iter()
            .map(|(_, mutant)| backend(mutant))
            .collect::<BTreeSet<_>>()
        {
            let functions = trial::reached(&path, backend, self.timeout).await?;
            book.outcomes.sound += 1;
            reached.insert(backend, mutants_of(&program, &functions));
        }
        let mut trials = Vec::new();
        for &(number, mutant) in mutants {
            let backend = backend(mutant);
            if program.unviable.contains(&number) {
                book.note(mutant, Outcome::Unviable, 0.0)?;
            } else if !reached[&backend].contains(&number) {
                book.note(mutant, Outcome::NotReached, 0.0)?;
            } else {
                if trials.len() % SOUND_EVERY == SOUND_EVERY - 1 {
                    trials.push((backend, 0, None));
                }
                trials.push((backend, number, Some(mutant)));
            }
        }
        let mut running = futures_util::stream::iter(trials)
            .map(async |(backend, number, mutant)| {
                let ended = trial::run(&path, backend, number, self.timeout).await;
                (mutant, ended)
            })
            .buffer_unordered(self.jobs);
        while let Some((mutant, ended)) = running.next().await {
            match (mutant, ended?) {
                (Some(mutant), (outcome, seconds)) => book.note(mutant, outcome, seconds)?,
                (None, (Outcome::Survives, _)) => book.outcomes.sound += 1,
                (None, (outcome, _)) => bail!(
                    "the suite passed on the server without a mutant, and then did not: {outcome:?}. The machine is too \
                     busy to judge mutants on it; give them less company with --jobs"
                ),
            }
        }
        Ok(())
    }

    /// The mutants that have to be built one at a time: as many of them run side by side as may.
    async fn run_alone(&self, tree: &Tree, mutants: &[Numbered<'_>], book: &mut Book) -> anyhow::Result<()> {
        for some in mutants.chunks(self.jobs.max(1)) {
            let mut trials = Vec::new();
            for &(number, mutant) in some {
                match tree.build_one(mutant)? {
                    Some(program) => trials.push((self.keep(&program, &format!("alone-{number}"))?, mutant)),
                    None => book.note(mutant, Outcome::Unviable, 0.0)?,
                }
            }
            let running = trials
                .iter()
                .map(async |(program, mutant)| trial::run(program, backend(mutant), 0, self.timeout).await);
            for ((program, mutant), ended) in trials.iter().zip(futures_util::future::join_all(running).await) {
                let (outcome, seconds) = ended?;
                book.note(mutant, outcome, seconds)?;
                std::fs::remove_file(program)?;
            }
        }
        Ok(())
    }

    /// Copies a program to where the next build does not replace it.
    fn keep(&self, program: &Path, name: &str) -> anyhow::Result<PathBuf> {
        let kept = self.out.join(name);
        std::fs::copy(program, &kept).with_context(|| format!("cannot write {}", kept.display()))?;
        Ok(kept)
    }
}

/// The mutants in these functions.
fn mutants_of(program: &Program, functions: &BTreeSet<usize>) -> BTreeSet<usize> {
    let of = |function| program.functions.get(function).into_iter().flatten().copied();
    functions.iter().flat_map(of).collect()
}

/// What has come of the mutants so far.
struct Book {
    path: PathBuf,
    outcomes: Outcomes,
    start: Instant,
    expected: usize,
}

impl Book {
    fn note(&mut self, mutant: &Mutant, outcome: Outcome, seconds: f64) -> anyhow::Result<()> {
        let done = self.outcomes.mutants.len() + 1;
        let said = match &outcome {
            Outcome::Caught(by) => by.replace('\n', " ").chars().take(120).collect(),
            other => format!("{other:?}").to_uppercase(),
        };
        println!("{done}/{} {}: {said} ({seconds:.1} s)", self.expected, mutant.name);
        self.outcomes.mutants.push(Record {
            mutant: mutant.name.clone(),
            line: mutant.span.start.line,
            outcome,
            seconds,
        });
        self.write()
    }

    fn write(&mut self) -> anyhow::Result<()> {
        self.outcomes.seconds = self.start.elapsed().as_secs_f64();
        let text = serde_json::to_string_pretty(&self.outcomes)?;
        std::fs::write(&self.path, text).with_context(|| format!("cannot write {}", self.path.display()))
    }
}
