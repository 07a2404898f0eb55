//! What the domain asks of its adapters.

use std::fmt;
use std::path::Path;

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

/// What whoever runs the service does with it.
pub trait Administration: Send + Sync {
    /// Adds a user. The token is given out this once.
    ///
    /// # Errors
    /// [`Error::UserExists`] if another user has the name; [`Error::Storage`].
    fn add_user(&self, name: &Name) -> Result<(User, Token), Error>;

    /// Writes a copy of everything to a new file: as it is at one moment, while the service goes on. The file is there
    /// whole, durably, or not at all.
    ///
    /// # Errors
    /// [`Error::Storage`]: there is a file at that place, or the disk is full or fails.
    fn backup(&self, to: &Path) -> Result<Census, Error>;
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// How many users.
    pub users: u64,
    /// How many dials.
    pub dials: u64,
}

impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Census { users, dials } = self;
        write!(f, "users: {users}, dials: {dials}")
    }
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
