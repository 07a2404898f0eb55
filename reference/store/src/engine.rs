//! Requests to replies.

use std::sync::Arc;

use refcached_protocol::{Refusal, Request, Response};

use crate::environment::Environment;
use crate::store::Store;
use crate::time::Timestamp;

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
    /// The output has reached [`crate::Options::reply_bytes_max`] in the middle of the reply. The caller sends what is there and
    /// goes on with [`Engine::resume`].
    More(Cursor),
    /// The client asked to be disconnected. Replies before this one are sent first.
    Close,
}

/// Where a reply stands that is not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub(crate) u64);

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
    /// `shutdown` is answered as not enabled and `watch` as not allowed: a server that offers them deals with them itself.
    pub fn execute(&self, request: &Request<'_>, now: Timestamp, out: &mut Vec<u8>) -> Progress {
        let _ = (request, now);
        Response::Error.encode(out);
        Progress::Done
    }

    /// Goes on with a `request` that was answered in part. To the client it is one command: the same request, the same engine
    /// and the same `now` must be given as before.
    pub fn resume(&self, request: &Request<'_>, from: Cursor, now: Timestamp, out: &mut Vec<u8>) -> Progress {
        let _ = from;
        self.execute(request, now, out)
    }

    /// Does what a refused command has to do beside being answered (dropping an item that was to be replaced), and appends
    /// the answer to `out`. Whether the connection must be closed is for [`Refusal::closes`] to say.
    pub fn refuse(&self, refusal: &Refusal<'_>, now: Timestamp, out: &mut Vec<u8>) {
        let _ = now;
        refusal.encode(out);
    }
}
