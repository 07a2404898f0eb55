//! The cases: what one is, how it is written, how the files are read.

mod alternatives;
mod bytes;
mod files;
mod line;
mod parse;
mod print;
mod quote;
mod release;

pub use alternatives::need_fence;
pub use bytes::{CaptureRef, Pattern, Piece};
pub use files::{Library, LibraryError};
pub use line::ParseError;
pub use parse::parse;
pub use print::print;
pub use quote::{QuoteError, check_quotes};
pub use release::{OBSERVED, Release, ReleaseRange, observed};

use std::fmt;
use std::time::Duration;

/// One file of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Comment lines before the section line, without their `#`.
    pub comments: Vec<String>,
    /// `<section>/<topic>`, equal to the file's path without `.case`.
    pub section: String,
    /// Where quotes stand that name no place of their own.
    pub source: Option<Source>,
    /// The cases, in the file's order.
    pub cases: Vec<Case>,
    /// Comment lines after the last case.
    pub trailing_comments: Vec<String>,
}

/// One case: a claim, and the transcript that shows whether it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Comment lines before it.
    pub comments: Vec<String>,
    /// The last part of its id.
    pub name: String,
    /// How binding the claim is.
    pub level: Level,
    /// The words of the protocol text that rule it.
    pub quotes: Vec<Quote>,
    /// For a DEFACTO claim: the releases that were seen to behave so.
    pub observed: Vec<ReleaseRange>,
    /// A reason that a reader of a failure needs.
    pub because: Option<String>,
    /// Capabilities without which the case does not apply.
    pub needs: Vec<String>,
    /// Ids of cases without which this one shows nothing.
    pub rests_on: Vec<String>,
    /// Whether it touches state that all cases share.
    pub exclusive: bool,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The line of the file on which the case begins, from 1.
    pub line: u32,
}

impl Case {
    /// Whether this release is one that the case is about: it is not when all that was observed is other releases.
    pub fn concerns(&self, release: &Release) -> bool {
        self.observed.is_empty() || self.observed.iter().any(|range| range.contains(release))
    }

    /// How long the case waits in all, whatever the server does.
    pub fn waits(&self) -> Duration {
        self.steps
            .iter()
            .map(|step| match step.action {
                Action::Wait(time) => time,
                _ => Duration::ZERO,
            })
            .sum()
    }
}

/// How binding a claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// The protocol text says so.
    Must,
    /// The protocol text recommends it.
    Should,
    /// The protocol text allows it.
    May,
    /// The text is silent or vague; the observed releases agree.
    Defacto,
}

impl Level {
    /// All levels, the most binding first.
    pub const ALL: [Self; 4] = [Self::Must, Self::Should, Self::May, Self::Defacto];

    /// The level's name in a case file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::May => "MAY",
            Self::Defacto => "DEFACTO",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Words of the protocol text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The words; runs of blanks in the text count as one blank.
    pub text: String,
    /// Where they stand, if not in the file's own source.
    pub source: Option<Source>,
}

/// Lines of a text: `protocol.txt:12-14`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The text's file name.
    pub file: String,
    /// The first line, from 1.
    pub first: u32,
    /// The last line; equal to the first when only one is named.
    pub last: u32,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.first)?;
        if self.last != self.first {
            write!(f, "-{}", self.last)?;
        }
        Ok(())
    }
}

/// The name of a connection: a capital letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conn(pub char);

impl Conn {
    /// The connection of a step that names none.
    pub const DEFAULT: Self = Self('A');
}

/// One line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Comment lines before it.
    pub comments: Vec<String>,
    /// The connection it happens on.
    pub conn: Conn,
    /// What happens.
    pub action: Action,
    /// The line of the file, from 1.
    pub line: u32,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The client sends.
    Send(Pattern),
    /// The client receives.
    Receive(Pattern),
    /// The client receives one of several answers, by release.
    ReceiveAny(Vec<Alternative>),
    /// Nothing comes.
    Silent,
    /// The server closes.
    Closed,
    /// The client closes.
    Close,
    /// The client ends its sending side.
    HalfClose,
    /// Time passes.
    Wait(Duration),
}

/// One of the answers that the releases give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// The releases that answer so.
    pub releases: ReleaseRange,
    /// The answer.
    pub answer: Answer,
    /// The line of the file, from 1.
    pub line: u32,
}

/// What an alternative expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// These bytes.
    Bytes(Pattern),
    /// No byte at all.
    Silent,
    /// The end of the connection.
    Closed,
}
