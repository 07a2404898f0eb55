//! Servers with one planted fault each, and what finds them: the tester tested.
//!
//! A mutant is the reference server behind decorators of its public seams; the product code holds no hook. The suite must
//! fail on every mutant, and in the very case that the fault names.
//!
//! # Layout
//! - [`fault`]: what a fault is; [`faults`]: all of them, a file for each section of the suite.
//! - [`command`]: a command as it went over the wire, and the edits that faults make.
//! - `wire`, `store`: the decorators of connections and of the store. [`server`]: the whole mutant.
//! - [`judge`]: the suite on a mutant.
//! - [`peer`]: another project's tester on a mutant. [`survey`]: both, on all of them, in figures.
//! - [`page`]: all figures, written down.
//!
//! It must not know what the suite does with an answer, nor how the reference server is made within.

pub mod beyond;
pub mod command;
pub mod explorer;
pub mod fault;
pub mod faults;
pub mod judge;
pub mod page;
pub mod peer;
pub mod server;
mod store;
pub mod survey;
mod wire;
