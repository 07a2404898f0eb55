//! Files in memory that can fail.

use std::collections::BTreeMap;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};

use redb::{BackendError, StorageBackend};
use refcached::backend::FileIdentity;
use refcached::{DataFile, FileAccess, Files, SwitchError};
use refcached_store::item::{Attributes, Marks};
use refcached_store::store::Data;
use refcached_store::{Change, Expiry, RedbOptions, RedbStore, Store, Timestamp};

/// A directory in memory. A clone is the same one.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<BTreeMap<String, Arc<Tape>>>>);

/// A file in memory.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    inode: u64,
    bytes: Mutex<Vec<u8>>,
    /// The storage that has it locked; 0 if none has.
    owner: AtomicU64,
    next_owner: AtomicU64,
    /// How often it was opened.
    opened: AtomicU64,
    /// Whoever holds it keeps the disk from being done.
    disk: Mutex<()>,
    /// Those who wait for the disk.
    syncing: AtomicU64,
    /// How often it was brought to the disk.
    pub(crate) syncs: AtomicU64,
    /// Bringing it to the disk fails.
    pub(crate) sync_fails: AtomicBool,
    /// There is no room for more bytes.
    pub(crate) full: AtomicBool,
}

impl Shelf {
    /// Puts a dataset there: each key with its value.
    pub(crate) fn put(&self, name: &str, items: &[(&str, &[u8])]) -> Arc<Tape> {
        let tape = self.put_bytes(name, &[]);
        let options = RedbOptions {
            create: true,
            ..RedbOptions::DEFAULT
        };
        let now = Timestamp::from_unix_s(1_700_000_000);
        let store = RedbStore::open_on(tape.lend(), &options, now, |_| {}).unwrap();
        let attributes = Attributes {
            client_flags: 0,
            expiry: Expiry::NEVER,
            cas: 7,
            accessed_unix_s: 0,
            marks: Marks::NONE,
        };
        let written = store.write(|batch| {
            for (key, value) in items {
                let change = Change::Put(attributes, Data::Bytes(value));
                batch.update(key.as_bytes(), now, |_| (change, ())).unwrap();
            }
        });
        written.unwrap();
        store.close().unwrap();
        tape.syncs.store(0, SeqCst);
        tape
    }

    /// Puts a file there.
    pub(crate) fn put_bytes(&self, name: &str, bytes: &[u8]) -> Arc<Tape> {
        let mut files = self.0.lock().unwrap();
        let tape = Arc::new(Tape {
            inode: files.len() as u64 + 1,
            bytes: Mutex::new(bytes.to_vec()),
            ..Tape::default()
        });
        files.insert(name.to_owned(), Arc::clone(&tape));
        tape
    }

    /// Gives a file a second name.
    pub(crate) fn link(&self, name: &str, other: &str) {
        let mut files = self.0.lock().unwrap();
        let tape = Arc::clone(&files[name]);
        files.insert(other.to_owned(), tape);
    }

    /// Whether all files have the same bytes as those of `other`.
    pub(crate) fn is_same(&self, other: &Shelf) -> bool {
        let contents = |shelf: &Shelf| {
            let files = shelf.0.lock().unwrap();
            let content = |(name, tape): (&String, &Arc<Tape>)| (name.clone(), tape.bytes.lock().unwrap().clone());
            files.iter().map(content).collect::<Vec<_>>()
        };
        contents(self) == contents(other)
    }

    /// Everything in it as it is now, in files of their own.
    pub(crate) fn copy(&self) -> Shelf {
        let copy = Shelf::default();
        for (name, tape) in &*self.0.lock().unwrap() {
            copy.put_bytes(name, &tape.bytes.lock().unwrap());
        }
        copy
    }
}

impl Files for Shelf {
    type File = Lent;

    fn find(&self, name: &str, access: FileAccess) -> Result<Lent, SwitchError> {
        let found = self.0.lock().unwrap().get(name).cloned();
        let tape = match (found, access) {
            (Some(tape), _) => tape,
            (None, FileAccess::Create) => self.put_bytes(name, &[]),
            (None, FileAccess::Read | FileAccess::Write) => {
                return Err(SwitchError::NotFound { name: name.to_owned() });
            }
        };
        Ok(Lent(tape))
    }
}

/// A file that was found.
#[derive(Debug)]
pub(crate) struct Lent(Arc<Tape>);

impl DataFile for Lent {
    type Storage = Reel;

    fn identity(&self) -> FileIdentity {
        FileIdentity {
            device: 1,
            inode: self.0.inode,
        }
    }

    fn storage(&self) -> io::Result<Reel> {
        Ok(self.0.lend())
    }
}

impl Tape {
    /// Its bytes, for one who opens it.
    pub(crate) fn lend(self: &Arc<Self>) -> Reel {
        self.opened.fetch_add(1, SeqCst);
        Reel {
            owner: self.next_owner.fetch_add(1, SeqCst) + 1,
            tape: Arc::clone(self),
        }
    }

    /// How often it was opened.
    pub(crate) fn opened(&self) -> u64 {
        self.opened.load(SeqCst)
    }

    /// Nothing is brought to the disk until what this gives is dropped.
    pub(crate) fn hold_syncs(&self) -> MutexGuard<'_, ()> {
        self.disk.lock().unwrap()
    }

    /// Whether somebody waits for the disk.
    pub(crate) fn is_syncing(&self) -> bool {
        self.syncing.load(SeqCst) > 0
    }

    /// Whether somebody has it open.
    pub(crate) fn is_open(&self) -> bool {
        self.owner.load(SeqCst) != 0
    }

    /// Turns bits over in the middle of it.
    pub(crate) fn damage(&self) {
        let mut bytes = self.bytes.lock().unwrap();
        let middle = bytes.len() / 2;
        // Much of a small database is unused pages: all of it from the second page on, but its header.
        for byte in &mut bytes[4096..] {
            *byte ^= 0x55;
        }
        assert!(middle > 4096, "too small to be a database");
    }

    fn lock(&self, owner: u64) -> bool {
        let before = self.owner.compare_exchange(0, owner, SeqCst, SeqCst);
        before.is_ok() || before == Err(owner)
    }

    fn unlock(&self, owner: u64) {
        // Whoever does not have it has nothing to give back.
        let _ = self.owner.compare_exchange(owner, 0, SeqCst, SeqCst);
    }
}

/// The bytes of a file, for one who has it open.
#[derive(Debug)]
pub(crate) struct Reel {
    owner: u64,
    tape: Arc<Tape>,
}

impl Drop for Reel {
    fn drop(&mut self) {
        self.tape.unlock(self.owner);
    }
}

fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

impl StorageBackend for Reel {
    fn len(&self) -> io::Result<u64> {
        Ok(self.tape.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.tape.bytes.lock().unwrap();
        let offset = usize::try_from(offset).unwrap();
        let read = bytes.get(offset..offset + out.len());
        out.copy_from_slice(read.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut bytes = self.tape.bytes.lock().unwrap();
        let len = usize::try_from(len).unwrap();
        if len > bytes.len() && self.tape.full.load(SeqCst) {
            return Err(full());
        }
        bytes.resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.tape.sync_fails.load(SeqCst) {
            return Err(io::Error::other("the disk is on fire"));
        }
        self.tape.syncing.fetch_add(1, SeqCst);
        drop(self.tape.disk.lock().unwrap());
        self.tape.syncing.fetch_sub(1, SeqCst);
        self.tape.syncs.fetch_add(1, SeqCst);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut bytes = self.tape.bytes.lock().unwrap();
        let offset = usize::try_from(offset).unwrap();
        bytes[offset..offset + data.len()].copy_from_slice(data);
        Ok(())
    }

    fn try_lock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(self.tape.lock(self.owner))
    }

    fn try_lock_shared_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<bool, BackendError> {
        Ok(self.tape.lock(self.owner))
    }

    fn unlock_range(&self, _: Bound<u64>, _: Bound<u64>) -> Result<(), BackendError> {
        self.tape.unlock(self.owner);
        Ok(())
    }
}
