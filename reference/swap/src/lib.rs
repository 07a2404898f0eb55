//! Which dataset is served now: publish, lease, drain.
//!
//! A [`SwapCell`] holds the current dataset. Every connection has a [`Reader`], which lends it the dataset for one command;
//! [`SwapCell::publish`] puts a new dataset in place and gives a [`Drain`], which gives the old one back, by value, once
//! no reader has it any longer. Whoever drains closes: a dataset is never dropped on a connection's thread.
//!
//! ```
//! use refcached_swap::{Policy, SwapCell};
//!
//! let cell = SwapCell::new(Policy::Command, String::from("old"));
//! let mut reader = cell.reader();
//! assert_eq!(**reader.dataset(), "old");
//! reader.park(); // about to wait for the client
//!
//! let drain = cell.publish(String::from("new"));
//! assert_eq!(drain.wait(), "old"); // the parked lease was taken back
//! assert_eq!(**reader.dataset(), "new");
//! ```
//!
//! # Layout
//! - [`cell`]: the current dataset, the oldest generation that may answer, the readers that are open.
//! - [`reader`]: a connection's way to the dataset of its next command.
//! - [`drain`]: a dataset that was replaced, until its last lease has gone.
//! - [`lease`]: what keeps a dataset open, and how the last one is noticed. [`signal`]: something happened, once.
//! - `sync`: the primitives that all of this is built from. The models replace this module and nothing else.
//!
//! It must not know what a dataset is, nor sockets, tokio, files or logs. It depends on nothing but the standard library,
//! and it holds no hook for its tests: the models and their planted faults work on copies of its source.

pub mod cell;
pub mod drain;
pub mod lease;
pub mod reader;
pub mod signal;

mod sync {
    pub(crate) use std::sync::atomic;
    pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard};
}

pub use cell::{Policy, SwapCell};
pub use drain::Drain;
pub use lease::{Dataset, Generation};
pub use reader::Reader;
