//! What came of a run, for people and for programs.

pub(crate) mod html;
mod json;
mod junit;
mod markdown;
mod ndjson;
mod pretty;
mod tap;

pub use html::to_html;
pub use json::{REPORT_SCHEMA, SCHEMA, to_json};
pub use junit::to_junit;
pub use markdown::to_markdown;
pub use ndjson::to_ndjson;
pub use pretty::{Style, failure as pretty_failure, summary as pretty_summary};
pub use tap::to_tap;

use std::collections::{BTreeMap, BTreeSet};

use crate::baseline::Comparison;
use crate::case::{Library, Release};
use crate::dialect::{Likeness, likeness};
use crate::expect::Fault;
use crate::play::Delivery;
use crate::selection::Selection;
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
    /// Declarations of the target file that are not true or not complete.
    pub faults: Vec<Fault>,
    /// What a former run makes of this one.
    pub baseline: Option<Comparison>,
    /// Which cases were selected, and which part of them was run; `None` where the caller does not say.
    pub selection: Option<Selection>,
}

/// What a result is for a program that knows no more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to look into.
    Passed,
    /// Not asked, or known and declared.
    Skipped,
    /// The server does otherwise, and nobody has declared it.
    Failed,
    /// The harness, or the way to the server, broke.
    Broken,
}

/// The verdict on the server in one sentence.
fn headline(report: &Report) -> String {
    let counts = report.counts();
    let count = |verdict| counts.get(&verdict).copied().unwrap_or(0);
    let words = match (report.conforms(), report.passes(), count(Verdict::Deviation)) {
        (true, true, _) => "conforms".to_owned(),
        (true, false, _) => "conforms, but not as its target file declares".to_owned(),
        (false, true, 1) => "conforms but for 1 known deviation".to_owned(),
        (false, true, deviations @ 2..) => format!("conforms but for {deviations} known deviations"),
        (false, true, 0) => "does not conform, as before".to_owned(),
        (false, false, _) => "does not conform".to_owned(),
    };
    let version = report.target.version.as_deref().unwrap_or("of unknown version");
    let failed: usize = counts
        .iter()
        .filter(|(verdict, _)| !verdict.is_expected())
        .map(|(_, count)| count)
        .sum();
    let (all, passed) = (report.results.len(), count(Verdict::Pass));
    format!(
        "{} ({version}) {words}: {all} results, {passed} passed, {failed} not",
        report.target_name
    )
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
            faults: Vec::new(),
            baseline: None,
            selection: None,
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

    /// Whether the server conforms: no case failed, declared or not, none was blocked, the harness did not break.
    pub fn conforms(&self) -> bool {
        self.results.iter().all(|result| result.verdict.conforms())
    }

    /// Whether the run passes: nothing came that was not declared, and no declaration is wrong; against a former run,
    /// nothing got worse.
    pub fn passes(&self) -> bool {
        self.faults.is_empty()
            && match &self.baseline {
                Some(comparison) => {
                    let unexpected = |result: &CaseResult| result.verdict == Verdict::UnexpectedPass;
                    comparison.worse.is_empty() && !self.results.iter().any(unexpected)
                }
                None => self.results.iter().all(|result| result.verdict.is_expected()),
            }
    }

    /// What a result is for a program that knows only the four.
    pub fn outcome(&self, result: &CaseResult) -> Outcome {
        let is_news = |comparison: &Comparison| {
            let mut worse = comparison.worse.iter();
            worse.any(|change| change.id == result.id && change.delivery == result.delivery.as_str())
        };
        match result.verdict {
            Verdict::Unsupported | Verdict::Deviation => Outcome::Skipped,
            verdict if verdict.is_expected() => Outcome::Passed,
            Verdict::UnexpectedPass => Outcome::Failed,
            _ if self.baseline.as_ref().is_some_and(|comparison| !is_news(comparison)) => Outcome::Skipped,
            Verdict::HarnessError => Outcome::Broken,
            _ => Outcome::Failed,
        }
    }

    /// The cases of one verdict by the reason that is given for it.
    pub fn ids_by_reason(&self, verdict: Verdict) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut ids_by_reason: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for result in self.results.iter().filter(|result| result.verdict == verdict) {
            let reason = result.reason.as_deref().unwrap_or_default();
            ids_by_reason.entry(reason).or_default().insert(&result.id);
        }
        ids_by_reason
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
