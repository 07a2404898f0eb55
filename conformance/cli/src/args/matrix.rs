//! The options of the commands that read reports, and that write for other programs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Deliveries, Select, deliveries};

#[derive(Debug, Args)]
pub(crate) struct Matrix {
    /// JSON reports (`mcspec run --report json=FILE`), each with the name of its column before it if its target's own will not
    /// do. The parts of a run with --partition become one column
    #[arg(value_name = "[NAME=]REPORT.json", required = true, value_parser = report)]
    pub(crate) reports: Vec<MatrixReport>,
    /// Only the results of these deliveries; `all`, or several separated by commas
    #[arg(long, value_name = "DELIVERY", default_value = "all", value_parser = deliveries)]
    pub(crate) delivery: Deliveries,
    /// What to make
    #[arg(long, value_enum, default_value_t = MatrixForm::Markdown)]
    pub(crate) format: MatrixForm,
    /// Write it to this file in place of standard output
    #[arg(long, value_name = "FILE", conflicts_with = "into")]
    pub(crate) output: Option<PathBuf>,
    /// Put the Markdown table into this file, between the lines `<!-- mcspec matrix -->` and `<!-- end of mcspec matrix -->`
    #[arg(long, value_name = "FILE", conflicts_with = "format")]
    pub(crate) into: Option<PathBuf>,
    /// Change nothing; fail if the table in that file is another one
    #[arg(long, requires = "into")]
    pub(crate) check: bool,
    /// Write a badge for each server into this directory, as shields.io reads it from an address
    #[arg(long, value_name = "DIR")]
    pub(crate) badges: Option<PathBuf>,
}

/// A report, and the name of its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MatrixReport {
    pub(crate) name: Option<String>,
    pub(crate) file: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MatrixForm {
    /// A table
    Markdown,
    /// One self-contained page
    Html,
    /// One JSON document
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) select: Select,
    /// Say for these deliveries, too, what is sent in which write, so that the runner need not cut anything; `all`, or several
    /// separated by commas
    #[arg(long, value_name = "DELIVERY", value_parser = deliveries)]
    pub(crate) expand: Option<Deliveries>,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    pub(crate) of: SchemaOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// Of the report of `mcspec run`; its definition `line` is that of NDJSON
    Report,
    /// Of `mcspec matrix --format json`
    Matrix,
    /// Of `mcspec export`
    Cases,
}

/// `NAME=FILE`, or a file; a file whose own name holds a `=` is one if it is there.
fn report(text: &str) -> Result<MatrixReport, String> {
    let file = PathBuf::from(text);
    match text.split_once('=') {
        Some((name, file_of_name)) if !file.exists() => {
            if name.is_empty() || file_of_name.is_empty() {
                return Err("expected NAME=FILE, or a file".to_owned());
            }
            Ok(MatrixReport {
                name: Some(name.to_owned()),
                file: file_of_name.into(),
            })
        }
        _ => Ok(MatrixReport { name: None, file }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_report_may_have_a_name_of_its_own() {
        let named = report("memcached 1.6.45=a=b.json").unwrap();
        assert_eq!(
            (named.name.as_deref(), named.file),
            (Some("memcached 1.6.45"), PathBuf::from("a=b.json"))
        );
        assert_eq!(report("a.json").unwrap().name, None);
        for wrong in ["=a.json", "name="] {
            assert!(report(wrong).is_err(), "{wrong}");
        }
    }
}
