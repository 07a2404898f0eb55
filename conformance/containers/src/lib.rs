//! Real memcached in containers: the judge of the suite, started and swept for tests.
//!
//! # Layout
//! - [`engine`]: the Docker engine: whether one answers, which releases it holds, what killed runs left in it.
//! - [`memcached`]: one memcached in one container, ready to be connected to, gone when dropped.
//! - [`owner`]: which process a container belongs to, so that only what nobody owns is swept.
//! - [`policy`]: what becomes of a test that needs an engine where none answers.
//! - [`releases`]: the releases that the tests are made for.
//!
//! It knows nothing of the reference servers, and of the suite no more than what a release is: what runs against
//! a container is the caller's business.

pub mod engine;
pub mod memcached;
pub mod owner;
pub mod policy;
pub mod releases;

pub use engine::{Engine, EngineError};
pub use memcached::{Memcached, StartError};
pub use policy::Policy;
