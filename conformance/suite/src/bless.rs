//! The edit that would bring a target file's deviations up to date with a run.
//!
//! It never hides a case: what it adds has [`UNWRITTEN`] for a reason, and an entry without a reason excuses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use similar::TextDiff;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Value};

use crate::case::Library;
use crate::escape::escape;
use crate::expect::{Deviation, UNWRITTEN, numbered};
use crate::play::Delivery;
use crate::profile::Profile;
use crate::report::Report;
use crate::verdict::{CaseResult, Verdict};

/// The file's text cannot be edited; it was read before, so this is a fault of the two readers of TOML.
#[derive(Debug, thiserror::Error)]
#[error("{file} cannot be edited: {cause}")]
pub struct BlessError {
    file: String,
    cause: String,
}

/// The difference between the target file and what it should say after this run; empty if nothing is to be changed.
///
/// # Errors
/// The file's text cannot be edited.
pub fn bless(profile: &Profile, library: &Library, report: &Report) -> Result<String, BlessError> {
    let updated = updated(profile, library, report).map_err(|cause| BlessError {
        file: profile.file.clone(),
        cause: cause.to_string(),
    })?;
    if updated == profile.text {
        return Ok(String::new());
    }
    let diff = TextDiff::from_lines(&profile.text, &updated);
    let path = profile.file.trim_start_matches("./");
    let (from, to) = if path.starts_with('/') {
        (path.to_owned(), path.to_owned())
    } else {
        (format!("a/{path}"), format!("b/{path}"))
    };
    Ok(diff.unified_diff().context_radius(3).header(&from, &to).to_string())
}

/// The file's text as it should be after this run.
fn updated(profile: &Profile, library: &Library, report: &Report) -> Result<String, toml_edit::TomlError> {
    let mut document: DocumentMut = profile.text.parse()?;
    let mut added = Vec::new();
    if let Some(tables) = document
        .get_mut("deviation")
        .and_then(|item| item.as_array_of_tables_mut())
    {
        added.extend(narrow(tables, &profile.expectations.deviations, library, report));
    }
    added.extend(new_entries(profile, report, Verdict::Fail));
    let mut text = document.to_string();
    for entry in &added {
        if !text.is_empty() && !text.ends_with("\n\n") {
            text.push_str(if text.ends_with('\n') { "\n" } else { "\n\n" });
        }
        text.push_str(&entry.to_toml());
    }
    Ok(text)
}

/// An entry to be added.
pub(crate) struct NewEntry {
    comment: String,
    cases: Vec<String>,
    deliveries: Vec<Delivery>,
    received: Option<String>,
    intermittent: bool,
    reason: String,
}

/// Takes out what passes now; gives entries for cases that still fail in some of their deliveries.
fn narrow(tables: &mut ArrayOfTables, deviations: &[Deviation], library: &Library, report: &Report) -> Vec<NewEntry> {
    let release = report.target.version.as_deref().and_then(numbered);
    let mut added = Vec::new();
    // From the end, so that what is taken out does not move what comes before it.
    for (i, entry) in deviations.iter().enumerate().rev() {
        let covered: Vec<&CaseResult> = report
            .results
            .iter()
            .filter(|result| entry.covers(&result.id, result.delivery, release.as_ref()))
            .collect();
        let passes: BTreeSet<&str> = ids(&covered, Verdict::UnexpectedPass);
        let unknown = entry
            .cases
            .iter()
            .any(|glob| !library.cases().any(|(id, ..)| glob.matches(&id)));
        let lacking = !covered.is_empty() && covered.iter().all(|result| result.verdict == Verdict::Unsupported);
        if passes.is_empty() && !unknown && !lacking {
            continue;
        }
        let stay: Vec<String> = library
            .cases()
            .map(|(id, ..)| id)
            .filter(|id| !lacking && entry.cases.iter().any(|glob| glob.matches(id)) && !passes.contains(id.as_str()))
            .collect();
        added.extend(partly(entry, &passes, &covered));
        if stay.is_empty() {
            tables.remove(i);
        } else if let Some(table) = tables.get_mut(i) {
            table.insert("cases", toml_edit::value(array(&stay)));
        }
    }
    added
}

fn ids<'r>(results: &[&'r CaseResult], verdict: Verdict) -> BTreeSet<&'r str> {
    results
        .iter()
        .filter(|result| result.verdict == verdict)
        .map(|result| result.id.as_str())
        .collect()
}

/// Cases that pass in one delivery and fail in another: the same reason, for the deliveries in which they fail.
fn partly(entry: &Deviation, passes: &BTreeSet<&str>, covered: &[&CaseResult]) -> Vec<NewEntry> {
    let mut by_deliveries: BTreeMap<Vec<Delivery>, Vec<String>> = BTreeMap::new();
    for id in passes {
        let failing = |result: &&&CaseResult| result.id == **id && result.failure.is_some();
        let deliveries: Vec<Delivery> = covered.iter().filter(failing).map(|result| result.delivery).collect();
        if !deliveries.is_empty() {
            by_deliveries.entry(deliveries).or_default().push((*id).to_owned());
        }
    }
    let new = by_deliveries.into_iter().map(|(deliveries, cases)| NewEntry {
        comment: "fails in these deliveries only".to_owned(),
        cases,
        deliveries,
        received: entry.received.clone(),
        intermittent: entry.intermittent,
        reason: entry.reason.clone().unwrap_or_else(|| UNWRITTEN.to_owned()),
    });
    new.collect()
}

/// What the failures of one new entry have in common: the topic, the deliveries (none if all), the error line that came.
type Likeness<'r> = (&'r str, Vec<Delivery>, Option<String>);

/// Results of this verdict that no entry speaks of, grouped by what they have in common. Flaky ones are declared to pass at
/// times, in whatever delivery, whatever comes instead.
pub(crate) fn new_entries(profile: &Profile, report: &Report, verdict: Verdict) -> Vec<NewEntry> {
    let intermittent = verdict == Verdict::Flaky;
    let mut by_id: BTreeMap<&str, Vec<&CaseResult>> = BTreeMap::new();
    for result in report.results.iter().filter(|result| result.verdict == verdict) {
        if !is_awaiting_a_reason(profile, report, result) {
            by_id.entry(&result.id).or_default().push(result);
        }
    }
    let mut groups: BTreeMap<Likeness<'_>, Vec<&CaseResult>> = BTreeMap::new();
    for (id, results) in by_id {
        let topic = id.rsplit_once('/').map_or(id, |(topic, _)| topic);
        let deliveries: Vec<Delivery> = results.iter().map(|result| result.delivery).collect();
        let everywhere = intermittent || deliveries == report.deliveries;
        let refusals: BTreeSet<Option<String>> = results.iter().map(|result| refusal(result)).collect();
        let refusal = if refusals.len() == 1 && !intermittent {
            refusals.into_iter().next().flatten()
        } else {
            None
        };
        let key = (topic, if everywhere { Vec::new() } else { deliveries }, refusal);
        groups.entry(key).or_default().push(results[0]);
    }
    let new = groups.into_iter().map(|((_, deliveries, received), results)| NewEntry {
        comment: example(results[0]),
        cases: results.iter().map(|result| result.id.clone()).collect(),
        deliveries,
        received,
        intermittent,
        reason: UNWRITTEN.to_owned(),
    });
    new.collect()
}

/// Whether an entry without a reason speaks of the failure already.
fn is_awaiting_a_reason(profile: &Profile, report: &Report, result: &CaseResult) -> bool {
    let release = report.target.version.as_deref().and_then(numbered);
    let mut deviations = profile.expectations.deviations.iter();
    deviations.any(|entry| entry.reason.is_none() && entry.covers(&result.id, result.delivery, release.as_ref()))
}

/// The error line that came: the one kind of answer that holds nothing of this run alone.
fn refusal(result: &CaseResult) -> Option<String> {
    let received = &result.failure.as_ref()?.received;
    let end = received.windows(2).position(|pair| pair == b"\r\n")? + 2;
    let line = &received[..end];
    let is_error = [&b"ERROR"[..], b"CLIENT_ERROR", b"SERVER_ERROR"]
        .iter()
        .any(|begin| line.starts_with(begin));
    (is_error && end <= 80).then(|| escape(line))
}

fn example(result: &CaseResult) -> String {
    let Some(failure) = &result.failure else {
        return String::new();
    };
    let short = |text: &str| text.chars().take(60).collect::<String>();
    let received = short(&escape(&failure.received));
    let expected = failure.expected.first().map(|text| short(text)).unwrap_or_default();
    let name = result.id.rsplit('/').next().unwrap_or_default();
    format!(
        "{name}: {}; expected `{expected}`, received `{received}`",
        failure.problem
    )
}

impl NewEntry {
    /// The cases that it declares.
    pub(crate) fn cases(&self) -> impl Iterator<Item = &str> {
        self.cases.iter().map(String::as_str)
    }

    /// The entry as it stands in a file, with an example before it.
    pub(crate) fn to_toml(&self) -> String {
        let quoted = |text: &str| Value::from(text).to_string();
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "# {}\n[[deviation]]\ncases ={}",
            self.comment,
            Value::from(array(&self.cases))
        );
        if !self.deliveries.is_empty() {
            let names: Vec<String> = self
                .deliveries
                .iter()
                .map(|delivery| quoted(delivery.as_str()))
                .collect();
            let _ = writeln!(out, "deliveries = [{}]", names.join(", "));
        }
        if let Some(received) = &self.received {
            let _ = writeln!(out, "received = {}", quoted(received));
        }
        if self.intermittent {
            out.push_str("intermittent = true\n");
        }
        let _ = writeln!(out, "reason = {}", quoted(&self.reason));
        out
    }
}

/// One id a line.
fn array(ids: &[String]) -> Array {
    let mut array: Array = ids
        .iter()
        .map(|id| Value::from(id.as_str()).decorated("\n  ", ""))
        .collect();
    array.set_trailing_comma(true);
    array.set_trailing("\n");
    array.decor_mut().set_prefix(" ");
    array
}
