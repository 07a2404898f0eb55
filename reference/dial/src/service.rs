//! What the domain asks of its adapters.

use jiff::Timestamp;

use crate::dial::{Dial, DialId, Level, Name};
use crate::error::Error;
use crate::user::{Token, User, UserId};

/// Keeps dials. Every call is one transaction: it is done whole and durably before it returns, or not at all.
pub trait DialService: Send + Sync {
    /// The dial, or `None` if there is none of that id.
    ///
    /// # Errors
    /// [`Error::Storage`].
    fn dial(&self, id: DialId) -> Result<Option<Dial>, Error>;

    /// The dials of a page, in the order of their ids.
    ///
    /// # Errors
    /// [`Error::Storage`].
    fn dials(&self, page: Page) -> Result<Vec<Dial>, Error>;

    /// Creates a dial that belongs to the stamp's user.
    ///
    /// # Errors
    /// [`Error::Storage`].
    fn create_dial(&self, stamp: Stamp, name: &Name, level: Level) -> Result<Dial, Error>;

    /// Sets the level of a dial that belongs to the stamp's user, and answers with the dial as it is then.
    ///
    /// # Errors
    /// [`Error::DialNotFound`]; [`Error::Unauthorized`] if the dial is another user's; [`Error::Storage`].
    fn set_level(&self, stamp: Stamp, id: DialId, level: Level) -> Result<Dial, Error>;
}

/// Knows users by their tokens.
pub trait Authenticator: Send + Sync {
    /// The user whose token this is.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if it is nobody's; [`Error::Storage`].
    fn authenticate(&self, token: &Token) -> Result<User, Error>;
}

/// Who changes something, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Who.
    pub user_id: UserId,
    /// When: the session's time.
    pub time: Timestamp,
}

/// A part of a long list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Only what comes after this id; from the beginning if `None`.
    pub after: Option<DialId>,
    /// At most so many.
    pub limit: usize,
}
