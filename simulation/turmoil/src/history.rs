//! What happened in a world, in the order in which it happened.
//!
//! A world runs on one thread, so the order of the events is an order of the real world: what comes later cannot have caused
//! what comes before. Checkers go by places in it. The times beside are those of the hosts, and only durations on one host
//! mean anything.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::command::{Command, Reply};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The time of the host.
    pub at: Duration,
    /// What happened.
    pub what: What,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The server was started, once more.
    Started,
    /// It could not be started.
    NotStarted(String),
    /// It was asked to stop.
    Stopping,
    /// It stopped in good order.
    Stopped,
    /// Its machine broke down.
    Crashed,
    /// The network or a disk did something to somebody.
    Trouble(String),
    /// The syncs of a file are about to fail.
    DiskFails {
        /// The stem of the file.
        stem: String,
        /// How many still succeed.
        after: u64,
    },
    /// A client has a connection.
    Connected {
        /// Its number, of all connections.
        connection: u32,
        /// The client.
        client: u32,
    },
    /// The last byte of a command is about to be sent.
    Sent {
        /// On this connection.
        connection: u32,
        /// Its number, of all commands.
        number: u64,
        /// What is asked.
        command: Command,
    },
    /// A command was answered.
    Answered {
        /// Its number.
        number: u64,
        /// What was told.
        reply: Reply,
    },
    /// A client's connection ended.
    Ended {
        /// Its number.
        connection: u32,
        /// How.
        how: Ending,
    },
    /// A switch was asked for.
    Ordered {
        /// Its number, of all orders.
        order: u32,
        /// The file.
        filename: String,
    },
    /// The order was answered.
    Obeyed {
        /// Its number.
        order: u32,
        /// How.
        answer: Answer,
    },
    /// The status was told, to whom had asked at a moment.
    Status {
        /// When it was asked for: the place in the history.
        asked: usize,
        /// The generation that it names.
        generation: u64,
        /// The file.
        filename: String,
    },
    /// The server looks for a file.
    Sought {
        /// Its name.
        filename: String,
    },
    /// The server has opened a dataset and checked it.
    Opened {
        /// Its number, of all datasets that were ever opened; the value of its marker has it.
        dataset: u32,
        /// Its file.
        filename: String,
        /// How many records it had.
        keys: u64,
    },
    /// The server has closed it.
    Closed {
        /// Its number.
        dataset: u32,
        /// What went wrong.
        fault: Option<String>,
    },
    /// It was dropped without being closed.
    Dropped {
        /// Its number.
        dataset: u32,
    },
    /// What a file has when nobody has it open any longer.
    Left {
        /// The file.
        filename: String,
        /// A key.
        key: String,
        /// What it has; none if it is not there.
        value: Option<String>,
    },
    /// Code panicked.
    Panicked(String),
}

/// How a client's connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client closed it, and all was answered.
    ByClient,
    /// The server closed it.
    ByServer,
    /// It broke, or was refused.
    Broken(String),
    /// The client lost patience.
    TimedOut,
    /// What came made no sense.
    Nonsense(String),
}

/// What an order was answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It was done.
    Switched {
        /// The generation that it names.
        generation: u64,
        /// The file that it names.
        filename: String,
        /// How many records the dataset had.
        keys: u64,
        /// Whether the old one is closed.
        drained: bool,
    },
    /// It was not done.
    Refused {
        /// The status of HTTP.
        status: u16,
        /// Whether a cause was given.
        explained: bool,
    },
    /// Nothing came.
    Nothing(String),
}

/// A history in the making. Clones are handles to the same one.
#[derive(Clone, Debug, Default)]
pub struct History {
    events: Arc<Mutex<Vec<Event>>>,
    paused: Arc<AtomicBool>,
}

impl History {
    /// Notes what happens now.
    pub fn note(&self, what: What) {
        if self.paused.load(Relaxed) && !matches!(what, What::Panicked(_)) {
            return;
        }
        let mut events = self.events();
        // Between the steps of the world there is no host, and no time passes.
        let before = || events.last().map_or(Duration::ZERO, |event| event.at);
        let at = turmoil::sim_elapsed().unwrap_or_else(before);
        events.push(Event { at, what });
    }

    /// Does something of which nothing is noted but panics: the tasks of a machine that breaks down are dropped in an order that
    /// depends on how many tasks the process has ever had.
    pub fn silently<R>(&self, act: impl FnOnce() -> R) -> R {
        self.paused.store(true, Relaxed);
        let result = act();
        self.paused.store(false, Relaxed);
        result
    }

    /// The place that the next event will have.
    pub fn place(&self) -> usize {
        self.events().len()
    }

    /// What has happened so far.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.events())
    }

    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        // An event is pushed whole or not at all.
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A history as text, one event on a line.
pub fn rendered(events: &[Event]) -> String {
    let mut text = String::new();
    for (place, event) in events.iter().enumerate() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{place:5} {:9.3} {}", event.at.as_secs_f64() * 1e3, event.what);
    }
    text
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Started => f.write_str("server      starts"),
            What::NotStarted(cause) => write!(f, "server      cannot start: {cause}"),
            What::Stopping => f.write_str("server      is asked to stop"),
            What::Stopped => f.write_str("server      has stopped"),
            What::Crashed => f.write_str("server      crashes"),
            What::Trouble(what) => write!(f, "world       {what}"),
            What::DiskFails { stem, after } => write!(f, "world       lets syncs of {stem} fail after {after} more"),
            What::Connected { connection, client } => {
                write!(f, "client {client:<4} has connection {connection}")
            }
            What::Sent {
                connection,
                number,
                command,
            } => write!(f, "conn {connection:<6} #{number} > {command}"),
            What::Answered { number, reply } => write!(f, "            #{number} < {reply}"),
            What::Ended { connection, how } => write!(f, "conn {connection:<6} ended: {how:?}"),
            What::Ordered { order, filename } => write!(f, "order {order:<5} > {filename:?}"),
            What::Obeyed { order, answer } => write!(f, "order {order:<5} < {answer:?}"),
            What::Status {
                asked,
                generation,
                filename,
            } => write!(f, "status      asked at {asked}: generation {generation}, {filename}"),
            What::Sought { filename } => write!(f, "server      looks for {filename:?}"),
            What::Opened {
                dataset,
                filename,
                keys,
            } => write!(f, "dataset {dataset:<3} opened from {filename}, {keys} keys"),
            What::Closed { dataset, fault: None } => write!(f, "dataset {dataset:<3} closed"),
            What::Closed {
                dataset,
                fault: Some(fault),
            } => write!(f, "dataset {dataset:<3} closed with a fault: {fault}"),
            What::Dropped { dataset } => write!(f, "dataset {dataset:<3} dropped, not closed"),
            What::Left { filename, key, value } => match value {
                Some(value) => write!(f, "file        {filename} has {key}={value}"),
                None => write!(f, "file        {filename} has no {key}"),
            },
            What::Panicked(message) => write!(f, "panic       {message}"),
        }
    }
}
