//! The service over in-memory streams: no sockets, no real time.
//!
//! # Layout
//! - `world`: a service, its clients and scripted streams.
//! - `conversation`: what a client sees, however its bytes are cut.
//! - `bounds`: memory and fairness with clients that do not behave.
//! - `ends`: idle timeout, limit on connections, stopping.
//! - `accepting`: listeners that fail.
//! - `watching`: `watch`.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod accepting;
mod bounds;
mod conversation;
mod ends;
mod watching;
mod world;
