//! Runs many cases side by side on one live server.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::case::{Case, Library, Release, ReleaseRange};
use crate::known::KnownBugs;
use crate::play::{Delivery, Problem, Setting, play};
use crate::target::Target;
use crate::verdict::{CaseResult, Verdict};

/// How to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The deliveries to replay each case in.
    pub deliveries: Vec<Delivery>,
    /// The one release to demand; without it every release's answers are accepted.
    pub dialect: Option<Release>,
    /// How long a server may do nothing while an answer is due; a case as a whole has ten times that.
    pub timeout: Duration,
    /// How many cases run at once; those that mostly wait do not count.
    pub jobs: usize,
    /// Makes the keys of this run its own.
    pub seed: u64,
    /// Capabilities whose absence is a failure.
    pub require: BTreeSet<String>,
    /// What real memcached is known to do wrong.
    pub known_bugs: KnownBugs,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            deliveries: vec![Delivery::Whole],
            dialect: None,
            timeout: Duration::from_secs(5),
            jobs: 64,
            seed: 0,
            require: BTreeSet::new(),
            known_bugs: KnownBugs::default(),
        }
    }
}

/// Runs the cases of these ids; `on_result` is told each result as it comes, blocked cases as what they showed.
///
/// The results are in the order of the suite, not in the order of their end. Cases that the selection rests on but does
/// not hold are not run, nor are cases that say nothing of the release that is demanded.
pub async fn run(
    library: &Library,
    selected: &BTreeSet<String>,
    target: &Target,
    options: &Options,
    on_result: &mut dyn FnMut(&CaseResult),
) -> Vec<CaseResult> {
    let runner = Runner {
        target,
        options,
        slots: Semaphore::new(options.jobs.max(1)),
    };
    let mut shared = FuturesUnordered::new();
    let mut exclusive = Vec::new();
    let mut results = Vec::new();
    let concerned = |case: &Case| options.dialect.as_ref().is_none_or(|release| case.concerns(release));
    let cases = library
        .cases()
        .filter(|(id, _, case)| selected.contains(id) && concerned(case));
    for (place, (id, _, case)) in cases.enumerate() {
        for &delivery in &options.deliveries {
            let job = Job {
                place,
                id: id.clone(),
                case,
                delivery,
            };
            if case.exclusive {
                exclusive.push(job);
            } else {
                shared.push(runner.judge(job));
            }
        }
    }
    while let Some(result) = shared.next().await {
        on_result(&result.1);
        results.push(result);
    }
    for job in exclusive {
        let result = runner.judge(job).await;
        on_result(&result.1);
        results.push(result);
    }
    results.sort_by_key(|(place, result)| (*place, result.delivery));
    let mut results: Vec<CaseResult> = results.into_iter().map(|(_, result)| result).collect();
    block(library, &mut results);
    results
}

struct Job<'c> {
    place: usize,
    id: String,
    case: &'c Case,
    delivery: Delivery,
}

struct Runner<'r> {
    target: &'r Target,
    options: &'r Options,
    slots: Semaphore,
}

impl Runner<'_> {
    async fn judge(&self, job: Job<'_>) -> (usize, CaseResult) {
        let Job {
            place,
            id,
            case,
            delivery,
        } = job;
        let mut result = CaseResult {
            id,
            level: case.level,
            delivery,
            verdict: Verdict::Pass,
            reason: None,
            releases: None,
            failure: None,
            duration: Duration::ZERO,
        };
        if let Some(lacking) = case.needs.iter().find(|need| !self.target.capabilities.contains(*need)) {
            let required = self.options.require.contains(lacking);
            result.verdict = if required { Verdict::Fail } else { Verdict::Unsupported };
            let required = if required { ", which is required" } else { "" };
            result.reason = Some(format!("the server does not offer `{lacking}`{required}"));
            return (place, result);
        }
        // A case that waits for an expiry holds no place: all of them wait at the same time.
        let slot = if case.waits().is_zero() {
            self.slots.acquire().await.ok()
        } else {
            None
        };
        let start = Instant::now();
        self.play(case, &mut result).await;
        result.duration = start.elapsed();
        drop(slot);
        (place, result)
    }

    async fn play(&self, case: &Case, result: &mut CaseResult) {
        let setting = Setting {
            address: &self.target.address,
            fence: self.target.fence,
            delivery: result.delivery,
            dialect: self.options.dialect.as_ref(),
            timeout: self.options.timeout,
            unique: unique(self.options.seed, &result.id, result.delivery),
        };
        match play(case, &setting).await {
            Ok(played) => result.releases = Some(played.releases).filter(|range| *range != ReleaseRange::ALL),
            Err(failure) => {
                result.verdict = Verdict::missed(case.level);
                if matches!(failure.problem, Problem::Unreachable(_)) {
                    result.verdict = Verdict::HarnessError;
                } else if let Some(bug) =
                    self.options
                        .known_bugs
                        .explain(&result.id, result.delivery, self.target, &failure)
                {
                    result.verdict = Verdict::UpstreamBug;
                    result.reason = Some(bug.reason.clone());
                }
                result.failure = Some(failure);
            }
        }
    }
}

/// 16 letters and digits that no other run of any case has.
fn unique(seed: u64, id: &str, delivery: Delivery) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    (seed, id, delivery).hash(&mut hasher);
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut number = hasher.finish();
    let mut text = String::from("mc");
    for _ in 0..14 {
        text.push(char::from(DIGITS[(number % 36) as usize]));
        number /= 36;
    }
    text
}

/// Marks the cases that rest on one that did not pass; one that the server does not offer makes them unsupported.
fn block(library: &Library, results: &mut [CaseResult]) {
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
