//! What a fault is: where it is planted, what is wrong, and which case must find it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mcspec_suite::play::Delivery;
use refcached::{Config, DIALECT};
use refcached_store::item::Item;
use refcached_store::{Change, Timestamp};

use crate::command::Command;

/// One planted fault.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Its name, unique.
    pub name: &'static str,
    /// What is wrong with the server.
    pub wrong: &'static str,
    /// The real fault that it is modelled on, if there was one.
    pub after: Option<&'static str>,
    /// The case that must fail.
    pub killer: &'static str,
    /// The delivery in which it must; another one than `Whole` where the fault shows in no other.
    pub delivery: Delivery,
    /// The release whose answers must be demanded: the fault is how others answer.
    pub dialect: Option<&'static str>,
    /// Where it is planted.
    pub planted: Planted,
}

/// The seam of the reference server at which a fault is planted, and what happens there.
#[derive(Debug, Clone, Copy)]
pub enum Planted {
    /// Before a command reaches the server.
    Request(fn(&mut Command)),
    /// Before its reply, given with it, reaches the client.
    Reply(fn(&Command, &mut Vec<u8>)),
    /// Both, with what one connection or all of them remember.
    Talk(fn(&mut Conn, &mut Command), fn(&mut Conn, &Command, &mut Vec<u8>)),
    /// Bytes as one read has brought them, before they are cut into commands.
    Arriving(fn(&mut Conn, &mut Vec<u8>)),
    /// Bytes as one write would take them.
    Leaving(fn(&mut Conn, &mut Vec<u8>)),
    /// The end of what a client sends; the bytes that are no whole command are given, and what is left of them is executed.
    Ending(fn(&mut Conn, &mut Vec<u8>)),
    /// What commands are shown of an item; the second argument is none if it is not there.
    Shown(for<'i> fn(&Act<'_>, &mut Option<Item<'i>>)),
    /// What a command decided, before it is done.
    Change(for<'i, 'd> fn(&Act<'_>, Option<Item<'i>>, &mut Change<'d>)),
    /// Under which key an item is kept.
    Key(fn(&[u8]) -> Vec<u8>),
    /// When a flush takes effect, given that and the time; none is never.
    Flush(fn(Timestamp, Timestamp) -> Option<Timestamp>),
    /// What time it is, given that and the time of the start.
    Clock(fn(Timestamp, Timestamp) -> Timestamp),
    /// What the server has been told.
    Config(fn(&mut Config)),
}

/// A command that meets an item.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// The command's name.
    pub verb: &'static str,
    /// The key.
    pub key: &'a [u8],
    /// The time.
    pub now: Timestamp,
}

/// What connections remember.
#[derive(Debug, Default)]
pub struct Conn {
    /// Which connection it is, from 0.
    pub number: u64,
    /// Commands so far on this connection, the one in hand included.
    pub commands: u64,
    /// Of this connection alone, under names of the fault's own.
    pub mine: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Bytes that have arrived behind the command in hand.
    pub behind: usize,
    /// The bytes that have arrived and are no whole command yet.
    pub waiting: Vec<u8>,
    /// The line of the last command.
    pub last: Vec<u8>,
    /// What has arrived behind the command in hand is dropped.
    pub drop_rest: bool,
    /// The connection ends as soon as what was answered has been sent.
    pub hang_up: bool,
    pub(crate) shared: Arc<Mutex<BTreeMap<Vec<u8>, Vec<u8>>>>,
}

impl Conn {
    /// What all connections remember.
    pub fn ours(&self) -> MutexGuard<'_, BTreeMap<Vec<u8>, Vec<u8>>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    /// A fault that shows in every delivery.
    pub(crate) const fn new(name: &'static str, wrong: &'static str, killer: &'static str, planted: Planted) -> Self {
        Fault {
            name,
            wrong,
            after: None,
            killer,
            delivery: Delivery::Whole,
            dialect: None,
            planted,
        }
    }

    /// The real fault that it is modelled on.
    pub(crate) const fn after(mut self, source: &'static str) -> Self {
        self.after = Some(source);
        self
    }

    /// Shows only to a run that demands the answers of the newest release: older ones do so.
    pub(crate) const fn once_right(mut self) -> Self {
        self.dialect = Some(DIALECT);
        self
    }

    /// Shows in this delivery only.
    pub(crate) const fn only(mut self, delivery: Delivery) -> Self {
        self.delivery = delivery;
        self
    }
}

impl Planted {
    /// The seam's name, for lists.
    pub fn seam(self) -> &'static str {
        match self {
            Planted::Request(_) => "request",
            Planted::Reply(_) => "reply",
            Planted::Talk(..) => "request and reply",
            Planted::Arriving(_) | Planted::Leaving(_) | Planted::Ending(_) => "connection",
            Planted::Shown(_) | Planted::Change(_) | Planted::Key(_) | Planted::Flush(_) => "store",
            Planted::Clock(_) => "clock",
            Planted::Config(_) => "configuration",
        }
    }
}
