//! A disk that fails: what is acknowledged stays, what is not leaves nothing, and each failure is one clear line.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

#[path = "support/world.rs"]
mod world;

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use redb::backends::InMemoryBackend;
use redb::{Builder, Database, DatabaseError, StorageBackend};
use tempfile::TempDir;
use wtfdial::redb::{Disk, Store, check};
use wtfdial::{Administration, Authenticator, Census, Dial, DialId, DialService, Error, Page};

use crate::world::{World, level, name};

/// What a disk does wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Nothing,
    /// After so many more writes there is no space for any, to overwrite something either.
    FullAfter(u64),
    /// Nothing reaches the disk.
    SyncFails,
    /// Nothing can be read either.
    Gone,
}

/// A disk in memory, with a switch.
#[derive(Debug)]
struct Switch {
    bytes: InMemoryBackend,
    fault: Mutex<Fault>,
}

#[derive(Clone, Debug)]
struct FaultyDisk(Arc<Switch>);

impl FaultyDisk {
    fn new() -> FaultyDisk {
        FaultyDisk(Arc::new(Switch {
            bytes: InMemoryBackend::new(),
            fault: Mutex::new(Fault::Nothing),
        }))
    }

    fn set(&self, fault: Fault) {
        *self.fault() = fault;
    }

    fn fault(&self) -> MutexGuard<'_, Fault> {
        self.0.fault.lock().unwrap()
    }

    fn may(&self, what: Operation) -> io::Result<()> {
        match (&mut *self.fault(), what) {
            (Fault::FullAfter(0), Operation::Write) => Err(io::ErrorKind::StorageFull.into()),
            (Fault::FullAfter(left), Operation::Write) => {
                *left -= 1;
                Ok(())
            }
            (Fault::SyncFails, Operation::Sync) | (Fault::Gone, _) => Err(io::Error::other("the disk does not answer")),
            _ => Ok(()),
        }
    }
}

#[derive(Clone, Copy)]
enum Operation {
    Read,
    Write,
    Sync,
}

impl fmt::Display for FaultyDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the disk of the test")
    }
}

impl Disk for FaultyDisk {
    fn open(&self, builder: &Builder) -> Result<Database, DatabaseError> {
        builder.create_with_backend(self.clone())
    }
}

impl StorageBackend for FaultyDisk {
    fn len(&self) -> io::Result<u64> {
        self.may(Operation::Read)?;
        self.0.bytes.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.may(Operation::Read)?;
        self.0.bytes.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.may(Operation::Write)?;
        self.0.bytes.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.may(Operation::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.may(Operation::Write)?;
        self.0.bytes.write(offset, data)
    }
}

const EVERYTHING: Page = Page {
    after: None,
    limit: usize::MAX,
};

/// A world on a faulty disk, with one dial of ada's at 50.
fn world_on(disk: &FaultyDisk) -> World {
    let store = Store::open_on(disk.clone()).unwrap();
    let world = World::over(Arc::new(store), tempfile::tempdir().unwrap());
    world.session("ada").create_dial(&name("mood"), level(50.0)).unwrap();
    world
}

fn line<T: fmt::Debug>(outcome: Result<T, Error>) -> String {
    let Err(Error::Storage(failure)) = outcome else {
        panic!("not a failure of the store: {outcome:?}")
    };
    let line = failure.to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

#[test]
fn a_full_disk_refuses_changes_answers_reads_and_recovers_when_there_is_space() {
    let disk = FaultyDisk::new();
    let world = world_on(&disk);
    let session = world.session("ada");
    let before = session.dials(EVERYTHING).unwrap();
    disk.set(Fault::FullAfter(0));
    assert_eq!(
        line(session.set_level(DialId(1), level(60.0))),
        "setting dial 1 failed: there is no more room for the file (no storage space); free some space and try again; \
         what was there before is untouched"
    );
    assert_eq!(session.dials(EVERYTHING), Ok(before.clone()));
    // It stays so, and says so, however often it is tried.
    for _ in 0..3 {
        let refused = line(session.create_dial(&name("more"), level(1.0)));
        assert!(refused.contains("no more room for the file"), "{refused}");
    }
    disk.set(Fault::Nothing);
    assert_eq!(session.dials(EVERYTHING), Ok(before));
    let created = session.create_dial(&name("more"), level(1.0)).unwrap();
    assert_eq!(created.id, DialId(2));
    assert_eq!(session.set_level(DialId(1), level(60.0)).unwrap().level, level(60.0));
    assert_eq!(session.dials(EVERYTHING).unwrap().len(), 2);
}

#[test]
fn after_a_full_disk_what_is_not_in_memory_is_read_again_too() {
    let disk = FaultyDisk::new();
    let world = world_on(&disk);
    let session = world.session("ada");
    for _ in 0..1500 {
        session
            .create_dial(&name(&"\u{1F4BE}".repeat(100)), level(1.0))
            .unwrap();
    }
    drop((session, world));
    let mut refused = 0;
    for writes in 0..40 {
        let store = Store::open_on(disk.clone()).unwrap();
        disk.set(Fault::FullAfter(0));
        assert!(line(store.add_user(&name("nobody"))).contains("no more room"));
        // Some room: enough to open the file again, upon which nothing of it is in memory, or to write a part too.
        disk.set(Fault::FullAfter(writes));
        let added = store.add_user(&name(&format!("user {writes}")));
        refused += usize::from(added.is_err());
        match store.dials(EVERYTHING) {
            Ok(dials) => assert_eq!(dials.len(), 1501),
            failed => assert!(line(failed).contains("no more room"), "after {writes} writes"),
        }
        disk.set(Fault::Nothing);
        assert_eq!(store.dials(EVERYTHING).unwrap().len(), 1501, "after {writes} writes");
        let (_, token) = store.add_user(&name(&format!("later user {writes}"))).unwrap();
        assert!(store.authenticate(&token).is_ok());
    }
    assert!((3..40).contains(&refused), "the disk was full {refused} times");
}

#[test]
fn a_disk_that_does_not_sync_acknowledges_nothing_and_says_to_start_again() {
    let disk = FaultyDisk::new();
    let world = world_on(&disk);
    let session = world.session("ada");
    disk.set(Fault::SyncFails);
    let failed = line(session.set_level(DialId(1), level(60.0)));
    assert_eq!(
        failed,
        "setting dial 1 failed: the disk does not answer; see to the file and its disk, then start again"
    );
    // What the disk holds is not known any more, until the service starts again.
    disk.set(Fault::Nothing);
    let refused = line(session.set_level(DialId(1), level(70.0)));
    assert_eq!(
        refused,
        "setting dial 1 failed: an earlier write to the disk failed; mend the disk and start the service again"
    );
    assert_eq!(session.dial(DialId(1)).unwrap().unwrap().level, level(50.0));
}

#[test]
fn a_disk_that_is_gone_is_neither_written_nor_opened() {
    let disk = FaultyDisk::new();
    let store = Store::open_on(disk.clone()).unwrap();
    disk.set(Fault::Gone);
    assert_eq!(
        line(store.add_user(&name("ada"))),
        "adding a user failed: the disk does not answer; see to the file and its disk, then start again"
    );
    drop(store);
    assert_eq!(
        Store::open_on(disk.clone()).unwrap_err().to_string(),
        "opening the disk of the test failed: the disk does not answer; see to the file and its disk, then start again"
    );
    disk.set(Fault::Nothing);
    assert_eq!(Store::open_on(disk).unwrap().add_user(&name("ada")).unwrap().0.id.0, 1);
}

#[test]
fn a_disk_that_fills_up_at_any_write_leaves_the_old_level_or_the_new_one() {
    for writes in 0.. {
        let disk = FaultyDisk::new();
        let world = world_on(&disk);
        let session = world.session("ada");
        disk.set(Fault::FullAfter(writes));
        let outcome = session.set_level(DialId(1), level(60.0));
        let at_once = session.dial(DialId(1)).unwrap().unwrap().level;
        disk.set(Fault::Nothing);
        // A change makes the service open the file anew.
        session.create_dial(&name("next"), level(0.0)).unwrap();
        let later = session.dial(DialId(1)).unwrap().unwrap().level;
        match outcome {
            Ok(_) => {
                assert_eq!((at_once, later), (level(60.0), level(60.0)));
                assert!(
                    writes >= 3,
                    "a commit has more than {writes} writes: this test has tested nothing"
                );
                return;
            }
            // Not acknowledged: the old level while the service goes on, and either after it has opened the file anew.
            Err(_) => {
                assert_eq!(at_once, level(50.0));
                assert!(
                    [level(50.0), level(60.0)].contains(&later),
                    "after {writes} writes: {later}"
                );
            }
        }
    }
}

/// A closed store with a user and some dials, as bytes.
fn sound_file(directory: &TempDir) -> (std::path::PathBuf, Vec<u8>) {
    let path = directory.path().join("dials.redb");
    let store = Store::open(&path).unwrap();
    store.add_user(&name("ada")).unwrap();
    let world = World::over(Arc::new(store), tempfile::tempdir().unwrap());
    for index in 0..50 {
        world
            .session("ada")
            .create_dial(&name(&format!("dial {index}")), level(1.0))
            .unwrap();
    }
    drop(world);
    let bytes = fs::read(&path).unwrap();
    (path, bytes)
}

/// Every dial of a closed store.
fn everything_in(path: &Path) -> Vec<Dial> {
    Store::open(path).unwrap().dials(EVERYTHING).unwrap()
}

#[test]
fn files_that_are_no_store_are_refused_and_left_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let (path, sound) = sound_file(&directory);
    let half = sound[..sound.len() / 2].to_vec();
    let headless = [vec![0; 64], sound[64..].to_vec()].concat();
    for (damage, expected) in [
        (b"Dear diary, ...".to_vec(), "the file is damaged or not wtfdial's"),
        (Vec::new(), "the file is damaged: it is empty, and a store never is"),
        (half, "the file is damaged"),
        (headless, "the file is damaged or not wtfdial's"),
    ] {
        fs::write(&path, &damage).unwrap();
        for failure in [check(&path).unwrap_err(), Store::open(&path).unwrap_err()] {
            let line = failure.to_string();
            assert!(
                line.starts_with(&format!("checking {} failed: {expected}", path.display())),
                "{line}"
            );
            assert!(line.ends_with("; put it aside and restore a backup"), "{line}");
            assert!(!line.contains('\n'), "{line}");
        }
        assert!(fs::read(&path).unwrap() == damage, "the file was written to");
    }
}

#[test]
fn a_flipped_bit_is_found_or_does_not_matter_and_the_file_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let (path, sound) = sound_file(&directory);
    let whole = everything_in(&path);
    let used = sound.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let mut found = 0;
    // An odd step, so that all bits of a byte have their turn.
    let flips: Vec<usize> = (0..used * 8).step_by((used * 8 / 150) | 1).collect();
    for &bit in &flips {
        let mut damaged = sound.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &damaged).unwrap();
        match check(&path) {
            // It struck where nothing is: all there was is there.
            Ok(census) => {
                assert_eq!(census, Census { users: 1, dials: 50 }, "bit {bit}");
                assert_eq!(everything_in(&path), whole, "bit {bit}");
                continue;
            }
            Err(_) => found += 1,
        }
        assert!(fs::read(&path).unwrap() == damaged, "the file was written to");
    }
    assert!(found > 0, "none of {} flips was found", flips.len());
}

#[test]
fn a_file_that_is_open_is_refused_to_everybody_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dials.redb");
    let open = Store::open(&path).unwrap();
    let refused = "failed: another process has the file open; stop that one, or use it as it runs";
    assert!(Store::open(&path).unwrap_err().to_string().ends_with(refused));
    assert!(check(&path).unwrap_err().to_string().ends_with(refused));
    drop(open);
    assert_eq!(check(&path).unwrap(), Census { users: 0, dials: 0 });
}

#[test]
fn what_a_crash_left_while_the_file_was_made_does_not_keep_it_from_being_made() {
    for left in [&b""[..], b"half of a header"] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("dials.redb");
        fs::write(directory.path().join("dials.redb.new"), left).unwrap();
        drop(Store::open(&path).unwrap());
        let files: Vec<_> = fs::read_dir(&directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(files, ["dials.redb"]);
    }
}

#[test]
fn a_backup_that_fails_leaves_no_file_and_one_that_is_there_is_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path().join("dials.redb")).unwrap();
    let nowhere = directory.path().join("no/such/directory/copy.redb");
    let refused = line(store.backup(&nowhere));
    assert!(refused.contains("No such file or directory"), "{refused}");
    let there = directory.path().join("notes.txt");
    fs::write(&there, "mine").unwrap();
    let refused = line(store.backup(&there));
    assert!(
        refused.ends_with("there is a file already; name a new one"),
        "{refused}"
    );
    assert_eq!(fs::read(&there).unwrap(), b"mine");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 2);
}

#[test]
fn a_backup_is_one_moment_of_a_store_that_goes_on_changing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(directory.path().join("dials.redb")).unwrap());
    for user in ["ada", "bob"] {
        store.add_user(&name(user)).unwrap();
    }
    let world = World::over(store.clone(), tempfile::tempdir().unwrap());
    let session = world.session("ada");
    let (left, right) = (DialId(1), DialId(2));
    for dial in ["left", "right"] {
        session.create_dial(&name(dial), level(0.0)).unwrap();
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            // The right one follows the left one: at no moment is it ahead, or more than one step behind.
            let mut step = 0;
            while !stop.load(Ordering::SeqCst) && step < 100 {
                step += 1;
                session.set_level(left, level(f64::from(step))).unwrap();
                session.set_level(right, level(f64::from(step))).unwrap();
            }
            step
        });
        for number in 0..5 {
            let copy = directory.path().join(format!("copy{number}.redb"));
            assert_eq!(store.backup(&copy), Ok(Census { users: 2, dials: 2 }));
            let copy = World::over(Arc::new(Store::open(&copy).unwrap()), tempfile::tempdir().unwrap());
            let dials = copy.client.connect().dials(EVERYTHING).unwrap();
            let behind = dials[0].level.value() - dials[1].level.value();
            assert!((0.0..=1.0).contains(&behind), "{dials:?}");
        }
        stop.store(true, Ordering::SeqCst);
        assert!(writer.join().unwrap() > 0);
    });
}
