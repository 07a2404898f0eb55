//! The cases as JSON, so that a runner in any language needs no parser of their format.
//!
//! Bytes are strings in which each character, U+0000 to U+00FF, is the byte of that number (ISO 8859-1): every language has
//! that conversion, and a reader still sees the words. What is filled in when a case runs is an object with a `kind`.
//!
//! # Layout
//! - `pieces`: literals and what is filled in, and parts of them. `steps`: what happens, in order.
//! - `writes`: what is sent in which write, by delivery. `head`: what all cases share.

mod head;
mod pieces;
mod steps;
mod writes;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::case::{Case, Level, Library, ReleaseRange, Topic};
use crate::known::{KnownBug, KnownBugs};
use crate::play::Delivery;
use head::{CapabilityInfo, FenceInfo};
use steps::StepInfo;
use writes::Group;

/// Raised when a field changes its meaning or goes; new fields do not raise it, but a new kind of step or piece does.
const SCHEMA: u32 = 1;

/// The JSON Schema of the export.
pub const CASES_SCHEMA: &str = include_str!("../../schema/cases.schema.json");

#[derive(Serialize)]
struct Document {
    schema: u32,
    fences: Vec<FenceInfo>,
    capabilities: Vec<CapabilityInfo>,
    cases: Vec<CaseInfo>,
}

#[derive(Serialize)]
struct CaseInfo {
    id: String,
    /// Relative to the directory of the cases.
    file: String,
    line: u32,
    level: Level,
    quotes: Vec<QuoteInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
    observed: Vec<RangeInfo>,
    needs: Vec<String>,
    rests_on: Vec<String>,
    exclusive: bool,
    /// In all, whatever the server does.
    waits_ms: u128,
    steps: Vec<StepInfo>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    deliveries: BTreeMap<&'static str, Vec<Group>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    upstream_bugs: Vec<BugInfo>,
}

#[derive(Serialize)]
struct QuoteInfo {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

/// Both ends included; an end that is absent is open.
#[derive(Serialize)]
struct RangeInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
}

/// A fault of memcached that the case shows.
#[derive(Serialize)]
struct BugInfo {
    releases: RangeInfo,
    /// Those that show it; none means all.
    deliveries: Vec<Delivery>,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<String>,
}

/// The cases of these ids as JSON, with a line end; for `expanded` deliveries with what is sent in which write.
///
/// # Errors
/// None that a case can cause; the serializer's own.
pub fn to_json(
    library: &Library,
    ids: &BTreeSet<String>,
    expanded: &[Delivery],
    bugs: &KnownBugs,
) -> Result<String, serde_json::Error> {
    let cases = library.cases().filter(|(id, ..)| ids.contains(id));
    let document = Document {
        schema: SCHEMA,
        fences: head::fences(),
        capabilities: head::capabilities(),
        cases: cases
            .map(|(id, topic, case)| describe(id, topic, case, expanded, bugs))
            .collect(),
    };
    Ok(serde_json::to_string(&document)? + "\n")
}

fn describe(id: String, topic: &Topic, case: &Case, expanded: &[Delivery], bugs: &KnownBugs) -> CaseInfo {
    let quotes = case.quotes.iter().map(|quote| QuoteInfo {
        text: quote.text.clone(),
        source: quote.source.as_ref().or(topic.source.as_ref()).map(ToString::to_string),
    });
    let groups = expanded
        .iter()
        .map(|delivery| (delivery.as_str(), writes::groups_of(case, *delivery)));
    let upstream_bugs = bugs.iter().filter(|bug| bug.case.matches(&id)).map(bug).collect();
    CaseInfo {
        file: format!("{}.case", topic.section),
        line: case.line,
        level: case.level,
        quotes: quotes.collect(),
        because: case.because.clone(),
        observed: case.observed.iter().map(range).collect(),
        needs: case.needs.clone(),
        rests_on: case.rests_on.clone(),
        exclusive: case.exclusive,
        waits_ms: case.waits().as_millis(),
        steps: steps::steps(&case.steps),
        deliveries: groups.collect(),
        upstream_bugs,
        id,
    }
}

fn bug(bug: &KnownBug) -> BugInfo {
    BugInfo {
        releases: range(&bug.releases),
        deliveries: bug.deliveries.clone(),
        reason: bug.reason.clone(),
        received: bug.received.clone(),
    }
}

fn range(range: &ReleaseRange) -> RangeInfo {
    RangeInfo {
        first: range.first.as_ref().map(ToString::to_string),
        last: range.last.as_ref().map(ToString::to_string),
    }
}
