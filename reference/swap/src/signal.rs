//! Something happened, once: for a thread that blocks and for a task that polls.

use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::sync::{Condvar, Mutex, MutexGuard};

/// Given once and for ever. One task may poll it and any number of threads may wait for it.
#[derive(Debug)]
pub(super) struct Signal {
    state: Mutex<State>,
    given: Condvar,
}

#[derive(Debug)]
struct State {
    is_given: bool,
    waker: Option<Waker>,
}

impl Signal {
    pub(super) fn new() -> Self {
        Signal {
            state: Mutex::new(State {
                is_given: false,
                waker: None,
            }),
            given: Condvar::new(),
        }
    }

    pub(super) fn give(&self) {
        let mut state = lock(&self.state);
        state.is_given = true;
        let waker = state.waker.take();
        drop(state);
        self.given.notify_all();
        // Outside of the lock: a waker runs code of its runtime.
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn is_given(&self) -> bool {
        lock(&self.state).is_given
    }

    pub(super) fn wait(&self) {
        let mut state = lock(&self.state);
        while !state.is_given {
            state = self.given.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether it was given before `deadline` had passed.
    pub(super) fn wait_until(&self, deadline: Instant) -> bool {
        let mut state = lock(&self.state);
        while !state.is_given {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.given.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Only the waker of the last poll is woken.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.is_given {
            return Poll::Ready(());
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Locks what no panic can leave half done: every critical section of this crate moves or copies values and calls nothing
/// that panics, so a poisoned lock holds a state as good as any.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
