//! The lines that wait for one watcher.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::kinds::Kinds;

/// The most bytes that wait for a watcher: memcached's default for its log buffers. Commands never wait for one.
pub(super) const BYTES_MAX: usize = 256 << 10;

pub(super) struct Queue {
    pub(super) kinds: Kinds,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    lines: String,
    skipped: u64,
    reader: Option<Waker>,
}

impl Queue {
    pub(super) fn new(kinds: Kinds) -> Self {
        Queue {
            kinds,
            waiting: Mutex::default(),
        }
    }

    pub(super) fn push(&self, line: &str) {
        let mut waiting = self.lock();
        // Once something was left out the rest waits too, so that the gap is one.
        if waiting.skipped > 0 || waiting.lines.len() + line.len() > BYTES_MAX {
            waiting.skipped += 1;
        } else {
            waiting.lines.push_str(line);
        }
        let reader = waiting.reader.take();
        drop(waiting);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    pub(super) fn poll(&self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<()> {
        let mut waiting = self.lock();
        if waiting.lines.is_empty() && waiting.skipped == 0 {
            waiting.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let lines = std::mem::take(&mut waiting.lines);
        let skipped = std::mem::take(&mut waiting.skipped);
        drop(waiting);
        out.extend_from_slice(lines.as_bytes());
        if skipped > 0 {
            out.extend_from_slice(format!("skipped={skipped}\n").as_bytes());
        }
        Poll::Ready(())
    }

    /// Poisoned or not: what waits is whole at any time.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
