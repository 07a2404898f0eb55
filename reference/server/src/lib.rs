//! refcached, the reference memcached server: memcached's semantics from `refcached-store`, served over sockets.
//!
//! # Layout
//! - [`Server`]: the whole server on tokio's sockets; what a program embeds.
//! - [`Service`]: the same without sockets of its own; what a simulated network drives.
//! - [`Config`], [`Listen`], [`ListenAddress`]: what a server can be told.
//! - [`Listener`], [`Endpoint`]: the seam to the network. [`Clock`]: the seam to time. [`Blocking`]: the seam to threads.
//! - [`backend`]: what holds the items; one module for each kind. `batch`: the unit in which it is asked. `ahead`: keys that
//!   the next commands name. `guard`: changes refused.
//! - `extensions`: commands that memcached does not have.
//! - [`Files`]: the seam to the disk where datasets lie.
//! - `swap`: the dataset that is served, and its replacement. `detained`: replies that a replaced dataset leaves behind.
//!   `swap_figures`: what is counted of it. `operations`: the service as its operator sees it.
//! - [`Administration`]: what whoever runs the server asks of it; the seam to the control API.
//! - [`control`]: that API, over HTTP on a listener of its own.
//! - [`transfer`]: datasets as text, in and out.
//! - `bind`: sockets. `accept`: the loop of one listener.
//! - `connection`: bytes in, commands executed, replies out. `link`: a stream and what ends a wait on it.
//!   `buffers`: memory lent to connections that have something in hand.
//! - `connections`: which there are, how many there may be. `counters`, `process`: figures for `stats`.
//!   `signal`: stop and hang up.
//!
//! The binary beside it reads memcached's flags and owns what belongs to a process: signals, the log, the exit code.
//!
//! It must not know what a command means (the engine does), nor how one is written (the protocol crate does), nor anything
//! of the conformance suite.

mod accept;
mod administration;
mod ahead;
pub mod backend;
mod batch;
mod bind;
mod blocking;
mod buffers;
mod clock;
mod config;
mod connection;
mod connections;
pub mod control;
mod counters;
mod detained;
mod extensions;
mod files;
mod guard;
mod link;
mod listener;
mod operations;
mod process;
mod server;
mod service;
mod signal;
mod swap;
mod swap_figures;
pub mod transfer;

pub use administration::{
    Administration, Statistic, StatisticKind, StatisticValue, Status, SwitchError, Switched, Switching,
};
pub use backend::memory::{Memory, MemoryDataset, NoFile, NoFiles};
pub use backend::redb::{Redb, RedbDataset, RedbSource};
pub use batch::{Ask, Batch, Next, Outcome};
pub use bind::BindError;
pub use blocking::{Blocking, Inline, Threads, Unfinished, Work};
pub use clock::{Clock, SystemClock};
pub use config::{BadListenAddress, Config, DEFAULT_PORT, Durability, Host, Listen, ListenAddress};
pub use extensions::RangeWalk;
pub use files::{DataFile, DiskFile, DiskFiles, FileAccess, Files};
pub use listener::{Endpoint, Listener};
pub use refcached_swap::Policy;
pub use server::{BACKENDS, Server, StartError};
pub use service::{DIALECT, Service};
