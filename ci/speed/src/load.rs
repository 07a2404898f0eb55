//! The generator: one thread, all connections, answers compared with what they must be.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::requests::{Answer, Pipeline};

/// A server that says nothing for so long has hung.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was seen in one measurement.
pub(crate) struct Seen {
    /// Pipelines that were answered.
    pub(crate) pipelines: u64,
    pub(crate) elapsed: Duration,
    /// From the first byte sent of a pipeline to the last of its answer, in nanoseconds.
    pub(crate) latencies: Histogram<u64>,
}

/// Connections to one server.
pub(crate) struct Load {
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    scratch: Vec<u8>,
}

struct Client {
    stream: TcpStream,
    /// The pipeline in hand.
    pipeline: usize,
    sent: usize,
    received: usize,
    since: Instant,
}

impl Load {
    pub(crate) fn connect(address: SocketAddr, connections: usize) -> anyhow::Result<Load> {
        let poll = Poll::new()?;
        let mut clients = Vec::new();
        for number in 0..connections {
            let stream = std::net::TcpStream::connect(address)
                .with_context(|| format!("connection {number} of {connections} to {address} cannot be made"))?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut stream, Token(number), interest)?;
            clients.push(Client {
                stream,
                pipeline: 0,
                sent: 0,
                received: 0,
                since: Instant::now(),
            });
        }
        Ok(Load {
            poll,
            events: Events::with_capacity(connections.max(64)),
            clients,
            scratch: vec![0; 1 << 18],
        })
    }

    /// Sends pipelines one after the other on each connection, in their order and over again, for as long as `time`; then
    /// waits for what is under way.
    pub(crate) fn run(&mut self, pipelines: &[Pipeline], time: Duration) -> anyhow::Result<Seen> {
        self.run_until(pipelines, |elapsed| elapsed >= time)
    }

    /// The same until `done`, which is given the time that has passed.
    pub(crate) fn run_until(
        &mut self,
        pipelines: &[Pipeline],
        mut done: impl FnMut(Duration) -> bool,
    ) -> anyhow::Result<Seen> {
        let mut seen = Seen {
            pipelines: 0,
            elapsed: Duration::ZERO,
            latencies: Histogram::new_with_bounds(1, PATIENCE.as_nanos() as u64, 3)?,
        };
        let start = Instant::now();
        let mut next = 0;
        let mut under_way = 0;
        for client in &mut self.clients {
            client.begin(next % pipelines.len());
            next += 1;
            under_way += 1;
            client.send(pipelines)?;
        }
        while under_way > 0 {
            self.poll.poll(&mut self.events, Some(PATIENCE))?;
            ensure!(!self.events.is_empty(), "the server said nothing for {PATIENCE:?}");
            for event in &self.events {
                let client = &mut self.clients[event.token().0];
                client.send(pipelines)?;
                while client.receive(pipelines, &mut self.scratch)? {
                    seen.pipelines += 1;
                    let now = Instant::now();
                    seen.latencies.saturating_record((now - client.since).as_nanos() as u64);
                    if done(now - start) {
                        client.rest(pipelines.len());
                        under_way -= 1;
                        break;
                    }
                    client.begin(next % pipelines.len());
                    next += 1;
                    client.send(pipelines)?;
                }
            }
        }
        seen.elapsed = start.elapsed();
        Ok(seen)
    }
}

impl Client {
    fn begin(&mut self, pipeline: usize) {
        self.pipeline = pipeline;
        self.sent = 0;
        self.received = 0;
        self.since = Instant::now();
    }

    /// There is no such pipeline: nothing is sent, nothing received.
    fn rest(&mut self, pipelines: usize) {
        self.pipeline = pipelines;
    }

    fn send(&mut self, pipelines: &[Pipeline]) -> anyhow::Result<()> {
        let Some(pipeline) = pipelines.get(self.pipeline) else {
            return Ok(());
        };
        while self.sent < pipeline.sent.len() {
            match self.stream.write(&pipeline.sent[self.sent..]) {
                Ok(bytes) => self.sent += bytes,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("a request cannot be sent"),
            }
        }
        Ok(())
    }

    /// Reads what is there. Answers whether the pipeline is answered.
    fn receive(&mut self, pipelines: &[Pipeline], scratch: &mut [u8]) -> anyhow::Result<bool> {
        let Some(Pipeline { answer, .. }) = pipelines.get(self.pipeline) else {
            return Ok(false);
        };
        loop {
            match self.stream.read(scratch) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(bytes) => {
                    answer.check(self.received, &scratch[..bytes])?;
                    self.received += bytes;
                    if self.received == answer.bytes {
                        return Ok(true);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("an answer cannot be read"),
            }
        }
    }
}

impl Answer {
    /// Whether `bytes` are right at offset `at`. A server that answers something else is not fast, it is wrong.
    fn check(&self, at: usize, bytes: &[u8]) -> anyhow::Result<()> {
        let end = at + bytes.len();
        let right = match &self.whole {
            Some(whole) => whole.get(at..end) == Some(bytes),
            None => end < self.bytes || (end == self.bytes && bytes.ends_with(b"\n")),
        };
        let shown = &bytes[..bytes.len().min(60)];
        ensure!(
            right,
            "a wrong answer, at byte {at} of {}: {}",
            self.bytes,
            shown.escape_ascii()
        );
        Ok(())
    }
}
