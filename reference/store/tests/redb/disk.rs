//! A disk that fails as it is told to.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

/// A handle on a disk; clones are handles on the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// What the running system reads.
    seen: Vec<u8>,
    /// What survives the loss of power.
    synced: Vec<u8>,
    /// The most that it holds, in bytes.
    room: u64,
    /// Writes and syncs that still work.
    left: u64,
    /// Syncs done.
    syncs: u64,
    /// Changes asked for since the last call of [`Disk::take_changes`].
    changes: u64,
    syncs_fail: bool,
    off: bool,
}

impl Default for State {
    fn default() -> Self {
        State {
            seen: Vec::new(),
            synced: Vec::new(),
            room: u64::MAX,
            left: u64::MAX,
            syncs: 0,
            changes: 0,
            syncs_fail: false,
            off: false,
        }
    }
}

impl Disk {
    /// A disk with these bytes on it.
    pub(crate) fn with(bytes: Vec<u8>) -> Disk {
        let disk = Disk::default();
        disk.state().synced.clone_from(&bytes);
        disk.state().seen = bytes;
        disk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The bytes that the running system sees.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.state().seen.clone()
    }

    /// The power fails: what was not synced is lost, and the handles that there are work no more. Answers the disk after the
    /// power has come back.
    pub(crate) fn lose_power(&self) -> Disk {
        let mut state = self.state();
        state.off = true;
        Disk::with(state.synced.clone())
    }

    /// What the power would leave if it failed now; this disk goes on.
    pub(crate) fn survivor(&self) -> Disk {
        Disk::with(self.state().synced.clone())
    }

    /// From now on syncs fail.
    pub(crate) fn fail_syncs(&self) {
        self.state().syncs_fail = true;
    }

    /// The same, but the first of the unsynced bytes up to `offset` have reached the disk.
    pub(crate) fn lose_power_in_the_middle(&self, offset: usize) -> Disk {
        let mut state = self.state();
        state.off = true;
        let mut bytes = state.synced.clone();
        bytes.resize(state.seen.len().max(bytes.len()), 0);
        let offset = offset % bytes.len().max(1);
        let torn = offset.min(state.seen.len());
        bytes[..torn].copy_from_slice(&state.seen[..torn]);
        Disk::with(bytes)
    }

    /// From now on it holds at most so many bytes.
    pub(crate) fn limit(&self, room: u64) {
        self.state().room = room;
    }

    /// After so many more writes and syncs it fails.
    pub(crate) fn fail_after(&self, operations: u64) {
        self.state().left = operations;
    }

    pub(crate) fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// How many changes were asked for since the last call.
    pub(crate) fn take_changes(&self) -> u64 {
        std::mem::take(&mut self.state().changes)
    }
}

impl State {
    fn working(&self) -> io::Result<()> {
        if self.off {
            return Err(io::Error::other("there is no power"));
        }
        Ok(())
    }

    fn change(&mut self) -> io::Result<()> {
        self.working()?;
        self.changes += 1;
        if self.left == 0 {
            return Err(io::Error::other("the disk is broken"));
        }
        self.left -= 1;
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        let state = self.state();
        state.working()?;
        Ok(state.seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        state.working()?;
        let start = offset as usize;
        let bytes = state.seen.get(start..start + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.change()?;
        if len > state.room && len > state.seen.len() as u64 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.seen.resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let state = &mut *self.state();
        state.change()?;
        if state.syncs_fail {
            return Err(io::Error::other("the disk does not sync"));
        }
        state.syncs += 1;
        state.synced.clone_from(&state.seen);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.change()?;
        let end = offset as usize + data.len();
        if end > state.seen.len() {
            if end as u64 > state.room {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.seen.resize(end, 0);
        }
        state.seen[offset as usize..end].copy_from_slice(data);
        Ok(())
    }
}
