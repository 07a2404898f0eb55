//! What a memcached command means.
//!
//! [`Engine`] executes requests of `refcached-protocol` against a [`Store`] and writes the encoded replies. All of memcached's
//! semantics are in the engine, once; a store is a map with one primitive for change, an atomic read-modify-write of
//! one key. The behaviour is that of memcached 1.6.45; where it is not, the README of this crate says so.
//!
//! # Layout
//! - [`time`]: points in time, expiration times.
//! - [`item`]: what is held for a key.
//! - [`store`]: the trait of a backend.
//! - [`memory`]: the backend in memory, bounded and evicting.
//! - [`redb`]: the backend on a disk, durable, with a bloom filter in front.
//! - [`engine`]: requests to replies.
//! - [`environment`]: what the engines of a process share: options, counters, the process around them.
//! - [`counters`]: counters that threads do not fight over. `prefixes`: those of `stats detail`.
//! - `tuning`: what `slabs`, `lru` and `lru_crawler` set.
//! - [`watch`]: what commands do, for clients that look on.
//!
//! It must not know sockets, tokio, threads' scheduling, clocks or logs, nor any file but the one that [`redb`] has open: time
//! is an argument, randomness is the hasher or the seed that the caller brings, and the numbers of the process come from its
//! [`Host`].

pub mod counters;
pub mod engine;
pub mod environment;
pub mod item;
pub mod memory;
mod prefixes;
pub mod redb;
pub mod store;
pub mod time;
mod tuning;
pub mod watch;

pub use engine::{Cursor, Engine, Progress};
pub use environment::{Environment, Host, NoHost, Options};
pub use memory::{MemoryOptions, MemoryStore};
pub use redb::{RedbOptions, RedbStore};
pub use store::{Access, Change, Store};
pub use time::{Expiry, Timestamp};
pub use watch::{Kinds, Watcher, Watchers};
