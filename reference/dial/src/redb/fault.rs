//! The library's errors in the domain's words.

use std::io;

use ::redb::{CommitError, DatabaseError, StorageError, TableError, TransactionError};

use crate::error::{Error, StorageFailure};

/// Why a transaction was not done.
#[derive(Debug)]
pub(super) enum Fault {
    /// The domain refuses it.
    Refused(Error),
    /// What is in the file cannot have been written by this program.
    Damaged(String),
    /// The file is not this program's, or of a later version of it.
    Foreign(String),
    /// redb or the disk reports it.
    Redb(::redb::Error),
}

impl Fault {
    pub(super) fn is_full_disk(&self) -> bool {
        matches!(self, Fault::Redb(::redb::Error::Io(error)) if is_full(error))
    }

    /// Whether this is for no other reason than that something failed before.
    pub(super) fn is_previous_failure(&self) -> bool {
        matches!(self, Fault::Redb(::redb::Error::PreviousIo))
    }

    /// The error of a call that was doing `what`.
    pub(super) fn into_error(self, what: &str) -> Error {
        match self {
            Fault::Refused(error) => error,
            other => Error::Storage(other.into_failure(what)),
        }
    }

    /// The failure of `what`, with what to do about it.
    pub(super) fn into_failure(self, what: &str) -> StorageFailure {
        let (cause, remedy) = match self {
            Fault::Refused(error) => (error.to_string(), "ask for something else"),
            Fault::Damaged(finding) => (format!("the file is damaged: {finding}"), RESTORE),
            Fault::Foreign(finding) => (finding, "name another file"),
            Fault::Redb(error) => in_words(error),
        };
        StorageFailure::new(what, cause, remedy)
    }
}

const RESTORE: &str = "put it aside and restore a backup";

fn in_words(error: ::redb::Error) -> (String, &'static str) {
    match error {
        ::redb::Error::DatabaseAlreadyOpen => (
            "another process has the file open".to_owned(),
            "stop that one, or use it as it runs",
        ),
        ::redb::Error::Io(error) if is_full(&error) => (
            format!("there is no more room for the file ({error})"),
            "free some space and try again; what was there before is untouched",
        ),
        ::redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            (format!("the file is damaged or not wtfdial's ({error})"), RESTORE)
        }
        ::redb::Error::Io(error) => (error.to_string(), "see to the file and its disk, then start again"),
        ::redb::Error::Corrupted(finding) => (format!("the file is damaged: {finding}"), RESTORE),
        ::redb::Error::PreviousIo => (
            "an earlier write to the disk failed".to_owned(),
            "mend the disk and start the service again",
        ),
        ::redb::Error::UpgradeRequired(version) => (
            format!("the file has redb's old format {version}"),
            "read it with the wtfdial that wrote it",
        ),
        other => (other.to_string(), "see to the file and its disk, then start again"),
    }
}

fn is_full(error: &io::Error) -> bool {
    // A limit on the size of files (`ulimit -f`) is no different from where the store stands.
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Refused(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Redb(::redb::Error::Io(error))
    }
}

impl From<::redb::Error> for Fault {
    fn from(error: ::redb::Error) -> Fault {
        Fault::Redb(error)
    }
}

macro_rules! from_each_of_redbs_errors {
    ($($error:ty),*) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Fault {
                Fault::Redb(error.into())
            }
        }
    )*};
}
from_each_of_redbs_errors!(CommitError, DatabaseError, StorageError, TableError, TransactionError);
