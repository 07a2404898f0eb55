//! Work that waits for a worker.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Jobs and the number of workers that see to them. A worker is started with a job that finds too few, and goes when there is
/// none left.
#[derive(Debug)]
pub(super) struct Lane<J> {
    workers_max: usize,
    state: Mutex<State<J>>,
}

#[derive(Debug)]
struct State<J> {
    jobs: VecDeque<J>,
    workers: usize,
}

impl<J> Lane<J> {
    pub(super) fn new(workers_max: usize) -> Self {
        Lane {
            workers_max,
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                workers: 0,
            }),
        }
    }

    /// Adds a job. If this answers `true`, the caller has to start a worker.
    #[must_use]
    pub(super) fn push(&self, job: J) -> bool {
        let mut state = self.state();
        state.jobs.push_back(job);
        let start = state.workers < self.workers_max;
        state.workers += usize::from(start);
        start
    }

    /// For a worker: the jobs at the front, the first of them and those after it that `fits` takes; none if the worker is
    /// to go.
    pub(super) fn pop(&self, mut fits: impl FnMut(&J) -> bool) -> Option<Vec<J>> {
        let mut state = self.state();
        let Some(first) = state.jobs.pop_front() else {
            state.workers -= 1;
            return None;
        };
        let fit = fits(&first);
        let mut jobs = vec![first];
        if fit {
            state.pop_those_that_fit(&mut jobs, fits);
        }
        Some(jobs)
    }

    /// For a worker with jobs in hand: those at the front that `fits` takes, up to the first that it does not.
    pub(super) fn pop_more(&self, jobs: &mut Vec<J>, fits: impl FnMut(&J) -> bool) {
        self.state().pop_those_that_fit(jobs, fits);
    }

    /// Jobs are moved under the lock and nothing else is done: no panic leaves it half done.
    fn state(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> State<J> {
    fn pop_those_that_fit(&mut self, jobs: &mut Vec<J>, mut fits: impl FnMut(&J) -> bool) {
        while let Some(next) = self.jobs.front()
            && fits(next)
        {
            jobs.extend(self.jobs.pop_front());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_started_up_to_the_limit_and_go_when_nothing_is_left() {
        let lane = Lane::new(2);
        assert_eq!([1, 2, 3].map(|job| lane.push(job)), [true, true, false]);
        assert_eq!(lane.pop(|_| false), Some(vec![1]));
        assert_eq!(lane.pop(|_| true), Some(vec![2, 3]));
        assert_eq!(lane.pop(|_| true), None);
        assert!(lane.push(4), "one worker has gone");
        assert_eq!(lane.pop(|_| true), Some(vec![4]));
    }

    #[test]
    fn a_group_ends_before_the_job_that_does_not_fit() {
        let lane = Lane::new(1);
        let started: Vec<bool> = [5, 6, 7, 8].map(|job| lane.push(job)).into();
        assert_eq!(started, [true, false, false, false]);
        let mut room = 13;
        let mut fits = |job: &i32| {
            room -= job;
            room >= 0
        };
        assert_eq!(lane.pop(&mut fits), Some(vec![5, 6]));
        assert_eq!(lane.pop(|_| true), Some(vec![7, 8]));
    }

    #[test]
    fn a_worker_may_take_what_has_come_meanwhile() {
        let lane = Lane::new(1);
        assert!(lane.push(1));
        let mut jobs = lane.pop(|_| true).unwrap_or_default();
        lane.pop_more(&mut jobs, |_| true);
        assert_eq!(jobs, [1]);
        let started: Vec<bool> = [2, 3, 4].map(|job| lane.push(job)).into();
        assert_eq!(started, [false, false, false]);
        lane.pop_more(&mut jobs, |job| *job < 4);
        assert_eq!(jobs, [1, 2, 3]);
        assert_eq!(lane.pop(|_| true), Some(vec![4]));
    }
}
