//! Datasets under the service: switches, what clients see of them, changes that are committed together, disks that fail. Over
//! in-memory streams and files, in one thread and without real time.
//!
//! # Layout
//! - `shelf`: files in memory that can fail.
//! - `world`: a service over them, and its clients.
//! - `switching`: whole switches: policies, deadlines, the queue, loads that fail, the end of the server.
//! - `replies`: replies that are in the middle when their dataset is replaced.
//! - `extensions`: `switchdb`, `range`, `dbstats`. `memory`: datasets loaded into memory.
//! - `durability`: what is committed when, and what is told of it; disks that fail.
//! - `readonly`: changes refused.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod durability;
mod extensions;
mod memory;
mod readonly;
mod replies;
mod shelf;
mod switching;
mod world;
