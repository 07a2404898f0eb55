//! A connection, what came over it and has not been read, and its end.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout_at};

use super::matcher::{Match, Token, compare};
use super::pace::APART;
use super::transport::Stream;

/// How long a failed comparison waits for more bytes, so that the report shows the whole answer.
const AFTERMATH: Duration = Duration::from_millis(50);

/// A longer line is no answer to anything that reads a line.
const LINE_BYTES_MAX: usize = 4096;

/// What went wrong while receiving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The bytes that came differ at this offset.
    Differs(usize),
    /// The time was up.
    TimedOut,
    /// The server closed before all had come.
    Closed,
}

/// How long to wait: the time starts anew whenever a byte moves, up to an end. A busy machine on which the harness itself is
/// slow must not make a server fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    /// How long nothing may move.
    pub(crate) quiet: Duration,
    /// When it is over in any case.
    pub(crate) end: Instant,
}

impl Deadline {
    /// A deadline that no movement puts off.
    pub(crate) fn fixed(end: Instant) -> Self {
        Self {
            quiet: Duration::MAX / 4,
            end,
        }
    }

    /// When it is over if nothing moves from now on.
    pub(crate) fn at(self) -> Instant {
        Instant::now()
            .checked_add(self.quiet)
            .map_or(self.end, |quiet| quiet.min(self.end))
    }
}

/// One connection.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    unread: Vec<u8>,
    ended: bool,
}

impl Wire {
    pub(crate) fn new(stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            unread: Vec::new(),
            ended: false,
        }
    }

    /// What came and has not been read.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.unread
    }

    /// Whether the server has closed.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Sends each write apart from the next, the first `waits` times after a wait. What a server that has closed does not
    /// take is seen when receiving.
    pub(crate) async fn send(&mut self, writes: &[Vec<u8>], waits: usize, deadline: Deadline) {
        for (i, write) in writes.iter().enumerate() {
            if i > 0 {
                if i <= waits {
                    tokio::time::sleep(APART).await;
                } else {
                    tokio::task::yield_now().await;
                }
            }
            let mut at = 0;
            let sent = timeout_at(deadline.at(), poll_fn(|cx| self.poll_write(cx, write, &mut at))).await;
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    }

    /// Writes what is left; reads at the same time, so that neither side can block the other for good.
    fn poll_write(&mut self, cx: &mut Context<'_>, write: &[u8], at: &mut usize) -> Poll<io::Result<()>> {
        while *at < write.len() {
            match Pin::new(&mut self.stream).poll_write(cx, &write[*at..])? {
                Poll::Ready(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(written) => *at += written,
                Poll::Pending if self.ended || self.poll_read(cx).is_pending() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads once; the end of the stream and a reset both end it.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut chunk = [0; 16 * 1024];
        let mut buffer = ReadBuf::new(&mut chunk);
        match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => self.unread.extend_from_slice(buffer.filled()),
            Poll::Ready(_) => self.ended = true,
        }
        Poll::Ready(())
    }

    async fn read(&mut self, deadline: Deadline) -> Result<(), Fault> {
        if self.ended {
            return Err(Fault::Closed);
        }
        timeout_at(deadline.at(), poll_fn(|cx| self.poll_read(cx)))
            .await
            .map_err(|_| Fault::TimedOut)
    }

    /// Reads one expected answer and takes it off; the bytes are returned with the captured numbers.
    pub(crate) async fn receive(
        &mut self,
        tokens: &[Token],
        deadline: Deadline,
    ) -> Result<(Vec<u8>, Vec<(String, u64)>), Fault> {
        loop {
            match compare(tokens, &self.unread) {
                Match::Complete { length, captured } => {
                    return Ok((self.unread.drain(..length).collect(), captured));
                }
                Match::Mismatch { at } => {
                    self.aftermath().await;
                    return Err(Fault::Differs(at));
                }
                Match::Partial => self.read(deadline).await?,
            }
        }
    }

    /// Reads until the answer fits one of several; gives the number of the first that fits.
    pub(crate) async fn receive_any(
        &mut self,
        answers: &[Vec<Token>],
        closed_fits: bool,
        deadline: Deadline,
    ) -> Result<(Option<usize>, Vec<u8>, Vec<(String, u64)>), Fault> {
        loop {
            let mut furthest = None;
            let mut waiting = closed_fits && self.unread.is_empty();
            for (i, tokens) in answers.iter().enumerate() {
                match compare(tokens, &self.unread) {
                    Match::Complete { length, captured } => {
                        return Ok((Some(i), self.unread.drain(..length).collect(), captured));
                    }
                    Match::Partial => waiting = true,
                    Match::Mismatch { at } => furthest = furthest.max(Some(at)),
                }
            }
            if !waiting {
                self.aftermath().await;
                return Err(Fault::Differs(furthest.unwrap_or(0)));
            }
            match self.read(deadline).await {
                Err(Fault::Closed) if closed_fits && self.unread.is_empty() => {
                    return Ok((None, Vec::new(), Vec::new()));
                }
                other => other?,
            }
        }
    }

    /// Reads one line and takes it off, without its end.
    pub(crate) async fn line(&mut self, deadline: Deadline) -> Result<Vec<u8>, Fault> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.unread.drain(..=end).collect();
                line.truncate(end);
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            if self.unread.len() > LINE_BYTES_MAX {
                return Err(Fault::Differs(LINE_BYTES_MAX));
            }
            self.read(deadline).await?;
        }
    }

    /// Waits until the server closes, with no byte before it.
    pub(crate) async fn closed(&mut self, deadline: Deadline) -> Result<(), Fault> {
        loop {
            if !self.unread.is_empty() {
                self.aftermath().await;
                return Err(Fault::Differs(0));
            }
            match self.read(deadline).await {
                Err(Fault::Closed) => return Ok(()),
                other => other?,
            }
        }
    }

    /// Ends the sending side.
    pub(crate) async fn half_close(&mut self) {
        // A server that has closed already has nothing to be told.
        let _ = self.stream.shutdown().await;
    }

    async fn aftermath(&mut self) {
        let deadline = Deadline {
            quiet: AFTERMATH,
            end: Instant::now() + 4 * AFTERMATH,
        };
        while self.unread.len() < 64 * 1024 && self.read(deadline).await.is_ok() {}
    }
}
