//! One connection under load, and the judge of all its answers.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::datasets::Dataset;
use crate::expectation::{Command, Keeping, Own};
use crate::process::PATIENCE;
use crate::timing::Timing;

/// Items that each connection has for itself.
const OWN_ITEMS: u64 = 4;

/// Between an answer and the next request, in milliseconds: the server is under load, not overwhelmed.
const PAUSE_MS: RangeInclusive<u64> = 5..=35;

/// What went wrong on a connection, which ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An answer that no dataset gives that may answer.
    Wrong,
    /// A command that was refused, or not answered.
    Failed,
    /// The connection ended.
    Dropped,
}

/// A kind of fault, and what happened.
pub(crate) struct Fault(pub(crate) Kind, pub(crate) String);

/// What all connections and the one who swaps know.
pub(crate) struct Shared {
    datasets: [Dataset; 2],
    keeping: Keeping,
    /// The generation of the last swap that has answered: what is asked now is answered by it or a later one.
    answered: Cell<u64>,
    /// That of the last swap that has been asked for: nothing is answered by a later one.
    begun: Cell<u64>,
    ended: Cell<bool>,
    faults: RefCell<Vec<Fault>>,
    timing: RefCell<Timing>,
}

impl Shared {
    pub(crate) fn new(datasets: [Dataset; 2], keeping: Keeping) -> Shared {
        Shared {
            datasets,
            keeping,
            answered: Cell::new(1),
            begun: Cell::new(1),
            ended: Cell::new(false),
            faults: RefCell::default(),
            timing: RefCell::default(),
        }
    }

    /// The one that a generation serves: they take turns.
    pub(crate) fn dataset(&self, generation: u64) -> &Dataset {
        &self.datasets[usize::from(generation.is_multiple_of(2))]
    }

    /// A swap will be asked for. Gives the generation that it makes.
    pub(crate) fn begin_swap(&self) -> u64 {
        self.begun.set(self.begun.get() + 1);
        self.begun.get()
    }

    /// It has answered.
    pub(crate) fn end_swap(&self, sent: Instant, load: Duration) {
        self.answered.set(self.begun.get());
        self.timing.borrow_mut().swapped(self.begun.get(), sent, load);
    }

    pub(crate) fn all_have_seen(&self, generation: u64, connections: usize) -> bool {
        // A connection with a fault sees no more.
        self.timing.borrow().seen_by(generation) + self.faults.borrow().len() >= connections
    }

    /// The connections are to end.
    pub(crate) fn end(&self) {
        self.ended.set(true);
    }

    pub(crate) fn faults(&self) -> Ref<'_, [Fault]> {
        Ref::map(self.faults.borrow(), Vec::as_slice)
    }

    pub(crate) fn timing(&self) -> Ref<'_, Timing> {
        self.timing.borrow()
    }

    fn timing_mut(&self) -> RefMut<'_, Timing> {
        self.timing.borrow_mut()
    }
}

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    shared: Rc<Shared>,
    number: usize,
    random: u64,
    own: Own,
    /// The oldest generation that may answer: none that is older than what has answered already, none that was replaced
    /// before the question was sent.
    seen: u64,
    /// The newest generation that has answered for certain.
    announced: u64,
    writes: u64,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, shared: Rc<Shared>, seed: u64, number: usize) -> Client {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let own = Own::new(number, shared.keeping);
        Client {
            stream,
            shared,
            number,
            random: (seed << 32 | number as u64).wrapping_mul(0x2545_f491_4f6c_dd1d) | 1,
            own,
            seen: 1,
            announced: 1,
            writes: 0,
        }
    }

    /// Asks and judges until it is to end, or there was a fault.
    pub(crate) async fn run(mut self) {
        while !self.shared.ended.get() {
            let pause = PAUSE_MS.start() + self.draw(PAUSE_MS.end() - PAUSE_MS.start() + 1);
            tokio::time::sleep(Duration::from_millis(pause)).await;
            let commands = self.choose();
            if let Err(fault) = self.ask(commands).await {
                self.shared.faults.borrow_mut().push(fault);
                return;
            }
        }
    }

    /// A random number below `end`: xorshift, which is enough to vary what is asked.
    fn draw(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % end
    }

    /// What is sent in one go.
    fn choose(&mut self) -> Vec<Command> {
        let slot = self.draw(OWN_ITEMS) as usize;
        match self.draw(10) {
            0..=2 => vec![self.get(1)],
            // One command: all of its values come from one dataset.
            3..=4 => vec![self.get(20)],
            5..=6 => (0..5).map(|_| self.get(1)).collect(),
            7..=8 => vec![self.get(1), Command::GetOwn(slot), self.get(3)],
            _ => {
                self.writes += 1;
                let value = format!("{}.{}", self.number, self.writes);
                // What is asked before and after tells which dataset the change has gone to.
                vec![self.probe(), Command::SetOwn(slot, value), self.probe()]
            }
        }
    }

    /// A get of random records, of which some are in one dataset only, and some in none.
    fn get(&mut self, count: usize) -> Command {
        let records = self.shared.datasets.map(|dataset| dataset.records);
        let end = records[0].max(records[1]) * 11 / 10;
        Command::Get((0..count).map(|_| self.draw(end)).collect())
    }

    /// A get of a record that both datasets have: its value tells them apart.
    fn probe(&mut self) -> Command {
        let records = self.shared.datasets.map(|dataset| dataset.records);
        Command::Get(vec![self.draw(records[0].min(records[1]))])
    }

    async fn ask(&mut self, commands: Vec<Command>) -> Result<(), Fault> {
        let mut request = Vec::new();
        for command in &commands {
            command.write(&self.own, &mut request);
        }
        let sent = Instant::now();
        self.seen = self.seen.max(self.shared.answered.get());
        let replies = tokio::time::timeout(PATIENCE, self.exchange(&request, &commands))
            .await
            .map_err(|_| Fault(Kind::Failed, format!("{commands:?} was not answered")))??;
        self.shared.timing_mut().answered(sent);
        self.judge(commands, &replies, sent)
    }

    /// Sends the request, and gives the reply to each command.
    async fn exchange(&mut self, request: &[u8], commands: &[Command]) -> Result<Vec<String>, Fault> {
        let dropped = |error: std::io::Error| Fault(Kind::Dropped, format!("at {commands:?}: {error}"));
        self.stream.write_all(request).await.map_err(dropped)?;
        let mut received = Vec::new();
        let mut replies = Vec::new();
        loop {
            while let Some(length) = commands
                .get(replies.len())
                .and_then(|command| command.reply_length(&received))
            {
                let rest = received.split_off(length);
                let reply = std::mem::replace(&mut received, rest);
                replies.push(String::from_utf8_lossy(&reply).into_owned());
            }
            if replies.len() == commands.len() {
                break;
            }
            if self.stream.read_buf(&mut received).await.map_err(dropped)? == 0 {
                return Err(Fault(Kind::Dropped, format!("at {commands:?}")));
            }
        }
        if !received.is_empty() {
            let surplus = received.escape_ascii();
            return Err(Fault(
                Kind::Wrong,
                format!("{commands:?} was answered {replies:?}, and then {surplus}"),
            ));
        }
        Ok(replies)
    }

    /// Holds each reply against every generation that may have given it.
    fn judge(&mut self, commands: Vec<Command>, replies: &[String], sent: Instant) -> Result<(), Fault> {
        let newest = self.shared.begun.get();
        let mut spans = Vec::new();
        for (command, reply) in commands.iter().zip(replies) {
            let mut possible = (self.seen..=newest).filter(|&generation| {
                command.is_answered(reply, self.shared.dataset(generation), generation, &self.own)
            });
            let Some(first) = possible.next() else {
                let (number, oldest, reply) = (self.number, self.seen, reply.trim_end());
                let story = format!(
                    "connection {number}: {command:?} was answered {reply:?}, as no generation from {oldest} to {newest} does"
                );
                let refused = reply.contains("ERROR") || reply == "NOT_STORED";
                let kind = if refused { Kind::Failed } else { Kind::Wrong };
                return Err(Fault(kind, story));
            };
            let last = possible.next_back().unwrap_or(first);
            self.see(first);
            if last < newest {
                self.shared.timing_mut().not_seen(newest, sent);
            }
            spans.push(first..=last);
        }
        // A change lies between what was asked before and after it.
        for (index, command) in commands.into_iter().enumerate() {
            if let Command::SetOwn(slot, value) = command {
                let generations = *spans[index - 1].start()..=*spans[index + 1].end();
                self.own.changed(slot, &value, generations);
            }
        }
        Ok(())
    }

    /// This generation has answered, or a later one.
    fn see(&mut self, generation: u64) {
        for seen in self.announced + 1..=generation {
            self.shared.timing_mut().seen(seen);
        }
        self.announced = self.announced.max(generation);
        self.seen = self.seen.max(generation);
    }
}
