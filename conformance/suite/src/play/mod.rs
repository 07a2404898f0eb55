//! Plays one case to a server.

mod delivery;
mod fill;
mod group;
mod matcher;
mod pace;
mod places;
mod player;
mod transport;
mod wire;

pub use delivery::Delivery;
pub use player::{Exchange, Failure, Played, Problem};
pub use transport::{Address, AddressError, Stream};

pub(crate) use fill::{Bindings, Segment};
pub(crate) use group::groups;
pub(crate) use matcher::Token;
pub(crate) use pace::estimate;
pub(crate) use places::{Place, Places};
pub(crate) use player::{Setting, play};
pub(crate) use wire::{Deadline, Fault, Wire};
