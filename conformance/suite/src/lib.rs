//! The conformance suite as a library: reads cases, plays them to a server, judges the answers, reports.
//!
//! # Layout
//! - [`case`]: what a case is; parser, printer, the built-in files, the check of quotes.
//! - [`play`]: plays one case: transports, deliveries, comparison, the fence.
//! - [`target`]: what a probe learns about a server: that it is one, its version, fence and capabilities.
//! - [`run`]: runs many cases side by side, exclusive ones alone or on instances of their own, and marks the blocked;
//!   `foundation`: what cases rest on.
//! - [`verdict`], [`known`]: the judgement of a case; faults that real memcached is known to have.
//! - [`profile`]: the target file of a server: how it starts, what it offers, its deviations.
//! - [`expect`], [`bless`]: deviations that are declared with a reason; the edit that brings a target file up to date.
//! - [`draft`]: a first target file for a server that has none.
//! - [`baseline`]: what got worse since a former run.
//! - [`coverage`]: which paragraphs of the protocol text the cases cite.
//! - [`dialect`]: which releases a server behaves like.
//! - [`report`]: what came of a run, for people and for programs.
//! - [`selection`]: which cases a run is about, and which part of them; [`matrix`]: the reports on several servers side by side,
//!   and the parts of one put together.
//! - [`export`]: the cases as JSON, for a runner in another language.
//! - [`glob`], [`escape`]: selection of cases by id; bytes as text.
//!
//! It depends on nothing in `reference/`: a parser shared by the judge and the judged would hide the faults of both.

pub mod baseline;
pub mod bless;
pub mod case;
pub mod coverage;
pub mod dialect;
pub mod draft;
pub mod escape;
pub mod expect;
pub mod export;
mod foundation;
pub mod glob;
pub mod known;
pub mod matrix;
pub mod play;
pub mod profile;
pub mod report;
pub mod run;
pub mod selection;
pub mod target;
pub mod verdict;
