//! The conformance suite as a library: reads cases, plays them to a server, judges the answers, reports.
//!
//! # Layout
//! - [`case`]: what a case is; parser, printer, the built-in files, the check of quotes.
//!
//! It depends on nothing in `reference/`: a parser shared by the judge and the judged would hide the faults of both.

pub mod case;
