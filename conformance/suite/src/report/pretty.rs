//! The report for a terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style as Colour};

use super::{Counts, Report, json::file_of, quotes};
use crate::case::Library;
use crate::escape::escape;
use crate::play::{Failure, Problem};
use crate::verdict::{CaseResult, Verdict};

/// Whether to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Signs and words only.
    Plain,
    /// Signs, words and colour.
    Colour,
}

/// Longer bytes are shown by their ends.
const SHOWN_BYTES_MAX: usize = 400;

/// How much is shown before the first byte that differs.
const BEFORE_DIFFERENCE: usize = 60;

impl Style {
    fn paint(self, text: &str, colour: Colour) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => text.style(colour).to_string(),
        }
    }

    fn bold(self, text: &str) -> String {
        self.paint(text, Colour::new().bold())
    }

    fn dim(self, text: &str) -> String {
        self.paint(text, Colour::new().dimmed())
    }

    fn verdict(self, text: &str, verdict: Verdict) -> String {
        self.paint(
            text,
            match verdict {
                Verdict::Pass => Colour::new().green(),
                Verdict::Fail | Verdict::HarnessError => Colour::new().red().bold(),
                Verdict::Blocked | Verdict::UpstreamBug => Colour::new().magenta(),
                Verdict::Nonstrict | Verdict::Informational => Colour::new().yellow(),
                Verdict::Unsupported => Colour::new().cyan(),
            },
        )
    }
}

/// One result that did not pass, with all that is needed to understand it.
pub fn failure(report: &Report, library: &Library, result: &CaseResult, style: Style) -> String {
    let mut out = String::new();
    let verdict = style.verdict(&result.verdict.as_str().to_uppercase(), result.verdict);
    line(
        &mut out,
        format_args!(
            "{verdict} {}  {} ({})",
            style.bold(&result.id),
            result.level,
            result.delivery
        ),
    );
    for (text, source) in quotes(library, &result.id) {
        line(&mut out, format_args!("  \"{text}\"  {}", style.dim(&source)));
    }
    if let Some(because) = library.case(&result.id).and_then(|(_, case)| case.because.as_ref()) {
        line(&mut out, format_args!("  {because}"));
    }
    if let Some(reason) = &result.reason {
        line(&mut out, format_args!("  {reason}"));
    }
    if let Some(failure) = &result.failure {
        details(&mut out, &result.id, failure, style);
    }
    line(&mut out, format_args!("  replay    {}", report.replay_of(result)));
    out
}

fn details(out: &mut String, id: &str, failure: &Failure, style: Style) {
    let place = format!("{}:{}", file_of(id), failure.line);
    line(
        out,
        format_args!("  {} {}", failure.problem, style.dim(&format!("({place})"))),
    );
    for exchange in &failure.exchanges {
        let sign = if exchange.sent { "sent" } else { "got" };
        line(
            out,
            format_args!(
                "  {sign:<5} {}   {}",
                exchange.conn.0,
                style.dim(&shorten(&exchange.bytes))
            ),
        );
    }
    for (i, expected) in failure.expected.iter().enumerate() {
        let label = if i == 0 { "expected" } else { "or" };
        line(out, format_args!("  {label:<9} {}", shorten_text(expected)));
    }
    if matches!(failure.problem, Problem::Unreachable(_)) {
        return;
    }
    if failure.received.is_empty() {
        line(out, format_args!("  received  (nothing)"));
    } else {
        let (text, column) = around(&failure.received, failure.first_difference);
        line(out, format_args!("  received  {text}"));
        let mark = style.verdict("^", Verdict::Fail);
        line(
            out,
            format_args!("            {:column$}{mark} byte {}", "", failure.first_difference),
        );
    }
}

/// The received bytes around the first difference, and the column at which that stands.
fn around(bytes: &[u8], difference: usize) -> (String, usize) {
    let difference = difference.min(bytes.len());
    let start = difference.saturating_sub(BEFORE_DIFFERENCE);
    let end = bytes.len().min(difference + SHOWN_BYTES_MAX);
    let before = format!(
        "{}{}",
        if start > 0 { "..." } else { "" },
        escape(&bytes[start..difference])
    );
    let column = before.chars().count();
    let after = escape(&bytes[difference..end]);
    (
        format!("{before}{after}{}", if end < bytes.len() { "..." } else { "" }),
        column,
    )
}

fn shorten(bytes: &[u8]) -> String {
    shorten_text(&escape(bytes))
}

fn shorten_text(text: &str) -> String {
    if text.len() <= SHOWN_BYTES_MAX || !text.is_ascii() {
        return text.to_owned();
    }
    let (start, end) = (&text[..SHOWN_BYTES_MAX / 2], &text[text.len() - SHOWN_BYTES_MAX / 4..]);
    format!("{start} ...{} bytes in all... {end}", text.len())
}

/// The table by section, the likeness, and the last line.
pub fn summary(report: &Report, style: Style) -> String {
    let mut out = String::new();
    let sections = report.counts_by_section();
    let all = report.counts();
    let shown: Vec<Verdict> = Verdict::ALL
        .into_iter()
        .filter(|v| *v == Verdict::Pass || all.contains_key(v))
        .collect();
    let width = sections
        .iter()
        .map(|(section, _)| section.len())
        .max()
        .unwrap_or(0)
        .max(7);
    let mut head = format!("{:<width$}", "section");
    for verdict in &shown {
        let _ = write!(head, "  {verdict:>8}");
    }
    line(&mut out, format_args!("{}", style.bold(&head)));
    for (section, counts) in &sections {
        row(&mut out, &format!("{section:<width$}"), counts, &shown, style);
    }
    row(&mut out, &format!("{:<width$}", "total"), &all, &shown, style);
    out.push('\n');
    bugs(&mut out, report);
    likeness_line(&mut out, report);
    last_line(&mut out, report, &all, style);
    out
}

fn row(out: &mut String, name: &str, counts: &Counts, shown: &[Verdict], style: Style) {
    out.push_str(name);
    for verdict in shown {
        let count = counts.get(verdict).copied().unwrap_or(0);
        let cell = format!(
            "{:>width$}",
            if count == 0 { "-".to_owned() } else { count.to_string() },
            width = verdict.as_str().len().max(8)
        );
        let _ = write!(
            out,
            "  {}",
            if count == 0 {
                style.dim(&cell)
            } else {
                style.verdict(&cell, *verdict)
            }
        );
    }
    out.push('\n');
}

/// The known faults that the server showed, each once.
fn bugs(out: &mut String, report: &Report) {
    let mut ids_by_reason: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for result in report
        .results
        .iter()
        .filter(|result| result.verdict == Verdict::UpstreamBug)
    {
        let reason = result.reason.as_deref().unwrap_or_default();
        ids_by_reason.entry(reason).or_default().insert(&result.id);
    }
    for (reason, ids) in ids_by_reason {
        let cases = ids.iter().copied().collect::<Vec<_>>().join(" ");
        line(out, format_args!("known bug of memcached: {reason}"));
        line(out, format_args!("  seen in {cases}"));
    }
}

fn likeness_line(out: &mut String, report: &Report) {
    let Some(likeness) = &report.likeness else { return };
    let (Some(first), Some(last)) = (likeness.releases.first(), likeness.releases.last()) else {
        return;
    };
    let range = if first == last {
        first.clone()
    } else {
        format!("{first} to {last}")
    };
    let telling = likeness.telling_cases;
    if likeness.differs_in.is_empty() {
        line(
            out,
            format_args!("behaves like memcached {range} in all {telling} cases that tell releases apart"),
        );
    } else {
        let differing = likeness.differs_in.len();
        line(
            out,
            format_args!(
                "behaves most like memcached {range}; differs from {last} in {differing} of {telling} cases that tell releases apart:"
            ),
        );
        for id in &likeness.differs_in {
            line(out, format_args!("  {id}"));
        }
    }
}

fn last_line(out: &mut String, report: &Report, all: &Counts, style: Style) {
    let (sign, words, verdict) = if report.conforms() {
        ("ok", "conforms", Verdict::Pass)
    } else {
        ("NOT OK", "does not conform", Verdict::Fail)
    };
    let version = report.target.version.as_deref().unwrap_or("of unknown version");
    let cases = report.results.len();
    let passed = all.get(&Verdict::Pass).copied().unwrap_or(0);
    let failed: usize = all
        .iter()
        .filter(|(verdict, _)| !verdict.conforms())
        .map(|(_, count)| count)
        .sum();
    let sign = style.verdict(sign, verdict);
    line(
        out,
        format_args!(
            "{sign}: {} ({version}) {words}: {cases} results, {passed} passed, {failed} not",
            report.target_name
        ),
    );
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}
