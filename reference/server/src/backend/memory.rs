//! Datasets in memory.

use std::future::{Future, ready};
use std::hash::BuildHasher;
use std::io;
use std::path::Path;
use std::sync::Arc;

use redb::backends::FileBackend;
use refcached_store::store::StoreStatistics;
use refcached_store::{Engine, MemoryOptions, MemoryStore, Store, Timestamp};

use crate::administration::SwitchError;
use crate::backend::{Backend, Dataset, FileIdentity, Found, Opening, progress};
use crate::batch::{Batch, Outcome};
use crate::blocking::{Blocking, Unfinished};
use crate::extensions::{self, RangeWalk};
use crate::files::{DataFile, FileAccess, Files};
use crate::guard::{Guarded, ReadOnly};
use crate::transfer::{self, TransferError};

/// Datasets in memory. `H` spreads the keys: production seeds it at random, a simulation does not.
pub struct Memory<H, F = NoFiles> {
    options: MemoryOptions,
    hasher: H,
    files: F,
    blocking: Arc<dyn Blocking>,
}

impl<H> Memory<H> {
    /// A backend that starts empty and has nowhere to take datasets from.
    pub fn new(options: MemoryOptions, hasher: H, blocking: impl Blocking) -> Self {
        Memory {
            options,
            hasher,
            files: NoFiles,
            blocking: Arc::new(blocking),
        }
    }

    /// The same, and it loads datasets from `files`: text or redb, as their names say. No file is written to.
    pub fn with_files<F>(self, files: F) -> Memory<H, F> {
        Memory {
            options: self.options,
            hasher: self.hasher,
            files,
            blocking: self.blocking,
        }
    }
}

impl<H: BuildHasher + Clone, F> Memory<H, F> {
    fn store(&self, opening: &Opening) -> MemoryStore<H> {
        MemoryStore::new(self.options, self.hasher.clone()).watched(opening.environment.watchers())
    }
}

impl<H, F> Backend for Memory<H, F>
where
    H: BuildHasher + Clone + Send + Sync + 'static,
    F: Files,
{
    type Dataset = MemoryDataset<H>;
    type Source = F::File;

    fn name(&self) -> &'static str {
        "memory"
    }

    fn blocking(&self) -> Arc<dyn Blocking> {
        Arc::clone(&self.blocking)
    }

    fn empty(&self, opening: &Opening) -> Option<MemoryDataset<H>> {
        Some(MemoryDataset::new(self.store(opening), opening))
    }

    fn find(&self, name: &str, _access: FileAccess) -> Result<Found<F::File>, SwitchError> {
        let file = self.files.find(name, FileAccess::Read)?;
        Ok(Found {
            identity: file.identity(),
            source: file,
        })
    }

    fn open(&self, name: &str, source: F::File, opening: &Opening) -> Result<MemoryDataset<H>, SwitchError> {
        let storage = source.storage().map_err(|error| SwitchError::Io {
            name: name.to_owned(),
            cause: error.to_string(),
        })?;
        let store = self.store(opening);
        let filled = transfer::fill_from(&store, Path::new(name), storage, opening.now, progress::reading(name));
        let filled = filled.map_err(|error| explained(error, name))?;
        let evicted = store.statistics().evictions;
        if evicted > 0 {
            return Err(SwitchError::DoesNotFit {
                name: name.to_owned(),
                cause: format!(
                    "of {} records {evicted} had to go to keep within {} bytes",
                    filled.entries, self.options.limit_bytes
                ),
            });
        }
        opening.environment.raise_cas(filled.cas_ceiling);
        Ok(MemoryDataset::new(store, opening))
    }
}

/// Says why the file `name` could not be loaded.
fn explained(error: TransferError, name: &str) -> SwitchError {
    let name = name.to_owned();
    match error {
        TransferError::UnknownFormat { .. } => SwitchError::NotADatabase {
            name,
            cause: "its name ends on none of .redb, .ndjson, .jsonl and .csv".to_owned(),
        },
        TransferError::Input { error, .. } => SwitchError::Damaged {
            name,
            cause: error.to_string(),
        },
        TransferError::Open { error, .. } => super::redb::explained(error, &name),
        TransferError::Dataset { error, .. } => SwitchError::Damaged {
            name,
            cause: error.to_string(),
        },
        TransferError::Refused { key, cause, .. } => SwitchError::DoesNotFit {
            name,
            cause: format!("the record with key {key:?} cannot be stored: {cause}"),
        },
        other => SwitchError::Io {
            name,
            cause: other.to_string(),
        },
    }
}

/// No place to take datasets from.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

/// A file that there is not.
#[derive(Debug)]
pub enum NoFile {}

impl Files for NoFiles {
    type File = NoFile;

    fn find(&self, _name: &str, _access: FileAccess) -> Result<NoFile, SwitchError> {
        Err(SwitchError::NoDataDirectory)
    }
}

impl DataFile for NoFile {
    type Storage = FileBackend;

    fn identity(&self) -> FileIdentity {
        match *self {}
    }

    fn storage(&self) -> io::Result<FileBackend> {
        match *self {}
    }
}

/// Items in memory and the engine over them. Everything is answered in place.
pub struct MemoryDataset<H> {
    engine: Engine<Guarded<MemoryStore<H>, ReadOnly>>,
}

impl<H: BuildHasher> MemoryDataset<H> {
    /// A dataset of what is in `store`.
    pub fn new(store: MemoryStore<H>, opening: &Opening) -> Self {
        let store = Guarded::new(store, opening.read_only.then_some(ReadOnly));
        MemoryDataset {
            engine: Engine::new(store, Arc::clone(&opening.environment)),
        }
    }
}

impl<H: BuildHasher + Send + Sync + 'static> Dataset for MemoryDataset<H> {
    #[inline]
    fn answer<'a>(&'a self, batch: &'a mut Batch) -> impl Future<Output = Result<Outcome, Unfinished>> + Send + 'a {
        ready(Ok(batch.run(&self.engine)))
    }

    fn range<'a>(
        &'a self,
        walk: &'a mut RangeWalk,
        now: Timestamp,
        out: &'a mut Vec<u8>,
    ) -> impl Future<Output = Result<bool, Unfinished>> + Send + 'a {
        let piece = walk.step_by_scan(self.engine.store(), now, out);
        ready(Ok(extensions::close_piece(piece, out)))
    }

    fn statistics(&self) -> StoreStatistics {
        self.engine.store().statistics()
    }

    fn close(self) -> Result<(), String> {
        Ok(())
    }
}
