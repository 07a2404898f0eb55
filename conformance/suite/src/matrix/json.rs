//! The matrix as one JSON document.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Column, Matrix};
use crate::dialect::Likeness;
use crate::play::Delivery;
use crate::report::Counts;
use crate::verdict::Verdict;

/// Raised when a field changes its meaning or goes; new fields do not raise it.
const SCHEMA: u32 = 1;

/// The JSON Schema of the matrix.
pub const MATRIX_SCHEMA: &str = include_str!("../../schema/matrix.schema.json");

#[derive(Serialize)]
struct Document<'m> {
    schema: u32,
    /// Whether all servers were judged by the same cases.
    even: bool,
    servers: Vec<Server<'m>>,
    cases: Vec<Case<'m>>,
}

#[derive(Serialize)]
struct Server<'m> {
    name: &'m str,
    version: Option<&'m str>,
    deliveries: &'m [Delivery],
    passes: bool,
    conforms: bool,
    standing: String,
    behaves_like: Option<&'m Likeness>,
    counts: Counts,
    sections: BTreeMap<&'m str, Counts>,
}

/// A case that does not simply pass everywhere.
#[derive(Serialize)]
struct Case<'m> {
    id: &'m str,
    /// One for each server, in their order; `null` where the case was not run.
    verdicts: Vec<Option<Verdict>>,
}

/// The matrix as JSON, with a line end.
///
/// # Errors
/// None that a matrix can cause; the serializer's own.
pub fn to_json(matrix: &Matrix) -> Result<String, serde_json::Error> {
    let sections = matrix.sections();
    let cases = sections.iter().flat_map(|section| matrix.differing(section).0);
    let cases = cases.map(|id| Case {
        id,
        verdicts: matrix
            .columns
            .iter()
            .map(|column| column.verdicts.get(id).copied())
            .collect(),
    });
    let document = Document {
        schema: SCHEMA,
        even: matrix.is_even(),
        servers: matrix.columns.iter().map(|column| describe(column, matrix)).collect(),
        cases: cases.collect(),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn describe<'m>(column: &'m Column, matrix: &'m Matrix) -> Server<'m> {
    let sections = matrix
        .sections()
        .into_iter()
        .map(|section| (section, column.counts_of(section)));
    Server {
        name: &column.name,
        version: column.version.as_deref(),
        deliveries: &column.deliveries,
        passes: column.passes,
        conforms: column.conforms,
        standing: column.standing().1,
        behaves_like: column.like.as_ref(),
        counts: column.counts(),
        sections: sections.collect(),
    }
}
