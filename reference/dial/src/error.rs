//! What can go wrong, in the domain's words.

use std::error::Error as StdError;
use std::fmt;

use crate::dial::{DialId, Name};

/// Why something was not done.
///
/// Plain values that compare, apart from [`Error::Storage`]: no two failures of a disk are the same, so that one equals
/// nothing, not even itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no token, or nobody has it.
    #[error("this takes the token of a known user; send the one that `wtfdial user add` printed")]
    Unauthenticated,
    /// The user is known and may not do this: a dial is changed by its owner alone.
    #[error("this dial belongs to somebody else; only its owner changes it")]
    Unauthorized,
    /// A change was asked of a dial that does not exist.
    #[error("there is no dial {0}")]
    DialNotFound(DialId),
    /// A user was to be added under a name that another has.
    #[error("there is already a user named \"{0}\"; choose another name")]
    UserExists(Name),
    /// The store could not do its work.
    #[error(transparent)]
    Storage(#[from] StorageFailure),
}

impl PartialEq for Error {
    fn eq(&self, other: &Error) -> bool {
        match (self, other) {
            (Error::Unauthenticated, Error::Unauthenticated) | (Error::Unauthorized, Error::Unauthorized) => true,
            (Error::DialNotFound(left), Error::DialNotFound(right)) => left == right,
            (Error::UserExists(left), Error::UserExists(right)) => left == right,
            _ => false,
        }
    }
}

/// A failure of the store, in one line: what was tried, what happened, what to do next.
#[derive(Debug)]
pub struct StorageFailure {
    what: String,
    cause: Box<dyn StdError + Send + Sync>,
    remedy: &'static str,
}

impl StorageFailure {
    /// A failure of what was being done (`"reading dial 7"`), its cause, and what whoever runs the service can do.
    pub fn new(
        what: impl Into<String>,
        cause: impl Into<Box<dyn StdError + Send + Sync>>,
        remedy: &'static str,
    ) -> StorageFailure {
        StorageFailure {
            what: what.into(),
            cause: cause.into(),
            remedy,
        }
    }
}

impl fmt::Display for StorageFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let StorageFailure { what, cause, remedy } = self;
        write!(f, "{what} failed: {cause}; {remedy}")
    }
}

impl StdError for StorageFailure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_domain_compare() {
        assert_eq!(Error::DialNotFound(DialId(1)), Error::DialNotFound(DialId(1)));
        assert_ne!(Error::DialNotFound(DialId(1)), Error::DialNotFound(DialId(2)));
        assert_ne!(Error::Unauthorized, Error::Unauthenticated);
    }

    #[test]
    fn a_storage_failure_equals_nothing_and_says_everything_in_a_line() {
        let failure = || {
            Error::Storage(StorageFailure::new(
                "reading dial 7",
                "the disk is gone",
                "bring it back",
            ))
        };
        assert_ne!(failure(), failure());
        assert_eq!(
            failure().to_string(),
            "reading dial 7 failed: the disk is gone; bring it back"
        );
    }
}
