//! The decorator of a connection: it cuts what arrives into commands, hands them to the service one at a time, and so knows
//! which bytes of the service are the reply to which command.
//!
//! The service answers all that it has read before it reads again. What it writes between two reads is therefore the whole
//! reply to the command that it was given.

use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use refcached_protocol::{Limits, Parser, Step};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::command::Command;
use crate::fault::{Conn, Planted};

/// Read from the client at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// A stream with a fault in it, or none.
pub(crate) struct Wire<S> {
    stream: S,
    planted: Option<Planted>,
    conn: Conn,
    parser: Parser,
    /// Arrived; the first `cut` bytes have been handed over.
    raw: Vec<u8>,
    cut: usize,
    /// The client sends no more.
    ended: bool,
    /// Being handed to the service; the first `fed` bytes have been.
    feed: Vec<u8>,
    fed: usize,
    /// The command that the service has in hand.
    current: Option<Command>,
    /// Written by the service since.
    reply: Vec<u8>,
    /// On its way to the client; the first `sent` bytes have gone.
    outbox: Vec<u8>,
    sent: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(crate) fn new(stream: S, planted: Option<Planted>, limits: Limits, conn: Conn) -> Self {
        Wire {
            stream,
            planted,
            conn,
            parser: Parser::new(limits),
            raw: Vec::new(),
            cut: 0,
            ended: false,
            feed: Vec::new(),
            fed: 0,
            current: None,
            reply: Vec::new(),
            outbox: Vec::new(),
            sent: 0,
        }
    }

    /// The service wants to read, or to close: what it has written is the reply to the command in hand.
    fn settle(&mut self) {
        let mut reply = mem::take(&mut self.reply);
        if let Some(command) = self.current.take() {
            if let Some(answer) = &command.answer {
                reply.extend_from_slice(answer);
            }
            match self.planted {
                Some(Planted::Reply(edit)) => edit(&command, &mut reply),
                Some(Planted::Talk(_, edit)) => edit(&mut self.conn, &command, &mut reply),
                _ => {}
            }
            self.conn.hang_up |= command.hang_up;
            if mem::take(&mut self.conn.drop_rest) {
                self.cut = self.raw.len();
            }
        }
        self.outbox.extend_from_slice(&reply);
    }

    /// Cuts the next command off what has arrived; `false` if there is no whole one.
    fn next_command(&mut self) -> bool {
        let input = &self.raw[self.cut..];
        let swallowed = usize::try_from(self.parser.swallowing()).map_or(input.len(), |bytes| bytes.min(input.len()));
        let (consumed, refused) = match self.parser.next(input) {
            Step::Incomplete { consumed: 0, .. } => return false,
            // The rest of a refused data block: the service swallows it, too.
            Step::Incomplete { consumed, .. } => {
                self.feed = input[..consumed].to_vec();
                self.fed = 0;
                self.cut += consumed;
                return true;
            }
            Step::Request { consumed, .. } => (consumed, false),
            Step::Refused { consumed, .. } => (consumed, true),
        };
        let mut command = Command::new(&input[swallowed..consumed], refused);
        self.feed = input[..swallowed].to_vec();
        self.fed = 0;
        self.cut += consumed;
        self.conn.commands += 1;
        self.conn.behind = self.raw.len() - self.cut;
        self.conn.last.clone_from(&command.line);
        match self.planted {
            Some(Planted::Request(edit)) => edit(&mut command),
            Some(Planted::Talk(edit, _)) => edit(&mut self.conn, &mut command),
            _ => {}
        }
        self.feed.extend(command.forwarded());
        self.current = Some(command);
        true
    }

    /// Takes what one read has brought.
    fn arrive(&mut self, bytes: &[u8]) {
        self.raw.drain(..self.cut);
        self.cut = 0;
        if bytes.is_empty() {
            self.ended = true;
            if let Some(Planted::Ending(edit)) = self.planted {
                edit(&mut self.conn, &mut self.raw);
                if self.next_command() {
                    return;
                }
            }
            // Half a command: the service drops it, as it would.
            self.feed = mem::take(&mut self.raw);
            self.fed = 0;
            return;
        }
        let mut bytes = bytes.to_vec();
        if let Some(Planted::Arriving(edit)) = self.planted {
            self.conn.waiting.clone_from(&self.raw);
            edit(&mut self.conn, &mut bytes);
            self.raw.clone_from(&self.conn.waiting);
        }
        self.raw.extend_from_slice(&bytes);
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.sent == 0
            && !self.outbox.is_empty()
            && let Some(Planted::Leaving(edit)) = self.planted
        {
            edit(&mut self.conn, &mut self.outbox);
        }
        while self.sent < self.outbox.len() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.outbox[self.sent..]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += written;
        }
        self.outbox.clear();
        self.sent = 0;
        Pin::new(&mut self.stream).poll_flush(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Wire<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.fed < this.feed.len() {
                let bytes = (this.feed.len() - this.fed).min(buf.remaining());
                buf.put_slice(&this.feed[this.fed..this.fed + bytes]);
                this.fed += bytes;
                return Poll::Ready(Ok(()));
            }
            this.settle();
            if !this.conn.hang_up && this.next_command() {
                continue;
            }
            ready!(this.poll_send(cx))?;
            if this.ended || this.conn.hang_up {
                return Poll::Ready(Ok(()));
            }
            let mut chunk = vec![0; CHUNK_BYTES];
            let mut read = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.stream).poll_read(cx, &mut read))?;
            this.arrive(read.filled());
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.reply.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What is written leaves when the service reads again, or closes: no sooner is the reply known to be whole.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.settle();
        ready!(this.poll_send(cx))?;
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}
