//! The report in the Test Anything Protocol, version 14 (<https://testanything.org>).

use std::fmt::Write as _;

use super::pretty::{Style, failure};
use super::{Outcome, Report};
use crate::case::Library;
use crate::verdict::{CaseResult, Verdict};

/// The report as TAP: one line a result, diagnostics as comments below what did not pass.
pub fn to_tap(report: &Report, library: &Library) -> String {
    let mut out = format!("TAP version 14\n1..{}\n", report.results.len() + report.faults.len());
    // Writing to a string cannot fail.
    for (i, result) in report.results.iter().enumerate() {
        let outcome = report.outcome(result);
        let ok = if matches!(outcome, Outcome::Failed | Outcome::Broken) || result.verdict == Verdict::Deviation {
            "not ok"
        } else {
            "ok"
        };
        let _ = writeln!(
            out,
            "{ok} {} - {} ({}){}",
            i + 1,
            escaped(&result.id),
            result.delivery,
            directive(outcome, result)
        );
        if matches!(outcome, Outcome::Failed | Outcome::Broken) {
            for line in failure(report, library, result, Style::Plain).lines() {
                let _ = writeln!(out, "# {line}");
            }
        }
    }
    for (i, fault) in report.faults.iter().enumerate() {
        let number = report.results.len() + i + 1;
        let _ = writeln!(out, "not ok {number} - {}", escaped(&fault.to_string()));
    }
    out
}

/// A declared deviation is a failure that is expected, for which TAP has a word of its own.
fn directive(outcome: Outcome, result: &CaseResult) -> String {
    let reason = escaped(result.reason.as_deref().unwrap_or_default());
    match (outcome, result.verdict) {
        (Outcome::Skipped, Verdict::Deviation) => format!(" # TODO known deviation: {reason}"),
        (Outcome::Skipped, _) => format!(" # SKIP {}: {reason}", result.verdict),
        (Outcome::Passed, verdict) if verdict != Verdict::Pass => format!(" # {verdict}"),
        _ => String::new(),
    }
}

/// `#` and `\` have a meaning in a description.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('#', "\\#").replace('\n', " ")
}
