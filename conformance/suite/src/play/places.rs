//! Which cases may run now.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

/// The places that cases run in.
///
/// Cases that wait for an expiry hold none: all of them wait at the same time. But until they have come to their waits no
/// other case begins, since what they do before is what must not take long: an item that is to live two seconds may be gone
/// after one, and a busy machine needs such a second for less than it seems.
pub(crate) struct Places {
    slots: Semaphore,
    /// How many there are once cases that do not wait may begin.
    count: usize,
    /// How many cases have not come to their waits.
    preparing: AtomicUsize,
    /// Has a permit from when they have.
    begun: Semaphore,
}

impl Places {
    /// `count` places, for cases of which `preparing` wait.
    pub(crate) fn new(count: usize, preparing: usize) -> Self {
        Self {
            slots: Semaphore::new(if preparing == 0 { count } else { 0 }),
            count,
            preparing: AtomicUsize::new(preparing),
            begun: Semaphore::new(usize::from(preparing == 0)),
        }
    }

    /// Waits until cases that do not wait may begin; for what runs elsewhere and takes no place, but the machine's time.
    pub(crate) async fn begun(&self) {
        // The semaphore is never closed; the permit is given back at once.
        drop(self.begun.acquire().await);
    }

    /// A place for a case that does not wait.
    pub(crate) async fn take(&self) -> Place<'_> {
        // The semaphore is never closed, so there is a permit.
        Place::Held(self.slots.acquire().await.ok())
    }

    /// What one of the cases that wait has until it does. To be asked for once by each of them.
    pub(crate) fn prepare(&self) -> Place<'_> {
        Place::Preparing(Preparing(self))
    }
}

/// A case's right to run. It is given back when dropped.
#[expect(dead_code, reason = "both are there to be dropped")]
pub(crate) enum Place<'p> {
    /// One of the places.
    Held(Option<SemaphorePermit<'p>>),
    /// A case that is going to wait.
    Preparing(Preparing<'p>),
}

pub(crate) struct Preparing<'p>(&'p Places);

impl Drop for Preparing<'_> {
    fn drop(&mut self) {
        if self.0.preparing.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.slots.add_permits(self.0.count);
            self.0.begun.add_permits(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn nobody_begins_before_all_that_wait_have_come_to_their_waits() {
        let places = Places::new(2, 2);
        let (first, second) = (places.prepare(), places.prepare());
        assert!(places.take().now_or_never().is_none());
        drop(first);
        assert!(places.take().now_or_never().is_none());
        assert!(places.begun().now_or_never().is_none());
        drop(second);
        assert!(places.begun().now_or_never().is_some());
        let held = (places.take().now_or_never(), places.take().now_or_never());
        assert!(held.0.is_some() && held.1.is_some());
        assert!(places.take().now_or_never().is_none());
    }

    #[test]
    fn without_any_that_wait_all_begin_at_once() {
        assert!(Places::new(1, 0).take().now_or_never().is_some());
        assert!(Places::new(1, 0).begun().now_or_never().is_some());
    }
}
