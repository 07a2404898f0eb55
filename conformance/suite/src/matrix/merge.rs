//! Which reports belong together, and what they come to.

use std::collections::{BTreeMap, BTreeSet};

use super::read::{Document, Entry, document};
use super::{Column, MatrixError, Source};
use crate::case::ReleaseRange;
use crate::dialect::{Likeness, likeness_of};
use crate::verdict::Verdict;

/// A report and the file that it came from.
struct Piece {
    file: String,
    document: Document,
}

pub(super) fn columns(sources: &[Source]) -> Result<Vec<Column>, MatrixError> {
    let mut groups: Vec<(String, Vec<Piece>)> = Vec::new();
    for source in sources {
        let document = document(source)?;
        let name = source.name.clone().unwrap_or_else(|| document.target.name.clone());
        let piece = Piece {
            file: source.file.clone(),
            document,
        };
        match groups.iter_mut().find(|(other, _)| *other == name) {
            Some((_, pieces)) => pieces.push(piece),
            None => groups.push((name, vec![piece])),
        }
    }
    groups.into_iter().map(|(name, pieces)| column(name, pieces)).collect()
}

fn column(name: String, pieces: Vec<Piece>) -> Result<Column, MatrixError> {
    if let [first, others @ ..] = pieces.as_slice() {
        for other in others {
            belong_together(&name, first, other)?;
        }
        complete(&name, &pieces)?;
    }
    let mut documents = pieces.into_iter().map(|piece| piece.document);
    // A group is made with its first report.
    let mut whole = documents
        .next()
        .unwrap_or_else(|| unreachable!("a column without a report"));
    for document in documents {
        whole.passes &= document.passes;
        whole.conforms &= document.conforms;
        whole.faults.extend(document.faults);
        whole.cases.extend(document.cases);
    }
    whole.faults.sort();
    whole.faults.dedup();
    whole
        .cases
        .sort_by(|a, b| (&a.id, a.delivery).cmp(&(&b.id, b.delivery)));
    Ok(Column {
        name,
        version: whole.target.version,
        deliveries: whole.deliveries,
        selection: whole.selection,
        passes: whole.passes,
        conforms: whole.conforms,
        faults: whole.faults,
        like: like(&whole.cases),
        verdicts: verdicts(&whole.cases),
        results: whole.cases,
    })
}

/// Refuses two reports of one column that are not parts of the same run.
fn belong_together(name: &str, first: &Piece, other: &Piece) -> Result<(), MatrixError> {
    let (a, b) = (&first.document, &other.document);
    let files = (first.file.clone(), other.file.clone());
    let (Some(of_a), Some(of_b)) = (&a.selection, &b.selection) else {
        return Err(twice(name, files));
    };
    let (Some(part_a), Some(part_b)) = (of_a.part, of_b.part) else {
        return Err(twice(name, files));
    };
    let differs = [
        (part_a.n != part_b.n, "the numbers of parts"),
        (of_a.fingerprint != of_b.fingerprint, "the selected cases"),
        (a.deliveries != b.deliveries, "the deliveries"),
        (a.dialect != b.dialect, "the dialects"),
        (a.target.version != b.target.version, "the versions of the server"),
    ];
    match differs.into_iter().find(|(differs, _)| *differs) {
        None => Ok(()),
        Some((_, what)) => Err(MatrixError::Mixed {
            name: name.to_owned(),
            first: files.0,
            second: files.1,
            what,
        }),
    }
}

fn twice(name: &str, (first, second): (String, String)) -> MatrixError {
    MatrixError::Twice {
        name: name.to_owned(),
        first,
        second,
    }
}

/// Refuses a part that is missing or there twice.
fn complete(name: &str, pieces: &[Piece]) -> Result<(), MatrixError> {
    let mut files: BTreeMap<u64, &str> = BTreeMap::new();
    let mut parts = None;
    for piece in pieces {
        let Some(part) = piece.document.selection.as_ref().and_then(|selection| selection.part) else {
            continue;
        };
        parts = Some(part.n);
        if let Some(first) = files.insert(part.k, &piece.file) {
            return Err(MatrixError::DoubledPart {
                name: name.to_owned(),
                part: part.to_string(),
                first: first.to_owned(),
                second: piece.file.clone(),
            });
        }
    }
    let Some(n) = parts else { return Ok(()) };
    let missing: Vec<String> = (1..=n)
        .filter(|k| !files.contains_key(k))
        .map(|k| format!("{k}/{n}"))
        .collect();
    // A part without a case makes no report: when all cases are there, nothing is missing.
    let ids: BTreeSet<&str> = pieces
        .iter()
        .flat_map(|piece| &piece.document.cases)
        .map(|entry| entry.id.as_str())
        .collect();
    let selected = pieces
        .iter()
        .find_map(|piece| piece.document.selection.as_ref())
        .map(|selection| selection.cases);
    if missing.is_empty() || selected == Some(ids.len()) {
        return Ok(());
    }
    Err(MatrixError::MissingParts {
        name: name.to_owned(),
        parts: missing.join(", "),
    })
}

pub(super) fn verdicts(results: &[Entry]) -> BTreeMap<String, Verdict> {
    let mut verdicts: BTreeMap<String, Verdict> = BTreeMap::new();
    for result in results {
        let worst = verdicts.entry(result.id.clone()).or_insert(result.verdict);
        if badness(result.verdict) > badness(*worst) {
            *worst = result.verdict;
        }
    }
    verdicts
}

/// Which verdict on one delivery stands for the case.
fn badness(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Unsupported => 1,
        Verdict::Informational => 2,
        Verdict::Nonstrict => 3,
        Verdict::UpstreamBug => 4,
        Verdict::Flaky => 5,
        Verdict::Deviation => 6,
        Verdict::Blocked => 7,
        Verdict::UnexpectedPass => 8,
        Verdict::HarnessError => 9,
        Verdict::Fail => 10,
    }
}

pub(super) fn like(results: &[Entry]) -> Option<Likeness> {
    let ranges: Vec<(&str, ReleaseRange)> = results
        .iter()
        .filter_map(|result| Some((result.id.as_str(), result.releases.as_ref()?.parse().ok()?)))
        .collect();
    likeness_of(&ranges.iter().map(|(id, range)| (*id, range)).collect::<Vec<_>>())
}
