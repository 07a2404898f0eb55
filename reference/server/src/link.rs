//! A connection's stream together with everything that can end a wait on it.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};
use tokio_util::io::poll_read_buf;

use crate::blocking::Unfinished;
use crate::buffers;
use crate::signal::Watch;

/// Why a connection ended. All of these are ordinary events in the life of a server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("the client closed")]
    ByClient,
    #[error("the client sent quit")]
    Quit,
    #[error("the client sent what closes a connection: {0}")]
    Refused(refcached_protocol::RefusalKind),
    #[error("nothing was received or could be sent for the idle timeout")]
    Idle,
    #[error("the server stops")]
    Stopped,
    #[error("the grace period of the stopping server is over")]
    HungUp,
    #[error("the dataset was replaced, and there was no room for the rest of a reply that the client did not read")]
    Outstayed,
    #[error("{0}")]
    Unfinished(#[from] Unfinished),
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Ended {
    /// Memcached's word for it, as those who watch connections read it.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Ended::ByClient | Ended::Quit => "normal",
            Ended::Idle => "idle_timeout",
            Ended::Stopped | Ended::HungUp => "shutdown",
            Ended::Refused(_) | Ended::Outstayed | Ended::Unfinished(_) | Ended::Io(_) => "error",
        }
    }
}

/// The stream of one connection.
pub(crate) struct Link<S> {
    stream: S,
    /// Given when the server stops: commands in hand are finished.
    stop: Watch,
    /// Given when the grace period is over: nothing is waited for any more.
    hang_up: Watch,
    idle: Option<IdleTimer>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link<S> {
    pub(crate) fn new(stream: S, stop: Watch, hang_up: Watch, idle: Option<Duration>) -> Self {
        Link {
            stream,
            stop,
            hang_up,
            idle: idle.map(IdleTimer::new),
        }
    }

    /// Whether the server has begun to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.is_given()
    }

    /// Reads what is there, once, behind what `input` holds, and waits if nothing is. `wanted` is the number of bytes that
    /// `input` must hold before it is of use. Gives the number of bytes read and whether they had to be waited for.
    ///
    /// Once the server stops, the rest of a command that has begun is still waited for, a new one is not.
    pub(crate) async fn fill(&mut self, input: &mut Vec<u8>, wanted: usize) -> Result<Filled, Ended> {
        let mut waited = false;
        poll_fn(|cx| {
            buffers::make_room(input, wanted);
            match poll_read_buf(Pin::new(&mut self.stream), cx, input) {
                Poll::Ready(Ok(0)) => Poll::Ready(Err(Ended::ByClient)),
                Poll::Ready(Ok(bytes)) => {
                    self.progress();
                    Poll::Ready(Ok(Filled { bytes, waited }))
                }
                Poll::Ready(Err(error)) => Poll::Ready(Err(Ended::Io(error))),
                Poll::Pending => {
                    waited = true;
                    buffers::park(input);
                    if input.is_empty() && self.stop.poll(cx).is_ready() {
                        return Poll::Ready(Err(Ended::Stopped));
                    }
                    self.poll_given_up(cx).map(Err)
                }
            }
        })
        .await
    }

    /// Waits for `event`. What the client sends meanwhile is thrown away.
    pub(crate) async fn overhear(&mut self, mut event: impl FnMut(&mut Context<'_>) -> Poll<()>) -> Result<(), Ended> {
        poll_fn(|cx| {
            if event(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut scratch = [0; 512];
            loop {
                let mut heard = ReadBuf::new(&mut scratch);
                match Pin::new(&mut self.stream).poll_read(cx, &mut heard) {
                    Poll::Ready(Ok(())) if heard.filled().is_empty() => return Poll::Ready(Err(Ended::ByClient)),
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(Ended::Io(error))),
                    Poll::Pending => break,
                }
            }
            if self.stop.poll(cx).is_ready() {
                return Poll::Ready(Err(Ended::Stopped));
            }
            self.hang_up.poll(cx).map(|()| Err(Ended::HungUp))
        })
        .await
    }

    /// Waits for `work`, unless the server hangs up.
    pub(crate) async fn during<R>(&mut self, work: impl Future<Output = R>) -> Result<R, Ended> {
        let mut work = pin!(work);
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(result) => Poll::Ready(Ok(result)),
            Poll::Pending => self.hang_up.poll(cx).map(|()| Err(Ended::HungUp)),
        })
        .await
    }

    /// Writes all of `output`. Empties it in any case: after an error nobody knows how much of it has arrived.
    pub(crate) async fn flush(&mut self, output: &mut Vec<u8>) -> Result<(), Ended> {
        let mut written = 0;
        let result = poll_fn(|cx| self.poll_send(cx, output, &mut written)).await;
        output.clear();
        result
    }

    /// Writes `output` until `end` is given, and leaves in it what has not been written by then.
    pub(crate) async fn flush_until(&mut self, output: &mut Vec<u8>, end: &mut Watch) -> Result<(), Ended> {
        let mut written = 0;
        let result = poll_fn(|cx| {
            let sent = self.poll_send(cx, output, &mut written);
            if sent.is_pending() && end.poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            sent
        })
        .await;
        output.drain(..written);
        result
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, output: &[u8], written: &mut usize) -> Poll<Result<(), Ended>> {
        while *written < output.len() {
            match Pin::new(&mut self.stream).poll_write(cx, &output[*written..]) {
                Poll::Ready(Ok(0)) => {
                    return Poll::Ready(Err(Ended::Io(io::ErrorKind::WriteZero.into())));
                }
                Poll::Ready(Ok(bytes)) => {
                    *written += bytes;
                    self.progress();
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Ended::Io(error))),
                Poll::Pending => return self.poll_given_up(cx).map(Err),
            }
        }
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(Ended::Io(error))),
            Poll::Pending => self.poll_given_up(cx).map(Err),
        }
    }

    /// Tells the client that nothing more will come.
    pub(crate) async fn close(&mut self) {
        // The client may be gone already, and that is all that can go wrong.
        let _ = poll_fn(|cx| {
            if self.hang_up.poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            Pin::new(&mut self.stream).poll_shutdown(cx)
        })
        .await;
    }

    fn progress(&mut self) {
        if let Some(idle) = &mut self.idle {
            idle.last_progress = Instant::now();
        }
    }

    fn poll_given_up(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        if self.hang_up.poll(cx).is_ready() {
            return Poll::Ready(Ended::HungUp);
        }
        match &mut self.idle {
            Some(idle) => idle.poll(cx).map(|()| Ended::Idle),
            None => Poll::Pending,
        }
    }
}

/// What [`Link::fill`] read.
pub(crate) struct Filled {
    pub(crate) bytes: usize,
    /// The stream had run dry: other connections have had their turn.
    pub(crate) waited: bool,
}

/// Runs out when nothing moved for a time. It is set anew when it fires, not when something moves: a busy connection pays
/// for reading the clock only.
struct IdleTimer {
    timeout: Duration,
    last_progress: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl IdleTimer {
    fn new(timeout: Duration) -> Self {
        IdleTimer {
            timeout,
            last_progress: Instant::now(),
            sleep: Box::pin(tokio::time::sleep(timeout)),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            let deadline = self.last_progress + self.timeout;
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(deadline);
        }
    }
}
