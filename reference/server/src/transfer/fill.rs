//! Any file into a store that is there.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use redb::StorageBackend;
use redb::backends::FileBackend;
use refcached_store::store::{ScanPosition, Store};
use refcached_store::{RedbOptions, RedbStore, Timestamp};

use super::load::put;
use super::{CasValues, Entries, Entry, Format, TransferError, TransferProgress, exptime_unix_s};

/// What a store was filled with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Entries stored; a store that evicts may not hold all of them any more.
    pub entries: u64,
    /// Entries that were left out because their time is over.
    pub expired: u64,
    /// No CAS value that was given to an entry is larger: for [`refcached_store::Environment::raise_cas`].
    pub cas_ceiling: u64,
}

/// Stores what is in a file, `.ndjson`, `.csv` or `.redb`, in a store. A redb file is checked first, and only read.
///
/// # Errors
/// The file is not what it should be or cannot be read, or the store refuses an entry. The store holds what was stored before
/// that.
pub fn fill<S: Store>(
    store: &S,
    from: &Path,
    now: Timestamp,
    progress: impl FnMut(TransferProgress),
) -> Result<Filled, TransferError> {
    let opened = File::open(from).map_err(TransferError::io("read", from))?;
    let storage = FileBackend::new(opened).map_err(|error| TransferError::Open {
        path: from.to_owned(),
        error: error.into(),
    })?;
    fill_from(store, from, storage, now, progress)
}

/// The same with the bytes of a file that is open; its name `from` says what it is.
///
/// # Errors
/// As [`fill`].
pub fn fill_from<S: Store>(
    store: &S,
    from: &Path,
    storage: impl StorageBackend,
    now: Timestamp,
    progress: impl FnMut(TransferProgress),
) -> Result<Filled, TransferError> {
    let mut filling = Filling {
        store,
        from,
        now,
        cas: CasValues::from(now),
        filled: Filled::default(),
    };
    if from.extension().is_some_and(|extension| extension == "redb") {
        filling.take_dataset(storage, progress)?;
    } else {
        filling.take_text(storage, progress)?;
    }
    filling.filled.cas_ceiling = filling.cas.0;
    Ok(filling.filled)
}

/// Reads a storage from its beginning to its end.
struct FromStart<T> {
    storage: T,
    position: u64,
    of_bytes: u64,
}

impl<T: StorageBackend> Read for FromStart<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.of_bytes - self.position).unwrap_or(usize::MAX);
        let bytes = left.min(buffer.len());
        self.storage.read(self.position, &mut buffer[..bytes])?;
        self.position += bytes as u64;
        Ok(bytes)
    }
}

/// How many entries are stored between two reports of progress.
const REPORT_ENTRIES: u64 = 4096;

struct Filling<'a, S> {
    store: &'a S,
    from: &'a Path,
    now: Timestamp,
    cas: CasValues,
    filled: Filled,
}

impl<S: Store> Filling<'_, S> {
    fn take_text(
        &mut self,
        storage: impl StorageBackend,
        mut progress: impl FnMut(TransferProgress),
    ) -> Result<(), TransferError> {
        let format = Format::of(self.from).ok_or_else(|| TransferError::UnknownFormat {
            path: self.from.to_owned(),
            redb: true,
        })?;
        let of_bytes = storage.len().map_err(TransferError::io("read", self.from))?;
        let source = FromStart {
            storage,
            position: 0,
            of_bytes,
        };
        let mut entries = Entries::of(self.from, format, of_bytes, Box::new(source));
        while let Some(entry) = entries.next() {
            self.store(&entry?)?;
            if self.filled.entries.is_multiple_of(REPORT_ENTRIES) {
                let (done, of) = entries.progress();
                progress(TransferProgress { done, of });
            }
        }
        Ok(())
    }

    fn take_dataset(
        &mut self,
        storage: impl StorageBackend,
        mut progress: impl FnMut(TransferProgress),
    ) -> Result<(), TransferError> {
        let options = RedbOptions {
            read_only: true,
            ..RedbOptions::default()
        };
        let dataset = RedbStore::open_on(storage, &options, self.now, |_| {});
        let dataset = dataset.map_err(|error| TransferError::Open {
            path: self.from.to_owned(),
            error,
        })?;
        let of = dataset.items();
        let mut position = Some(ScanPosition::default());
        while let Some(from) = position {
            let mut stretch = Vec::new();
            let visit = |item: refcached_store::item::Item<'_>| stretch.push(entry_of(&item));
            let scanned = dataset.read(|batch| batch.scan(from, self.now, visit));
            position = scanned
                .and_then(|scanned| scanned)
                .map_err(TransferError::dataset(self.from))?;
            for entry in &stretch {
                self.store(entry)?;
            }
            progress(TransferProgress {
                done: self.filled.entries,
                of,
            });
        }
        Ok(())
    }

    fn store(&mut self, entry: &Entry) -> Result<(), TransferError> {
        if entry.expiry().is_past(self.now) {
            self.filled.expired += 1;
            return Ok(());
        }
        let refused = |error: S::Error| TransferError::Refused {
            path: self.from.to_owned(),
            key: entry.key.escape_ascii().to_string(),
            cause: error.to_string(),
        };
        put(self.store, entry, self.cas.next(), self.now).map_err(refused)?;
        self.filled.entries += 1;
        Ok(())
    }
}

/// An item as an entry.
pub(super) fn entry_of(item: &refcached_store::item::Item<'_>) -> Entry {
    Entry {
        key: item.key.to_vec(),
        value: item.data.to_vec(),
        flags: item.attributes.client_flags,
        exptime_unix_s: exptime_unix_s(item.attributes.expiry),
    }
}
