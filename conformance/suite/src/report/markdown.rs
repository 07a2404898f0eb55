//! The report for the summary of a CI job.

use std::fmt::Write as _;

use super::pretty::{Style, failure};
use super::{Outcome, Report, headline};
use crate::case::Library;
use crate::verdict::{CaseResult, Verdict};

/// So many failures are shown in full; services cut a summary off at about 1 MiB.
const SHOWN_FAILURES_MAX: usize = 50;

/// The report as Markdown: the verdict, a table by section, every failure to be unfolded, the deviations by reason.
pub fn to_markdown(report: &Report, library: &Library) -> String {
    let sign = if report.passes() { "\u{2705}" } else { "\u{274c}" };
    let mut out = format!(
        "## {sign} mcspec: {}\n\n{}\n\n",
        cell(&report.target_name),
        cell(&headline(report))
    );
    table(&mut out, report);
    for fault in &report.faults {
        line(&mut out, format_args!("- \u{274c} wrong declaration: `{fault}`"));
    }
    if let Some(comparison) = &report.baseline {
        let (worse, better) = (comparison.worse.len(), comparison.better.len());
        line(
            &mut out,
            format_args!("\nSince the baseline: {worse} worse, {better} better.\n"),
        );
    }
    let failed: Vec<&CaseResult> = report
        .results
        .iter()
        .filter(|result| matches!(report.outcome(result), Outcome::Failed | Outcome::Broken))
        .collect();
    if !failed.is_empty() {
        line(&mut out, format_args!("\n### {} to look into\n", failed.len()));
    }
    for result in failed.iter().take(SHOWN_FAILURES_MAX) {
        unfold(&mut out, report, library, result);
    }
    if failed.len() > SHOWN_FAILURES_MAX {
        line(
            &mut out,
            format_args!("\n... and {} more.", failed.len() - SHOWN_FAILURES_MAX),
        );
    }
    deviations(&mut out, report);
    out
}

fn table(out: &mut String, report: &Report) {
    let all = report.counts();
    let shown: Vec<Verdict> = Verdict::ALL
        .into_iter()
        .filter(|verdict| *verdict == Verdict::Pass || all.contains_key(verdict))
        .collect();
    let names: Vec<String> = shown
        .iter()
        .map(|verdict| format!("{} {verdict}", verdict.sign()))
        .collect();
    line(out, format_args!("| section | {} |", names.join(" | ")));
    line(out, format_args!("|---|{}", "---:|".repeat(shown.len())));
    let mut rows = report.counts_by_section();
    rows.push(("**total**".to_owned(), all));
    for (section, counts) in rows {
        let numbers: Vec<String> = shown
            .iter()
            .map(|verdict| counts.get(verdict).map(ToString::to_string).unwrap_or_default())
            .collect();
        line(out, format_args!("| {section} | {} |", numbers.join(" | ")));
    }
}

fn unfold(out: &mut String, report: &Report, library: &Library, result: &CaseResult) {
    let CaseResult {
        id,
        delivery,
        verdict,
        level,
        ..
    } = result;
    line(
        out,
        format_args!(
            "<details><summary>{} <code>{id}</code> {level} ({delivery}): {verdict}</summary>\n",
            verdict.sign()
        ),
    );
    let text = failure(report, library, result, Style::Plain);
    // The bytes of a server could hold the end of a shorter fence.
    line(out, format_args!("`````\n{text}`````\n</details>\n"));
}

fn deviations(out: &mut String, report: &Report) {
    let reasons = report.ids_by_reason(Verdict::Deviation);
    if reasons.is_empty() {
        return;
    }
    line(
        out,
        format_args!("\n<details><summary>Known deviations, by reason</summary>\n"),
    );
    for (reason, ids) in reasons {
        let first = ids.iter().next().copied().unwrap_or_default();
        line(
            out,
            format_args!("- {} ({} cases, for example `{first}`)", cell(reason), ids.len()),
        );
    }
    line(out, format_args!("\n</details>"));
}

/// Text that cannot end a cell, or begin a tag.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace(['\r', '\n'], " ")
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}
