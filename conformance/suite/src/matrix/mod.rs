//! The reports on several servers side by side; the parts of one report put together.
//!
//! # Layout
//! - `read`: what a JSON report says. `merge`: which reports belong together.
//! - `markdown`, `html`, `json`: the matrix for a README, for a reader, for a program. `badge`: one line on each server.
//! - `block`: the table's place in a file that holds other text.

mod badge;
mod block;
mod html;
mod json;
mod markdown;
mod merge;
mod read;

pub use badge::to_badges;
pub use block::{BlockError, replace_block};
pub use html::to_html;
pub use json::{MATRIX_SCHEMA, to_json};
pub use markdown::to_markdown;

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::Likeness;
use crate::expect::Fault;
use crate::play::Delivery;
use crate::report::{Counts, SCHEMA};
use crate::selection::Selection;
use crate::verdict::Verdict;
use read::Entry;

/// A JSON report, and what a reader calls its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name of the column; without one, what the report calls its target.
    pub name: Option<String>,
    /// Where it came from, for messages.
    pub file: String,
    /// The report.
    pub text: String,
}

/// Several servers, judged by the same cases.
#[derive(Debug, Clone)]
pub struct Matrix {
    columns: Vec<Column>,
}

/// One server.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    /// What it says of its version.
    version: Option<String>,
    deliveries: Vec<Delivery>,
    selection: Option<Selection>,
    /// Whether each of its runs passed as a gate.
    passes: bool,
    /// Whether no case failed, declared or not.
    conforms: bool,
    faults: Vec<Fault>,
    like: Option<Likeness>,
    results: Vec<Entry>,
    /// The verdict on each case: the worst of its deliveries.
    verdicts: BTreeMap<String, Verdict>,
}

/// Reports that make no matrix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatrixError {
    /// It is no JSON report of this command.
    #[error("{file}: it is no JSON report of mcspec: {cause}; write one with `mcspec run --report json=FILE`")]
    Foreign {
        /// The file.
        file: String,
        /// What cannot be read.
        cause: String,
    },
    /// Its fields mean something else.
    #[error("{file}: it has schema {found}, but this mcspec reads schema {SCHEMA}; write it anew")]
    Schema {
        /// The file.
        file: String,
        /// Its schema.
        found: u32,
    },
    /// Two reports for one column, of which not both are parts.
    #[error(
        "{first} and {second} both report on `{name}`, and are not parts of one run; \
         leave one out, or name it: NAME={second}"
    )]
    Twice {
        /// The column.
        name: String,
        /// One report.
        first: String,
        /// The other.
        second: String,
    },
    /// Two reports of the same part.
    #[error("{first} and {second} are both part {part} of the run on `{name}`; leave one out")]
    DoubledPart {
        /// The column.
        name: String,
        /// The part.
        part: String,
        /// One report.
        first: String,
        /// The other.
        second: String,
    },
    /// Parts that nobody gave.
    #[error("of the run on `{name}`, the parts {parts} are missing; give their reports, too")]
    MissingParts {
        /// The column.
        name: String,
        /// The parts.
        parts: String,
    },
    /// Parts of different runs.
    #[error("{first} and {second} are parts of different runs on `{name}`: {what} differ; run both in the same way")]
    Mixed {
        /// The column.
        name: String,
        /// One report.
        first: String,
        /// The other.
        second: String,
        /// What differs.
        what: &'static str,
    },
}

impl Matrix {
    /// Reads JSON reports; the columns come in the order of the reports. Parts of one run (`--partition`) are put together.
    ///
    /// # Errors
    /// What is no report; a column with two reports that are not the parts of one run, or with a part missing or doubled.
    pub fn from_reports(sources: &[Source]) -> Result<Self, MatrixError> {
        merge::columns(sources).map(|columns| Self { columns })
    }

    /// The same of these deliveries alone. Whether a server's runs passed as gates stays what it was.
    #[must_use]
    pub fn only(mut self, deliveries: &[Delivery]) -> Self {
        for column in &mut self.columns {
            column.deliveries.retain(|delivery| deliveries.contains(delivery));
            column.results.retain(|result| deliveries.contains(&result.delivery));
            column.like = merge::like(&column.results);
            column.verdicts = merge::verdicts(&column.results);
        }
        self
    }

    /// The sections, in the order of the suite.
    fn sections(&self) -> BTreeSet<&str> {
        let ids = self.columns.iter().flat_map(|column| column.verdicts.keys());
        ids.map(|id| section_of(id)).collect()
    }

    /// The cases of a section that do not simply pass everywhere, and how many do.
    fn differing(&self, section: &str) -> (Vec<&str>, usize) {
        let ids: BTreeSet<&str> = self
            .columns
            .iter()
            .flat_map(|column| column.verdicts.keys())
            .map(String::as_str)
            .filter(|id| section_of(id) == section)
            .collect();
        let passes = |column: &Column, id: &str| column.verdicts.get(id) == Some(&Verdict::Pass);
        let (alike, differing): (Vec<&str>, Vec<&str>) = ids
            .into_iter()
            .partition(|id| self.columns.iter().all(|column| passes(column, id)));
        (differing, alike.len())
    }

    /// The verdicts that occur, as a summary lists them.
    fn shown(&self) -> Vec<Verdict> {
        let all: BTreeSet<Verdict> = self
            .columns
            .iter()
            .flat_map(|column| column.counts().into_keys())
            .collect();
        Verdict::ALL
            .into_iter()
            .filter(|verdict| all.contains(verdict))
            .collect()
    }

    /// Whether the servers were judged by the same cases.
    fn is_even(&self) -> bool {
        let of = |column: &Column| column.selection.as_ref().map(|selection| selection.fingerprint.clone());
        self.columns.windows(2).all(|pair| of(&pair[0]) == of(&pair[1]))
    }
}

impl Column {
    /// How many cases have each verdict.
    fn counts(&self) -> Counts {
        counts(self.verdicts.values())
    }

    /// The same of one section.
    fn counts_of(&self, section: &str) -> Counts {
        let of_section = self.verdicts.iter().filter(|(id, _)| section_of(id) == section);
        counts(of_section.map(|(_, verdict)| verdict))
    }

    /// How many cases have one of these verdicts.
    fn count(&self, of: impl Fn(Verdict) -> bool) -> usize {
        self.verdicts.values().filter(|verdict| of(**verdict)).count()
    }

    /// The verdict on the server, and its one sign.
    fn standing(&self) -> (Verdict, String) {
        let failing = self.count(|verdict| !verdict.is_expected());
        let deviations = self.count(|verdict| verdict == Verdict::Deviation);
        match (failing, deviations) {
            (0, 0) if self.passes => (Verdict::Pass, "conforms".to_owned()),
            (0, _) if !self.passes => (Verdict::Fail, "is not as its target file declares".to_owned()),
            (0, 1) => (Verdict::Deviation, "conforms but for 1 known deviation".to_owned()),
            (0, _) => (
                Verdict::Deviation,
                format!("conforms but for {deviations} known deviations"),
            ),
            (1, _) => (Verdict::Fail, "does not conform: 1 case to look into".to_owned()),
            _ => (Verdict::Fail, format!("does not conform: {failing} cases to look into")),
        }
    }
}

fn counts<'v>(verdicts: impl Iterator<Item = &'v Verdict>) -> Counts {
    let mut counts = Counts::new();
    for verdict in verdicts {
        *counts.entry(*verdict).or_default() += 1;
    }
    counts
}

fn section_of(id: &str) -> &str {
    id.split('/').next().unwrap_or_default()
}
