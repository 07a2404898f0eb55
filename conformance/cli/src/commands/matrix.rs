//! `mcspec matrix`.

use std::io::Write as _;
use std::path::Path;

use mcspec_suite::matrix::{Matrix, Source, replace_block, to_badges, to_html, to_json, to_markdown};

use crate::args::{Matrix as Arguments, MatrixForm, MatrixReport};
use crate::exit::{Exit, Failure};

pub(crate) fn matrix(args: &Arguments) -> Result<Exit, Failure> {
    let sources: Result<Vec<Source>, Failure> = args.reports.iter().map(source).collect();
    let matrix = Matrix::from_reports(&sources?).map_err(|error| Failure::usage(error.to_string()))?;
    let matrix = matrix.only(&args.delivery.0);
    if let Some(directory) = &args.badges {
        badges(&matrix, directory)?;
    }
    if let Some(file) = &args.into {
        return into(&matrix, file, args.check);
    }
    let text = match args.format {
        MatrixForm::Markdown => to_markdown(&matrix),
        MatrixForm::Html => to_html(&matrix),
        MatrixForm::Json => to_json(&matrix).map_err(|error| Failure::unreachable(error.to_string()))?,
    };
    match &args.output {
        Some(file) => write(file, &text)?,
        // A reader that has seen enough closes the pipe; that is no error.
        None => drop(std::io::stdout().write_all(text.as_bytes())),
    }
    Ok(Exit::Conforms)
}

fn source(report: &MatrixReport) -> Result<Source, Failure> {
    let MatrixReport { name, file } = report;
    Ok(Source {
        name: name.clone(),
        file: file.display().to_string(),
        text: read(file)?,
    })
}

fn badges(matrix: &Matrix, directory: &Path) -> Result<(), Failure> {
    let badges = to_badges(matrix).map_err(|error| Failure::unreachable(error.to_string()))?;
    std::fs::create_dir_all(directory)
        .map_err(|error| Failure::usage(format!("cannot make the directory {}: {error}", directory.display())))?;
    badges
        .iter()
        .try_for_each(|(name, text)| write(&directory.join(name), text))
}

/// Brings the table in a file up to date, or says that it is not.
fn into(matrix: &Matrix, file: &Path, check: bool) -> Result<Exit, Failure> {
    let old = read(file)?;
    let new = replace_block(&old, &to_markdown(matrix))
        .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
    if new == old {
        return Ok(Exit::Conforms);
    }
    if !check {
        write(file, &new)?;
        return Ok(Exit::Conforms);
    }
    let gone = old.lines().filter(|line| !new.lines().any(|other| other == *line));
    let come = new.lines().filter(|line| !old.lines().any(|other| other == *line));
    let lines = gone
        .map(|line| format!("-{line}\n"))
        .chain(come.map(|line| format!("+{line}\n")));
    let message = format!(
        "the table in {} is out of date; the same command without --check writes it\n{}",
        file.display(),
        lines.collect::<String>().trim_end()
    );
    Err(Failure {
        exit: Exit::DoesNotConform,
        message,
    })
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text).map_err(|error| Failure::usage(format!("cannot write {}: {error}", file.display())))
}
