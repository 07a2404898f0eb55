//! One-way signals from the server to its connections: stop, and hang up.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Given once, never taken back. Cloning gives another handle to the same signal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signal {
    /// A copy of the token's state that can be read without its lock.
    given: Arc<AtomicBool>,
    token: CancellationToken,
}

impl Signal {
    /// Gives the signal and wakes everyone who waits.
    pub(crate) fn give(&self) {
        self.given.store(true, Ordering::Release);
        self.token.cancel();
    }

    /// Whether the signal has been given.
    pub(crate) fn is_given(&self) -> bool {
        self.given.load(Ordering::Acquire)
    }

    /// Ends when the signal is given.
    pub(crate) async fn given(&self) {
        self.token.cancelled().await;
    }

    /// A watch for one connection.
    pub(crate) fn watch(&self) -> Watch {
        Watch {
            signal: self.clone(),
            wait: None,
            waker: None,
        }
    }
}

/// Waits for a [`Signal`] within a poll function, at the price of one atomic load. The token's own future takes a lock that
/// all connections share each time it is polled, which would be once per batch of commands.
#[derive(Debug)]
pub(crate) struct Watch {
    signal: Signal,
    wait: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    /// Who will be woken.
    waker: Option<Waker>,
}

impl Watch {
    /// Whether the signal has been given.
    pub(crate) fn is_given(&self) -> bool {
        self.signal.is_given()
    }

    /// Ready once the signal has been given; else the task of `cx` will be woken when it is.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.signal.is_given() {
            return Poll::Ready(());
        }
        if self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            return Poll::Pending;
        }
        let token = &self.signal.token;
        let wait = self
            .wait
            .get_or_insert_with(|| Box::pin(token.clone().cancelled_owned()));
        self.waker = Some(cx.waker().clone());
        wait.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use tokio::task::JoinHandle;
    use tokio::time::timeout;

    use super::*;

    /// Time is paused: it runs out at once when nobody will wake the task.
    async fn is_woken(waiting: JoinHandle<()>) -> bool {
        timeout(Duration::from_secs(1), waiting).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_is_woken_by_the_signal() {
        let signal = Signal::default();
        let mut watch = signal.watch();
        let waiting = tokio::spawn(async move { poll_fn(|cx| watch.poll(cx)).await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        signal.give();
        assert!(is_woken(waiting).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_moves_to_another_task_is_woken_there() {
        let signal = Signal::default();
        let mut watch = signal.watch();
        let first = poll_fn(|cx| Poll::Ready(watch.poll(cx))).await;
        assert!(first.is_pending());
        let waiting = tokio::spawn(async move { poll_fn(|cx| watch.poll(cx)).await });
        tokio::task::yield_now().await;
        signal.give();
        assert!(is_woken(waiting).await);
    }

    #[tokio::test]
    async fn a_watch_made_after_the_signal_is_ready_at_once() {
        let signal = Signal::default();
        signal.give();
        let mut watch = signal.watch();
        assert!(watch.is_given());
        assert!(poll_fn(|cx| Poll::Ready(watch.poll(cx))).await.is_ready());
        signal.given().await;
    }
}
