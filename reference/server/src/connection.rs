//! One connection: bytes in, commands executed, replies out.
//!
//! Everything that a read has brought is executed before anything is written, and all replies leave in one write: a
//! pipeline of 64 commands costs two system calls. Nothing is awaited between commands. Two bounds keep that fair and small:
//! replies are sent as soon as [`OUTPUT_BYTES_MAX`] of them are waiting, so that a client which does not read its answers
//! stops being read itself; and a connection that always has more to do lets others go first every [`TURN_BYTES_MAX`].

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use refcached_protocol::request::{Shutdown, ShutdownMode};
use refcached_protocol::response::SHUTDOWN_MODE_INVALID;
use refcached_protocol::{Parser, Request, Step};
use refcached_store::{Progress, Store, Timestamp};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::buffers;
use crate::connections::Admission;
use crate::link::{Ended, Link};
use crate::service::Service;

/// Replies are sent when this many bytes of them are waiting. A single value may exceed it.
pub(crate) const OUTPUT_BYTES_MAX: usize = 256 << 10;

/// Requests that are read in one go before other connections of the same thread get their turn.
const TURN_BYTES_MAX: usize = 256 << 10;

/// A connection and what it holds.
pub(crate) struct Connection<S, T> {
    service: Arc<Service<S>>,
    link: Link<T>,
    parser: Parser,
    /// Received and not yet consumed.
    input: Vec<u8>,
    /// Answered and not yet sent.
    output: Vec<u8>,
    admission: Admission,
}

impl<S, T> Connection<S, T>
where
    S: Store + Send + Sync + 'static,
    T: AsyncRead + AsyncWrite + Unpin,
{
    pub(crate) fn new(service: Arc<Service<S>>, stream: T, admission: Admission) -> Self {
        Connection {
            link: service.link(stream),
            parser: Parser::new(service.limits()),
            input: Vec::new(),
            output: Vec::new(),
            admission,
            service,
        }
    }

    /// Serves the connection until it ends, and says why it did. All complete commands have been answered by then, unless
    /// the client could not be reached or did not take the answers.
    pub(crate) async fn run(mut self) -> Ended {
        let ended = self.converse().await;
        // Replies to what came before a `quit` or a refusal that closes.
        let ended = self.flush().await.err().unwrap_or(ended);
        self.link.close().await;
        buffers::give_back(&mut self.input);
        buffers::give_back(&mut self.output);
        ended
    }

    async fn converse(&mut self) -> Ended {
        let mut wanted = 1;
        let mut turn = 0;
        loop {
            let filled = match self.link.fill(&mut self.input, wanted).await {
                Ok(filled) => filled,
                Err(ended) => return ended,
            };
            let traffic = self.service.counters().traffic(self.admission.number);
            traffic.bytes_read.fetch_add(filled.bytes as u64, Relaxed);
            turn = if filled.waited { 0 } else { turn } + filled.bytes;
            if self.input.len() < wanted {
                continue;
            }
            match self.answer().await {
                Ok(more) => wanted = more,
                Err(ended) => return ended,
            }
            if turn >= TURN_BYTES_MAX {
                turn = 0;
                if self.link.is_stopping() {
                    // What was in hand when the stop came has long been answered; this client would go on for ever.
                    return Ended::Stopped;
                }
                let traffic = self.service.counters().traffic(self.admission.number);
                traffic.yields.fetch_add(1, Relaxed);
                tokio::task::yield_now().await;
            }
        }
    }

    /// Executes every complete command of the input and sends the replies. Gives the number of bytes that the input must
    /// hold before there can be another one.
    async fn answer(&mut self) -> Result<usize, Ended> {
        let now = self.service.now();
        self.admission.begin(now);
        if self.output.capacity() == 0 {
            self.output = buffers::borrow();
        }
        let mut done = 0;
        let wanted = loop {
            match self.parser.next(&self.input[done..]) {
                Step::Incomplete { consumed, wanted } => {
                    done += consumed;
                    break wanted;
                }
                Step::Request { request, consumed } => {
                    done += consumed;
                    let mut progress = execute(&self.service, &request, now, &mut self.output);
                    while let Progress::More(cursor) = progress {
                        if self.output.len() >= OUTPUT_BYTES_MAX {
                            send(&self.service, &self.admission, &mut self.link, &mut self.output).await?;
                        }
                        // The command may go over the whole store: others have their turn.
                        tokio::task::yield_now().await;
                        let engine = self.service.engine();
                        progress = engine.resume(&request, cursor, now, &mut self.output);
                    }
                    if progress == Progress::Close {
                        return Err(Ended::Quit);
                    }
                }
                Step::Refused { refusal, consumed } => {
                    done += consumed;
                    self.service.engine().refuse(&refusal, now, &mut self.output);
                    if refusal.closes() {
                        return Err(Ended::Refused(refusal.kind));
                    }
                }
            }
            if self.output.len() >= OUTPUT_BYTES_MAX {
                self.flush().await?;
            }
        };
        self.input.drain(..done);
        self.flush().await?;
        buffers::give_back(&mut self.output);
        self.admission.end();
        Ok(wanted)
    }

    async fn flush(&mut self) -> Result<(), Ended> {
        send(&self.service, &self.admission, &mut self.link, &mut self.output).await
    }
}

/// Sends `output` and counts it.
async fn send<S, T>(
    service: &Service<S>,
    admission: &Admission,
    link: &mut Link<T>,
    output: &mut Vec<u8>,
) -> Result<(), Ended>
where
    S: Store + Send + Sync + 'static,
    T: AsyncRead + AsyncWrite + Unpin,
{
    if output.is_empty() {
        return Ok(());
    }
    let traffic = service.counters().traffic(admission.number);
    traffic.bytes_written.fetch_add(output.len() as u64, Relaxed);
    link.flush(output).await
}

/// Executes one request. The engine knows all but the command that ends the process around it.
fn execute<S: Store + Send + Sync + 'static>(
    service: &Service<S>,
    request: &Request<'_>,
    now: Timestamp,
    output: &mut Vec<u8>,
) -> Progress {
    match request {
        Request::Shutdown(shutdown) if service.obeys_shutdown() => shut_down(service, *shutdown, output),
        request => service.engine().execute(request, now, output),
    }
}

/// Both modes are graceful here: memcached's immediate one gives up what other connections have in hand.
fn shut_down<S>(service: &Service<S>, shutdown: Shutdown, output: &mut Vec<u8>) -> Progress {
    match shutdown.mode {
        ShutdownMode::Immediate | ShutdownMode::Graceful => {
            tracing::info!("a client sent the shutdown command");
            service.stop();
            Progress::Close
        }
        ShutdownMode::Unknown => {
            if !shutdown.noreply {
                SHUTDOWN_MODE_INVALID.encode(output);
            }
            Progress::Done
        }
    }
}
