//! What came of a run, for people and for programs.

mod json;
mod pretty;

pub use json::to_json;
pub use pretty::{Style, failure as pretty_failure, summary as pretty_summary};

use std::collections::BTreeMap;

use crate::case::{Library, Release};
use crate::dialect::{Likeness, likeness};
use crate::play::Delivery;
use crate::target::Target;
use crate::verdict::{CaseResult, Verdict};

/// All that a run found out.
#[derive(Debug, Clone)]
pub struct Report {
    /// The server.
    pub target: Target,
    /// What the user calls the server: an address, a command, an image.
    pub target_name: String,
    /// The deliveries that were run.
    pub deliveries: Vec<Delivery>,
    /// The release that was demanded, if any.
    pub dialect: Option<Release>,
    /// What made the keys of the run its own.
    pub seed: u64,
    /// The results, in the order of the suite.
    pub results: Vec<CaseResult>,
    /// Which releases the server behaves like.
    pub likeness: Option<Likeness>,
    /// The start of the command that runs a case again on the same target.
    pub replay: String,
}

/// How many results have each verdict.
pub type Counts = BTreeMap<Verdict, usize>;

impl Report {
    /// Puts the results of a run together.
    pub fn new(target: Target, target_name: String, replay: String, results: Vec<CaseResult>) -> Self {
        let mut deliveries: Vec<Delivery> = results.iter().map(|result| result.delivery).collect();
        deliveries.sort_unstable();
        deliveries.dedup();
        let likeness = likeness(&results);
        Self {
            target,
            target_name,
            deliveries,
            dialect: None,
            seed: 0,
            results,
            likeness,
            replay,
        }
    }

    /// Counts the verdicts.
    pub fn counts(&self) -> Counts {
        count(self.results.iter())
    }

    /// Counts the verdicts of each section, in the order of the suite.
    pub fn counts_by_section(&self) -> Vec<(String, Counts)> {
        let mut sections: BTreeMap<&str, Vec<&CaseResult>> = BTreeMap::new();
        for result in &self.results {
            let section = result.id.split('/').next().unwrap_or_default();
            sections.entry(section).or_default().push(result);
        }
        sections
            .into_iter()
            .map(|(section, results)| (section.to_owned(), count(results.into_iter())))
            .collect()
    }

    /// Whether the server conforms: no case failed, none was blocked, the harness did not break.
    pub fn conforms(&self) -> bool {
        self.results.iter().all(|result| result.verdict.conforms())
    }

    /// The command that runs one result again.
    pub fn replay_of(&self, result: &CaseResult) -> String {
        format!("{} {} --delivery {}", self.replay, result.id, result.delivery)
    }
}

fn count<'r>(results: impl Iterator<Item = &'r CaseResult>) -> Counts {
    let mut counts = Counts::new();
    for result in results {
        *counts.entry(result.verdict).or_default() += 1;
    }
    counts
}

/// The quotes of a case with the places where they stand; empty for a case that is not in the library.
fn quotes(library: &Library, id: &str) -> Vec<(String, String)> {
    let Some((topic, case)) = library.case(id) else {
        return Vec::new();
    };
    let place = |quote: &crate::case::Quote| quote.source.as_ref().or(topic.source.as_ref()).map(ToString::to_string);
    case.quotes
        .iter()
        .map(|quote| (quote.text.clone(), place(quote).unwrap_or_default()))
        .collect()
}
