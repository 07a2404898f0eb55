//! The control API over a made-up server: every answer there is, and how much is held of those who ask. Then in the program.
//!
//! # Layout
//! - `fake`: an administration that is told what to answer.
//! - `answers`: each request and its answer, without a network.
//! - `serving`: connections over a network in memory, in paused time.
//! - `program`: the flags of the program. `document`: CONTROL.md.
//! - `real`: real datasets, and files that are none.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

mod answers;
mod document;
mod fake;
#[path = "../support/process.rs"]
mod process;
mod program;
mod real;
mod serving;
