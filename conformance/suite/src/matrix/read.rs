//! What a JSON report says, as far as a matrix shows it.

use serde::Deserialize;

use super::{MatrixError, Source};
use crate::case::Level;
use crate::expect::Fault;
use crate::play::Delivery;
use crate::report::SCHEMA;
use crate::selection::Selection;
use crate::verdict::Verdict;

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Document {
    pub(super) target: TargetInfo,
    pub(super) deliveries: Vec<Delivery>,
    pub(super) dialect: Option<String>,
    #[serde(default)]
    pub(super) selection: Option<Selection>,
    pub(super) passes: bool,
    pub(super) conforms: bool,
    pub(super) faults: Vec<Fault>,
    pub(super) cases: Vec<Entry>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct TargetInfo {
    pub(super) name: String,
    pub(super) version: Option<String>,
}

/// One case in one delivery.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) level: Level,
    pub(super) delivery: Delivery,
    pub(super) verdict: Verdict,
    #[serde(default)]
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) releases: Option<String>,
    #[serde(default)]
    pub(super) failure: Option<Failure>,
}

/// What went wrong; bytes are escaped text.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Failure {
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) problem: String,
    pub(super) quotes: Vec<Quote>,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) expected: Vec<String>,
    pub(super) received: String,
    pub(super) first_difference: usize,
    pub(super) replay: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Quote {
    pub(super) text: String,
    pub(super) source: String,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Exchange {
    pub(super) connection: char,
    pub(super) sent: bool,
    pub(super) bytes: String,
}

/// Read before the rest: the rest may be something else in another schema.
#[derive(Deserialize)]
struct Head {
    schema: u32,
}

pub(super) fn document(source: &Source) -> Result<Document, MatrixError> {
    let foreign = |error: serde_json::Error| MatrixError::Foreign {
        file: source.file.clone(),
        cause: error.to_string(),
    };
    let head: Head = serde_json::from_str(&source.text).map_err(foreign)?;
    if head.schema != SCHEMA {
        return Err(MatrixError::Schema {
            file: source.file.clone(),
            found: head.schema,
        });
    }
    serde_json::from_str(&source.text).map_err(foreign)
}
