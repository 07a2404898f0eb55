//! What one read has brought, and the replies to it: the unit in which a dataset is asked.
//!
//! A batch owns its bytes, so that a backend may execute it in place or hand it to another thread, and it remembers where it
//! stands, so that a command which pauses in the middle of its reply is gone on with by asking the same dataset again.

use refcached_protocol::request::Shutdown;
use refcached_protocol::{Limits, Parser, Refusal, RefusalKind, Request, Step};
use refcached_store::{Cursor, Engine, Kinds, Progress, Store, Timestamp};

use crate::ahead::Ahead;
use crate::extensions::{self, RangeWalk};

/// Replies are sent when this many bytes of them are waiting. A single value may exceed it.
pub(crate) const OUTPUT_BYTES_MAX: usize = 256 << 10;

/// Requests of one connection that wait to be answered, and the answers that wait to be sent.
#[derive(Debug)]
pub struct Batch {
    parser: Parser,
    /// Received and not dropped yet.
    pub(crate) input: Vec<u8>,
    /// Bytes at the beginning of `input` that are done with.
    done: usize,
    /// Answered and not sent yet.
    pub(crate) output: Vec<u8>,
    now: Timestamp,
    /// Where the command stands that `input[done..]` begins with, if it has begun.
    paused: Option<Cursor>,
    offers: Offers,
}

/// What a server offers beyond what the engine knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offers {
    /// Whether `shutdown` is obeyed.
    pub(crate) shutdown: bool,
    /// Whether `watch` is obeyed.
    pub(crate) watch: bool,
    /// Whether there are commands that memcached does not have.
    pub(crate) extensions: bool,
}

impl Offers {
    /// What the request asks of the server, if it is none for the dataset.
    #[inline]
    fn asks(self, request: &Request<'_>) -> Option<Ask> {
        match request {
            Request::Shutdown(shutdown) if self.shutdown => Some(Ask::Shutdown(*shutdown)),
            // Of what there is not the engine says so.
            Request::Watch(arguments) if self.watch => Kinds::of(arguments).map(Ask::Watch),
            _ => None,
        }
    }
}

/// How far a batch has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every complete command has been answered.
    Answered {
        /// The number of bytes that the input must hold before there can be another one.
        wanted: usize,
    },
    /// As many replies are waiting as may. No command is in the middle of its reply.
    Full,
    /// A command is in the middle of its reply: the rest is for the same dataset to give, once others have had their turn
    /// and the replies, if they are many, have been sent.
    Paused,
    /// The next command is not for the dataset to answer.
    Asked(Ask),
    /// The client asked to be disconnected.
    Quit,
    /// What the client sent closes the connection.
    Refused(RefusalKind),
}

/// A command for the server around the dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// `shutdown`, where it is obeyed.
    Shutdown(Shutdown),
    /// `watch`, where it is obeyed: what the client wants to know of.
    Watch(Kinds),
    /// `switchdb`, where it is offered: the file to switch to.
    Switch(String),
    /// `range`, where it is offered.
    Range(RangeWalk),
    /// `dbstats`, where it is offered.
    DatasetStatistics,
}

/// What is about to be executed.
#[derive(Clone, Copy, Debug)]
pub enum Next<'a> {
    /// A command.
    Request(&'a Request<'a>),
    /// The refusal of one, which may have to drop an item.
    Refusal(&'a Refusal<'a>),
}

impl Batch {
    pub(crate) fn new(limits: Limits, offers: Offers) -> Self {
        Batch {
            parser: Parser::new(limits),
            input: Vec::new(),
            done: 0,
            output: Vec::new(),
            now: Timestamp::from_unix_ms(0),
            paused: None,
            offers,
        }
    }

    /// What is executed from here on is executed at `now`.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// Drops the requests that are done with.
    pub(crate) fn drop_done(&mut self) {
        self.input.drain(..self.done);
        self.done = 0;
    }

    /// The time at which its commands are executed.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Executes commands on `engine` until one of the outcomes is reached.
    pub fn run<S: Store>(&mut self, engine: &Engine<S>) -> Outcome {
        let mut foreseen = self.done;
        loop {
            if foreseen <= self.done {
                foreseen = self.foresee(engine);
            }
            match self.step(engine, |_| true) {
                Taken::Next => {}
                Taken::To(outcome) => return outcome,
                // Everything is admitted.
                Taken::Declined => return Outcome::Full,
            }
        }
    }

    /// Executes commands on `engine` as long as `admits` says so, which is asked before each, and before one that has paused
    /// goes on. `None` if the next one was not admitted.
    pub fn run_while<S: Store>(
        &mut self,
        engine: &Engine<S>,
        mut admits: impl FnMut(Next<'_>) -> bool,
    ) -> Option<Outcome> {
        loop {
            let parser = self.parser.clone();
            match self.step(engine, &mut admits) {
                Taken::Next => {}
                Taken::To(outcome) => return Some(outcome),
                Taken::Declined => {
                    self.parser = parser;
                    return None;
                }
            }
        }
    }

    /// Tells the store of the keys of the next commands. Gives the place in the input up to which it has.
    fn foresee<S: Store>(&self, engine: &Engine<S>) -> usize {
        let ahead = Ahead::guess(&self.input[self.done..]);
        if let Some(keys) = ahead.keys() {
            engine.store().foresee(keys);
        }
        // With nothing to guess there is nothing to gain until the end.
        ahead.bytes().map_or(usize::MAX, |bytes| self.done + bytes)
    }

    /// Where the batch stands, to go back to.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            parser: self.parser.clone(),
            done: self.done,
            answered: self.output.len(),
            paused: self.paused,
        }
    }

    /// Takes back what was answered since `mark`, and stands there again.
    pub(crate) fn rewind(&mut self, mark: Mark) {
        self.parser = mark.parser;
        self.done = mark.done;
        self.output.truncate(mark.answered);
        self.paused = mark.paused;
    }

    /// Leaves a batch without a byte in its place.
    pub(crate) fn take(&mut self) -> Batch {
        let left = Batch::new(Limits::default(), self.offers);
        std::mem::replace(self, left)
    }

    /// Executes one command if `admits` says so.
    #[inline]
    fn step<S: Store>(&mut self, engine: &Engine<S>, mut admits: impl FnMut(Next<'_>) -> bool) -> Taken {
        if self.output.len() >= OUTPUT_BYTES_MAX && self.paused.is_none() {
            return Taken::To(Outcome::Full);
        }
        let input = &self.input[self.done..];
        let swallowing = self.parser.swallowing();
        match self.parser.next(input) {
            Step::Incomplete { consumed, wanted } => {
                self.done += consumed;
                Taken::To(Outcome::Answered { wanted })
            }
            Step::Request { request, .. } if !admits(Next::Request(&request)) => Taken::Declined,
            Step::Request { request, consumed } => {
                if let Some(ask) = self.offers.asks(&request) {
                    self.done += consumed;
                    return Taken::To(Outcome::Asked(ask));
                }
                let progress = match self.paused.take() {
                    None => engine.execute(&request, self.now, &mut self.output),
                    Some(cursor) => engine.resume(&request, cursor, self.now, &mut self.output),
                };
                match progress {
                    Progress::Done => {
                        self.done += consumed;
                        Taken::Next
                    }
                    Progress::More(cursor) => {
                        // It is judged again when it goes on; what was swallowed before it is not there again.
                        self.done += swallowed(swallowing, input);
                        self.paused = Some(cursor);
                        Taken::To(Outcome::Paused)
                    }
                    Progress::Close => {
                        self.done += consumed;
                        Taken::To(Outcome::Quit)
                    }
                }
            }
            Step::Refused { refusal, .. } if !admits(Next::Refusal(&refusal)) => Taken::Declined,
            Step::Refused { refusal, consumed } => {
                self.done += consumed;
                if refusal.kind == RefusalKind::UnknownCommand
                    && self.offers.extensions
                    && let Some(ask) = extensions::asked(&input[swallowed(swallowing, input)..consumed])
                {
                    return Taken::To(Outcome::Asked(ask));
                }
                engine.refuse(&refusal, self.now, &mut self.output);
                if refusal.closes() {
                    Taken::To(Outcome::Refused(refusal.kind))
                } else {
                    Taken::Next
                }
            }
        }
    }
}

/// Where a step has led.
enum Taken {
    /// To the next command.
    Next,
    /// To an outcome.
    To(Outcome),
    /// Nowhere: the command was not admitted. The parser has seen it, though.
    Declined,
}

/// See [`Batch::mark`].
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    parser: Parser,
    done: usize,
    answered: usize,
    paused: Option<Cursor>,
}

/// How much of a refused data block stands at the beginning of `input`.
fn swallowed(swallowing: u64, input: &[u8]) -> usize {
    usize::try_from(swallowing).map_or(input.len(), |bytes| bytes.min(input.len()))
}
