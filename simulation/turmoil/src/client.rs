//! A client: pipelines of commands, chopped as chance has it, and what comes back.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::{sleep, timeout};
use turmoil::net::TcpStream;

use crate::command::{Command, Reply};
use crate::history::{Ending, History, What};
use crate::host::{PORT, SERVER};
use crate::plan::ClientPlan;
use crate::random::Random;
use crate::workload::Workload;

/// Numbers that all clients of a world take theirs from.
#[derive(Debug, Default)]
pub struct Counters {
    connections: AtomicU32,
    commands: AtomicU64,
}

/// One client.
pub struct Client {
    number: u32,
    plan: ClientPlan,
    patience: Duration,
    history: History,
    counters: Arc<Counters>,
    random: Random,
    workload: Workload,
    /// The uniques that it was told last, by key.
    uniques: BTreeMap<String, u64>,
}

/// A command that was numbered.
type Numbered = (u64, Command);

impl Client {
    /// A client that has not begun.
    pub fn new(
        number: u32,
        plan: ClientPlan,
        patience: Duration,
        history: History,
        counters: Arc<Counters>,
        silent: bool,
        random: &Random,
    ) -> Client {
        Client {
            number,
            workload: Workload::new(number, &plan, silent, random.branch(1)),
            plan,
            patience,
            history,
            counters,
            random: random.branch(2),
            uniques: BTreeMap::new(),
        }
    }

    /// Sends all that it has to send, on as many connections as that takes.
    pub async fn run(mut self) {
        let mut left = self.plan.batches;
        while left > 0 {
            // An attempt counts, so that a server that is gone for good is given up.
            left -= 1;
            let connection = self.counters.connections.fetch_add(1, Relaxed);
            let connecting = timeout(self.patience, TcpStream::connect((SERVER, PORT)));
            let how = match connecting.await {
                Ok(Ok(stream)) => {
                    let client = self.number;
                    self.history.note(What::Connected { connection, client });
                    self.converse(stream, connection, &mut left).await
                }
                Ok(Err(error)) => Ending::Broken(format!("cannot connect: {}", error.kind())),
                Err(_) => Ending::TimedOut,
            };
            let is_bad = how != Ending::ByClient;
            self.history.note(What::Ended { connection, how });
            if is_bad {
                sleep(Duration::from_millis(self.random.within(1, 20))).await;
            }
        }
    }

    async fn converse(&mut self, stream: TcpStream, connection: u32, left: &mut u64) -> Ending {
        let (mut reading, mut writing) = tokio::io::split(stream);
        let mut received = Vec::new();
        loop {
            let batch: Vec<Numbered> = self
                .workload
                .batch(&self.uniques)
                .into_iter()
                .map(|command| (self.counters.commands.fetch_add(1, Relaxed), command))
                .collect();
            let patience = self.patience + self.plan.dawdles.unwrap_or_default();
            let exchange = self.exchange(&mut reading, &mut writing, connection, batch, &mut received);
            match timeout(patience, exchange).await {
                Ok(Ok(())) => {}
                Ok(Err(how)) => return how,
                Err(_) => return Ending::TimedOut,
            }
            if *left == 0 || self.random.percent(self.plan.leaves) {
                // A server that has gone just now does not mind.
                let _ = writing.shutdown().await;
                return Ending::ByClient;
            }
            *left -= 1;
            let pause = self.random.within(0, self.plan.pause_max.as_millis() as u64);
            sleep(Duration::from_millis(pause)).await;
        }
    }

    /// Sends a batch and takes the answers, at the same time.
    async fn exchange(
        &mut self,
        reading: &mut ReadHalf<TcpStream>,
        writing: &mut WriteHalf<TcpStream>,
        connection: u32,
        batch: Vec<Numbered>,
        received: &mut Vec<u8>,
    ) -> Result<(), Ending> {
        let asked: VecDeque<Numbered> = batch.iter().cloned().collect();
        let sender = Sender {
            history: self.history.clone(),
            connection,
            random: self.random.branch(u64::from(connection) + 7),
        };
        // The next batch is cut in other places.
        self.random.draw();
        let sending = sender.send(writing, batch);
        let receiver = Receiver {
            history: &self.history,
            uniques: &mut self.uniques,
            asked,
        };
        let dawdles = self.plan.dawdles;
        let receiving = async {
            if let Some(pause) = dawdles {
                sleep(pause).await;
            }
            receiver.receive(reading, received).await
        };
        let (sent, answered) = tokio::join!(biased; sending, receiving);
        // If the server has hung up, what it said before counts; that it cannot be written to any more is the same news.
        answered?;
        sent.map_err(|error| broken(&error))
    }
}

fn broken(error: &io::Error) -> Ending {
    Ending::Broken(error.kind().to_string())
}

struct Sender {
    history: History,
    connection: u32,
    random: Random,
}

impl Sender {
    /// Sends a batch in pieces.
    async fn send(mut self, writing: &mut WriteHalf<TcpStream>, batch: Vec<Numbered>) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut ends = VecDeque::new();
        for (number, command) in batch {
            command.encode(&mut bytes);
            ends.push_back((bytes.len(), number, command));
        }
        let piece_max = *self.random.pick(&[u64::MAX, u64::MAX, 200, 40, 9]);
        let pause_max = *self.random.pick(&[0, 0, 1, 4]);
        let mut at = 0;
        while at < bytes.len() {
            let left = (bytes.len() - at) as u64;
            let end = at + self.random.within(1, piece_max.min(left)).max(left.min(piece_max) / 2) as usize;
            while let Some((_, number, command)) = ends.pop_front_if(|(last, ..)| *last <= end) {
                self.history.note(What::Sent {
                    connection: self.connection,
                    number,
                    command,
                });
            }
            writing.write_all(&bytes[at..end]).await?;
            at = end;
            if pause_max > 0 && self.random.percent(30) {
                sleep(Duration::from_millis(self.random.within(0, pause_max))).await;
            }
        }
        writing.flush().await
    }
}

struct Receiver<'a> {
    history: &'a History,
    uniques: &'a mut BTreeMap<String, u64>,
    asked: VecDeque<Numbered>,
}

impl Receiver<'_> {
    /// Takes the answers to what was asked.
    async fn receive(mut self, reading: &mut ReadHalf<TcpStream>, received: &mut Vec<u8>) -> Result<(), Ending> {
        loop {
            self.take(received)?;
            if self.asked.is_empty() {
                return if received.is_empty() {
                    Ok(())
                } else {
                    Err(Ending::Nonsense(format!("surplus: {}", received.escape_ascii())))
                };
            }
            match reading.read_buf(received).await {
                Ok(0) => return Err(Ending::ByServer),
                Ok(_) => {}
                Err(error) => return Err(broken(&error)),
            }
        }
    }

    /// Takes the answers that are complete. Commands that are not answered were executed when a later one is answered.
    fn take(&mut self, received: &mut Vec<u8>) -> Result<(), Ending> {
        let mut done = 0;
        while let Some(position) = self.asked.iter().position(|(_, command)| command.is_answered()) {
            let (_, command) = &self.asked[position];
            let parsed = command.parse(&received[done..]);
            let Some((reply, length)) = parsed.map_err(|nonsense| Ending::Nonsense(nonsense.0))? else {
                break;
            };
            done += length;
            for (number, _) in self.asked.drain(..position) {
                self.history.note(What::Answered {
                    number,
                    reply: Reply::Silence,
                });
            }
            if let Some((number, _)) = self.asked.pop_front() {
                self.remember(&reply);
                self.history.note(What::Answered { number, reply });
            }
        }
        received.drain(..done);
        Ok(())
    }

    fn remember(&mut self, reply: &Reply) {
        if let Reply::Items(items) = reply {
            for (key, found) in items {
                if let Some(unique) = found.unique {
                    self.uniques.insert(key.clone(), unique);
                }
            }
        }
    }
}
