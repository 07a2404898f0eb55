//! What each command does.

mod explain;
mod list;
mod run;
mod select;

pub(crate) use explain::explain;
pub(crate) use list::list;
pub(crate) use run::run;
