//! The report as one JSON document.

use serde::Serialize;

use super::{Counts, Report, quotes};
use crate::baseline::Comparison;
use crate::case::{Level, Library};
use crate::dialect::Likeness;
use crate::escape::escape;
use crate::expect::Fault;
use crate::play::{Delivery, Failure};
use crate::selection::Selection;
use crate::target::Fence;
use crate::verdict::{CaseResult, Verdict};

/// Raised when a field changes its meaning or goes; new fields do not raise it.
pub const SCHEMA: u32 = 1;

/// The JSON Schema of the report; its definition `line` is that of the lines of NDJSON.
pub const REPORT_SCHEMA: &str = include_str!("../../schema/report.schema.json");

/// The report as JSON, with a line end.
///
/// Bytes are text escaped as in a case file: `\r \n \t \0 \\ \xHH`.
///
/// # Errors
/// None that a report can cause; the serializer's own.
pub fn to_json(report: &Report, library: &Library) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string_pretty(&document(report, library))? + "\n")
}

pub(super) fn document<'r>(report: &'r Report, library: &Library) -> Document<'r> {
    let results = report.results.iter();
    Document {
        schema: SCHEMA,
        target: TargetInfo {
            name: &report.target_name,
            address: report.target.address.to_string(),
            version: report.target.version.as_deref(),
            fence: report.target.fence,
            capabilities: report.target.capabilities.iter().map(String::as_str).collect(),
        },
        deliveries: &report.deliveries,
        dialect: report.dialect.as_ref().map(ToString::to_string),
        seed: report.seed,
        selection: report.selection.as_ref(),
        passes: report.passes(),
        conforms: report.conforms(),
        counts: report.counts(),
        faults: &report.faults,
        baseline: report.baseline.as_ref(),
        behaves_like: report.likeness.as_ref(),
        cases: results.map(|result| case(report, library, result)).collect(),
    }
}

pub(super) fn values<'d>(document: &'d Document<'_>) -> impl Iterator<Item = impl Serialize + 'd> {
    document.cases.iter()
}

#[derive(Serialize)]
pub(super) struct Document<'r> {
    schema: u32,
    target: TargetInfo<'r>,
    deliveries: &'r [Delivery],
    dialect: Option<String>,
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    selection: Option<&'r Selection>,
    /// Whether the run passes as a gate: nothing came that was not declared.
    passes: bool,
    conforms: bool,
    counts: Counts,
    faults: &'r [Fault],
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline: Option<&'r Comparison>,
    behaves_like: Option<&'r Likeness>,
    cases: Vec<CaseInfo<'r>>,
}

#[derive(Serialize)]
struct TargetInfo<'r> {
    name: &'r str,
    address: String,
    version: Option<&'r str>,
    fence: Fence,
    capabilities: Vec<&'r str>,
}

#[derive(Serialize)]
struct CaseInfo<'r> {
    id: &'r str,
    level: Level,
    delivery: Delivery,
    verdict: Verdict,
    milliseconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    releases: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureInfo>,
}

/// More bytes than this of one exchange stand in no report: a server that refuses values of 10 MB would make it one of 100 MB.
/// Who wants them plays the case again.
const BYTES_MAX: usize = 16 * 1024;

#[derive(Serialize)]
struct FailureInfo {
    file: String,
    line: u32,
    problem: String,
    quotes: Vec<QuoteInfo>,
    exchanges: Vec<ExchangeInfo>,
    expected: Vec<String>,
    received: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    received_left_out: Option<usize>,
    first_difference: usize,
    replay: String,
}

#[derive(Serialize)]
struct QuoteInfo {
    text: String,
    source: String,
}

#[derive(Serialize)]
struct ExchangeInfo {
    connection: char,
    sent: bool,
    bytes: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
}

fn case<'r>(report: &'r Report, library: &Library, result: &'r CaseResult) -> CaseInfo<'r> {
    let failure = result.failure.as_deref();
    CaseInfo {
        id: &result.id,
        level: result.level,
        delivery: result.delivery,
        verdict: result.verdict,
        milliseconds: (result.duration.as_secs_f64() * 1e6).round() / 1e3,
        reason: result.reason.as_deref(),
        releases: result.releases.as_ref().map(ToString::to_string),
        failure: failure.map(|failure| failure_info(report, library, result, failure)),
    }
}

fn failure_info(report: &Report, library: &Library, result: &CaseResult, failure: &Failure) -> FailureInfo {
    let quotes = quotes(library, &result.id)
        .into_iter()
        .map(|(text, source)| QuoteInfo { text, source });
    let exchanges = failure.exchanges.iter().map(|exchange| {
        let (bytes, left_out) = shortened(&exchange.bytes, BYTES_MAX);
        ExchangeInfo {
            connection: exchange.conn.0,
            sent: exchange.sent,
            bytes,
            left_out,
        }
    });
    let expected = failure
        .expected
        .iter()
        .map(|text| match text.char_indices().nth(BYTES_MAX) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text.clone(),
        });
    // What is wrong stands there, wherever it is.
    let (received, received_left_out) = shortened(&failure.received, BYTES_MAX + failure.first_difference);
    FailureInfo {
        file: file_of(&result.id),
        line: failure.line,
        problem: failure.problem.to_string(),
        quotes: quotes.collect(),
        exchanges: exchanges.collect(),
        expected: expected.collect(),
        received,
        received_left_out,
        first_difference: failure.first_difference,
        replay: report.replay_of(result),
    }
}

/// At most `most` bytes of the beginning, escaped, and how many more there are, if any.
fn shortened(bytes: &[u8], most: usize) -> (String, Option<usize>) {
    let (shown, left_out) = bytes.split_at(bytes.len().min(most));
    (escape(shown), Some(left_out.len()).filter(|left_out| *left_out > 0))
}

/// The file of a case, relative to the directory of the cases.
pub(super) fn file_of(id: &str) -> String {
    format!("{}.case", id.rsplit_once('/').map_or(id, |(section, _)| section))
}
