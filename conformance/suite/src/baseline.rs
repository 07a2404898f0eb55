//! What got worse since a former run.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::report::SCHEMA;
use crate::verdict::{CaseResult, Verdict};

/// The verdicts of a former run, read from its JSON report.
#[derive(Debug, Clone)]
pub struct Baseline(BTreeMap<(String, String), Verdict>);

/// A report that cannot serve as a baseline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaselineError {
    /// It is no JSON report of this command.
    #[error("it is no JSON report of mcspec: {0}; write one with `mcspec run --report json=FILE`")]
    Foreign(String),
    /// Its fields mean something else.
    #[error("it has schema {0}, but this mcspec reads schema {SCHEMA}; write it anew")]
    Schema(u32),
}

/// How a run compares to a former one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// What fails now and did not, or was not known.
    pub worse: Vec<Change>,
    /// What failed and passes now.
    pub better: Vec<Change>,
    /// How many results failed before and fail now.
    pub still_failing: usize,
}

/// One case whose verdict changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The case.
    pub id: String,
    /// In which delivery.
    pub delivery: String,
    /// The former verdict; `None` if the case was not run.
    pub before: Option<Verdict>,
    /// The verdict of this run.
    pub now: Verdict,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.before.map_or("not run", Verdict::as_str);
        write!(f, "{} ({}): {before} before, {} now", self.id, self.delivery, self.now)
    }
}

#[derive(Deserialize)]
struct Document {
    schema: u32,
    cases: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    delivery: String,
    verdict: Verdict,
}

impl Baseline {
    /// Reads a JSON report.
    ///
    /// # Errors
    /// It is none, or one of another schema.
    pub fn from_json(text: &str) -> Result<Self, BaselineError> {
        let document: Document =
            serde_json::from_str(text).map_err(|error| BaselineError::Foreign(error.to_string()))?;
        if document.schema != SCHEMA {
            return Err(BaselineError::Schema(document.schema));
        }
        let verdicts = document
            .cases
            .into_iter()
            .map(|entry| ((entry.id, entry.delivery), entry.verdict));
        Ok(Self(verdicts.collect()))
    }

    /// Compares a run with the former one. A case that was not run then and fails now counts as worse: nobody has seen it
    /// fail before.
    pub fn compare(&self, results: &[CaseResult]) -> Comparison {
        let mut comparison = Comparison::default();
        for result in results {
            let key = (result.id.clone(), result.delivery.to_string());
            let before = self.0.get(&key).copied();
            let change = || Change {
                id: key.0.clone(),
                delivery: key.1.clone(),
                before,
                now: result.verdict,
            };
            let (was, is) = (before.map(Standing::of), Standing::of(result.verdict));
            match was {
                Some(Standing::Fails) if is == Standing::Fails => comparison.still_failing += 1,
                Some(was) if is > was => comparison.worse.push(change()),
                Some(was) if is < was => comparison.better.push(change()),
                None if is == Standing::Fails => comparison.worse.push(change()),
                _ => {}
            }
        }
        comparison
    }
}

/// How a server stands with a case, the best first; a capability that is gone is worse than a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Passes,
    IsNotAsked,
    Fails,
}

impl Standing {
    /// Whether a failure is declared makes no difference here: it is no news.
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass
            | Verdict::Nonstrict
            | Verdict::Informational
            | Verdict::UpstreamBug
            | Verdict::Flaky
            | Verdict::UnexpectedPass => Self::Passes,
            Verdict::Unsupported => Self::IsNotAsked,
            Verdict::Deviation | Verdict::Fail | Verdict::Blocked | Verdict::HarnessError => Self::Fails,
        }
    }
}
