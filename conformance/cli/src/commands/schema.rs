//! `mcspec schema`.

use std::io::Write as _;

use mcspec_suite::{export, matrix, report};

use crate::args::{SchemaArgs, SchemaOf};
use crate::exit::{Exit, Failure};

pub(crate) fn schema(args: SchemaArgs) -> Result<Exit, Failure> {
    let text = match args.of {
        SchemaOf::Report => report::REPORT_SCHEMA,
        SchemaOf::Matrix => matrix::MATRIX_SCHEMA,
        SchemaOf::Cases => export::CASES_SCHEMA,
    };
    // A reader that has seen enough closes the pipe; that is no error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(Exit::Conforms)
}
