//! Which files are opened, and why others are not.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use redb::{Database, MultimapTableDefinition, TableDefinition};
use refcached_store::redb::{OpenError, OpenProgress, RedbError};
use refcached_store::{RedbOptions, RedbStore};
use tempfile::TempDir;

use crate::disk::Disk;
use crate::support::{SMALL, START};
use crate::{LAX, get, set};

const EXISTING: RedbOptions = RedbOptions { create: false, ..SMALL };
const READ_ONLY: RedbOptions = RedbOptions {
    read_only: true,
    ..EXISTING
};

fn open(path: &Path, options: &RedbOptions) -> Result<RedbStore, OpenError> {
    RedbStore::open(path, options, START, |_| {})
}

fn fault(path: &Path, options: &RedbOptions) -> OpenError {
    let before = fs::read(path).ok();
    let error = open(path, options).err().expect("it is not to be opened");
    assert_eq!(fs::read(path).ok(), before, "{error}: the file is as it was");
    error
}

fn file(directory: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn what_was_written_is_there_after_the_file_was_closed_and_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.redb");
    let store = open(&path, &SMALL).unwrap();
    set(&store, b"key", b"value").unwrap();
    assert!(store.may_contain(b"key"));
    assert_eq!(get(&store, b"key").unwrap(), b"value");
    store.close().unwrap();
    let store = open(&path, &EXISTING).unwrap();
    assert_eq!(get(&store, b"key").unwrap(), b"value");
    assert_eq!(store.items(), 1);
    assert_eq!(
        fs::read_dir(directory.path()).unwrap().count(),
        1,
        "nothing is left beside it"
    );
}

#[test]
fn each_file_that_is_not_a_dataset_has_its_own_error() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.redb");
    assert!(matches!(fault(&missing, &EXISTING), OpenError::NotFound));
    assert!(matches!(
        fault(
            &missing,
            &RedbOptions {
                read_only: true,
                ..SMALL
            }
        ),
        OpenError::NotFound
    ));
    assert!(matches!(fault(directory.path(), &SMALL), OpenError::NotAFile));
    for bytes in [&b""[..], b"redb", b"key,value\n", &[0; 8192], &[0xff; 5000]] {
        let path = file(&directory, "text", bytes);
        let error = fault(&path, &SMALL);
        assert!(matches!(error, OpenError::NotADatabase), "{error:?}");
    }
    let absent = directory.path().join("no/such/directory/a.redb");
    assert!(matches!(fault(&absent, &SMALL), OpenError::Io(_)));
}

#[test]
fn databases_of_other_programs_are_told_from_datasets() {
    let directory = tempfile::tempdir().unwrap();
    for kind in 0..5 {
        let path = directory.path().join(format!("{kind}.redb"));
        let database = Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        match kind {
            0 => drop(
                transaction
                    .open_table::<u64, u64>(TableDefinition::new("theirs"))
                    .unwrap(),
            ),
            1 => drop(
                transaction
                    .open_table::<u64, u64>(TableDefinition::new("refcached"))
                    .unwrap(),
            ),
            2 => drop(
                transaction
                    .open_multimap_table::<u64, u64>(MultimapTableDefinition::new("m"))
                    .unwrap(),
            ),
            3 => {
                let mut table = transaction
                    .open_table::<&str, u64>(TableDefinition::new("refcached"))
                    .unwrap();
                table.insert("format", 2).unwrap();
            }
            _ => {}
        }
        transaction.commit().unwrap();
        drop(database);
        let error = fault(&path, &EXISTING);
        assert!(matches!(error, OpenError::Foreign(_)), "{kind}: {error:?}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}

#[test]
fn a_file_is_open_once_or_many_times_for_reading() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.redb");
    let writer = open(&path, &SMALL).unwrap();
    assert!(matches!(open(&path, &EXISTING), Err(OpenError::Locked)));
    assert!(matches!(open(&path, &READ_ONLY), Err(OpenError::Locked)));
    set(&writer, b"key", b"value").unwrap();
    writer.close().unwrap();
    let before = fs::read(&path).unwrap();
    let readers: Vec<_> = (0..2).map(|_| open(&path, &READ_ONLY).unwrap()).collect();
    assert!(matches!(open(&path, &EXISTING), Err(OpenError::Locked)));
    for reader in readers {
        assert_eq!(get(&reader, b"key").unwrap(), b"value");
        let refused = set(&reader, b"key", b"other");
        assert!(matches!(refused, Err(RedbError::ReadOnly)), "{refused:?}");
        reader.close().unwrap();
    }
    assert_eq!(fs::read(&path).unwrap(), before, "to read is not to write");
    assert_eq!(get(&open(&path, &EXISTING).unwrap(), b"key").unwrap(), b"value");
}

#[test]
fn a_file_that_was_not_closed_is_read_without_being_repaired() {
    let disk = Disk::default();
    let store = RedbStore::open_on(disk.clone(), &SMALL, START, |_| {}).unwrap();
    set(&store, b"key", b"value").unwrap();
    let crashed = disk.lose_power();
    let before = crashed.bytes();
    let reader = RedbStore::open_on(crashed.clone(), &READ_ONLY, START, |_| {}).unwrap();
    assert_eq!(get(&reader, b"key").unwrap(), b"value");
    drop(reader);
    assert_eq!(crashed.bytes(), before);
    assert_eq!(crashed.take_changes(), 0);
}

#[test]
fn a_dataset_whose_making_was_cut_short_is_made_again() {
    // Redb writes what a file begins with last.
    for operations in 0..40 {
        let disk = Disk::default();
        disk.fail_after(operations);
        let _ = RedbStore::open_on(disk.clone(), &SMALL, START, |_| {});
        let store = RedbStore::open_on(disk.lose_power(), &SMALL, START, |_| {});
        let store = store.unwrap_or_else(|error| panic!("after {operations} operations: {error}"));
        set(&store, b"key", b"value").unwrap();
    }
}

#[test]
fn progress_is_told_from_the_check_to_the_last_record() {
    let disk = Disk::default();
    let store = RedbStore::open_on(disk.clone(), &LAX, START, |_| {}).unwrap();
    let value = [b'v'; 1000];
    store
        .write(|batch| (0..5000_u32).try_for_each(|number| crate::put(batch, &number.to_be_bytes(), &value)))
        .unwrap()
        .unwrap();
    store.close().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let tell = move |progress| listener.lock().unwrap().push(progress);
    RedbStore::open_on(disk, &SMALL, START, tell).unwrap();
    let told = told.lock().unwrap();
    let checking = |progress: &&OpenProgress| matches!(progress, OpenProgress::Checking { .. });
    assert!(told.iter().filter(checking).count() >= 5, "{told:?}");
    let end = OpenProgress::Counting {
        records: 5000,
        of_records: 5000,
    };
    assert_eq!(told.last(), Some(&end));
}
