//! Where work is done that blocks: reading and writing files. The seam between the server and its threads.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use tokio::sync::oneshot;

/// Work that blocks.
pub type Work = Box<dyn FnOnce() + Send>;

/// Does work that blocks. Called within a tokio runtime.
pub trait Blocking: fmt::Debug + Send + Sync + 'static {
    /// Does `work`, later and elsewhere: it has not begun when this returns.
    fn spawn(&self, work: Work);
}

/// On threads of their own, so that those of the runtime never wait for a disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Threads;

impl Blocking for Threads {
    fn spawn(&self, work: Work) {
        tokio::task::spawn_blocking(work);
    }
}

/// On the runtime itself, in a task that first lets all others have their turn. In a runtime of one thread, everything then
/// happens in an order that is always the same: what a simulated world needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inline;

impl Blocking for Inline {
    fn spawn(&self, work: Work) {
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            work();
        });
    }
}

/// The work was never finished: it panicked, or the runtime ended before it had begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the work was not finished; the log has the cause")]
pub struct Unfinished;

/// Has `work` done by `blocking`, and gives what it came to.
pub(crate) fn run<R: Send + 'static>(
    blocking: &dyn Blocking,
    work: impl FnOnce() -> R + Send + 'static,
) -> Pin<Box<dyn Future<Output = Result<R, Unfinished>> + Send>> {
    let (done, result) = oneshot::channel();
    blocking.spawn(Box::new(move || {
        // Whoever asked may have gone.
        let _ = done.send(work());
    }));
    Box::pin(async { result.await.map_err(|_| Unfinished) })
}
