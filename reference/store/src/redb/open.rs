//! How a file becomes a store: checked before a byte of it is changed, counted, its filter built.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use ::redb::backends::FileBackend;
use ::redb::{Builder, Database, ReadOnlyTable, ReadableDatabase, ReadableTableMetadata, StorageBackend};
use foldhash::quality::FixedState;

use super::accesses::Accesses;
use super::bloom::Bloom;
use super::error::OpenError;
use super::gate::{Gate, ReadReport};
use super::options::{OpenProgress, RedbOptions};
use super::record;
use super::scans::Scans;
use super::statistics::Tally;
use super::tables::{self, Facts, Fate, RECORDS, Stretch};
use super::{CAS_COUNTED_MAX, RedbStore, Snapshot, Writer};
use crate::time::Timestamp;

/// What every file of redb begins with.
const MAGIC: [u8; 9] = *b"redb\x1a\x0a\xa9\x0d\x0a";

/// A server gives out fewer than 2^20 CAS values in a millisecond, taken over its life.
const CAS_BITS_IN_A_MS: u32 = 20;

/// Told of the progress while a dataset is opened; from the thread that opens it.
type Progress = Arc<dyn Fn(OpenProgress) + Send + Sync>;

impl RedbStore {
    /// Opens a file, or makes one. Blocks: every page of the file is read and held against its checksum before the store is
    /// given out, then every record is read, which counts the keys and fills the bloom filter. Of a file that does not
    /// pass, or that is not one of refcached's, not a byte is changed. A panic within redb is an error.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(
        path: impl AsRef<Path>,
        options: &RedbOptions,
        now: Timestamp,
        progress: impl Fn(OpenProgress) + Send + Sync + 'static,
    ) -> Result<RedbStore, OpenError> {
        let path = path.as_ref();
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => return Err(OpenError::NotAFile),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !options.create || options.read_only {
                    return Err(OpenError::NotFound);
                }
                create_file(path, options, now)?;
            }
            Err(error) => return Err(error.into()),
        }
        let file = OpenOptions::new().read(true).write(!options.read_only).open(path)?;
        let storage = FileBackend::new(file)?;
        open_storage(
            Box::new(storage),
            options,
            now,
            &(Arc::new(progress) as Progress),
            Blank::Refused,
        )
    }

    /// The same on an open file, which may be empty with [`RedbOptions::create`].
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_file(
        file: File,
        options: &RedbOptions,
        now: Timestamp,
        progress: impl Fn(OpenProgress) + Send + Sync + 'static,
    ) -> Result<RedbStore, OpenError> {
        RedbStore::open_on(FileBackend::new(file)?, options, now, progress)
    }

    /// The same on a storage of the caller's making. With [`RedbOptions::create`] a dataset is made on an empty one, and on one
    /// on which that was begun and not ended. Everything is done on the caller's thread.
    ///
    /// The storage is written to when the store is dropped. Who wants to see what a crash leaves has to let it fail before that.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_on(
        storage: impl StorageBackend,
        options: &RedbOptions,
        now: Timestamp,
        progress: impl Fn(OpenProgress) + Send + Sync + 'static,
    ) -> Result<RedbStore, OpenError> {
        let blank = if options.create && !options.read_only {
            Blank::Taken
        } else {
            Blank::Refused
        };
        open_storage(
            Box::new(storage),
            options,
            now,
            &(Arc::new(progress) as Progress),
            blank,
        )
    }
}

/// What becomes of a storage on which there is nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blank {
    Taken,
    Refused,
}

/// Makes a file with an empty dataset beside its place and links it there when it is whole: a crash on the way leaves nothing
/// in its place. Of two processes that do this at once, both open the file of the one that came first.
fn create_file(path: &Path, options: &RedbOptions, now: Timestamp) -> Result<(), OpenError> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(format!(".{}.new", std::process::id()));
    let unfinished = PathBuf::from(unfinished);
    // A process with this number may have crashed here.
    remove_if_there(&unfinished)?;
    let made = make_and_link(&unfinished, path, options, now);
    remove_if_there(&unfinished)?;
    made?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(())
}

fn make_and_link(unfinished: &Path, path: &Path, options: &RedbOptions, now: Timestamp) -> Result<(), OpenError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(unfinished)?;
    let store = RedbStore::open_file(file, options, now, |_| {})?;
    store.close()?;
    match fs::hard_link(unfinished, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn open_storage(
    storage: Box<dyn StorageBackend>,
    options: &RedbOptions,
    now: Timestamp,
    progress: &Progress,
    blank: Blank,
) -> Result<RedbStore, OpenError> {
    let opened = catch_unwind(AssertUnwindSafe(|| {
        open_unguarded(storage, options, now, progress, blank)
    }));
    opened.unwrap_or_else(|_| Err(OpenError::Damaged("a page of it makes no sense".to_owned())))
}

fn open_unguarded(
    storage: Box<dyn StorageBackend>,
    options: &RedbOptions,
    now: Timestamp,
    progress: &Progress,
    blank: Blank,
) -> Result<RedbStore, OpenError> {
    recognise_storage(&*storage, blank)?;
    let watcher = Arc::clone(progress);
    let report: ReadReport = Box::new(move |read_bytes, of_bytes| {
        watcher(OpenProgress::Checking { read_bytes, of_bytes });
    });
    let gate = Gate::new(storage, options.read_only, report)?;
    let database = Builder::new()
        .set_cache_size(options.cache_bytes)
        .set_check_integrity_on_open(true)
        .create_with_backend(gate.clone())?;
    let facts = Facts::recognise(&database.begin_read()?)?;
    if facts.is_none() && (options.read_only || !options.create) {
        return Err(OpenError::Foreign("it has no tables".to_owned()));
    }
    let hasher = FixedState::with_seed(options.hash_seed);
    let snapshot = match facts {
        Some(facts) => take_stock(&database, facts, options, now, &hasher, &**progress)?,
        None => first_snapshot(&database, options, now)?,
    };
    // It has passed.
    gate.open()?;
    Ok(RedbStore {
        database,
        options: *options,
        hasher,
        current: RwLock::new(Arc::new(snapshot)),
        writer: Mutex::new(Writer::default()),
        accesses: Accesses::new(options.access_slots),
        totals: Mutex::new(Tally::default()),
        scans: Scans::default(),
    })
}

/// Tells a redb file from any other by its first bytes. redb writes them last, so a storage on which a dataset was begun and
/// not ended begins with zeros.
fn recognise_storage(storage: &dyn StorageBackend, blank: Blank) -> Result<(), OpenError> {
    let len = storage.len()?;
    let mut head = [0; MAGIC.len()];
    if len >= head.len() as u64 {
        storage.read(0, &mut head)?;
    }
    if head == MAGIC {
        return Ok(());
    }
    if blank == Blank::Refused || head != [0; MAGIC.len()] {
        return Err(OpenError::NotADatabase);
    }
    if len > 0 {
        storage.set_len(0)?;
    }
    Ok(())
}

/// Makes the tables of a new dataset.
fn first_snapshot(database: &Database, options: &RedbOptions, now: Timestamp) -> Result<Snapshot, OpenError> {
    // So large that datasets made at different times, by whatever process, have no CAS value in common: a client that took one
    // from a dataset must not match an item of the dataset that took its place.
    let facts = Facts {
        cas_ceiling: (now.unix_ms() << CAS_BITS_IN_A_MS).min(CAS_COUNTED_MAX),
        ..Facts::default()
    };
    let transaction = database.begin_write()?;
    facts.store(&transaction)?;
    transaction.open_table(RECORDS)?;
    transaction.commit()?;
    Ok(Snapshot {
        records: Arc::new(database.begin_read()?.open_table(RECORDS)?),
        facts,
        bloom: Arc::new(Bloom::with_room_for(0, options.false_positive_rate)),
        items: 0,
        bytes: 0,
    })
}

/// Reads every record: counts them, and fills the filter.
fn take_stock(
    database: &Database,
    facts: Facts,
    options: &RedbOptions,
    now: Timestamp,
    hasher: &FixedState,
    progress: &dyn Fn(OpenProgress),
) -> Result<Snapshot, OpenError> {
    use std::hash::BuildHasher;
    let records: ReadOnlyTable<&'static [u8], &'static [u8]> = database.begin_read()?.open_table(RECORDS)?;
    let of_records = records.len()?;
    let bloom = Bloom::with_room_for(of_records, options.false_positive_rate);
    let (mut seen, mut items, mut bytes) = (0, 0, 0);
    tables::walk(&records, Bound::Unbounded, Stretch::ALL, |key, row| {
        // Dead records too: until they are dropped, a write has to find them.
        bloom.insert(hasher.hash_one(key));
        if facts.fate(&row, now) != Fate::Flushed {
            items += 1;
            bytes += record::charge(key.len(), row.encoded_bytes);
        }
        seen += 1;
        if seen % 65_536 == 0 || seen == of_records {
            progress(OpenProgress::Counting {
                records: seen,
                of_records,
            });
        }
        true
    })?;
    Ok(Snapshot {
        records: Arc::new(records),
        facts,
        bloom: Arc::new(bloom),
        items,
        bytes,
    })
}
