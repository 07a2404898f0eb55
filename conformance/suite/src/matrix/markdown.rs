//! The matrix as a table of Markdown, for a README or the summary of a CI job.

use super::Matrix;
use crate::report::Counts;
use crate::verdict::Verdict;

/// Sections as rows, servers as columns; below it what the signs mean.
pub fn to_markdown(matrix: &Matrix) -> String {
    let columns = &matrix.columns;
    let mut out = format!("| |{}\n", row(columns.iter().map(|column| text(&column.name))));
    out.push_str(&format!("|---|{}\n", ":---|".repeat(columns.len())));
    for section in matrix.sections() {
        let cells = columns.iter().map(|column| cell(&column.counts_of(section)));
        out.push_str(&format!("| {} |{}\n", text(section), row(cells)));
    }
    let totals = columns.iter().map(|column| format!("**{}**", cell(&column.counts())));
    out.push_str(&format!("| **cases** |{}\n", row(totals)));
    let meanings: Vec<String> = matrix
        .shown()
        .into_iter()
        .map(|verdict| format!("{} {verdict}", verdict.sign()))
        .collect();
    out.push_str(&format!("\n{}\n", meanings.join(" \u{b7} ")));
    if !matrix.is_even() {
        out.push_str("\nThe servers were judged by different selections of cases.\n");
    }
    out
}

fn row(cells: impl Iterator<Item = String>) -> String {
    cells.map(|cell| format!(" {cell} |")).collect()
}

/// Each verdict with its count, the passes first.
fn cell(counts: &Counts) -> String {
    let parts: Vec<String> = Verdict::ALL
        .into_iter()
        .filter_map(|verdict| Some(format!("{}\u{a0}{}", verdict.sign(), counts.get(&verdict)?)))
        .collect();
    parts.join(" ")
}

/// Text that cannot end a cell, or begin a tag.
fn text(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace(['\r', '\n'], " ")
}
