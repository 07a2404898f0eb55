//! The models. Each stands for a claim, and publishes at least twice: one publish hides what goes wrong between two.
//!
//! A model that cannot end is a finding too: loom reports it as a deadlock. So a drain that is waited for to no end needs no
//! assertion.

mod command;
mod connection;
mod drains;
mod scene;

pub use command::*;
pub use connection::*;
pub use drains::*;
