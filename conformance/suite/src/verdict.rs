//! What a case says about a server.

use std::fmt;

use crate::case::{Level, ReleaseRange};
use crate::play::{Delivery, Failure};

/// The judgement of one case in one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The server behaves as the case says.
    Pass,
    /// It misses what the protocol text only recommends.
    Nonstrict,
    /// It does otherwise where the protocol text leaves the choice.
    Informational,
    /// It lacks a capability that the case needs.
    Unsupported,
    /// It shows a fault that this release of memcached is known to have.
    UpstreamBug,
    /// It does not behave as the case says.
    Fail,
    /// A case that this one rests on did not pass.
    Blocked,
    /// The harness or the way to the server broke; nothing is known about the case.
    HarnessError,
}

impl Verdict {
    /// All verdicts, as a summary lists them.
    pub const ALL: [Self; 8] = [
        Self::Pass,
        Self::Nonstrict,
        Self::Informational,
        Self::Unsupported,
        Self::UpstreamBug,
        Self::Fail,
        Self::Blocked,
        Self::HarnessError,
    ];

    /// The verdict's name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Nonstrict => "nonstrict",
            Self::Informational => "informational",
            Self::Unsupported => "unsupported",
            Self::UpstreamBug => "upstream-bug",
            Self::Fail => "fail",
            Self::Blocked => "blocked",
            Self::HarnessError => "harness-error",
        }
    }

    /// Whether a server with this verdict conforms all the same.
    pub fn conforms(self) -> bool {
        !matches!(self, Self::Fail | Self::Blocked | Self::HarnessError)
    }

    /// The verdict on a case of this level that was not met.
    pub(crate) fn missed(level: Level) -> Self {
        match level {
            Level::Must | Level::Defacto => Self::Fail,
            Level::Should => Self::Nonstrict,
            Level::May => Self::Informational,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The result of one case in one delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// `<section>/<topic>/<name>`.
    pub id: String,
    /// How binding the case is.
    pub level: Level,
    /// How its bytes were delivered.
    pub delivery: Delivery,
    /// The judgement.
    pub verdict: Verdict,
    /// Why, where the verdict alone does not say it: the missing capability, the blocking case, the known bug.
    pub reason: Option<String>,
    /// The releases that behave so, when the case tells releases apart.
    pub releases: Option<ReleaseRange>,
    /// What went wrong.
    pub failure: Option<Box<Failure>>,
    /// From the first connection to the verdict.
    pub duration: std::time::Duration,
}
