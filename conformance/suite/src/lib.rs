//! The conformance suite as a library: reads cases, plays them to a server, judges the answers, reports.
//!
//! # Layout
//! - [`case`]: what a case is; parser, printer, the built-in files, the check of quotes.
//! - [`play`]: plays one case: transports, deliveries, comparison, the fence.
//! - [`target`]: what a probe learns about a server: that it is one, its version, fence and capabilities.
//! - [`run`]: runs many cases side by side, exclusive ones alone, and marks the blocked.
//! - [`verdict`], [`known`]: the judgement of a case; faults that real memcached is known to have.
//! - [`coverage`]: which paragraphs of the protocol text the cases cite.
//! - [`dialect`]: which releases a server behaves like.
//! - [`report`]: what came of a run, for people and for programs.
//! - [`glob`], [`escape`]: selection of cases by id; bytes as text.
//!
//! It depends on nothing in `reference/`: a parser shared by the judge and the judged would hide the faults of both.

pub mod case;
pub mod coverage;
pub mod dialect;
pub mod escape;
pub mod glob;
pub mod known;
pub mod play;
pub mod report;
pub mod run;
pub mod target;
pub mod verdict;
