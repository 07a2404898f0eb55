//! Hands the reports of a run to whoever asked for them.

use std::io::{IsTerminal as _, Write as _};

use mcspec_suite::bless::bless;
use mcspec_suite::case::Library;
use mcspec_suite::report::{self, Report, Style, pretty_failure, pretty_summary};
use mcspec_suite::verdict::Verdict;

use super::run::Outcome;
use crate::args::{Destination, Format, Run};
use crate::exit::Failure;
use crate::progress::no_colour;

/// Writes the report to standard output and to every file that was asked for.
pub(super) fn deliver(args: &Run, outcome: &Outcome) -> Result<(), Failure> {
    let Outcome { library, report, .. } = outcome;
    for Destination { format, file } in &args.gate.report {
        let text = written(*format, report, library, Style::Plain)?;
        if let Some(directory) = file.parent() {
            // What cannot be made shows when the file is written.
            let _ = std::fs::create_dir_all(directory);
        }
        std::fs::write(file, text)
            .map_err(|error| Failure::usage(format!("--report: {} cannot be written: {error}", file.display())))?;
    }
    let colour = |is_terminal: bool| {
        if is_terminal && !no_colour() {
            Style::Colour
        } else {
            Style::Plain
        }
    };
    // A reader that has seen enough closes the pipe; that is no error.
    if args.gate.bless {
        let style = colour(std::io::stderr().is_terminal());
        let _ = std::io::stderr().write_all(pretty_summary(report, style).as_bytes());
        let _ = std::io::stdout().write_all(edit(outcome)?.as_bytes());
    } else {
        let style = colour(std::io::stdout().is_terminal());
        let _ = std::io::stdout().write_all(written(args.format, report, library, style)?.as_bytes());
    }
    Ok(())
}

fn edit(outcome: &Outcome) -> Result<String, Failure> {
    let Some(profile) = &outcome.profile else {
        return Ok(String::new());
    };
    bless(profile, &outcome.library, &outcome.report).map_err(|error| Failure::usage(error.to_string()))
}

fn written(format: Format, report: &Report, library: &Library, style: Style) -> Result<String, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::unreachable(format!("the report cannot be written: {error}"));
    Ok(match format {
        Format::Pretty => pretty(report, library, style),
        Format::Json => report::to_json(report, library).map_err(|error| failed(&error))?,
        Format::Ndjson => report::to_ndjson(report, library).map_err(|error| failed(&error))?,
        Format::Junit => report::to_junit(report, library).map_err(|error| failed(&error))?,
        Format::Tap => report::to_tap(report, library),
        Format::Markdown => report::to_markdown(report, library),
        Format::Html => report::to_html(report, library),
    })
}

fn pretty(report: &Report, library: &Library, style: Style) -> String {
    let shown = |verdict: Verdict| {
        matches!(
            verdict,
            Verdict::Fail
                | Verdict::UnexpectedPass
                | Verdict::HarnessError
                | Verdict::Flaky
                | Verdict::Nonstrict
                | Verdict::Informational
        )
    };
    let mut text = String::new();
    for result in report.results.iter().filter(|result| shown(result.verdict)) {
        text.push_str(&pretty_failure(report, library, result, style));
        text.push('\n');
    }
    text.push_str(&pretty_summary(report, style));
    text
}
