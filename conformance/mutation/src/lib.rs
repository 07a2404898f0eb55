//! The conformance suite as the only test of the reference server's mutants, which are those that cargo-mutants lists.
//!
//! cargo-mutants itself builds and links once for each mutant, which is most of what one costs. Here all of them are built
//! into one program, and a process chooses its mutant when it starts.
//!
//! # Layout
//! - [`mutant`]: the list of cargo-mutants.
//! - [`plant`]: all mutants of a file in one text.
//! - [`tree`]: the copy of the tree that holds them, and what compiles of it.
//! - [`verdict`]: the suite on a refcached within this process, up to the first failure; the program `judged` is this.
//! - [`trial`]: one mutant in a process of its own.
//! - [`campaign`]: all of them.
//! - [`survivors`]: those that no client can see.
//!
//! It must not know what `reference/` is like within.

pub mod campaign;
pub mod mutant;
pub mod plant;
pub mod survivors;
pub mod tree;
pub mod trial;
pub mod verdict;
