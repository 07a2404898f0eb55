//! The program itself: flags, sockets, signals, exit codes.
//!
//! # Layout
//! - `program`: starts it, talks to it, ends it.
//! - `starting`: what keeps it from starting, what it says when it starts.
//! - `sockets`: TCP, IPv6, Unix sockets, the limit on connections.
//! - `stopping`: signals.
//! - `datasets`: files that are served, kept, switched and refused.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod datasets;
mod program;
mod sockets;
mod starting;
mod stopping;
