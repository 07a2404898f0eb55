//! The matrix as one page that needs nothing else: no network, no font, no other file.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::read::{Entry, Failure};
use super::{Column, Matrix};
use crate::escape::unescape;
use crate::report::Counts;
use crate::report::html::{WireView, breakable, filter_box, page, wire};
use crate::verdict::Verdict;

/// Sections as rows, servers as columns; then the cases that tell the servers apart, and what each server fails.
pub fn to_html(matrix: &Matrix) -> String {
    let title = format!("mcspec: {} servers", matrix.columns.len());
    page(
        &title,
        &html! {
            h1 { (title) }
            (legend(matrix))
            @if !matrix.is_even() {
                p.headline.deviates { span.sign { "!" } " These servers were judged by different selections of cases." }
            }
            (filter_box())
            (table(matrix))
            h2 { "Cases that tell them apart" }
            @for section in matrix.sections() { (cases(matrix, section)) }
            @for (i, column) in matrix.columns.iter().enumerate() { (server(i, column)) }
        },
    )
    .into_string()
}

fn legend(matrix: &Matrix) -> Markup {
    html! {
        p.legend {
            @for verdict in matrix.shown() {
                span class=(verdict) { span.sign { (verdict.sign()) } (verdict) } " "
            }
        }
    }
}

fn table(matrix: &Matrix) -> Markup {
    html! {
        div.scroll { table.matrix {
            thead { tr {
                th scope="col" { "section" }
                @for (i, column) in matrix.columns.iter().enumerate() {
                    @let (verdict, standing) = column.standing();
                    th scope="col" title=(standing) {
                        a href={ "#server-" (i) } {
                            span class=(verdict) { (verdict.sign()) }
                            (column.name)
                        }
                    }
                }
            } }
            tbody {
                @for section in matrix.sections() {
                    tr {
                        th scope="row" { a href={ "#section-" (section) } { (section) } }
                        @for column in &matrix.columns { td { (cell(&column.counts_of(section))) } }
                    }
                }
            }
            tfoot { tr {
                th scope="row" { "cases" }
                @for column in &matrix.columns { td { (cell(&column.counts())) } }
            } }
        } }
    }
}

/// One line for each verdict, the passes first.
fn cell(counts: &Counts) -> Markup {
    html! {
        @for verdict in Verdict::ALL {
            @if let Some(count) = counts.get(&verdict) {
                span class={ "count " (verdict) } title=(verdict) { span.sign { (verdict.sign()) } (count) }
            }
        }
    }
}

/// The cases of a section that do not simply pass everywhere.
fn cases(matrix: &Matrix, section: &str) -> Markup {
    let (differing, alike) = matrix.differing(section);
    html! {
        details.section id={ "section-" (section) } data-group {
            summary {
                strong { (section) } " "
                span.pass { "\u{2713} " (alike) " everywhere" }
                @if !differing.is_empty() { ", " (differing.len()) " not" }
            }
            @if !differing.is_empty() {
                div.inner.scroll { table.cases {
                    thead { tr {
                        th scope="col" { "case" }
                        @for column in &matrix.columns { th scope="col" { (column.name) } }
                    } }
                    tbody { @for id in differing { (case(matrix, id)) } }
                } }
            }
        }
    }
}

fn case(matrix: &Matrix, id: &str) -> Markup {
    let verdicts = matrix.columns.iter().map(|column| column.verdicts.get(id).copied());
    let verdicts: Vec<Option<Verdict>> = verdicts.collect();
    let named: BTreeSet<&str> = verdicts
        .iter()
        .map(|verdict| verdict.map_or("not run", Verdict::as_str))
        .collect();
    let words = named.into_iter().collect::<Vec<_>>().join(" ");
    let short = id.split_once('/').map_or(id, |(_, rest)| rest);
    html! {
        tr data-text={ (id) " " (words) } {
            th scope="row" { (short) }
            @for (i, (column, verdict)) in matrix.columns.iter().zip(&verdicts).enumerate() {
                @match verdict {
                    None => td.zero title="not run" { "\u{b7}" },
                    Some(verdict) => {
                        td class=(verdict) title={ (verdict) (why(column, id)) } {
                            @if has_article(*verdict) {
                                a class=(verdict) href={ "#" (anchor(i, id)) } { (verdict.sign()) }
                            } @else { (verdict.sign()) }
                        }
                    }
                }
            }
        }
    }
}

/// The reason that stands with a verdict, for who points at it.
fn why(column: &Column, id: &str) -> String {
    let mut reasons = column.results.iter().filter(|entry| entry.id == id);
    let reason = reasons.find_map(|entry| entry.reason.as_ref());
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

/// Whether a case with this verdict is shown with its bytes; what is declared is listed by its reason.
fn has_article(verdict: Verdict) -> bool {
    !verdict.is_expected() || verdict == Verdict::Flaky
}

fn anchor(column: usize, id: &str) -> String {
    format!("server-{column}-{}", id.replace('/', "-"))
}

fn server(number: usize, column: &Column) -> Markup {
    let (verdict, standing) = column.standing();
    let shown: Vec<&Entry> = column
        .results
        .iter()
        .filter(|entry| has_article(entry.verdict))
        .collect();
    let class = match verdict {
        Verdict::Pass => "conforms",
        Verdict::Deviation => "deviation",
        _ => "deviates",
    };
    html! {
        section id={ "server-" (number) } {
            h2 { (column.name) }
            p class={ "headline " (class) } {
                span.sign { (verdict.sign()) } " " (column.name) " (" (column.version.as_deref().unwrap_or("of unknown version")) ") "
                (standing) "; " (column.count(|verdict| verdict == Verdict::Pass)) " of " (column.verdicts.len()) " cases pass"
            }
            (facts(column))
            @if !column.faults.is_empty() {
                ul { @for fault in &column.faults { li.fail { "wrong declaration: " code { (fault) } } } }
            }
            div data-group { @for entry in &shown { (article(number, entry, &shown)) } }
            (reasons("Known deviations", Verdict::Deviation, column))
            (reasons("Known faults of memcached", Verdict::UpstreamBug, column))
            (reasons("Not offered", Verdict::Unsupported, column))
        }
    }
}

fn facts(column: &Column) -> Markup {
    let deliveries: Vec<&str> = column.deliveries.iter().map(|delivery| delivery.as_str()).collect();
    html! {
        dl.facts {
            dt { "Deliveries" } dd { (deliveries.join(", ")) }
            @if let Some(like) = &column.like {
                @if let (Some(first), Some(last)) = (like.releases.first(), like.releases.last()) {
                    dt { "Like memcached" }
                    dd {
                        (first) @if first != last { " to " (last) }
                        "; differs in " (like.differs_in.len()) " of " (like.telling_cases) " cases that tell releases apart"
                    }
                }
            }
        }
    }
}

/// A result with its bytes. The first one of a case can be pointed at from the tables.
fn article(number: usize, entry: &Entry, all: &[&Entry]) -> Markup {
    let Entry {
        id,
        level,
        delivery,
        verdict,
        ..
    } = entry;
    let is_first = all
        .iter()
        .find(|other| other.id == *id)
        .is_some_and(|first| first.delivery == *delivery);
    let words = format!("{id} {delivery} {verdict} {level}").to_lowercase();
    html! {
        article id=[is_first.then(|| anchor(number, id))] data-text=(words) {
            h3 {
                span class={ "sign " (verdict) } { (verdict.sign()) }
                " " (breakable(id)) " "
                small { span class=(verdict) { (verdict) } " \u{b7} " (level) " \u{b7} " (delivery) }
            }
            @if let Some(failure) = &entry.failure {
                @for quote in &failure.quotes { blockquote { (quote.text) cite { (quote.source) } } }
            }
            @if let Some(reason) = &entry.reason { p { (reason) } }
            @if let Some(failure) = &entry.failure { (bytes(failure)) pre.replay { (failure.replay) } }
        }
    }
}

fn bytes(failure: &Failure) -> Markup {
    let received = unescape(&failure.received);
    let exchanges = failure.exchanges.iter();
    wire(&WireView {
        problem: failure.problem.clone(),
        place: format!("{}:{}", failure.file, failure.line),
        exchanges: exchanges.map(|e| (e.sent, e.connection, e.bytes.clone())).collect(),
        expected: &failure.expected,
        received: (!failure.problem.starts_with("no connection")).then_some(&received),
        first_difference: failure.first_difference,
    })
}

/// The cases of one verdict by the reason that is given for it.
fn reasons(heading: &str, verdict: Verdict, column: &Column) -> Markup {
    let mut ids_by_reason: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for entry in column.results.iter().filter(|entry| entry.verdict == verdict) {
        let reason = entry.reason.as_deref().unwrap_or_default();
        ids_by_reason.entry(reason).or_default().insert(&entry.id);
    }
    if ids_by_reason.is_empty() {
        return html! {};
    }
    html! {
        div data-group {
            h3 { (heading) }
            @for (reason, ids) in ids_by_reason {
                @let text = ids.iter().copied().collect::<Vec<_>>().join(" ");
                details.reason data-text={ (reason.to_lowercase()) " " (text) " " (verdict) } {
                    summary { span class={ "sign " (verdict) } { (verdict.sign()) } (reason) " (" (ids.len()) ")" }
                    div.inner { ul.cases { @for id in ids { li { code { (id) } } } } }
                }
            }
        }
    }
}
