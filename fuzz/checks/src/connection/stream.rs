//! A client in memory: it sends pieces, reads as it likes, and watches how much is asked of it.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::cuts::Cuts;

/// The room that a connection may have ready for reading: one buffer, since no stream here fills it. An announced value takes
/// none.
const OFFERED_BYTES_MAX: usize = 64 << 10;

/// What may wait to be sent: the limit for replies and one value.
const WAITING_BYTES_MAX: usize = (256 << 10) + (1 << 20) + 4096;

/// One end of a connection.
pub(super) struct Stream {
    requests: Vec<u8>,
    sent: usize,
    cuts: Cuts,
    manner: Manner,
    seen: Arc<Mutex<Seen>>,
}

/// What the client has seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// All replies.
    pub(super) received: Vec<u8>,
    /// The client has gone away.
    pub(super) broken: bool,
    /// Replies wait to be sent.
    waiting: bool,
    /// Every other time the client is busy.
    busy: bool,
}

/// How the client behaves.
#[derive(Clone, Copy, Debug)]
struct Manner {
    /// Nothing is ready at the first attempt.
    hesitates: bool,
    /// How much it reads at once.
    reads: usize,
    /// It goes away after so many bytes.
    leaves_after: usize,
}

impl Manner {
    fn of(byte: u8) -> Self {
        Manner {
            hesitates: byte & 1 != 0,
            reads: [usize::MAX, 1, 7, 100][usize::from(byte >> 1 & 3)],
            leaves_after: match byte >> 3 {
                few @ 1..8 => usize::from(few) * 9,
                _ => usize::MAX,
            },
        }
    }
}

impl Stream {
    pub(super) fn new(requests: Vec<u8>, cuts: Cuts, manner: u8) -> Self {
        Stream {
            requests,
            sent: 0,
            cuts,
            manner: Manner::of(manner),
            seen: Arc::default(),
        }
    }

    pub(super) fn seen(&self) -> Arc<Mutex<Seen>> {
        Arc::clone(&self.seen)
    }

    /// Whether the client lets the other end wait this time. It has to ask again by itself.
    fn hesitates(&self, context: &Context<'_>) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.busy = self.manner.hesitates && !seen.busy;
        if seen.busy {
            context.waker().wake_by_ref();
        }
        seen.busy
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let offered = room.remaining();
        assert!(offered <= OFFERED_BYTES_MAX, "{offered} bytes of room");
        let waiting = self.seen.lock().unwrap_or_else(PoisonError::into_inner).waiting;
        assert!(!waiting, "more is read while replies wait");
        if self.hesitates(context) {
            return Poll::Pending;
        }
        let (from, total) = (self.sent, self.requests.len());
        let end = self.cuts.next_end(from, total).min(from + offered);
        room.put_slice(&self.requests[from..end]);
        self.sent = end;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        assert!(
            bytes.len() <= WAITING_BYTES_MAX,
            "{} bytes wait to be sent",
            bytes.len()
        );
        let hesitates = self.hesitates(context);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.waiting = hesitates;
        if hesitates {
            return Poll::Pending;
        }
        assert!(!seen.broken, "something is sent to a client that has gone away");
        if seen.received.len() >= self.manner.leaves_after {
            seen.broken = true;
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let taken = bytes.len().min(self.manner.reads);
        seen.received.extend(&bytes[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
