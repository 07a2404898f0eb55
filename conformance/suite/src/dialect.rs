//! Which releases of memcached a server behaves like.

use serde::Serialize;

use crate::case::{Release, ReleaseRange, observed};
use crate::verdict::CaseResult;

/// The releases nearest to a server's behaviour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Likeness {
    /// The releases that differ from the server in the fewest cases, oldest first.
    pub releases: Vec<String>,
    /// The cases in which even these differ from it.
    pub differs_in: Vec<String>,
    /// How many cases tell releases apart at all.
    pub telling_cases: usize,
}

/// Compares the answers with those of every observed release; `None` when no case tells releases apart.
pub fn likeness(results: &[CaseResult]) -> Option<Likeness> {
    let telling = results
        .iter()
        .filter_map(|result| Some((result.id.as_str(), result.releases.as_ref()?)));
    likeness_of(&telling.collect::<Vec<_>>())
}

/// The same of cases that tell releases apart, each with the releases that behave as the server did.
pub(crate) fn likeness_of(telling: &[(&str, &ReleaseRange)]) -> Option<Likeness> {
    let differing = |release: &Release| {
        let mut ids: Vec<String> = telling
            .iter()
            .filter(|(_, range)| !range.contains(release))
            .map(|(id, _)| (*id).to_owned())
            .collect();
        ids.dedup();
        ids
    };
    let compared: Vec<(Release, Vec<String>)> = observed()
        .map(|release| (release.clone(), differing(&release)))
        .collect();
    let fewest = compared.iter().map(|(_, ids)| ids.len()).min()?;
    if telling.is_empty() {
        return None;
    }
    let nearest: Vec<_> = compared.into_iter().filter(|(_, ids)| ids.len() == fewest).collect();
    Some(Likeness {
        releases: nearest.iter().map(|(release, _)| release.to_string()).collect(),
        // The newest of the nearest: it is the one that a reader will compare with.
        differs_in: nearest.last().map(|(_, ids)| ids.clone()).unwrap_or_default(),
        telling_cases: {
            let mut ids: Vec<_> = telling.iter().map(|(id, _)| id).collect();
            ids.dedup();
            ids.len()
        },
    })
}
