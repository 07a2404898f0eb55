//! What is to be run, by what it has to do with other cases.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

use super::Options;
use crate::case::{Case, Library};
use crate::play::{Delivery, estimate};

/// A case in one delivery.
#[derive(Clone)]
pub(super) struct Job<'c> {
    pub(super) place: usize,
    pub(super) id: String,
    pub(super) case: &'c Case,
    pub(super) delivery: Delivery,
}

/// What is to be run, by what it has to do with other cases.
#[derive(Default)]
pub(super) struct Jobs<'c> {
    /// They wait for an expiry, all at the same time.
    pub(super) waiting: Vec<Job<'c>>,
    /// They do not wait, and bear others beside them.
    pub(super) shared: Vec<Job<'c>>,
    /// They run alone, in the order of the suite.
    pub(super) exclusive: Vec<Job<'c>>,
}

impl<'c> Jobs<'c> {
    pub(super) fn new(library: &'c Library, selected: &BTreeSet<String>, options: &Options) -> Self {
        let mut jobs = Self::default();
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
                match case {
                    case if case.exclusive => jobs.exclusive.push(job),
                    case if case.waits().is_zero() => jobs.shared.push(job),
                    _ => jobs.waiting.push(job),
                }
            }
        }
        jobs
    }
}

impl Job<'_> {
    /// About how long it takes.
    pub(super) fn estimate(&self) -> Duration {
        estimate(self.case, self.delivery)
    }

    /// Where it stands among all.
    pub(super) fn order(&self) -> (usize, Delivery) {
        (self.place, self.delivery)
    }
}

/// Cuts jobs that run one by one into at most `most` parts that take about as long as each other, and no more parts than it
/// takes for none to last longer than `meanwhile` or, where that is longer, than the longest job. Each keeps its order.
pub(super) fn share_out(jobs: Vec<Job<'_>>, most: usize, meanwhile: Duration) -> Vec<Vec<Job<'_>>> {
    let mut jobs: Vec<(Duration, Job<'_>)> = jobs.into_iter().map(|job| (job.estimate(), job)).collect();
    // The longest first: what comes last should be what fills small gaps.
    jobs.sort_by_key(|(time, job)| (Reverse(*time), job.order()));
    let total: Duration = jobs.iter().map(|(time, _)| time).sum();
    let each = jobs.first().map_or(meanwhile, |(longest, _)| meanwhile.max(*longest));
    // Not more than there are jobs.
    let wanted = (total.as_secs_f64() / each.as_secs_f64().max(f64::MIN_POSITIVE)).ceil() as usize;
    let mut parts: Vec<(Duration, Vec<Job<'_>>)> = Vec::new();
    parts.resize_with(wanted.clamp(1, most), Default::default);
    for (time, job) in jobs {
        if let Some((load, part)) = parts.iter_mut().min_by_key(|(load, _)| *load) {
            *load += time;
            part.push(job);
        }
    }
    for (_, part) in &mut parts {
        part.sort_by_key(Job::order);
    }
    parts.into_iter().map(|(_, part)| part).collect()
}
