//! Exhaustive models of the swap cell, and the faults that they must find.
//!
//! The models run the source of `reference/swap` itself, with loom's primitives in place of the standard library's, so that
//! every order of its steps is tried, and every value that a relaxed load may give. They need no flag: `cargo test`
//! compiles the files of that crate a second time, as modules of these tests.
//!
//! # Layout
//! - [`explore`]: a model run to its end, or until it finds something.
//! - [`faults`]: the planted faults, each with the model that must find it.
//! - `build.rs`: makes one faulty copy of the source for each of them, and one test.
//! - `tests/bodies/`: the models. `tests/models.rs`: they hold. `tests/faults.rs`: they find.
//!
//! It must not know the server, nor anything of the cell but what is public: a model that needs more tests the wrong thing.

pub mod explore;
pub mod faults;
