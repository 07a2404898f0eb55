//! The options that make a run a gate: what is expected, what is reported, what counts.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mcspec_suite::selection::Part;

#[derive(Debug, Args)]
pub(crate) struct Gate {
    /// What the server is known to do otherwise: a target file, of which only the expectations count
    #[arg(long, value_name = "FILE", help_heading = "Gate", conflicts_with = "target")]
    pub(crate) expect: Option<PathBuf>,
    /// Fail only on what got worse since this JSON report
    #[arg(long, value_name = "REPORT.json", help_heading = "Gate")]
    pub(crate) baseline: Option<PathBuf>,
    /// Play a case again that did not pass, up to N times; what passes then is named flaky
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Gate",
          value_parser = clap::value_parser!(u8).range(..=10))]
    pub(crate) retries: u8,
    /// Only the k-th of n parts of the cases; the parts stay the same when cases are added
    #[arg(long, value_name = "K/N", value_parser = partition, help_heading = "Gate")]
    pub(crate) partition: Option<Part>,
    /// Print the edit that would bring the target file up to date, in place of the report; apply it with `git apply`
    #[arg(long, help_heading = "Gate", conflicts_with_all = ["format", "watch"])]
    pub(crate) bless: bool,
    /// Run again whenever the server's program, the target file or the cases change
    #[arg(long, help_heading = "Gate")]
    pub(crate) watch: bool,
    /// Write a report to a file, too: FORMAT=FILE, several separated by commas
    #[arg(long, value_name = "FORMAT=FILE", value_delimiter = ',', value_parser = destination, help_heading = "Gate")]
    pub(crate) report: Vec<Destination>,
    /// Take the project's defaults from this file; without this from mcspec.toml in the working directory, or the nearest one
    /// above it in the same repository
    #[arg(long, value_name = "FILE", help_heading = "Gate", conflicts_with = "no_config")]
    pub(crate) config: Option<PathBuf>,
    /// Take no defaults from any file
    #[arg(long, help_heading = "Gate")]
    pub(crate) no_config: bool,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Pretty,
    /// One JSON document
    Json,
    /// JSON, one line a result
    Ndjson,
    /// JUnit XML
    Junit,
    /// Test Anything Protocol, version 14
    Tap,
    /// For the summary of a CI job
    Markdown,
    /// One self-contained page
    Html,
}

/// A report and its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) format: Format,
    pub(crate) file: PathBuf,
}

fn destination(text: &str) -> Result<Destination, String> {
    let parts = text.split_once('=').filter(|(_, file)| !file.is_empty());
    let (format, file) = parts.ok_or("expected FORMAT=FILE, for example junit=target/mcspec.xml")?;
    let format = Format::from_str(format, true).map_err(|_| {
        let names: Vec<String> = Format::value_variants()
            .iter()
            .filter_map(|format| Some(format.to_possible_value()?.get_name().to_owned()))
            .collect();
        format!("there is no format `{format}`; there are {}", names.join(", "))
    })?;
    Ok(Destination {
        format,
        file: file.into(),
    })
}

fn partition(text: &str) -> Result<Part, String> {
    let numbers = text
        .split_once('/')
        .and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
    match numbers {
        Some((k, n)) if 1 <= k && k <= n => Ok(Part { k, n }),
        _ => Err("expected K/N with K from 1 to N, for example 2/4".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn every_case_is_of_exactly_one_part_and_stays_there() {
        let parts: Vec<Part> = (1..=3).map(|part| partition(&format!("{part}/3")).unwrap()).collect();
        let mut sizes = [0; 3];
        for n in 0..900 {
            let id = format!("storage/set/case_{n}");
            let holding: Vec<usize> = (0..3).filter(|i| parts[*i].holds(&id)).collect();
            assert_eq!(holding.len(), 1, "{id}");
            sizes[holding[0]] += 1;
        }
        assert!(sizes.iter().all(|size| (200..=400).contains(size)), "{sizes:?}");
        // Written down: a job matrix of one version must fit that of another.
        let part_of = |id| parts.iter().position(|part| part.holds(id));
        assert_eq!(
            (part_of("storage/set/stores"), part_of("meta/noop/answers")),
            (Some(0), Some(2))
        );
        for wrong in ["0/3", "4/3", "1", "a/b", "1/0"] {
            assert!(partition(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_report_goes_to_a_file_in_a_form() {
        let good = destination("junit=a/b=c.xml").unwrap();
        assert_eq!((good.format, good.file), (Format::Junit, PathBuf::from("a/b=c.xml")));
        for wrong in ["junit", "junit=", "=x", "pdf=x"] {
            assert!(destination(wrong).is_err(), "{wrong}");
        }
    }
}
