//! The server under test: all that the worlds know of it.
//!
//! The tests of the planted faults replace this module, and nothing else, by a copy of the server with faults in it.

pub use refcached::backend::{Backend, Dataset, FileIdentity, Found, Opening};
pub use refcached::control;
pub use refcached::{
    Administration, Batch, Blocking, Clock, Config, DataFile, Endpoint, FileAccess, Files, Listener, Memory, Outcome,
    Policy, RangeWalk, Redb, Service, SwitchError, Unfinished, Work,
};
