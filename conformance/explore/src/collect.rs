//! What a run keeps of the faults that it finds: one of each kind, shrunk.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use mcspec_suite::case::Release;

use crate::command::History;
use crate::explore::{Finding, Options, Shared, Summary, Unsteady};
use crate::generate::Pace;
use crate::look::{look, shape};
use crate::shrink::{Shrunk, shrink};
use crate::transcript::{Heading, transcript};
use crate::trial::{Bench, Fault, Outcome};

/// How many histories with one first look are shrunk.
const SHRUNK_PER_LOOK: u64 = 3;
/// Unsteady histories that are kept.
const UNSTEADY_MAX: usize = 20;

/// A history that showed a fault.
pub(crate) struct Suspect {
    /// Commands that had been sent when it came.
    pub(crate) commands: u64,
    pub(crate) number: u64,
    pub(crate) pace: Pace,
    pub(crate) history: History,
    pub(crate) fault: Fault,
}

/// Shrinks suspects and keeps one of each kind.
pub(crate) struct Collector {
    pub(crate) findings: Vec<Finding>,
    unsteady: Vec<Unsteady>,
    /// How often a fault with this first look was shrunk.
    looks: BTreeMap<String, u64>,
    release: Option<Release>,
    seed: u64,
    shrinks: bool,
}

impl Collector {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            findings: Vec::new(),
            unsteady: Vec::new(),
            looks: BTreeMap::new(),
            release: options.release.clone(),
            seed: options.seed,
            shrinks: options.shrinks,
        }
    }

    pub(crate) async fn take(&mut self, suspect: Suspect, shared: &Shared) -> std::io::Result<()> {
        let look = look(&suspect.fault);
        let shrunk_before = self.looks.entry(look.clone()).or_default();
        *shrunk_before += 1;
        let enough = if suspect.pace == Pace::Waiting {
            0
        } else {
            SHRUNK_PER_LOOK
        };
        if *shrunk_before > enough
            && let Some(known) = self.findings.iter_mut().find(|finding| finding.kind.ends_with(&look))
        {
            known.times += 1;
            return Ok(());
        }
        let mut bench = shared.bench();
        let shrunk = if self.shrinks {
            shrink(&mut bench, &suspect.history).await?
        } else {
            repeated(&mut bench, &suspect.history).await?
        };
        match shrunk {
            Some(shrunk) => self.add(&suspect, &shrunk),
            None if self.unsteady.len() < UNSTEADY_MAX => {
                let transcript = self.transcript(&suspect, &suspect.history, &suspect.fault);
                self.unsteady.push(Unsteady {
                    history: suspect.number,
                    name: self.name(&suspect),
                    transcript,
                });
            }
            None => {}
        }
        Ok(())
    }

    fn add(&mut self, suspect: &Suspect, shrunk: &Shrunk) {
        let shapes: Vec<String> = shrunk.history.iter().map(shape).collect();
        let kind = format!("{}: {}", shapes.join(", "), look(&shrunk.fault));
        if let Some(known) = self.findings.iter_mut().find(|finding| finding.kind == kind) {
            known.times += 1;
            return;
        }
        self.findings.push(Finding {
            history: suspect.number,
            pace: suspect.pace,
            name: self.name(suspect),
            commands_before: suspect.commands,
            kind,
            transcript: self.transcript(suspect, &shrunk.history, &shrunk.fault),
            steps: shrunk.history.len(),
            times: 1,
        });
    }

    fn name(&self, suspect: &Suspect) -> String {
        format!("seed_{}_{}_{}", self.seed, suspect.pace.word(), suspect.number)
    }

    fn transcript(&self, suspect: &Suspect, history: &History, fault: &Fault) -> String {
        let pace = suspect.pace.word();
        let name = self.name(suspect);
        let comments = vec![format!(
            "found by seed {}, {pace} history {}",
            self.seed, suspect.number
        )];
        transcript(
            history,
            fault,
            Heading {
                name,
                release: self.release.as_ref(),
                comments,
            },
        )
    }

    pub(crate) fn summary(self, shared: &Shared) -> Summary {
        Summary {
            commands: shared.commands.load(Ordering::Relaxed),
            histories: shared.histories.load(Ordering::Relaxed),
            put_aside: shared.put_aside.load(Ordering::Relaxed),
            elapsed: shared.start.elapsed(),
            findings: self.findings,
            unsteady: self.unsteady,
        }
    }
}

/// The history as it is, if it shows a fault once more.
async fn repeated(bench: &mut Bench, history: &History) -> std::io::Result<Option<Shrunk>> {
    let Outcome::Wrong(fault) = bench.judge(history).await? else {
        return Ok(None);
    };
    let history = history.clone();
    Ok(Some(Shrunk { history, fault: *fault }))
}
