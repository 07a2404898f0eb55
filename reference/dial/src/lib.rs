//! wtfdial: dials that show how things are going, each turned by its owner alone, kept in an embedded key/value store.
//!
//! The second reference implementation: how a program stores its own objects without a database server. The domain stands
//! at the root. Storage and network are adapters around it, and the program wires them together.
//!
//! # Layout
//! The domain:
//! - `dial`: [`Dial`], its id, and the two values that are checked: [`Name`] and [`Level`].
//! - `user`: [`User`] and [`Token`].
//! - `service`: what the domain asks of an adapter: [`DialService`], [`Authenticator`], [`Administration`].
//! - `session`: [`Client`] and [`Session`], which is anonymous or authenticated by type.
//! - `clock`: [`Clock`].
//! - `error`: [`Error`].
//!
//! The adapters:
//! - [`redb`]: the store, and `codec`, private to it: records to bytes and back.
//! - [`http`]: the service on a network, the page, and the control socket.
//!
//! The domain's modules import nothing of the adapters, and the adapters nothing of each other.

mod clock;
mod codec;
mod dial;
mod error;
pub mod http;
pub mod redb;
mod service;
mod session;
mod user;

pub use clock::{Clock, SystemClock};
pub use dial::{Dial, DialId, InvalidLevel, InvalidName, Level, Name};
pub use error::{Error, StorageFailure};
pub use jiff::Timestamp;
pub use service::{Administration, Authenticator, Census, DialService, Page, Stamp};
pub use session::{Anonymous, Authenticated, Client, Session};
pub use user::{InvalidToken, Token, User, UserId};
