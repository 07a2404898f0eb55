//! `mcspec coverage`.

use std::io::Write as _;

use mcspec_suite::coverage::{Coverage, Exemptions};

use super::select::library;
use crate::args::CoverageArgs;
use crate::exit::{Exit, Failure};

/// What the sources of the built-in cases call the text.
const FILE_NAME: &str = "protocol.txt";

pub(crate) fn coverage(args: &CoverageArgs) -> Result<Exit, Failure> {
    let library = library(args.cases.as_deref())?;
    let path = args.text.display();
    let text = std::fs::read_to_string(&args.text).map_err(|error| {
        Failure::usage(format!(
            "cannot read {path}: {error}; `ci/images` leaves it at target/protocol.txt"
        ))
    })?;
    let exemptions = Exemptions::built_in().map_err(|error| Failure::usage(error.to_string()))?;
    let coverage = Coverage::of(&library, FILE_NAME, &text, &exemptions);
    // A reader that has seen enough closes the pipe; that is no error.
    let _ = std::io::stdout().write_all(page(&coverage, args.all).as_bytes());
    let complete = coverage.problems.is_empty() && coverage.uncited().next().is_none();
    Ok(if complete { Exit::Conforms } else { Exit::DoesNotConform })
}

fn page(coverage: &Coverage, all: bool) -> String {
    let mut out = String::new();
    let mut heading = "";
    for paragraph in &coverage.paragraphs {
        let uncited = paragraph.cited_by.is_empty() && paragraph.exempt.is_none();
        if !all && !uncited {
            continue;
        }
        if heading != paragraph.heading {
            heading = &paragraph.heading;
            out.push_str(&format!("\n{heading}\n"));
        }
        let verdict = match (&paragraph.exempt, paragraph.cited_by.as_slice()) {
            (Some(reason), _) => format!("not testable: {reason}"),
            (None, []) => "NOT CITED".to_owned(),
            (None, [one]) => format!("cited by {one}"),
            (None, [one, rest @ ..]) => format!("cited by {one} and {} more", rest.len()),
        };
        let lines = format!("{}-{}", paragraph.lines.start(), paragraph.lines.end());
        out.push_str(&format!(
            "{lines:>11}  {}\n             {verdict}\n",
            shorten(&paragraph.text)
        ));
    }
    for problem in &coverage.problems {
        out.push_str(&format!("problem: {problem}\n"));
    }
    let count = |wanted: fn(&mcspec_suite::coverage::Paragraph) -> bool| {
        coverage.paragraphs.iter().filter(|paragraph| wanted(paragraph)).count()
    };
    out.push_str(&format!(
        "\n{} paragraphs: {} cited, {} not testable, {} not cited; {} problems\n",
        coverage.paragraphs.len(),
        count(|paragraph| !paragraph.cited_by.is_empty()),
        count(|paragraph| paragraph.exempt.is_some()),
        coverage.uncited().count(),
        coverage.problems.len()
    ));
    out
}

fn shorten(text: &str) -> String {
    const SHOWN: usize = 90;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
