//! Requests to replies.

mod administration;
mod arithmetic;
mod crawler;
mod decimal;
mod detail;
mod meta;
mod retrieval;
mod statistics;
mod storing;
mod watching;

use std::sync::Arc;

use refcached_protocol::request::{Arithmetic, Delete, FlushAll, Touch, Verbosity};
use refcached_protocol::{Refusal, RefusalKind, Request, Response};

use crate::counters::Counter;
use crate::environment::Environment;
use crate::prefixes::Event;
use crate::store::{Change, Data, Store};
use crate::time::{Expiry, Timestamp};
pub(crate) use statistics::CLASS;

/// Executes requests against a store. Cheap to make: a store and a shared environment.
pub struct Engine<S> {
    store: S,
    environment: Arc<Environment>,
}

/// How far [`Engine::execute`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// The request is done and its reply, if it has one, is in the output.
    Done,
    /// There is more to do: the output has reached [`crate::Options::reply_bytes_max`] in the middle of the reply, or the
    /// command goes over the whole store and has done a part of it. The caller sends the output if there is
    /// much in it, lets others have their turn, and goes on with [`Engine::resume`].
    More(Cursor),
    /// The client asked to be disconnected. Replies before this one are sent first.
    Close,
}

/// Where a request stands that is not done. What the number means is the affair of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub(crate) u64);

/// What a command that does not retrieve came to. The reply is left out where `noreply` asked for that.
type Answer<E> = Result<Response<'static>, E>;

impl<S: Store> Engine<S> {
    /// An engine over `store`.
    pub fn new(store: S, environment: Arc<Environment>) -> Self {
        Engine { store, environment }
    }

    /// An engine over another store with the same environment: what a backend uses that executes a batch of requests in one
    /// transaction.
    pub fn on<T: Store>(&self, store: T) -> Engine<T> {
        Engine::new(store, Arc::clone(&self.environment))
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// What this engine shares with others.
    pub fn environment(&self) -> &Arc<Environment> {
        &self.environment
    }

    /// Executes `request` at the time `now` and appends its reply to `out`.
    ///
    /// `shutdown` is answered as not enabled, and `watch` as not known or not allowed: a server that offers them deals with
    /// them itself, with the latter by [`Watchers::watch`](crate::Watchers::watch).
    #[inline]
    pub fn execute(&self, request: &Request<'_>, now: Timestamp, out: &mut Vec<u8>) -> Progress {
        match request {
            Request::Retrieve(retrieve) => self.retrieve(retrieve, retrieve.keys, now, out),
            Request::Meta(meta) => self.meta(meta, now, out),
            _ => self.execute_plain(request, now, out),
        }
    }

    /// Goes on with a `request` that was done in part. To the client it is one command: the same request, the same engine
    /// and the same `now` must be given as before.
    pub fn resume(&self, request: &Request<'_>, from: Cursor, now: Timestamp, out: &mut Vec<u8>) -> Progress {
        match request {
            Request::Retrieve(retrieve) => self.resume_retrieval(retrieve, from, now, out),
            Request::LruCrawler(arguments) => self.resume_crawl(arguments, from, now, out),
            // No other request pauses.
            _ => Progress::Done,
        }
    }

    /// Does what a refused command has to do beside being answered (dropping an item that was to be replaced), and appends
    /// the answer to `out`. Whether the connection must be closed is for [`Refusal::closes`] to say.
    pub fn refuse(&self, refusal: &Refusal<'_>, now: Timestamp, out: &mut Vec<u8>) {
        if refusal.kind == RefusalKind::TooLarge {
            self.count(Counter::StoreTooLarge);
        }
        if let Some(key) = refusal.invalidate {
            self.tell_unstored(key, "too_large", now);
            if let Err(error) = self.update(key, now, |_| (Change::Remove, ())) {
                self.failure(&error, out);
                return;
            }
        }
        refusal.encode(out);
    }

    /// The commands that are answered by one line, or by lines that no item is part of.
    fn execute_plain(&self, request: &Request<'_>, now: Timestamp, out: &mut Vec<u8>) -> Progress {
        let answer = match request {
            Request::Store(store) => self.store_item(store, now),
            Request::Delete(delete) => self.delete(delete, now),
            Request::Arithmetic(arithmetic) => self.arithmetic(arithmetic, now),
            Request::Touch(touch) => self.touch(touch, now),
            Request::FlushAll(flush) => self.flush_all(flush, now),
            Request::Verbosity(verbosity) => Ok(self.set_verbosity(*verbosity)),
            Request::MetaNoop => Ok(Response::MetaNoop),
            Request::Quit => return Progress::Close,
            Request::Version => {
                Response::Version(self.options().version.as_bytes()).encode(out);
                return Progress::Done;
            }
            Request::Stats(arguments) => {
                self.stats(arguments, now, out);
                return Progress::Done;
            }
            Request::CacheMemlimit(limit) => Ok(self.set_memory_limit(*limit, now)),
            Request::Slabs(arguments) => Ok(self.slabs(arguments)),
            Request::Lru(arguments) => Ok(self.lru(arguments)),
            Request::LruCrawler(arguments) => return self.lru_crawler(arguments, now, out),
            Request::Watch(_) if self.options().watch_enabled => Ok(Response::Error),
            Request::Watch(_) => Ok(Response::ClientError(b"watch commands not allowed")),
            Request::Shutdown(_) => Ok(refcached_protocol::response::SHUTDOWN_NOT_ENABLED),
            // Answered by `execute`.
            Request::Retrieve(_) | Request::Meta(_) => return self.execute(request, now, out),
        };
        match answer {
            Ok(response) if !request.noreply() => response.encode(out),
            Ok(_) => {}
            Err(error) => {
                let before = out.len();
                self.failure(&error, out);
                if request.noreply() {
                    out.truncate(before);
                }
            }
        }
        Progress::Done
    }

    fn delete(&self, delete: &Delete<'_>, now: Timestamp) -> Answer<S::Error> {
        self.environment.prefixes.count(delete.key, Event::Delete);
        let found = self.update(delete.key, now, |current| {
            (Change::Remove, current.map(|item| item.data.len()))
        })?;
        Ok(if let Some(data_bytes) = found {
            self.environment.watchers.deleted(delete.key, "delete", data_bytes, now);
            self.count(Counter::DeleteHits);
            Response::Deleted
        } else {
            self.count(Counter::DeleteMisses);
            Response::NotFound
        })
    }

    fn touch(&self, touch: &Touch<'_>, now: Timestamp) -> Answer<S::Error> {
        let expiry = Expiry::from_exptime(touch.exptime, now);
        let found = self.update(touch.key, now, |current| match current {
            None => (Change::Keep, false),
            Some(item) => {
                let mut attributes = item.attributes.fetched_at(now);
                attributes.expiry = expiry;
                (Change::Put(attributes, Data::Same), true)
            }
        })?;
        Ok(if found {
            self.count(Counter::TouchHits);
            Response::Touched
        } else {
            self.count(Counter::TouchMisses);
            Response::NotFound
        })
    }

    fn arithmetic(&self, request: &Arithmetic<'_>, now: Timestamp) -> Answer<S::Error> {
        let sum = arithmetic::Sum::of(request);
        Ok(match self.add(request.key, &sum, now)? {
            arithmetic::Added::Number(number) => Response::Number(number.number),
            arithmetic::Added::NotFound => Response::NotFound,
            arithmetic::Added::NonNumeric => refcached_protocol::response::NON_NUMERIC,
            // Only `ma` compares.
            arithmetic::Added::Exists => Response::Exists,
        })
    }

    fn flush_all(&self, flush: &FlushAll, now: Timestamp) -> Answer<S::Error> {
        if !self.options().flush_enabled {
            return Ok(Response::ClientError(b"flush_all not allowed"));
        }
        self.count(Counter::CmdFlush);
        let at = match flush.delay.0 {
            ..=0 => now,
            _ => Expiry::from_exptime(flush.delay, now).timestamp().unwrap_or(now),
        };
        // A Unix time before the start: nothing is older.
        if at >= self.environment.started {
            self.store.flush(at, now)?;
        }
        Ok(Response::Ok)
    }

    fn set_verbosity(&self, verbosity: Verbosity) -> Response<'static> {
        self.environment.host.set_verbosity(verbosity.level);
        Response::Ok
    }

    /// Answers that the store has failed.
    #[cold]
    fn failure(&self, error: &S::Error, out: &mut Vec<u8>) {
        self.count(Counter::StoreNoMemory);
        Response::ServerError(error.to_string().as_bytes()).encode(out);
    }

    #[inline]
    fn count(&self, counter: Counter) {
        self.environment.counters.count(counter);
    }

    fn options(&self) -> &crate::Options {
        &self.environment.options
    }
}
