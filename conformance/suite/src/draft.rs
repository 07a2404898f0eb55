//! A first target file for a server that nobody has described yet, from a run without expectations.
//!
//! As with [`crate::bless`], nothing is hidden without a reason: what the server lacks and where it deviates is written down
//! with [`UNWRITTEN`] for a reason, which excuses nothing until a person has written one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use toml_edit::{Array, Value};

use crate::bless::new_entries;
use crate::case::{Action, Answer, Case, Library, Pattern, Piece};
use crate::expect::UNWRITTEN;
use crate::play::{Address, Failure, Problem};
use crate::profile::{Profile, ProfileError, Start};
use crate::report::Report;
use crate::target::{is_probed, is_tried_on_own_servers_only, probed_names};
use crate::verdict::{CaseResult, Verdict};

/// The file's text, and what it holds.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The text of the target file.
    pub text: String,
    /// Capabilities that it promises.
    pub offers: BTreeSet<String>,
    /// Capabilities that it says the server lacks, with the number of cases that need each.
    pub lacks: BTreeMap<String, usize>,
    /// How many entries of deviations it has.
    pub entries: usize,
    /// How many cases they declare.
    pub deviating: usize,
    /// How many cases had no complete answer in time at first and passed when they were played again. A busy machine does that
    /// too, so none is written down: as one that fails at times it would excuse whatever comes later.
    pub late: usize,
}

/// What cannot be written down.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The start says something that the format has no words for.
    #[error("a target file cannot say how this server starts")]
    Start,
    /// The text was written and cannot be read: a fault of this module.
    #[error("what was written cannot be read: {0}")]
    Unreadable(#[from] ProfileError),
}

/// Writes the file for the server of this run, which had no expectations; `name` is what reports will call it.
///
/// # Errors
/// The way the server starts cannot be written, or the text cannot be read again.
pub fn draft(name: &str, start: &Start, library: &Library, report: &Report) -> Result<Draft, DraftError> {
    let lacks = lacks(library, report);
    let known = report.target.capabilities.iter();
    let offers: BTreeSet<String> = known
        .filter(|name| !is_tried_on_own_servers_only(name) && !lacks.contains_key(*name))
        .cloned()
        .collect();
    let head = head(name, start, &offers, &lacks).ok_or(DraftError::Start)?;
    let profile = Profile::from_toml("draft", &head)?;
    let mut report = report.clone();
    let late: BTreeSet<String> = report
        .results
        .iter()
        .filter(|result| is_late(result))
        .map(|result| result.id.clone())
        .collect();
    report.results.retain(|result| !is_late(result));
    // Which deliveries of a case that fails at times failed today is chance.
    let flaky = report.results.iter().filter(|result| result.verdict == Verdict::Flaky);
    let mut at_times: BTreeSet<String> = flaky.map(|result| result.id.clone()).collect();
    at_times.extend(vary_with_time(library, &report.results));
    for result in report.results.iter_mut().filter(|result| at_times.contains(&result.id)) {
        if result.verdict == Verdict::Fail {
            result.verdict = Verdict::Flaky;
        }
    }
    for result in &mut report.results {
        let needs = library.case(&result.id).map(|(_, case)| case.needs.as_slice());
        if needs.unwrap_or_default().iter().any(|need| lacks.contains_key(need)) {
            result.verdict = Verdict::Unsupported;
        }
    }
    let mut entries = new_entries(&profile, &report, Verdict::Fail);
    entries.extend(new_entries(&profile, &report, Verdict::Flaky));
    let mut text = head;
    for entry in &entries {
        text.push('\n');
        text.push_str(&entry.to_toml());
    }
    Profile::from_toml("draft", &text)?;
    let declared: BTreeSet<&str> = entries.iter().flat_map(crate::bless::NewEntry::cases).collect();
    Ok(Draft {
        text,
        offers,
        lacks,
        entries: entries.len(),
        deviating: declared.len(),
        late: late.len(),
    })
}

/// The cases that passed in at least one delivery.
pub fn passes_somewhere(results: &[CaseResult]) -> BTreeSet<String> {
    let passed = results.iter().filter(|result| has_passed(result.verdict));
    passed.map(|result| result.id.clone()).collect()
}

/// Takes note of what was played again: what passed one time and failed another, in the same delivery, fails at times.
pub fn note_again(results: &mut [CaseResult], again: &[CaseResult]) {
    let again: BTreeMap<_, &CaseResult> = again
        .iter()
        .map(|result| ((&*result.id, result.delivery), result))
        .collect();
    for result in results {
        let Some(other) = again.get(&(&*result.id, result.delivery)) else {
            continue;
        };
        if has_passed(result.verdict) && other.verdict == Verdict::Fail {
            result.failure.clone_from(&other.failure);
            result.verdict = Verdict::Flaky;
        } else if result.verdict == Verdict::Fail && has_passed(other.verdict) {
            result.verdict = Verdict::Flaky;
        }
    }
}

/// Cases that pass in one delivery and fail in another, and are about what time does or what all connections share: how long a
/// delivery takes makes the difference there, not how it is cut.
fn vary_with_time(library: &Library, results: &[CaseResult]) -> BTreeSet<String> {
    let passed = passes_somewhere(results);
    let is_timed = |id: &str| {
        library
            .case(id)
            .is_some_and(|(_, case)| case.exclusive || !case.waits().is_zero())
    };
    let failed = results.iter().filter(|result| result.verdict == Verdict::Fail);
    let both = failed.filter(|result| passed.contains(&result.id) && is_timed(&result.id));
    both.map(|result| result.id.clone()).collect()
}

fn has_passed(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Pass | Verdict::Nonstrict | Verdict::Informational)
}

/// Whether the answer was wrong only in that it did not come in time, once.
fn is_late(result: &CaseResult) -> bool {
    let timed_out = |failure: &Failure| matches!(failure.problem, Problem::TimedOut(_));
    result.verdict == Verdict::Flaky && result.failure.as_deref().is_some_and(timed_out)
}

/// What the server does not have: what the probe did not find, and what nothing but the cases can tell, when none that needs
/// it passed.
fn lacks(library: &Library, report: &Report) -> BTreeMap<String, usize> {
    let has = |name: &str| report.target.capabilities.contains(name);
    // The meta commands of releases before 1.6.12: a server has them in place of today's, or not at all.
    let not_found = probed_names().filter(|name| !has(name) && *name != "meta-old");
    let mut lacks: BTreeSet<String> = not_found.map(str::to_owned).collect();
    lacks.extend(
        report
            .target
            .capabilities
            .iter()
            .filter(|name| !is_probed(name))
            .cloned(),
    );
    lacks.retain(|name| !is_shown(name, library, report));
    let needing = |name: &String| library.cases().filter(|(_, _, case)| case.needs.contains(name)).count();
    lacks.into_iter().map(|name| (name.clone(), needing(&name))).collect()
}

/// Whether a case that needs the capability passed, or none says anything of it. To pass a case that expects a refusal shows
/// nothing: who does not know a command refuses it, too.
fn is_shown(name: &str, library: &Library, report: &Report) -> bool {
    if is_probed(name) {
        return false;
    }
    let of_it = report.results.iter().filter_map(|result| {
        let (_, case) = library.case(&result.id)?;
        case.needs
            .iter()
            .any(|need| need == name)
            .then_some((result.verdict, case))
    });
    let results: Vec<(Verdict, &Case)> = of_it.collect();
    let passed = |verdict| !matches!(verdict, Verdict::Fail | Verdict::Blocked | Verdict::Unsupported);
    results.iter().all(|(verdict, _)| *verdict != Verdict::Fail)
        || results
            .iter()
            .any(|(verdict, case)| passed(*verdict) && !expects_a_refusal(case))
}

fn expects_a_refusal(case: &Case) -> bool {
    let refuses = |pattern: &Pattern| match pattern.pieces.first() {
        Some(Piece::Literal(bytes)) => bytes.windows(5).any(|word| word == b"ERROR"),
        _ => false,
    };
    case.steps.iter().any(|step| match &step.action {
        Action::Receive(pattern) => refuses(pattern),
        Action::ReceiveAny(alternatives) => alternatives.iter().any(|alternative| match &alternative.answer {
            Answer::Bytes(pattern) => refuses(pattern),
            Answer::Silent | Answer::Closed => false,
        }),
        _ => false,
    })
}

fn head(name: &str, start: &Start, offers: &BTreeSet<String>, lacks: &BTreeMap<String, usize>) -> Option<String> {
    let quoted = |text: &str| Value::from(text).to_string();
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "# What is known of this server. `mcspec init` wrote it down; conformance/targets/README.md of mcspec is the reference of\n\
         # the format. A reason {} is one that a person has yet to write: until then it excuses nothing, and the run fails.\n\n\
         name = {}",
        quoted(UNWRITTEN),
        quoted(name)
    );
    if !offers.is_empty() {
        let offers: Array = offers.iter().map(String::as_str).collect();
        let _ = writeln!(
            out,
            "# Promised: their cases run, whatever a later probe sees.\noffers ={}",
            Value::from(offers).decorated(" ", "")
        );
    }
    out.push_str("\n[start]\n");
    match start {
        Start::Server(Address::Tcp(address)) => {
            let _ = writeln!(out, "server = {}", quoted(address));
        }
        Start::Server(Address::Unix(path)) => {
            let _ = writeln!(out, "unix = {}", quoted(path.to_str()?));
        }
        Start::Image { image, tag: None } if !image.contains("{tag}") => {
            let _ = writeln!(out, "image = {}", quoted(image));
        }
        Start::Processes {
            files,
            commands,
            obtain: None,
        } if files.is_empty() => {
            let commands: Array = commands.iter().map(String::as_str).collect();
            let _ = writeln!(out, "commands ={}", Value::from(commands).decorated(" ", ""));
        }
        _ => return None,
    }
    if !lacks.is_empty() {
        out.push_str("\n# With the number of cases that need it.\n[lacks]\n");
        for (name, cases) in lacks {
            let _ = writeln!(out, "{name} = {}    # {cases}", quoted(UNWRITTEN));
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::time::Duration;

    use super::*;
    use crate::case::Level;
    use crate::play::Delivery;

    fn result(id: &str, delivery: Delivery, verdict: Verdict) -> CaseResult {
        CaseResult {
            id: id.to_owned(),
            level: Level::Defacto,
            delivery,
            verdict,
            reason: None,
            releases: None,
            failure: None,
            duration: Duration::ZERO,
        }
    }

    #[test]
    fn what_differs_between_deliveries_may_be_a_matter_of_time() {
        let steps = "  observed 1.6.9\n  > get x\n  < END\n";
        let text = format!(
            "section s/t\n\ncase plain DEFACTO\n{steps}\ncase waits DEFACTO\n{steps}  wait 1s\n  > get x\n  < END\n\n\
             case alone DEFACTO\n  exclusive\n{steps}\ncase never DEFACTO\n  exclusive\n{steps}"
        );
        let library = Library::from_files(vec![("s/t.case".to_owned(), text)]).unwrap();
        let mut results = Vec::new();
        for name in ["plain", "waits", "alone", "never"] {
            let whole = if name == "never" { Verdict::Fail } else { Verdict::Pass };
            results.push(result(&format!("s/t/{name}"), Delivery::Whole, whole));
            results.push(result(&format!("s/t/{name}"), Delivery::Bytes, Verdict::Fail));
        }
        let found: Vec<String> = vary_with_time(&library, &results).into_iter().collect();
        assert_eq!(found, ["s/t/alone", "s/t/waits"]);
    }

    #[test]
    fn what_passes_one_time_and_fails_another_fails_at_times() {
        let once = [Verdict::Pass, Verdict::Fail, Verdict::Fail, Verdict::Unsupported];
        let again = [Verdict::Fail, Verdict::Pass, Verdict::Fail, Verdict::Fail];
        let results = |verdicts: [Verdict; 4]| -> Vec<CaseResult> {
            let ids = ["a", "b", "c", "d"].into_iter().zip(verdicts);
            ids.map(|(id, verdict)| result(id, Delivery::Whole, verdict)).collect()
        };
        let mut noted = results(once);
        note_again(&mut noted, &results(again));
        let verdicts: Vec<Verdict> = noted.iter().map(|result| result.verdict).collect();
        let expected = [Verdict::Flaky, Verdict::Flaky, Verdict::Fail, Verdict::Unsupported];
        assert_eq!(verdicts, expected);
    }
}
