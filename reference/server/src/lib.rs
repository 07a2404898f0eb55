//! refcached, the reference memcached server: memcached's semantics from `refcached-store`, served over sockets.
//!
//! # Layout
//! - [`Server`]: the whole server on tokio's sockets; what a program embeds.
//! - [`Service`]: the same without sockets of its own; what a simulated network drives.
//! - [`Config`], [`Listen`], [`ListenAddress`]: what a server can be told.
//! - [`Listener`], [`Endpoint`]: the seam to the network. [`Clock`]: the seam to time.
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
mod bind;
mod buffers;
mod clock;
mod config;
mod connection;
mod connections;
mod counters;
mod link;
mod listener;
mod process;
mod server;
mod service;
mod signal;

pub use bind::BindError;
pub use clock::{Clock, SystemClock};
pub use config::{BadListenAddress, Config, DEFAULT_PORT, Host, Listen, ListenAddress};
pub use listener::{Endpoint, Listener};
pub use server::Server;
pub use service::{DIALECT, Service};
