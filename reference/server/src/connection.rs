//! One connection: bytes in, commands executed, replies out.
//!
//! Everything that a read has brought is executed before anything is written, and all replies leave in one write: a
//! pipeline of 64 commands costs two system calls. Nothing is awaited between commands in memory. Two bounds keep that fair
//! and small: replies are sent as soon as [`OUTPUT_BYTES_MAX`] of them are waiting, so that a client which does not read its
//! answers stops being read itself; and a connection that always has more to do lets others go first every
//! [`TURN_BYTES_MAX`].
//!
//! A connection holds the dataset only while commands are executed: before each wait for its client it parks its lease, with
//! one exception. A command that pauses in the middle of its reply is answered whole by one dataset, so that dataset is held
//! until the command is done; a drain deadline ends such a wait.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use refcached_protocol::Response;
use refcached_protocol::request::{Shutdown, ShutdownMode};
use refcached_protocol::response::SHUTDOWN_MODE_INVALID;
use refcached_store::Kinds;
use refcached_swap::Reader;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::backend::{Backend, Dataset};
use crate::batch::{Ask, Batch, OUTPUT_BYTES_MAX, Outcome};
use crate::buffers;
use crate::connections::Admission;
use crate::detained::Detained;
use crate::extensions::RangeWalk;
use crate::link::{Ended, Link};
use crate::service::Service;
use crate::signal::Signal;
use crate::swap::Served;

/// Requests that are read in one go before other connections of the same thread get their turn.
const TURN_BYTES_MAX: usize = 256 << 10;

/// Why no client switches the dataset of a server that is read-only.
const READ_ONLY: &[u8] = b"the server is read-only";

/// A connection and what it holds.
pub(crate) struct Connection<B: Backend, T> {
    reader: Reader<Served<B::Dataset>>,
    /// Received and not yet answered, answered and not yet sent.
    batch: Batch,
    pen: Pen<B, T>,
}

/// The half of a connection that sends.
struct Pen<B: Backend, T> {
    service: Arc<Service<B>>,
    link: Link<T>,
    admission: Admission,
    detained: Detained,
}

impl<B, T> Connection<B, T>
where
    B: Backend,
    T: AsyncRead + AsyncWrite + Unpin,
{
    pub(crate) fn new(service: Arc<Service<B>>, stream: T, admission: Admission) -> Self {
        Connection {
            reader: service.datasets().reader(),
            batch: Batch::new(service.limits(), service.offers()),
            pen: Pen {
                link: service.link(stream),
                admission,
                detained: service.room().nothing(),
                service,
            },
        }
    }

    /// Serves the connection until it ends, and says why it did. All complete commands have been answered by then, unless
    /// the client could not be reached or did not take the answers.
    pub(crate) async fn run(mut self) -> Ended {
        let ended = self.converse().await;
        if matches!(ended, Ended::Outstayed) {
            // It was not read for as long as there was time; nor would this be.
            self.batch.output.clear();
        }
        // Replies to what came before a `quit` or a refusal that closes.
        let ended = self.flush().await.err().unwrap_or(ended);
        self.pen.link.close().await;
        buffers::give_back(&mut self.batch.input);
        buffers::give_back(&mut self.batch.output);
        ended
    }

    async fn converse(&mut self) -> Ended {
        let mut wanted = 1;
        let mut turn = 0;
        loop {
            let filled = match self.pen.link.fill(&mut self.batch.input, wanted).await {
                Ok(filled) => filled,
                Err(ended) => return ended,
            };
            let service = &self.pen.service;
            let traffic = service.counters().traffic(self.pen.admission.number);
            traffic.bytes_read.fetch_add(filled.bytes as u64, Relaxed);
            turn = if filled.waited { 0 } else { turn } + filled.bytes;
            if self.batch.input.len() < wanted {
                continue;
            }
            match self.answer().await {
                Ok(more) => wanted = more,
                Err(ended) => return ended,
            }
            if turn >= TURN_BYTES_MAX {
                turn = 0;
                if self.pen.link.is_stopping() {
                    // What was in hand when the stop came has long been answered; this client would go on for ever.
                    return Ended::Stopped;
                }
                let service = &self.pen.service;
                let traffic = service.counters().traffic(self.pen.admission.number);
                traffic.yields.fetch_add(1, Relaxed);
                tokio::task::yield_now().await;
            }
        }
    }

    /// Executes every complete command of the input and sends the replies. Gives the number of bytes that the input must
    /// hold before there can be another one.
    async fn answer(&mut self) -> Result<usize, Ended> {
        let now = self.pen.service.now();
        self.pen.admission.begin(now);
        self.batch.begin(now);
        if self.batch.output.capacity() == 0 {
            self.batch.output = buffers::borrow();
        }
        let wanted = loop {
            match self.execute().await? {
                Outcome::Answered { wanted } => break wanted,
                Outcome::Full => self.flush().await?,
                Outcome::Asked(Ask::Shutdown(shutdown)) => {
                    shut_down(&self.pen.service, shutdown, &mut self.batch.output)?;
                }
                Outcome::Asked(Ask::Watch(kinds)) => return Err(self.look_on(kinds).await),
                Outcome::Asked(Ask::Switch(filename)) => self.switch(filename).await?,
                Outcome::Asked(Ask::Range(walk)) => self.range(walk).await?,
                Outcome::Asked(Ask::DatasetStatistics) => self.dataset_statistics(),
                Outcome::Quit => return Err(Ended::Quit),
                Outcome::Refused(kind) => return Err(Ended::Refused(kind)),
                // `execute` has seen to it.
                Outcome::Paused => {}
            }
        };
        self.batch.drop_done();
        self.flush().await?;
        buffers::give_back(&mut self.batch.output);
        self.pen.admission.end();
        Ok(wanted)
    }

    /// Executes commands, all on one dataset, until there is something else to do and none of them is half answered.
    async fn execute(&mut self) -> Result<Outcome, Ended> {
        let served = self.reader.dataset();
        let Some(dataset) = &served.dataset else {
            return Err(Ended::Stopped);
        };
        let mut outcome = dataset.answer(&mut self.batch).await?;
        while outcome == Outcome::Paused {
            self.pen.pause(&mut self.batch.output, &served.leave).await?;
            outcome = dataset.answer(&mut self.batch).await?;
        }
        Ok(outcome)
    }

    /// Sends what is there. No command is in the middle of its reply, so the dataset is not held meanwhile.
    async fn flush(&mut self) -> Result<(), Ended> {
        self.reader.park();
        self.pen.send(&mut self.batch.output).await
    }

    /// Replaces the dataset for all connections, and answers when that is done. The connection that asks is not waited for: it
    /// holds nothing meanwhile, and goes on with the new dataset.
    async fn switch(&mut self, filename: String) -> Result<(), Ended> {
        self.flush().await?;
        let datasets = Arc::clone(self.pen.service.datasets());
        self.reader = datasets.reader();
        let switched = if datasets.read_only() {
            Response::ServerError(READ_ONLY).encode(&mut self.batch.output);
            return Ok(());
        } else {
            self.pen.link.during(datasets.switch(filename)).await?
        };
        let output = &mut self.batch.output;
        match switched {
            Ok(_) => Response::Ok.encode(output),
            Err(error) if error.is_by_client() => Response::ClientError(error.to_string().as_bytes()).encode(output),
            Err(error) => Response::ServerError(error.to_string().as_bytes()).encode(output),
        }
        Ok(())
    }

    /// Lists items, all of one dataset.
    async fn range(&mut self, mut walk: RangeWalk) -> Result<(), Ended> {
        let served = self.reader.dataset();
        let Some(dataset) = &served.dataset else {
            return Err(Ended::Stopped);
        };
        let now = self.batch.now();
        while dataset.range(&mut walk, now, &mut self.batch.output).await? {
            self.pen.pause(&mut self.batch.output, &served.leave).await?;
        }
        Ok(())
    }

    /// Tells of the dataset what `stats` does not.
    fn dataset_statistics(&mut self) {
        let datasets = self.pen.service.datasets();
        let output = &mut self.batch.output;
        let mut stat = |name: &str, value: &str| {
            let (name, value) = (name.as_bytes(), value.as_bytes());
            Response::Stat { name, value }.encode(output);
        };
        datasets.describe(&mut stat);
        let served = self.reader.dataset();
        stat("generation", &served.generation().to_string());
        if let Some(dataset) = &served.dataset {
            let statistics = dataset.statistics();
            stat("items", &statistics.curr_items.to_string());
            stat("bytes", &statistics.bytes.to_string());
            dataset.figures(&mut stat);
        }
        Response::End.encode(output);
    }

    /// Sends what a watcher is told until the connection ends. As with memcached, what it sends itself is not looked at, nor
    /// does it have to send anything to be no idler.
    async fn look_on(&mut self, kinds: Kinds) -> Ended {
        let watcher = self.pen.service.watchers().watch(kinds);
        Response::Ok.encode(&mut self.batch.output);
        self.pen.admission.end();
        loop {
            if let Err(ended) = self.flush().await {
                return ended;
            }
            let output = &mut self.batch.output;
            if let Err(ended) = self.pen.link.overhear(|cx| watcher.poll_lines(cx, output)).await {
                return ended;
            }
        }
    }
}

impl<B, T> Pen<B, T>
where
    B: Backend,
    T: AsyncRead + AsyncWrite + Unpin,
{
    /// Sends `output` and counts it.
    async fn send(&mut self, output: &mut Vec<u8>) -> Result<(), Ended> {
        if output.is_empty() {
            return Ok(());
        }
        self.count(output.len());
        self.link.flush(output).await?;
        self.detained.give_back();
        Ok(())
    }

    /// A command is in the middle of its reply. Sends `output` if there is much of it, but waits for the client no longer
    /// than until `leave` is given: then the rest of the reply is for the output, as far as there is room.
    async fn pause(&mut self, output: &mut Vec<u8>, leave: &Signal) -> Result<(), Ended> {
        if output.len() >= OUTPUT_BYTES_MAX && !leave.is_given() {
            let waiting = output.len();
            self.link.flush_until(output, &mut leave.watch()).await?;
            self.count(waiting - output.len());
        }
        if leave.is_given() && !self.detained.take(output.len()) {
            self.service.datasets().figures.hung_up.fetch_add(1, Relaxed);
            return Err(Ended::Outstayed);
        }
        // The command may go over the whole store: others have their turn.
        tokio::task::yield_now().await;
        Ok(())
    }

    fn count(&self, bytes: usize) {
        let traffic = self.service.counters().traffic(self.admission.number);
        traffic.bytes_written.fetch_add(bytes as u64, Relaxed);
    }
}

/// Both modes are graceful here: memcached's immediate one gives up what other connections have in hand.
fn shut_down<B: Backend>(service: &Service<B>, shutdown: Shutdown, output: &mut Vec<u8>) -> Result<(), Ended> {
    match shutdown.mode {
        ShutdownMode::Immediate | ShutdownMode::Graceful => {
            tracing::info!("a client sent the shutdown command");
            service.stop();
            Err(Ended::Quit)
        }
        ShutdownMode::Unknown => {
            if !shutdown.noreply {
                SHUTDOWN_MODE_INVALID.encode(output);
            }
            Ok(())
        }
    }
}
