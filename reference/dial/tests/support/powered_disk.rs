//! A disk that loses power: at a chosen sync, with what was written before it on the disk in part, or not.
//!
//! redb writes the pages of a commit in an order that differs from run to run. So that a seed is one history all the same,
//! power fails at syncs, which come in one order, and what becomes of a write is decided by where it was to go.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use rand_xoshiro::SplitMix64;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};
use redb::{Builder, Database, DatabaseError, StorageBackend};
use wtfdial::redb::Disk;

thread_local! {
    /// A planted fault: a sync that is acknowledged and does nothing.
    pub(crate) static FORGETFUL: Cell<bool> = const { Cell::new(false) };
}

/// What disks write whole, in bytes: a longer write may be cut at any multiple of it.
const SECTOR_BYTES: usize = 512;

/// A source of numbers that look random.
#[derive(Debug)]
pub(crate) struct Random(SplitMix64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(SplitMix64::seed_from_u64(seed))
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }
}

#[derive(Clone, Debug)]
enum Unsynced {
    Write(u64, Vec<u8>),
    Len(u64),
}

#[derive(Debug)]
struct State {
    /// What the running system reads.
    seen: Vec<u8>,
    /// What has been synced, and survives.
    synced: Vec<u8>,
    /// What has been written since, in order.
    unsynced: Vec<Unsynced>,
    /// Syncs until the power fails.
    left: u64,
    /// The power is off: nothing works, for whoever still holds the disk from before too.
    failed: bool,
    /// How often it has come back. A handle from before is dead.
    boots: u64,
    seed: u64,
}

/// A handle on the disk; cloning gives another to the same disk.
#[derive(Clone, Debug)]
pub(crate) struct PoweredDisk {
    state: Arc<Mutex<State>>,
}

impl PoweredDisk {
    /// An empty disk with power. The seed decides what becomes of unsynced writes.
    pub(crate) fn new(seed: u64) -> PoweredDisk {
        PoweredDisk {
            state: Arc::new(Mutex::new(State {
                seen: Vec::new(),
                synced: Vec::new(),
                unsynced: Vec::new(),
                left: u64::MAX,
                failed: false,
                boots: 0,
                seed,
            })),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Lets the power fail at a sync, after so many more.
    pub(crate) fn fail_after(&self, syncs: u64) {
        self.state().left = syncs;
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.state().failed
    }

    /// Decides what is on the disk: what was synced, and of the rest any part, each write cut anywhere between sectors.
    /// Tells whether there was a rest.
    pub(crate) fn lose_power(&self) -> bool {
        let state = &mut *self.state();
        state.failed = true;
        let unsynced = std::mem::take(&mut state.unsynced);
        let mut writes_at: BTreeMap<u64, u64> = BTreeMap::new();
        for operation in &unsynced {
            match operation {
                Unsynced::Len(len) => state.synced.resize(*len as usize, 0),
                Unsynced::Write(offset, data) => {
                    let nth = writes_at.entry(*offset).or_default();
                    *nth += 1;
                    let place = [state.seed, state.boots, *offset, *nth];
                    let mut random = Random::new(
                        place
                            .iter()
                            .fold(0, |mixed, part| Random::new(mixed ^ part).0.next_u64()),
                    );
                    if random.below(2) == 0 {
                        continue;
                    }
                    for (index, sector) in data.chunks(SECTOR_BYTES).enumerate() {
                        if random.below(4) > 0 {
                            write(&mut state.synced, *offset as usize + index * SECTOR_BYTES, sector);
                        }
                    }
                }
            }
        }
        state.seen = state.synced.clone();
        !unsynced.is_empty()
    }

    pub(crate) fn restore_power(&self) {
        let mut state = self.state();
        state.failed = false;
        state.left = u64::MAX;
        state.boots += 1;
    }

    /// What is on the disk.
    pub(crate) fn image(&self) -> Vec<u8> {
        self.state().synced.clone()
    }
}

fn write(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(data);
}

impl fmt::Display for PoweredDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the disk of the simulation")
    }
}

impl Disk for PoweredDisk {
    fn open(&self, builder: &Builder) -> Result<Database, DatabaseError> {
        let boot = self.state().boots;
        builder.create_with_backend(OpenDisk {
            disk: self.clone(),
            boot,
        })
    }
}

/// The disk as one run of the system has it open. redb commits when it is dropped: what is dropped after a power cut
/// must find the disk dead, though the power is back.
#[derive(Debug)]
struct OpenDisk {
    disk: PoweredDisk,
    boot: u64,
}

impl OpenDisk {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.state();
        if state.failed || state.boots != self.boot {
            return Err(io::Error::other("there is no power"));
        }
        Ok(state)
    }
}

impl StorageBackend for OpenDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state()?.seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state()?;
        let start = offset as usize;
        let bytes = state
            .seen
            .get(start..start + out.len())
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state()?;
        state.seen.resize(len as usize, 0);
        state.unsynced.push(Unsynced::Len(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state()?;
        let cut = state.left == 0;
        // The power may fail before the sync is done, or when it is and nobody has been told.
        let in_time = !cut || Random::new(state.seed ^ state.boots).below(2) == 0;
        if in_time && !FORGETFUL.get() {
            state.synced = state.seen.clone();
            state.unsynced.clear();
        }
        if cut {
            state.failed = true;
            return Err(io::Error::other("there is no power"));
        }
        state.left -= 1;
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state()?;
        write(&mut state.seen, offset as usize, data);
        state.unsynced.push(Unsynced::Write(offset, data.to_vec()));
        Ok(())
    }
}
