//! Memcached's text protocol, classic and meta, without I/O: bytes to requests, responses to bytes, and both ways round for
//! clients, tests and fuzzing. The dialect is that of memcached 1.6.45.
//!
//! # Layout
//! - [`parser`]: `Parser`, the stream of bytes cut into requests and refusals.
//! - [`request`], [`meta`]: what a client can ask for.
//! - [`refusal`]: what is refused before it is a request.
//! - [`response`], [`meta_reply`]: what a server answers, and how it is written.
//! - [`reply`]: `ReplyParser`, the other direction, for clients; `Request::encode` writes what it answers to.
//! - [`limits`]: the sizes at which a request is refused.
//! - [`tokens`], [`base64`]: words of a line; keys in base64.
//!
//! It must not know sockets, tokio, clocks, logs, items or stores: what a request MEANS is for `refcached-store`.

pub mod base64;
mod classic;
pub mod limits;
pub mod meta;
mod meta_line;
pub mod meta_reply;
mod number;
pub mod parser;
pub mod refusal;
pub mod reply;
pub mod request;
mod request_encode;
pub mod response;
pub mod tokens;

pub use limits::Limits;
pub use parser::{Parser, Step};
pub use refusal::{Refusal, RefusalKind};
pub use reply::{ReplyLimits, ReplyParser, ReplyStep};
pub use request::Request;
pub use response::Response;
