//! What a case says about a server.

use std::fmt;

use crate::case::{Level, ReleaseRange};
use crate::play::{Delivery, Failure};

/// The judgement of one case in one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
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
    /// It does not behave as the case says, and its target file declares so, with a reason.
    Deviation,
    /// It did not behave as the case says at first, and did when the case was played again.
    Flaky,
    /// It does not behave as the case says.
    Fail,
    /// It behaves as the case says although its target file declares that it does not.
    UnexpectedPass,
    /// A case that this one rests on did not pass.
    Blocked,
    /// The harness or the way to the server broke; nothing is known about the case.
    HarnessError,
}

impl Verdict {
    /// All verdicts, as a summary lists them.
    pub const ALL: [Self; 11] = [
        Self::Pass,
        Self::Nonstrict,
        Self::Informational,
        Self::Unsupported,
        Self::UpstreamBug,
        Self::Deviation,
        Self::Flaky,
        Self::Fail,
        Self::UnexpectedPass,
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
            Self::Deviation => "deviation",
            Self::Flaky => "flaky",
            Self::Fail => "fail",
            Self::UnexpectedPass => "unexpected-pass",
            Self::Blocked => "blocked",
            Self::HarnessError => "harness-error",
        }
    }

    /// One character that tells it from the others where there is no colour.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Pass => "\u{2713}",
            Self::Nonstrict => "\u{2248}",
            Self::Informational => "i",
            Self::Unsupported => "\u{2013}",
            Self::UpstreamBug => "u",
            Self::Deviation => "\u{2260}",
            Self::Flaky => "~",
            Self::Fail => "\u{2717}",
            Self::UnexpectedPass => "!",
            Self::Blocked => "\u{25aa}",
            Self::HarnessError => "?",
        }
    }

    /// Whether there is more to say than the verdict although the run passes.
    pub(crate) fn is_remarkable(self) -> bool {
        matches!(self, Self::Nonstrict | Self::Informational | Self::UpstreamBug)
    }

    /// Whether a run with this verdict is one that nobody has to look into.
    pub fn is_expected(self) -> bool {
        !matches!(
            self,
            Self::Fail | Self::UnexpectedPass | Self::Blocked | Self::HarnessError
        )
    }

    /// Whether a server with this verdict conforms, whatever is expected of it.
    pub fn conforms(self) -> bool {
        !matches!(self, Self::Deviation | Self::Fail | Self::Blocked | Self::HarnessError)
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
