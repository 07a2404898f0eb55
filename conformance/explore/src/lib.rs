//! Random histories against a model of the protocol, or against two servers, shrunk to the shortest transcript.
//!
//! # Layout
//! - [`command`]: the commands of a history. [`generate`]: makes histories; `random`: from a seed.
//! - `part`: what is sent and expected, in parts.
//! - `model`: what memcached answers, release by release.
//! - `link`, `play`: a connection; a history played to a server.
//! - `trial`: one history, judged by the model or by a second server. `shrink`: the shortest history that shows a
//!   fault. `transcript`: it as a case file. [`explore`]: many histories at once; `collect`, `look`: findings,
//!   one of each kind.
//! - [`linear`]: what several clients saw of one key at once, and whether any order explains it.
//! - `judge`: replies against the model. `scan`: replies read without a model.
//!
//! It depends on nothing in `reference/`, and on the suite only for addresses, releases and the case format: the model
//! must be wrong in other places than the servers that it judges.

mod collect;
pub mod command;
pub mod explore;
pub mod generate;
mod judge;
pub mod linear;
mod link;
mod look;
mod model;
mod part;
mod play;
mod random;
mod scan;
mod shrink;
mod transcript;
mod trial;

pub use play::Site;
pub use trial::Oracle;
