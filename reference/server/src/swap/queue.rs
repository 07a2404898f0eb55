//! Switches that wait for their turn: one task serves them, the oldest first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::sync::oneshot;

use super::{Datasets, lock};
use crate::administration::{SwitchError, Switched, Switching};
use crate::backend::Backend;

/// Switches that may wait for their turn.
const WAITING_MAX: usize = 16;

/// Switches that wait for their turn.
#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Order>,
    /// Whether there is a task that serves them.
    working: bool,
    /// Whether it has one in hand.
    serving: bool,
}

struct Order {
    filename: String,
    answer: oneshot::Sender<Result<Switched, SwitchError>>,
}

impl<B: Backend> Datasets<B> {
    /// Switches under way or waiting.
    pub(crate) fn switching(&self) -> u64 {
        let queue = lock(&self.queue);
        (queue.waiting.len() + usize::from(queue.serving)) as u64
    }

    /// See [`crate::Administration::switch`].
    pub(crate) fn switch(self: &Arc<Self>, filename: String) -> Switching {
        let (answer, answered) = oneshot::channel();
        let mut queue = lock(&self.queue);
        let waiting = queue.waiting.len();
        let refused = if self.stop.is_given() {
            Some(SwitchError::Stopping)
        } else if waiting >= WAITING_MAX {
            Some(SwitchError::Busy { waiting })
        } else {
            None
        };
        if let Some(error) = refused {
            return Box::pin(std::future::ready(Err(error)));
        }
        queue.waiting.push_back(Order { filename, answer });
        if !queue.working {
            queue.working = true;
            let datasets = Arc::clone(self);
            self.tasks.spawn(async move { datasets.serve_queue().await });
        }
        drop(queue);
        // An order is dropped unanswered only with the runtime.
        Box::pin(async { answered.await.unwrap_or(Err(SwitchError::Stopping)) })
    }

    /// Serves the switches that wait, the oldest first, until none does.
    async fn serve_queue(self: Arc<Self>) {
        while let Some(Order { filename, answer }) = self.next_order() {
            let datasets = Arc::clone(&self);
            let name = filename.clone();
            // In a task of its own: whatever it does, the queue goes on.
            let switching = self.tasks.spawn(async move { datasets.replace(name).await });
            let switched = switching.await.unwrap_or_else(|error| {
                Err(SwitchError::Io {
                    name: filename.clone(),
                    cause: error.to_string(),
                })
            });
            if let Err(error) = &switched {
                self.figures.failures.fetch_add(1, Relaxed);
                tracing::warn!(filename, %error, "the dataset was not replaced");
            }
            // Who asked may no longer be there; the log has it.
            let _ = answer.send(switched);
        }
    }

    fn next_order(&self) -> Option<Order> {
        let mut queue = lock(&self.queue);
        let order = queue.waiting.pop_front();
        queue.working = order.is_some();
        queue.serving = queue.working;
        order
    }
}
