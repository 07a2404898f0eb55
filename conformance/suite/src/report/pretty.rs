//! The report for a terminal.

use std::fmt::Write as _;

use owo_colors::{OwoColorize as _, Style as Colour};

use super::{Counts, Report, headline, json::file_of, quotes};
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
                Verdict::Fail | Verdict::UnexpectedPass | Verdict::HarnessError => Colour::new().red().bold(),
                Verdict::Blocked | Verdict::UpstreamBug | Verdict::Deviation => Colour::new().magenta(),
                Verdict::Nonstrict | Verdict::Informational | Verdict::Flaky => Colour::new().yellow(),
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
    let (before, different, after) = window(bytes, difference);
    let column = before.chars().count();
    (format!("{before}{different}{after}"), column)
}

/// The received bytes before, at and after the first difference.
pub(super) fn window(bytes: &[u8], difference: usize) -> (String, String, String) {
    let difference = difference.min(bytes.len());
    let start = difference.saturating_sub(BEFORE_DIFFERENCE);
    let end = bytes.len().min(difference + SHOWN_BYTES_MAX);
    let next = end.min(difference + 1);
    let dots = |shown: bool| if shown { "..." } else { "" };
    (
        format!("{}{}", dots(start > 0), escape(&bytes[start..difference])),
        escape(&bytes[difference..next]),
        format!("{}{}", escape(&bytes[next..end]), dots(end < bytes.len())),
    )
}

pub(super) fn shorten(bytes: &[u8]) -> String {
    shorten_text(&escape(bytes))
}

pub(super) fn shorten_text(text: &str) -> String {
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
    reasons(&mut out, report, Verdict::UpstreamBug, "known bug of memcached");
    reasons(&mut out, report, Verdict::Deviation, "known deviation");
    for fault in &report.faults {
        line(
            &mut out,
            format_args!("{} {fault}", style.verdict("WRONG DECLARATION", Verdict::Fail)),
        );
    }
    baseline(&mut out, report, style);
    likeness_line(&mut out, report);
    last_line(&mut out, report, style);
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

/// How many ids are named of one reason.
const SHOWN_IDS_MAX: usize = 4;

/// What the results of one verdict have for a reason, each once.
fn reasons(out: &mut String, report: &Report, verdict: Verdict, label: &str) {
    for (reason, ids) in report.ids_by_reason(verdict) {
        let shown = ids.iter().copied().take(SHOWN_IDS_MAX).collect::<Vec<_>>().join(" ");
        let more = ids.len().saturating_sub(SHOWN_IDS_MAX);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        line(out, format_args!("{label}: {reason}"));
        line(out, format_args!("  seen in {shown}{more}"));
    }
}

/// What got worse and better since a former run.
fn baseline(out: &mut String, report: &Report, style: Style) {
    let Some(comparison) = &report.baseline else { return };
    for change in &comparison.worse {
        line(out, format_args!("{} {change}", style.verdict("WORSE", Verdict::Fail)));
    }
    for change in &comparison.better {
        line(out, format_args!("{} {change}", style.verdict("better", Verdict::Pass)));
    }
    let (worse, better, same) = (
        comparison.worse.len(),
        comparison.better.len(),
        comparison.still_failing,
    );
    line(
        out,
        format_args!("since the baseline: {worse} worse, {better} better, {same} that failed before and still do"),
    );
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

fn last_line(out: &mut String, report: &Report, style: Style) {
    let (sign, verdict) = if report.passes() {
        ("ok", Verdict::Pass)
    } else {
        ("NOT OK", Verdict::Fail)
    };
    let sign = style.verdict(sign, verdict);
    line(out, format_args!("{sign}: {}", headline(report)));
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}
