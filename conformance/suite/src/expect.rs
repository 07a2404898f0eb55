//! What a server is expected to do otherwise: declared deviations, each with a reason.
//!
//! A declaration that is no longer true fails a run as surely as a failure that nobody declared: a list that only grows says
//! nothing in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::case::{Library, Release, ReleaseRange};
use crate::escape::escape;
use crate::glob::Glob;
use crate::play::Delivery;
use crate::target::{Target, is_probed};
use crate::verdict::{CaseResult, Verdict};

/// What stands in place of a reason that a person has yet to write; such an entry excuses nothing.
pub const UNWRITTEN: &str = "?";

/// What is declared of one server.
#[derive(Debug, Clone, Default)]
pub struct Expectations {
    /// The file that says so, as a message names it.
    pub file: String,
    /// Capabilities that the server promises: their cases run whatever the probe saw.
    pub offers: BTreeSet<String>,
    /// Capabilities that it does not have.
    pub lacks: BTreeMap<String, Lack>,
    /// Cases that it does not pass.
    pub deviations: Vec<Deviation>,
}

/// A capability that a server does not have.
#[derive(Debug, Clone)]
pub struct Lack {
    /// Why; `None` while nobody has written it.
    pub reason: Option<String>,
    /// The line of the file, from 1.
    pub line: usize,
}

/// Cases that a server is known not to pass.
#[derive(Debug, Clone)]
pub struct Deviation {
    /// The line of the file, from 1.
    pub line: usize,
    /// The cases.
    pub cases: Vec<Glob>,
    /// What the server does instead, and why; `None` while nobody has written it.
    pub reason: Option<String>,
    /// The releases of the server that deviate; `None` means all.
    pub releases: Option<ReleaseRange>,
    /// The deliveries in which they deviate; none means all.
    pub deliveries: Vec<Delivery>,
    /// What comes instead, escaped as in a report: what was received begins with it. Another failure is not covered.
    pub received: Option<String>,
    /// Whether the cases may pass at times: then a pass is no surprise.
    pub intermittent: bool,
}

/// A declaration that is not true, or not complete; it fails the run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Fault {
    /// The file of the declaration.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub problem: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.problem)
    }
}

impl Expectations {
    /// Takes what is declared of the server's capabilities over what the probe found; gives the declarations that the probe
    /// contradicts.
    pub fn declare(&self, target: &mut Target) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (name, lack) in &self.lacks {
            let problem = match &lack.reason {
                None => format!("no reason is given why the server lacks `{name}`; write one"),
                Some(_) if is_probed(name) && target.capabilities.contains(name) => {
                    format!("the server answers as one that offers `{name}`; take the line out")
                }
                Some(_) => {
                    target.capabilities.remove(name);
                    continue;
                }
            };
            faults.push(self.fault(lack.line, problem));
        }
        target.capabilities.extend(self.offers.iter().cloned());
        faults
    }

    /// Whether the case is declared to deviate on this server.
    pub(crate) fn declares(&self, id: &str, delivery: Delivery, target: &Target) -> bool {
        let release = target.version.as_deref().and_then(numbered);
        self.covering(id, delivery, release.as_ref()).next().is_some()
    }

    /// Turns failures that are declared into deviations, and passes where a failure is declared into unexpected ones.
    pub(crate) fn apply(&self, library: &Library, target: &Target, results: &mut [CaseResult]) {
        if self.deviations.is_empty() {
            return;
        }
        let release = target.version.as_deref().and_then(numbered);
        for result in results.iter_mut() {
            self.apply_to(result, release.as_ref());
        }
        let verdicts: BTreeMap<(String, Delivery), Verdict> = results
            .iter()
            .map(|result| ((result.id.clone(), result.delivery), result.verdict))
            .collect();
        for result in results.iter_mut().filter(|result| result.verdict == Verdict::Fail) {
            let delivery = result.delivery;
            let deviates = |id: &str| {
                let known = verdicts.get(&(id.to_owned(), delivery));
                if known.is_some_and(|verdict| *verdict != Verdict::Deviation) {
                    return None;
                }
                self.covering(id, delivery, release.as_ref())
                    .find_map(|entry| entry.reason.as_ref())
            };
            if let Some((below, reason)) = below(library, &result.id, &deviates) {
                result.verdict = Verdict::Deviation;
                result.reason = Some(format!("rests on {below}, a known deviation: {reason}"));
            }
        }
    }

    fn apply_to(&self, result: &mut CaseResult, release: Option<&Release>) {
        let covering: Vec<&Deviation> = self.covering(&result.id, result.delivery, release).collect();
        let Some(first) = covering.first() else { return };
        match result.verdict {
            // Whether it passes today is chance; what the file says of it is not, and a report must not change with the dice.
            Verdict::Pass if covering.iter().any(|entry| entry.intermittent) => {
                let mut reasons = covering
                    .iter()
                    .filter(|entry| entry.intermittent)
                    .map(|entry| &entry.reason);
                if let Some(Some(reason)) = reasons.next() {
                    result.verdict = Verdict::Deviation;
                    result.reason = Some(reason.clone());
                }
            }
            Verdict::Pass => {
                result.verdict = Verdict::UnexpectedPass;
                let place = format!("{}:{}", self.file, first.line);
                result.reason = Some(format!("{place} declares that it fails; take it out there"));
            }
            Verdict::Fail => {
                let received = result
                    .failure
                    .as_ref()
                    .map(|failure| escape(&failure.received))
                    .unwrap_or_default();
                let explains =
                    |entry: &&&Deviation| entry.received.as_ref().is_none_or(|begin| received.starts_with(begin));
                match covering.iter().find(explains) {
                    Some(Deviation {
                        reason: Some(reason), ..
                    }) => {
                        result.verdict = Verdict::Deviation;
                        result.reason = Some(reason.clone());
                    }
                    Some(Deviation { line, .. }) => {
                        result.reason = Some(format!("{}:{line} declares it, but gives no reason", self.file));
                    }
                    None => {
                        let place = format!("{}:{}", self.file, first.line);
                        result.reason = Some(format!("not the deviation that {place} declares: other bytes came"));
                    }
                }
            }
            _ => {}
        }
    }

    fn covering(&self, id: &str, delivery: Delivery, release: Option<&Release>) -> impl Iterator<Item = &Deviation> {
        self.deviations
            .iter()
            .filter(move |entry| entry.covers(id, delivery, release))
    }

    /// The deviations that are not declared as they must be, or that no case of the run can show.
    pub fn faults(&self, library: &Library, target: &Target, results: &[CaseResult]) -> Vec<Fault> {
        let release = target.version.as_deref().and_then(numbered);
        let mut faults = Vec::new();
        for entry in &self.deviations {
            if entry.reason.is_none() {
                let problem = "no reason is given; write what the server does instead, and why";
                faults.push(self.fault(entry.line, problem.to_owned()));
            }
            for glob in &entry.cases {
                if !library.cases().any(|(id, ..)| glob.matches(&id)) {
                    faults.push(self.fault(entry.line, format!("no case fits `{glob}`; take it out")));
                }
            }
            if entry.releases.is_some() && release.is_none() {
                let problem = "names releases, but the server's version line holds no release number";
                faults.push(self.fault(entry.line, problem.to_owned()));
            }
            let covered: Vec<&CaseResult> = results
                .iter()
                .filter(|result| entry.covers(&result.id, result.delivery, release.as_ref()))
                .collect();
            // In a part of the suite the others of its cases may be offered.
            let whole = library
                .cases()
                .filter(|(id, ..)| entry.cases.iter().any(|glob| glob.matches(id)))
                .all(|(id, ..)| covered.iter().any(|result| result.id == id));
            let unsupported = |result: &&CaseResult| result.verdict == Verdict::Unsupported;
            if whole && !covered.is_empty() && covered.iter().all(unsupported) {
                let problem = "covers only cases of capabilities that the server does not offer; take it out";
                faults.push(self.fault(entry.line, problem.to_owned()));
            }
        }
        faults
    }

    fn fault(&self, line: usize, problem: String) -> Fault {
        Fault {
            file: self.file.clone(),
            line,
            problem,
        }
    }
}

impl Deviation {
    /// Whether the entry speaks of this case in this delivery on this release of the server.
    pub fn covers(&self, id: &str, delivery: Delivery, release: Option<&Release>) -> bool {
        (self.deliveries.is_empty() || self.deliveries.contains(&delivery))
            && self
                .releases
                .as_ref()
                .is_none_or(|range| release.is_some_and(|release| range.contains(release)))
            && self.cases.iter().any(|glob| glob.matches(id))
    }
}

/// The nearest case that `id` rests on and of which `reason_of` knows something.
fn below<'r>(
    library: &Library,
    id: &str,
    reason_of: &impl Fn(&str) -> Option<&'r String>,
) -> Option<(String, &'r String)> {
    let (_, case) = library.case(id)?;
    case.rests_on.iter().find_map(|on| match reason_of(on) {
        Some(reason) => Some((on.clone(), reason)),
        None => below(library, on, reason_of),
    })
}

/// The first release number in a version line: servers that are not memcached put their name before it.
pub fn numbered(version: &str) -> Option<Release> {
    version
        .split_whitespace()
        .filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .find_map(Release::from_version_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_found_behind_the_name_of_a_server() {
        let found = |text: &str| numbered(text).map(|release| release.to_string());
        assert_eq!(found("yrmcds version 1.1.9").as_deref(), Some("1.1.9"));
        assert_eq!(found("1.6.18 (Debian)").as_deref(), Some("1.6.18"));
        assert_eq!(found("2 of 3"), None);
    }
}
