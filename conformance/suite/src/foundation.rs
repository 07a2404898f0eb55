//! What cases rest on: the cases whose claims they take for granted.

use std::collections::{BTreeMap, BTreeSet};

use crate::case::Library;
use crate::play::Delivery;
use crate::selection::Part;
use crate::verdict::{CaseResult, Verdict};

/// The selected cases of the part, and those of the other parts that they rest on; without a part all that are selected.
///
/// What is not selected stays out, as the whole run does not play it either; what it rests on counts all the same.
pub(crate) fn with_foundations(library: &Library, selected: &BTreeSet<String>, part: Option<Part>) -> BTreeSet<String> {
    let Some(part) = part else { return selected.clone() };
    let mut left: Vec<&str> = selected
        .iter()
        .map(String::as_str)
        .filter(|id| part.holds(id))
        .collect();
    let mut found = BTreeSet::new();
    while let Some(id) = left.pop() {
        if found.insert(id)
            && let Some((_, case)) = library.case(id)
        {
            left.extend(case.rests_on.iter().map(String::as_str));
        }
    }
    selected
        .iter()
        .filter(|id| found.contains(id.as_str()))
        .cloned()
        .collect()
}

/// Marks the cases that rest on one that did not pass; one that the server does not offer makes them unsupported.
pub(crate) fn block(library: &Library, results: &mut [CaseResult]) {
    let verdicts: BTreeMap<(String, Delivery), Verdict> = results
        .iter()
        .map(|result| ((result.id.clone(), result.delivery), result.verdict))
        .collect();
    for result in results {
        let Some((place, verdict)) = broken_below(library, &verdicts, &result.id, result.delivery) else {
            continue;
        };
        if verdict == Verdict::Unsupported {
            result.verdict = Verdict::Unsupported;
            result.reason = Some(format!("rests on {place}, which the server does not support"));
        } else if result.verdict != Verdict::Unsupported {
            result.verdict = Verdict::Blocked;
            result.reason = Some(format!("blocked by {place}"));
        }
    }
}

/// The lowest case that `id` rests on and that did not pass.
fn broken_below(
    library: &Library,
    verdicts: &BTreeMap<(String, Delivery), Verdict>,
    id: &str,
    delivery: Delivery,
) -> Option<(String, Verdict)> {
    let (_, case) = library.case(id)?;
    case.rests_on.iter().find_map(|on| {
        broken_below(library, verdicts, on, delivery).or_else(|| {
            let verdict = *verdicts.get(&(on.clone(), delivery))?;
            let broken = matches!(verdict, Verdict::Fail | Verdict::HarnessError | Verdict::Unsupported);
            broken.then(|| (on.clone(), verdict))
        })
    })
}
