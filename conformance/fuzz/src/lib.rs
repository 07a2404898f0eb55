//! Fuzzes a server that is running: random commands and broken ones, cut anywhere, one connection a trial.
//!
//! After each trial the server must be in step, and so must another connection that was open all the time; nothing may take
//! longer than the timeout, and the process must not grow without end. A trial that shows otherwise is shrunk, and
//! written down as a conformance case.
//!
//! # Layout
//! - [`campaign`]: trials until the time is over or something is found.
//! - `trial`: what is sent. `command`: commands as a client writes them. `mutation`: and as none does.
//! - `play`: plays a trial to a server. `reply`: what may come back.
//! - `shrink`: a smaller trial that shows the same. `case`: a trial as a case.
//! - `process`: the memory of the server. `random`: numbers from a seed.
//!
//! It depends on the suite for addresses and the case format, and on nothing in `reference/`: it judges that, too.

pub mod campaign;
mod case;
mod command;
mod mutation;
mod play;
mod process;
mod random;
mod reply;
mod shrink;
mod trial;

pub use campaign::{Campaign, Finding, Impossible, Outcome, Progress};
pub use play::Fault;
