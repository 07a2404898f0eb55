//! A text file into a redb file.

use std::path::Path;

use refcached_store::item::{Attributes, Marks, access_time};
use refcached_store::redb::WriteBatch;
use refcached_store::store::{Change, Data, Store};
use refcached_store::{RedbOptions, RedbStore, Timestamp};

use super::placed::Placed;
use super::{CasValues, Entries, Entry, TransferError, TransferProgress};

/// Bytes of entries that are held in memory and sorted before they go into redb's pages. A file that is in the order of its
/// keys, as a dump is, is written from the first page to the last whatever this is; another costs less the larger this is.
const SORTED_BYTES: usize = 64 << 20;

/// What an entry takes in memory beside its bytes.
const ENTRY_OVERHEAD_BYTES: usize = size_of::<Entry>() + 32;

/// Pages of the new file that are held in memory, in bytes.
const CACHE_BYTES: usize = 128 << 20;

/// What was loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Items in the new dataset.
    pub items: u64,
    /// Entries that gave way to a later one with the same key.
    pub replaced: u64,
    /// Entries that were left out because their time is over.
    pub expired: u64,
}

/// Makes a redb file from a text file. The new file appears under its name when it is whole and on the disk; whatever goes
/// wrong before that leaves nothing, and what was there as it was. Of entries with the same key the last one counts. Takes
/// about 64 MiB of entries into memory at a time, and 128 MiB of pages.
///
/// # Errors
/// The text is not what it should be, the file is there already and `replace` is not set, or one of both cannot be read or
/// written.
pub fn load(
    from: &Path,
    to: &Path,
    replace: bool,
    now: Timestamp,
    mut progress: impl FnMut(TransferProgress),
) -> Result<Loaded, TransferError> {
    let mut entries = Entries::open(from)?;
    let placed = Placed::begin(to, replace)?;
    let store = new_dataset(&placed, to, now)?;
    let mut loading = Loading {
        to,
        now,
        cas: CasValues::from(now),
        loaded: Loaded::default(),
    };
    // One transaction: what it has written itself redb changes in place, where a committed page would be copied.
    let written = store.write(|batch| -> Result<(), TransferError> {
        while loading.take_on_some(&mut entries, batch)? {
            let (done, of) = entries.progress();
            progress(TransferProgress { done, of });
        }
        Ok(())
    });
    written.map_err(TransferError::dataset(to))??;
    let mut loaded = loading.loaded;
    loaded.items = store.items();
    store.close().map_err(TransferError::dataset(to))?;
    placed.put()?;
    Ok(loaded)
}

fn new_dataset(placed: &Placed<'_>, to: &Path, now: Timestamp) -> Result<RedbStore, TransferError> {
    let options = RedbOptions {
        create: true,
        cache_bytes: CACHE_BYTES,
        access_slots: 1,
        ..RedbOptions::default()
    };
    let opened = RedbStore::open_file(placed.open()?, &options, now, |_| {});
    opened.map_err(|error| TransferError::Open {
        path: to.to_owned(),
        error,
    })
}

/// A load under way.
struct Loading<'p> {
    to: &'p Path,
    now: Timestamp,
    cas: CasValues,
    loaded: Loaded,
}

impl Loading<'_> {
    /// Takes on as many entries as may be held, sorts and stores them; answers whether there may be more.
    fn take_on_some(&mut self, entries: &mut Entries, batch: &WriteBatch<'_>) -> Result<bool, TransferError> {
        let mut sorted = Vec::new();
        let mut bytes = 0;
        while bytes < SORTED_BYTES
            && let Some(entry) = entries.next().transpose()?
        {
            if entry.expiry().is_past(self.now) {
                self.loaded.expired += 1;
                continue;
            }
            bytes += entry.key.len() + entry.value.len() + ENTRY_OVERHEAD_BYTES;
            sorted.push(entry);
        }
        // Stable: of those with the same key the last in the file is the last written.
        sorted.sort_by(|one, other| one.key.cmp(&other.key));
        for entry in &sorted {
            let replaced = put(batch, entry, self.cas.next(), self.now).map_err(TransferError::dataset(self.to))?;
            self.loaded.replaced += u64::from(replaced);
        }
        Ok(bytes >= SORTED_BYTES)
    }
}

/// Stores an entry; answers whether there was one under its key.
pub(super) fn put<S: Store>(store: &S, entry: &Entry, cas: u64, now: Timestamp) -> Result<bool, S::Error> {
    let attributes = Attributes {
        client_flags: entry.flags,
        expiry: entry.expiry(),
        cas,
        accessed_unix_s: access_time(now),
        marks: Marks::NONE,
    };
    let put = Change::Put(attributes, Data::Bytes(&entry.value));
    store.update(&entry.key, now, |current| (put, current.is_some()))
}
