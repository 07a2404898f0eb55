//! The report as one page that needs nothing else: no network, no font, no other file.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::json::file_of;
use super::pretty::{shorten_text, window};
use super::{Outcome, Report, headline, quotes};
use crate::case::Library;
use crate::escape::escape;
use crate::play::{Failure, Problem};
use crate::verdict::{CaseResult, Verdict};

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The report as a page: the verdict, the sections as rows, every failure with its bytes, all results to be filtered.
pub fn to_html(report: &Report, library: &Library) -> String {
    let title = format!("mcspec: {}", report.target_name);
    let failed = |result: &&CaseResult| matches!(report.outcome(result), Outcome::Failed | Outcome::Broken);
    let failures: Vec<&CaseResult> = report.results.iter().filter(failed).collect();
    let remarks: Vec<&CaseResult> = report
        .results
        .iter()
        .filter(|result| result.verdict.is_remarkable() || result.verdict == Verdict::Flaky)
        .collect();
    page(
        &title,
        &html! {
            h1 { (title) }
            (verdict_line(report))
            (facts(report))
            (filter_box())
            (sections(report))
            @if !report.faults.is_empty() {
                h2 { "Wrong declarations" }
                ul { @for fault in &report.faults { li.fail { code { (fault) } } } }
            }
            (articles("To look into", &failures, report, library))
            (reasons("Known deviations", Verdict::Deviation, report))
            (articles("Remarks", &remarks, report, library))
            h2 { "All results" }
            (all(report))
        },
    )
    .into_string()
}

/// A page with the style and the script in it.
pub(crate) fn page(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Nothing is loaded from anywhere, whatever the bytes of a server say.
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (body) p.nothing hidden { "Nothing holds all of these words." } } script { (PreEscaped(SCRIPT)) } }
        }
    }
}

/// Hidden where there is no script to serve it.
pub(crate) fn filter_box() -> Markup {
    html! {
        div.filter hidden {
            input type="search" aria-label="Filter" placeholder="Filter: name, verdict, delivery ( / )"
                autocomplete="off" spellcheck="false";
            output aria-live="polite" {}
        }
    }
}

fn verdict_line(report: &Report) -> Markup {
    let (class, sign) = if report.passes() {
        ("conforms", "\u{2713}")
    } else {
        ("deviates", "\u{2717}")
    };
    html! { p class={ "headline " (class) } { span.sign { (sign) } " " (headline(report)) } }
}

fn facts(report: &Report) -> Markup {
    let joined = |names: Vec<String>| names.join(", ");
    let deliveries = joined(report.deliveries.iter().map(ToString::to_string).collect());
    let capabilities = joined(report.target.capabilities.iter().cloned().collect());
    let likeness = report.likeness.as_ref().and_then(|likeness| {
        let (first, last) = (likeness.releases.first()?, likeness.releases.last()?);
        let range = if first == last {
            first.clone()
        } else {
            format!("{first} to {last}")
        };
        let (differs, telling) = (likeness.differs_in.len(), likeness.telling_cases);
        Some(format!(
            "{range}; differs in {differs} of {telling} cases that tell releases apart"
        ))
    });
    html! {
        dl.facts {
            dt { "Address" } dd { code { (report.target.address) } }
            dt { "Deliveries" } dd { (deliveries) }
            @if let Some(release) = &report.dialect { dt { "Dialect" } dd { (release) } }
            dt { "Offers" } dd { (capabilities) }
            @if let Some(likeness) = likeness { dt { "Like memcached" } dd { (likeness) } }
            dt { "Seed" } dd { (report.seed) }
            @if let Some(comparison) = &report.baseline {
                dt { "Since the baseline" }
                dd { (comparison.worse.len()) " worse, " (comparison.better.len()) " better" }
            }
        }
    }
}

fn sections(report: &Report) -> Markup {
    let total = report.counts();
    let shown: Vec<Verdict> = Verdict::ALL
        .into_iter()
        .filter(|verdict| *verdict == Verdict::Pass || total.contains_key(verdict))
        .collect();
    let cell = |counts: &super::Counts, verdict: Verdict| match counts.get(&verdict) {
        None => html! { td.zero { "\u{b7}" } },
        Some(count) => html! { td class=(verdict) { (verdict.sign()) " " (count) } },
    };
    html! {
        h2 { "Sections" }
        div.scroll { table {
            thead { tr {
                th scope="col" { "section" }
                @for verdict in &shown { th scope="col" class=(verdict) { span { (verdict.sign()) } (verdict) } }
            } }
            tbody {
                @for (section, counts) in report.counts_by_section() {
                    tr {
                        td { a href={ "#section-" (section) } { (section) } }
                        @for verdict in &shown { (cell(&counts, *verdict)) }
                    }
                }
            }
            tfoot { tr { td { "total" } @for verdict in &shown { (cell(&total, *verdict)) } } }
        } }
    }
}

fn articles(heading: &str, results: &[&CaseResult], report: &Report, library: &Library) -> Markup {
    if results.is_empty() {
        return html! {};
    }
    html! {
        section data-group {
            h2 { (heading) " (" (results.len()) ")" }
            @for result in results { (article(result, report, library)) }
        }
    }
}

/// What the filter looks at.
fn words(result: &CaseResult) -> String {
    format!("{} {} {} {}", result.id, result.delivery, result.verdict, result.level).to_lowercase()
}

fn article(result: &CaseResult, report: &Report, library: &Library) -> Markup {
    let because = library.case(&result.id).and_then(|(_, case)| case.because.clone());
    html! {
        article data-text=(words(result)) {
            h3 {
                span class={ "sign " (result.verdict) } { (result.verdict.sign()) }
                " " (breakable(&result.id)) " "
                small { span class=(result.verdict) { (result.verdict) } " \u{b7} " (result.level) " \u{b7} " (result.delivery) }
            }
            @for (text, source) in quotes(library, &result.id) { blockquote { (text) cite { (source) } } }
            @if let Some(because) = because { p { (because) } }
            @if let Some(reason) = &result.reason { p { (reason) } }
            @if let Some(failure) = &result.failure { (wire(&WireView::new(&result.id, failure))) }
            pre.replay { (report.replay_of(result)) }
        }
    }
}

/// The id, which a narrow screen may break behind a slash.
pub(crate) fn breakable(id: &str) -> Markup {
    html! { @for part in id.split_inclusive('/') { (part) @if part.ends_with('/') { wbr; } } }
}

/// What went over the wire until a case failed, as the page shows it.
pub(crate) struct WireView<'f> {
    /// What was wrong.
    pub(crate) problem: String,
    /// The case file and the line of it whose expectation was not met.
    pub(crate) place: String,
    /// Whether the client sent it, the connection, and the escaped bytes.
    pub(crate) exchanges: Vec<(bool, char, String)>,
    /// What would have been right, one for each alternative.
    pub(crate) expected: &'f [String],
    /// What came instead, where there was a connection.
    pub(crate) received: Option<&'f [u8]>,
    /// Offset of the first byte that is wrong.
    pub(crate) first_difference: usize,
}

impl<'f> WireView<'f> {
    fn new(id: &str, failure: &'f Failure) -> Self {
        let exchanges = failure.exchanges.iter();
        Self {
            problem: failure.problem.to_string(),
            place: format!("{}:{}", file_of(id), failure.line),
            exchanges: exchanges.map(|e| (e.sent, e.conn.0, escape(&e.bytes))).collect(),
            expected: &failure.expected,
            received: (!matches!(failure.problem, Problem::Unreachable(_))).then_some(&failure.received),
            first_difference: failure.first_difference,
        }
    }
}

pub(crate) fn wire(view: &WireView<'_>) -> Markup {
    html! {
        p { (view.problem) " " small { "(" (view.place) ")" } }
        dl.wire {
            @for (sent, conn, bytes) in &view.exchanges {
                dt { (if *sent { "sent" } else { "got" }) " " (conn) }
                dd { code { (shorten_text(bytes)) } }
            }
            @for (i, expected) in view.expected.iter().enumerate() {
                dt { (if i == 0 { "expected" } else { "or" }) }
                dd { code { (shorten_text(expected)) } }
            }
            @if let Some(received) = view.received {
                @let (before, different, after) = window(received, view.first_difference);
                dt { "received" }
                dd {
                    @if received.is_empty() { "(nothing)" } @else {
                        code { (before) mark { (different) } (after) }
                    }
                }
            }
        }
    }
}

fn reasons(heading: &str, verdict: Verdict, report: &Report) -> Markup {
    let reasons = report.ids_by_reason(verdict);
    if reasons.is_empty() {
        return html! {};
    }
    html! {
        section data-group {
            h2 { (heading) " (" (reasons.len()) " reasons)" }
            @for (reason, ids) in reasons {
                @let text = ids.iter().copied().collect::<Vec<_>>().join(" ").to_lowercase();
                details.reason data-text={ (reason.to_lowercase()) " " (text) " " (verdict) } {
                    summary { span class={ "sign " (verdict) } { (verdict.sign()) } (reason) " (" (ids.len()) ")" }
                    div.inner { ul.cases { @for id in ids { li { code { (id) } } } } }
                }
            }
        }
    }
}

fn all(report: &Report) -> Markup {
    let several = report.deliveries.len() > 1;
    let of = |section: &str| {
        let begin = format!("{section}/");
        report
            .results
            .iter()
            .filter(move |result| result.id.starts_with(&begin))
            .collect::<Vec<_>>()
    };
    html! {
        @for (section, counts) in report.counts_by_section() {
            details.section id={ "section-" (section) } data-group {
                summary {
                    strong { (section) } " "
                    @for (verdict, count) in &counts { span class=(verdict) { (verdict.sign()) " " (count) " " } }
                }
                div.inner { ul.cases {
                    @for result in of(&section) {
                        li data-text=(words(result)) title=[result.reason.as_deref()] {
                            span class={ "sign " (result.verdict) } aria-label=(result.verdict) { (result.verdict.sign()) }
                            (result.id)
                            @if several { " " small { (result.delivery) } }
                        }
                    }
                } }
            }
        }
    }
}
