//! A dataset that was replaced, until its last lease has gone.

use std::fmt;
use std::task::{Context, Poll};
use std::time::Instant;

use super::cell::Shared;
use super::lease::{Dataset, Generation};
use super::signal::Signal;
use super::sync::Arc;

/// A dataset that was replaced. No new lease on it is given; whoever holds the drain gets the dataset back when the last
/// lease has gone, and closes it on a thread of its choice.
///
/// Wait for that with [`Drain::wait`] or [`Drain::wait_until`] on a thread that may block, or in a task, with a timeout of
/// its runtime and its own clock:
///
/// ```text
/// // Inside an async server; `drain` comes from `publish`.
/// let drained = poll_fn(|cx| drain.poll_drained(cx));
/// if timeout(drain_timeout, drained).await.is_err() {
///     drain.move_readers(); // Policy::Connection: the deadline moves who has not ended by itself
/// }
/// poll_fn(|cx| drain.poll_drained(cx)).await;
/// spawn_blocking(move || drain.close().map(drop)).await
/// ```
///
/// A drain that is dropped unfinished leaves the closing to the last lease, on the thread of its connection.
#[must_use = "dropped, it leaves the closing of the old dataset to the last connection that uses it"]
pub struct Drain<D> {
    shared: Arc<Shared<D>>,
    /// The generation that replaced `dataset`.
    successor: Generation,
    dataset: Arc<Dataset<D>>,
    released: Arc<Signal>,
}

impl<D> Drain<D> {
    pub(super) fn new(
        shared: Arc<Shared<D>>,
        successor: Generation,
        dataset: Arc<Dataset<D>>,
        released: Arc<Signal>,
    ) -> Self {
        Drain {
            shared,
            successor,
            dataset,
            released,
        }
    }

    /// The generation that was published in its place.
    pub fn successor(&self) -> Generation {
        self.successor
    }

    /// The generation of the dataset that was replaced.
    pub fn generation(&self) -> Generation {
        self.dataset.generation()
    }

    /// How many leases there are still: readers in a command, in a wait for which they did not park, or bound by
    /// [`Policy::Connection`](super::cell::Policy::Connection). For reports; it may have changed already.
    pub fn leases(&self) -> usize {
        // This reference is the only one that is no lease.
        Arc::strong_count(&self.dataset) - 1
    }

    /// Moves every reader: those that wait lose their lease now, all others at their next command. When this has
    /// returned, no command that begins is answered by a generation older than [`Drain::successor`].
    ///
    /// Under [`Policy::Command`](super::cell::Policy::Command) publishing has done this already.
    pub fn move_readers(&self) {
        self.shared.move_readers(self.successor);
    }

    /// Whether the last lease has gone; then it stays so.
    pub fn is_drained(&self) -> bool {
        self.released.is_given()
    }

    /// Ready when the last lease has gone; else wakes the task of the last poll when it goes.
    pub fn poll_drained(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.released.poll(cx)
    }

    /// Blocks until the last lease has gone, and gives the dataset back.
    ///
    /// Under [`Policy::Connection`](super::cell::Policy::Connection) that is when the last connection that is bound to it
    /// has ended, unless [`Drain::move_readers`] was called.
    pub fn wait(self) -> D {
        self.released.wait();
        self.into_data()
    }

    /// Like [`Drain::wait`], but no longer than until `deadline`.
    ///
    /// # Errors
    /// The drain itself when there still are leases then: move the readers, report, or wait on.
    pub fn wait_until(self, deadline: Instant) -> Result<D, Self> {
        if self.released.wait_until(deadline) {
            Ok(self.into_data())
        } else {
            Err(self)
        }
    }

    /// Gives the dataset back, without waiting.
    ///
    /// # Errors
    /// The drain itself when there still are leases.
    pub fn close(self) -> Result<D, Self> {
        if self.is_drained() {
            Ok(self.into_data())
        } else {
            Err(self)
        }
    }

    fn into_data(self) -> D {
        let dataset = Arc::try_unwrap(self.dataset).ok();
        let dataset =
            dataset.expect("every lease lets go of the dataset before its token, and the last token has gone");
        dataset.into_data()
    }
}

impl<D> fmt::Debug for Drain<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain")
            .field("generation", &self.generation())
            .field("successor", &self.successor)
            .field("leases", &self.leases())
            .finish_non_exhaustive()
    }
}
