//! What goes wrong with a dataset on a disk, in words.

use std::io;

use thiserror::Error;

/// Why a dataset could not be opened. Each case asks for something else from whoever sees it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no such file, and none was to be made.
    #[error("there is no such file; name one that is there, or let it be created")]
    NotFound,
    /// The path is a directory, a device or the like.
    #[error("it is not a file; name a file")]
    NotAFile,
    /// Another process, or another store of this one, has it open.
    #[error("it is open elsewhere; close it there, or make a copy")]
    Locked,
    /// The file was not made by redb; nothing in it was changed.
    #[error("it is not a redb database; name another file")]
    NotADatabase,
    /// A database of another program, or of a later version of this one; nothing in it was changed.
    #[error("it is a database, but not one of refcached: {0}; name another file")]
    Foreign(String),
    /// A page, a record or a table is not what was written; nothing in the file was changed.
    #[error("it is damaged: {0}; put it aside and use a copy")]
    Damaged(String),
    /// What the operating system reports: no permission, no space, a failing disk.
    #[error("it cannot be read or written: {0}; see to the file and its disk")]
    Io(io::Error),
}

/// Why an open dataset could not be read or changed. The text is one line: clients get it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RedbError {
    /// The dataset was opened for reading, or the work was given a transaction that only reads.
    #[error("the dataset is read-only")]
    ReadOnly,
    /// The disk, or the quota, is full. Nothing of the transaction was done.
    #[error("out of disk space storing object")]
    Full(#[source] io::Error),
    /// The disk fails. Of a commit that ends so nobody knows whether it will be there after a crash.
    #[error("the dataset's disk failed: {0}")]
    Io(io::Error),
    /// The disk failed before and has not been mended since.
    #[error("the dataset's disk failed earlier")]
    FailedEarlier,
    /// What was read is not what was written.
    #[error("the dataset is damaged: {0}")]
    Damaged(String),
    /// The item is larger than redb takes: 3 GiB.
    #[error("object too large for cache")]
    TooLarge,
    /// The scan was paused too long ago, and others were begun since.
    #[error("the scan was forgotten; begin it again")]
    ScanLost,
    /// The dataset has been closed.
    #[error("the dataset is closed")]
    Closed,
}

impl RedbError {
    /// The same once more, to tell the client of one request and those of the whole batch.
    pub(super) fn again(&self) -> RedbError {
        let io_again = |error: &io::Error| io::Error::new(error.kind(), error.to_string());
        match self {
            RedbError::ReadOnly => RedbError::ReadOnly,
            RedbError::Full(error) => RedbError::Full(io_again(error)),
            RedbError::Io(error) => RedbError::Io(io_again(error)),
            RedbError::FailedEarlier => RedbError::FailedEarlier,
            RedbError::Damaged(detail) => RedbError::Damaged(detail.clone()),
            RedbError::TooLarge => RedbError::TooLarge,
            RedbError::ScanLost => RedbError::ScanLost,
            RedbError::Closed => RedbError::Closed,
        }
    }
}

pub(super) const UNREADABLE_RECORD: &str = "a record makes no sense";

impl From<::redb::Error> for RedbError {
    fn from(error: ::redb::Error) -> RedbError {
        match error {
            ::redb::Error::Io(error) if is_full(&error) => RedbError::Full(error),
            ::redb::Error::Io(error) => RedbError::Io(error),
            ::redb::Error::PreviousIo => RedbError::FailedEarlier,
            ::redb::Error::ValueTooLarge(_) => RedbError::TooLarge,
            ::redb::Error::DatabaseClosed => RedbError::Closed,
            ::redb::Error::Corrupted(detail) => RedbError::Damaged(one_line(&detail)),
            other => RedbError::Damaged(one_line(&other.to_string())),
        }
    }
}

impl From<::redb::Error> for OpenError {
    fn from(error: ::redb::Error) -> OpenError {
        match error {
            ::redb::Error::DatabaseAlreadyOpen | ::redb::Error::LockProtocolMismatch => OpenError::Locked,
            ::redb::Error::UpgradeRequired(version) => {
                OpenError::Foreign(format!("it has version {version} of redb's format"))
            }
            ::redb::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                OpenError::Damaged(one_line(&error.to_string()))
            }
            ::redb::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                OpenError::Damaged("it is cut short".to_owned())
            }
            ::redb::Error::Io(error) => OpenError::Io(error),
            ::redb::Error::Corrupted(detail) => OpenError::Damaged(one_line(&detail)),
            other => OpenError::Damaged(one_line(&other.to_string())),
        }
    }
}

macro_rules! from_each_of_redbs_errors {
    ($($error:ty),*) => {$(
        impl From<$error> for RedbError {
            fn from(error: $error) -> RedbError {
                ::redb::Error::from(error).into()
            }
        }

        impl From<$error> for OpenError {
            fn from(error: $error) -> OpenError {
                ::redb::Error::from(error).into()
            }
        }
    )*};
}
from_each_of_redbs_errors!(
    ::redb::CommitError,
    ::redb::DatabaseError,
    ::redb::StorageError,
    ::redb::TableError,
    ::redb::TransactionError
);

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> OpenError {
        ::redb::Error::Io(error).into()
    }
}

impl From<RedbError> for OpenError {
    fn from(error: RedbError) -> OpenError {
        match error {
            RedbError::Full(error) | RedbError::Io(error) => OpenError::Io(error),
            other => OpenError::Damaged(other.to_string()),
        }
    }
}

/// A limit on the size of files (`ulimit -f`) is no different from a full disk where the store stands.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

fn one_line(text: &str) -> String {
    text.lines().collect::<Vec<_>>().join("; ")
}
