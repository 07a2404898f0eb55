//! Runs many cases side by side on one live server.

mod jobs;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::{Future, Ready};
use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

use futures_util::future::{join, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::Instant;

use jobs::{Job, Jobs, share_out};

use crate::case::{Case, Library, Release, ReleaseRange};
use crate::expect::Expectations;
use crate::foundation::{block, with_foundations};
use crate::known::KnownBugs;
use crate::play::{Address, Delivery, Place, Places, Problem, Setting, play};
use crate::selection::Part;
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
    /// What the server is expected to do otherwise.
    pub expectations: Expectations,
    /// How many times more a case is played that did not pass.
    pub retries: u32,
    /// Only this part of the cases is judged. What they rest on is played with them and not reported: each part says of its
    /// cases what the whole run would say.
    pub part: Option<Part>,
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
            expectations: Expectations::default(),
            retries: 0,
            part: None,
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
    let none = Vec::<Ready<_>>::new();
    run_on_several(library, selected, target, none, options, on_result).await
}

/// The same, with more instances of the server for the exclusive cases: they run there while the others wait on the first.
///
/// Each of `more` gives the address of one; it must be like the first in all but what it holds, and nobody else may use it.
/// They are asked for only if there are exclusive cases that wait, no more of them than it takes to be done when the others'
/// waits are over, and not before those have come to their waits. Which case runs on which is the same in every run. Where
/// there is none, the exclusive cases follow all others on `target`.
pub async fn run_on_several(
    library: &Library,
    selected: &BTreeSet<String>,
    target: &Target,
    more: Vec<impl Future<Output = Option<Address>>>,
    options: &Options,
    on_result: &mut dyn FnMut(&CaseResult),
) -> Vec<CaseResult> {
    let Jobs {
        waiting,
        shared,
        exclusive,
    } = Jobs::new(library, &with_foundations(library, selected, options.part), options);
    let meanwhile = waiting.iter().map(Job::estimate).max().unwrap_or_default();
    let runner = Runner {
        target,
        options,
        places: Places::new(options.jobs.max(1), waiting.len()),
        results: RefCell::default(),
        on_result: RefCell::new(on_result),
    };
    let others = async {
        let first = &target.address;
        let waiting = waiting
            .into_iter()
            .map(|job| runner.judge(job, first, Some(runner.places.prepare())));
        let mut judged: FuturesUnordered<_> = waiting.collect();
        judged.extend(shared.into_iter().map(|job| runner.judge(job, first, None)));
        while let Some(result) = judged.next().await {
            runner.note(result);
        }
    };
    let (_, left) = join(others, runner.elsewhere(exclusive, more, meanwhile)).await;
    runner.one_by_one(left, &target.address).await;
    let mut results = runner.results.into_inner();
    results.sort_by_key(|(place, result)| (*place, result.delivery));
    let mut results: Vec<CaseResult> = results.into_iter().map(|(_, result)| result).collect();
    options.expectations.apply(library, target, &mut results);
    block(library, &mut results);
    results.retain(|result| options.reports(&result.id));
    results
}

impl Options {
    /// Whether the case is judged, and not only played for those that rest on it.
    fn reports(&self, id: &str) -> bool {
        self.part.is_none_or(|part| part.holds(id))
    }
}

struct Runner<'r> {
    target: &'r Target,
    options: &'r Options,
    places: Places,
    /// The results so far, with their cases' places in the suite.
    results: RefCell<Vec<(usize, CaseResult)>>,
    /// Is told each.
    on_result: RefCell<&'r mut dyn FnMut(&CaseResult)>,
}

impl Runner<'_> {
    /// Runs exclusive cases on instances of their own, one at a time on each; gives back those that found none. `meanwhile`
    /// is how long the other cases take at least.
    async fn elsewhere<'c>(
        &self,
        exclusive: Vec<Job<'c>>,
        more: Vec<impl Future<Output = Option<Address>>>,
        meanwhile: Duration,
    ) -> Vec<Job<'c>> {
        let waits = |job: &Job<'_>| !job.case.waits().is_zero() && self.lacking(job.case).is_none();
        if more.is_empty() || !exclusive.iter().any(waits) {
            return exclusive;
        }
        self.places.begun().await;
        let parts = share_out(exclusive, more.len(), meanwhile);
        let parts = parts.into_iter().zip(more).map(|(part, instance)| async {
            match instance.await {
                Some(address) => {
                    self.one_by_one(part, &address).await;
                    Vec::new()
                }
                None => part,
            }
        });
        let mut left = join_all(parts).await.concat();
        left.sort_by_key(Job::order);
        left
    }

    async fn one_by_one(&self, jobs: Vec<Job<'_>>, address: &Address) {
        for job in jobs {
            self.note(self.judge(job, address, None).await);
        }
    }

    fn note(&self, result: (usize, CaseResult)) {
        if self.options.reports(&result.1.id) {
            (self.on_result.borrow_mut())(&result.1);
        }
        self.results.borrow_mut().push(result);
    }

    /// A capability that the case needs and the server does not have.
    fn lacking<'c>(&self, case: &'c Case) -> Option<&'c String> {
        case.needs.iter().find(|need| !self.target.capabilities.contains(*need))
    }

    /// Judges one case at this address. `preparing` is what a case has that waits for an expiry.
    async fn judge(&self, job: Job<'_>, address: &Address, preparing: Option<Place<'_>>) -> (usize, CaseResult) {
        let Job {
            place: order,
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
        if let Some(lacking) = self.lacking(case) {
            let required = self.options.require.contains(lacking);
            result.verdict = if required { Verdict::Fail } else { Verdict::Unsupported };
            let required = if required { ", which is required" } else { "" };
            result.reason = Some(format!("the server does not offer `{lacking}`{required}"));
            return (order, result);
        }
        let place = match case {
            case if case.exclusive => None,
            case if case.waits().is_zero() => Some(self.places.take().await),
            _ => preparing,
        };
        let start = Instant::now();
        self.play(case, address, &mut result, 0, place).await;
        self.retry(case, address, &mut result).await;
        result.duration = start.elapsed();
        (order, result)
    }

    /// Plays a case again that failed and was not expected to; what passes then is flaky, never a pass.
    async fn retry(&self, case: &Case, address: &Address, result: &mut CaseResult) {
        let (id, delivery) = (&result.id, result.delivery);
        if self.options.expectations.declares(id, delivery, self.target) {
            return;
        }
        for attempt in 1..=self.options.retries {
            if !matches!(result.verdict, Verdict::Fail | Verdict::HarnessError) {
                return;
            }
            let mut again = CaseResult {
                verdict: Verdict::Pass,
                failure: None,
                ..result.clone()
            };
            self.play(case, address, &mut again, attempt, None).await;
            if again.verdict == Verdict::Pass {
                result.verdict = Verdict::Flaky;
                result.reason = Some(format!("passed when it was played again, attempt {}", attempt + 1));
                result.releases = again.releases;
            }
        }
    }

    async fn play(
        &self,
        case: &Case,
        address: &Address,
        result: &mut CaseResult,
        attempt: u32,
        place: Option<Place<'_>>,
    ) {
        let setting = Setting {
            address,
            fence: self.target.fence,
            delivery: result.delivery,
            dialect: self.options.dialect.as_ref(),
            timeout: self.options.timeout,
            unique: unique(self.options.seed, &result.id, result.delivery, attempt),
        };
        match play(case, &setting, place).await {
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
fn unique(seed: u64, id: &str, delivery: Delivery, attempt: u32) -> String {
    let mut hasher = std::hash::DefaultHasher::new();
    (seed, id, delivery, attempt).hash(&mut hasher);
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut number = hasher.finish();
    let mut text = String::from("mc");
    for _ in 0..14 {
        text.push(char::from(DIGITS[(number % 36) as usize]));
        number /= 36;
    }
    text
}
