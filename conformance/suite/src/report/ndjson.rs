//! The report as JSON, one line for the run, one for each result, one for the end.

use serde::Serialize;
use serde_json::{Value, json};

use super::Report;
use super::json::{document, values};
use crate::case::Library;

/// One JSON object a line: `{"type":"run",...}`, `{"type":"result",...}` for each case and delivery in the order of the suite,
/// `{"type":"end",...}`. The fields are those of the JSON report.
///
/// # Errors
/// None that a report can cause; the serializer's own.
pub fn to_ndjson(report: &Report, library: &Library) -> Result<String, serde_json::Error> {
    let document = document(report, library);
    let mut head = serde_json::to_value(&document)?;
    let mut end = json!({});
    if let (Some(fields), Some(last)) = (head.as_object_mut(), end.as_object_mut()) {
        fields.remove("cases");
        for name in ["passes", "conforms", "counts", "behaves_like", "faults", "baseline"] {
            if let Some(value) = fields.remove(name) {
                last.insert(name.to_owned(), value);
            }
        }
    }
    let mut out = line("run", head)?;
    for case in values(&document) {
        out.push_str(&line("result", serde_json::to_value(case)?)?);
    }
    out.push_str(&line("end", end)?);
    Ok(out)
}

#[derive(Serialize)]
struct Line {
    r#type: &'static str,
    #[serde(flatten)]
    fields: Value,
}

fn line(r#type: &'static str, fields: Value) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string(&Line { r#type, fields })? + "\n")
}
