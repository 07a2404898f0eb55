//! What the fuzz targets check. Every function here takes the bytes that a fuzzer brings and panics when something is wrong,
//! so a fuzzer needs no more than one call, and `tests/` replays what fuzzers have found without one.
//!
//! # Layout
//! - [`requests`]: the parser of requests; `fuzz_judge` says what must hold of each of its answers.
//! - [`replies`]: the parser of replies.
//! - [`round_trip`]: encode, parse, equal.
//! - [`case_file`]: the parser and the printer of conformance cases.
//! - [`engine`]: parser, engine and encoder against a model; `model`: that model. `operation`: bytes to commands.
//! - [`connection`]: the server's connection loop on a stream in memory.
//! - [`cuts`]: how an input says where its stream is cut.
//! - [`targets`]: the targets by name. [`text`]: inputs written as lines of text, for seeds.
//!
//! It must not know libFuzzer. `model` shares no code with `reference/`: it is the other opinion.

#[cfg(feature = "case_file")]
pub mod case_file;
#[cfg(feature = "connection")]
pub mod connection;
pub mod cuts;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "engine")]
mod model;
#[cfg(feature = "engine")]
pub mod operation;
pub mod replies;
pub mod requests;
pub mod round_trip;
pub mod targets;
pub mod text;
