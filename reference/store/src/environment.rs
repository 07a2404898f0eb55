//! What all engines of a process have in common: options, counters, the CAS counter, and the process around them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use refcached_protocol::Limits;

use crate::counters::Counters;
use crate::prefixes::Prefixes;
use crate::time::Timestamp;
use crate::tuning::Tuning;
use crate::watch::Watchers;

/// What an operator chooses.
#[derive(Clone, Debug)]
pub struct Options {
    /// What `version` answers.
    pub version: String,
    /// The limits that the parser holds requests to; here they bound what `append` and `prepend` may make.
    pub limits: Limits,
    /// A retrieval pauses with [`crate::Progress::More`] once the output holds this many bytes. One value more than that can
    /// be in the output, so it may come to this and the largest item.
    pub reply_bytes_max: usize,
    /// Whether `flush_all` is obeyed; where not, it is answered by a `CLIENT_ERROR`.
    pub flush_enabled: bool,
    /// What ends the prefix of a key in `stats detail`: memcached's `-D`.
    pub prefix_delimiter: u8,
    /// Whether `watch` is obeyed; where not, it is answered by a `CLIENT_ERROR`.
    pub watch_enabled: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            version: String::from(env!("CARGO_PKG_VERSION")),
            limits: Limits::default(),
            reply_bytes_max: 256 * 1024,
            flush_enabled: true,
            prefix_delimiter: b':',
            watch_enabled: true,
        }
    }
}

/// Where figures go that `stats` lists: called with a name and a value for each line.
pub type Sink<'a> = dyn FnMut(&str, &str) + 'a;

/// The process around the engine, as far as commands ask about it. All methods have a default that says nothing.
pub trait Host: Send + Sync {
    /// Lines for `stats` that only the process knows: `curr_connections`, `bytes_read`, `threads` ...
    fn statistics(&self, _sink: &mut Sink<'_>) {}

    /// Lines for `stats settings` that only the process knows: `maxconns`, `tcpport`, `num_threads` ...
    fn settings(&self, _sink: &mut Sink<'_>) {}

    /// Lines for `stats conns`: `<number>:addr`, `<number>:state` ...
    fn connections(&self, _now: Timestamp, _sink: &mut Sink<'_>) {}

    /// `stats reset`: the host's own counters go to zero.
    fn reset_statistics(&self) {}

    /// `verbosity`: how much to log from now on.
    fn set_verbosity(&self, _level: u32) {}
}

/// A host with nothing to tell, for tests and simulations.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHost;

impl Host for NoHost {}

/// What the engines of a process share. It outlives a dataset: when the server swaps one for another, counters go on and
/// no CAS value is given out twice.
pub struct Environment {
    pub(crate) options: Options,
    pub(crate) host: Box<dyn Host>,
    pub(crate) started: Timestamp,
    pub(crate) counters: Counters,
    pub(crate) prefixes: Prefixes,
    pub(crate) watchers: Arc<Watchers>,
    tuning: Mutex<Tuning>,
    cas: CasCounter,
}

/// On a cache line of its own: every change of every item writes it.
#[repr(align(64))]
struct CasCounter(AtomicU64);

impl Environment {
    /// An environment for a process that started at `started`, with all counters at zero.
    pub fn new(options: Options, host: Box<dyn Host>, started: Timestamp) -> Self {
        Environment {
            host,
            started,
            counters: Counters::default(),
            prefixes: Prefixes::new(options.prefix_delimiter),
            watchers: Arc::default(),
            tuning: Mutex::new(Tuning::default()),
            options,
            cas: CasCounter(AtomicU64::new(0)),
        }
    }

    /// The options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Who looks on at what commands do.
    pub fn watchers(&self) -> &Arc<Watchers> {
        &self.watchers
    }

    /// What clients have tuned. Taken as it is should a thread have panicked with it: every field is whole by itself.
    pub(crate) fn tuning(&self) -> MutexGuard<'_, Tuning> {
        self.tuning.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes all CAS values given out from now on larger than `cas`. For a store whose items are older than the process.
    pub fn raise_cas(&self, cas: u64) {
        self.cas.0.fetch_max(cas, Ordering::Relaxed);
    }

    /// A CAS value that was never given out before, larger than all before it. The first is 1.
    pub(crate) fn next_cas(&self) -> u64 {
        // Relaxed: two changes of one key are ordered by the store, and an atomic counter is monotonic by itself.
        self.cas.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }
}
