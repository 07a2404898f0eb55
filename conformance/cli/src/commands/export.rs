//! `mcspec export`.

use std::io::Write as _;

use mcspec_suite::export::to_json;
use mcspec_suite::known::KnownBugs;

use super::select::{library, selected};
use crate::args::Export;
use crate::exit::{Exit, Failure};

pub(crate) fn export(args: &Export) -> Result<Exit, Failure> {
    let library = library(args.select.cases.as_deref())?;
    let ids = selected(&library, &args.select)?;
    let bugs = KnownBugs::of_memcached().map_err(|error| Failure::usage(error.to_string()))?;
    let deliveries = args
        .expand
        .as_ref()
        .map(|expand| expand.0.as_slice())
        .unwrap_or_default();
    let text = to_json(&library, &ids, deliveries, &bugs).map_err(|error| Failure::unreachable(error.to_string()))?;
    // A reader that has seen enough closes the pipe; that is no error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(Exit::Conforms)
}
