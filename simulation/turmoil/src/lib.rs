//! Worlds made from a seed, in which the server replaces its dataset while everything else goes wrong.
//!
//! # Layout
//! - [`plan`]: what a world is like, decided by its seed. [`random`]: numbers from a seed.
//! - [`world`]: a world, run to its end. [`host`]: the server's machine in it. [`client`], [`workload`]: who uses the server.
//!   [`operator`]: who switches it.
//! - [`net`]: the seams of the server to network, time and threads. [`shelf`]: the dataset files. [`disk`]: what they lie on.
//!   [`watched`]: the server's datasets, with notes.
//! - [`command`]: what clients ask and are told.
//! - [`history`]: what happened. [`account`]: the same, put together.
//! - [`check`]: what must hold of it. [`linear`]: whether what was seen of one key can be explained.
//! - [`runner`]: many worlds, on several threads.
//! - [`product`]: the server under test. [`faults`]: what is planted into a copy of it, for worlds to find.
//!
//! It must not know how the server keeps its promises: the worlds use what it makes public, the checkers what clients see and
//! when datasets are opened and closed. Nor does it know the conformance suite.

pub mod account;
pub mod check;
pub mod client;
pub mod command;
pub mod disk;
pub mod faults;
pub mod history;
pub mod host;
pub mod linear;
pub mod net;
pub mod operator;
pub mod plan;
pub mod product;
pub mod random;
pub mod runner;
pub mod shelf;
pub mod watched;
pub mod workload;
pub mod world;
