//! The store: dials and users in one redb file.
//!
//! Every call is one transaction. Reads take a read-only one and never wait; writes take turns, and each is synced to the
//! disk before it is acknowledged. A write that is refused or fails drops its transaction, which leaves nothing behind.
//!
//! # Layout
//! - `tables`: what lies where in the file, and which files are this program's.
//! - `dials`: [`DialService`](crate::DialService).
//! - `users`: [`Authenticator`](crate::Authenticator) and [`Administration`](crate::Administration).
//! - `disk`: [`Disk`], where the file is; the seam for a disk that fails.
//! - `check`, `overlay`: whether a file is sound, without writing to it.
//! - `backup`: a copy of the file while it is in use.
//! - `fault`: the library's errors in the domain's words.

mod backup;
mod check;
mod dials;
mod disk;
mod fault;
mod overlay;
mod tables;
mod users;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use ::redb::{Database, ReadTransaction, WriteTransaction};

pub use self::check::{CHECK_THREAD, check};
pub use self::disk::Disk;
use self::disk::FileDisk;
use self::fault::Fault;
use crate::error::{Error, StorageFailure};

/// Pages of the file that are held in memory, in bytes.
const CACHE_BYTES: usize = 64 << 20;

/// An open store. One process at a time has a file open.
#[derive(Debug)]
pub struct Store {
    disk: Box<dyn Disk>,
    /// `None` only after a full disk, while it cannot be opened again.
    database: RwLock<Option<Database>>,
    /// A write failed because the disk was full. redb then refuses every write until it is opened anew.
    disk_was_full: AtomicBool,
}

impl Store {
    /// Opens the file, or creates it if there is none. An existing file is [checked](check()) first, so that a damaged or
    /// foreign one is refused as it is, without a byte changed.
    ///
    /// # Errors
    /// The file is damaged, is not this program's, is open already, or cannot be read or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Store, StorageFailure> {
        let path = path.as_ref();
        if path.exists() {
            check(path)?;
        }
        Store::open_on(FileDisk::new(path))
    }

    /// Opens the store on a disk of the caller's making, unchecked.
    ///
    /// # Errors
    /// As [`Store::open`], as far as it is noticed without a check.
    pub fn open_on(disk: impl Disk) -> Result<Store, StorageFailure> {
        let database = open_database(&disk)?;
        Ok(Store {
            disk: Box::new(disk),
            database: RwLock::new(Some(database)),
            disk_was_full: AtomicBool::new(false),
        })
    }

    /// Runs a read-only transaction.
    fn read<T>(&self, what: &str, work: impl Fn(&ReadTransaction) -> Result<T, Fault>) -> Result<T, Error> {
        let attempt = || {
            let open = self.database()?;
            // `database` has seen to it that there is one.
            let database = open.as_ref().ok_or(::redb::Error::DatabaseClosed)?;
            work(&::redb::ReadableDatabase::begin_read(database)?)
        };
        let outcome = match attempt() {
            // After a failed write redb reads no page that it does not have in memory.
            Err(fault) if fault.is_previous_failure() && self.disk_was_full.load(Ordering::Acquire) => {
                self.reopen()?;
                attempt()
            }
            outcome => outcome,
        };
        outcome.map_err(|fault| fault.into_error(what))
    }

    /// Runs a transaction that changes something. It is committed, durably, if the work succeeds.
    fn write<T>(&self, what: &str, work: impl FnOnce(&WriteTransaction) -> Result<T, Fault>) -> Result<T, Error> {
        if self.disk_was_full.load(Ordering::Acquire) {
            self.reopen()?;
        }
        let open = self.database()?;
        let outcome = || {
            let database = open.as_ref().ok_or(::redb::Error::DatabaseClosed)?;
            let transaction = database.begin_write()?;
            let answer = work(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        };
        outcome().map_err(|fault: Fault| {
            if fault.is_full_disk() {
                self.disk_was_full.store(true, Ordering::Release);
            }
            fault.into_error(what)
        })
    }

    fn database(&self) -> Result<RwLockReadGuard<'_, Option<Database>>, Error> {
        loop {
            let open = self.database.read().unwrap_or_else(PoisonError::into_inner);
            if open.is_some() {
                return Ok(open);
            }
            drop(open);
            self.reopen()?;
        }
    }

    /// Opens the file anew after a full disk: what was committed is there, what failed is not.
    fn reopen(&self) -> Result<(), Error> {
        let mut open = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if open.is_some() && !self.disk_was_full.load(Ordering::Acquire) {
            return Ok(());
        }
        // The old handle first: it has the file locked.
        *open = None;
        *open = Some(open_database(&*self.disk)?);
        self.disk_was_full.store(false, Ordering::Release);
        Ok(())
    }
}

fn open_database(disk: &dyn Disk) -> Result<Database, StorageFailure> {
    let open = || {
        let database = disk.open(&builder())?;
        tables::admit(&database)?;
        Ok(database)
    };
    open().map_err(|fault: Fault| fault.into_failure(&format!("opening {disk}")))
}

fn builder() -> ::redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}
