//! What each command does.

mod coverage;
mod deliver;
mod explain;
mod explore;
mod export;
mod fuzz;
mod init;
mod list;
mod man;
mod matrix;
mod run;
mod schema;
mod select;
mod watch;

pub(crate) use coverage::coverage;
pub(crate) use explain::explain;
pub(crate) use explore::{diff, explore};
pub(crate) use export::export;
pub(crate) use fuzz::fuzz;
pub(crate) use init::init;
pub(crate) use list::list;
pub(crate) use man::{completions, man};
pub(crate) use matrix::matrix;
pub(crate) use run::run;
pub(crate) use schema::schema;
