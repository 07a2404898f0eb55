//! What each command does.

mod coverage;
mod explain;
mod list;
mod run;
mod select;

pub(crate) use coverage::coverage;
pub(crate) use explain::explain;
pub(crate) use list::list;
pub(crate) use run::run;
