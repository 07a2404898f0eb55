//! A file on a disk that can fail and lose power.
//!
//! What was written since the last sync is on the disk after a power cut in part, or not: each sector of each write by
//! chance. redb writes the pages of a commit in an order that differs from run to run, so what becomes of a write is decided by
//! the seed, the place and the number of losses before, not by the order. A sync that fails may lose them too, as systems do
//! that give up pages which they could not write.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use crate::random::Random;

/// What disks write whole, in bytes.
const SECTOR_BYTES: usize = 512;

/// A file and its disk. Clones are handles to the same one.
#[derive(Clone, Debug)]
pub struct Disk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// What the running system reads.
    seen: Vec<u8>,
    /// How to get back to what has been synced, the latest last.
    unsynced: Vec<Unsynced>,
    /// How often it was taken away from who had it open. A handle from before is dead.
    cuts: u64,
    /// How often unsynced writes were lost.
    losses: u64,
    /// Syncs that still succeed; none: all of them.
    syncs_left: Option<u64>,
    /// Whether the disk is full: nothing can be made longer.
    full: bool,
    /// Whether somebody has it open.
    open: bool,
    random: Random,
}

#[derive(Debug)]
enum Unsynced {
    Write { offset: usize, old: Vec<u8>, new: Vec<u8> },
    Length { old: Vec<u8>, kept: usize, new: usize },
}

impl Disk {
    /// A disk with a file.
    pub fn new(image: &[u8], random: Random) -> Disk {
        Disk {
            state: Arc::new(Mutex::new(State {
                seen: image.to_vec(),
                unsynced: Vec::new(),
                cuts: 0,
                losses: 0,
                syncs_left: None,
                full: false,
                open: false,
                random,
            })),
        }
    }

    /// Lets every sync fail after so many more; `None` mends the disk.
    pub fn fail_after(&self, syncs: Option<u64>) {
        self.state().syncs_left = syncs;
    }

    /// Whether there is no room for more.
    pub fn fill(&self, full: bool) {
        self.state().full = full;
    }

    /// Cuts the power, and decides what is on the disk when it is back. Who had the file open before can do nothing more.
    pub fn lose_power(&self) {
        let state = &mut *self.state();
        state.cuts += 1;
        state.syncs_left = None;
        state.open = false;
        state.scatter();
    }

    /// Takes the file away from who has it open; what they wrote stays. They can do nothing more.
    pub fn disconnect(&self) {
        let mut state = self.state();
        state.cuts += 1;
        state.open = false;
    }

    /// Opens the file.
    ///
    /// # Errors
    /// When somebody else has it open.
    pub fn open(&self) -> io::Result<OpenDisk> {
        let mut state = self.state();
        if std::mem::replace(&mut state.open, true) {
            return Err(io::Error::other("it is open already"));
        }
        let cuts = state.cuts;
        drop(state);
        Ok(OpenDisk {
            disk: self.clone(),
            cuts,
        })
    }

    /// What is in the file.
    pub fn image(&self) -> Vec<u8> {
        self.state().seen.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panics in a world ends it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Loses what was not synced, in part.
    fn scatter(&mut self) {
        self.losses += 1;
        let unsynced = std::mem::take(&mut self.unsynced);
        for one in unsynced.iter().rev() {
            match one {
                Unsynced::Write { offset, old, .. } => put(&mut self.seen, *offset, old),
                Unsynced::Length { old, kept, .. } => {
                    self.seen.truncate(*kept);
                    self.seen.extend_from_slice(old);
                }
            }
        }
        for one in unsynced {
            match one {
                Unsynced::Length { new, .. } => self.seen.resize(new, 0),
                Unsynced::Write { offset, new, .. } => {
                    let mut random = self.random.branch(self.losses).branch(offset as u64);
                    if random.percent(50) {
                        continue;
                    }
                    for (index, sector) in new.chunks(SECTOR_BYTES).enumerate() {
                        if random.percent(75) {
                            put(&mut self.seen, offset + index * SECTOR_BYTES, sector);
                        }
                    }
                }
            }
        }
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(data);
}

/// The file as one run of the system has it open. redb commits when it is dropped: what is dropped after a power cut must
/// find the disk dead, though the power is back.
#[derive(Debug)]
pub struct OpenDisk {
    disk: Disk,
    cuts: u64,
}

impl OpenDisk {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.state();
        if state.cuts == self.cuts {
            Ok(state)
        } else {
            Err(io::Error::other("there is no power"))
        }
    }
}

impl Drop for OpenDisk {
    fn drop(&mut self) {
        if let Ok(mut state) = self.state() {
            state.open = false;
        }
    }
}

impl StorageBackend for OpenDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state()?.seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state()?;
        let start = offset as usize;
        let bytes = state.seen.get(start..start + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let state = &mut *self.state()?;
        let (len, had) = (len as usize, state.seen.len());
        if state.full && len > had {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        let kept = len.min(had);
        let old = state.seen[kept..].to_vec();
        state.unsynced.push(Unsynced::Length { old, kept, new: len });
        state.seen.resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let state = &mut *self.state()?;
        match &mut state.syncs_left {
            Some(0) => {
                // The system may well have given up the pages that it could not write.
                if state.random.branch(state.cuts).branch(state.losses).percent(50) {
                    state.scatter();
                }
                return Err(io::Error::other("the disk does not answer"));
            }
            Some(left) => *left -= 1,
            None => {}
        }
        state.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let state = &mut *self.state()?;
        let offset = offset as usize;
        let end = (offset + data.len()).min(state.seen.len());
        let old = state.seen.get(offset..end).unwrap_or_default().to_vec();
        put(&mut state.seen, offset, data);
        state.unsynced.push(Unsynced::Write {
            offset,
            old,
            new: data.to_vec(),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_synced_survives_and_the_rest_in_part() {
        let mut parts = [false; 2];
        for seed in 0..20 {
            let disk = Disk::new(&[b'0'; 4096], Random::new(seed));
            let open = disk.open().unwrap();
            open.write(0, &[b'1'; 1024]).unwrap();
            open.sync_data().unwrap();
            open.write(1024, &[b'2'; 1024]).unwrap();
            open.write(1024, &[b'3'; 512]).unwrap();
            disk.lose_power();
            let image = disk.image();
            assert_eq!(image.len(), 4096);
            assert!(image[..1024].iter().all(|&byte| byte == b'1'));
            assert!(image[1024..2048].iter().all(|byte| b"023".contains(byte)));
            assert!(image[2048..].iter().all(|&byte| byte == b'0'));
            parts[usize::from(image[1536] == b'2')] = true;
            assert!(open.write(0, b"late").is_err());
        }
        assert_eq!(parts, [true; 2]);
    }

    #[test]
    fn a_file_that_was_cut_and_not_synced_has_its_end_back() {
        let disk = Disk::new(b"0123456789", Random::new(1));
        let open = disk.open().unwrap();
        open.set_len(4).unwrap();
        open.set_len(6).unwrap();
        disk.lose_power();
        // The lengths are applied again, as if the directory had been written.
        assert_eq!(disk.image(), b"0123\0\0");
    }

    #[test]
    fn a_failing_disk_keeps_what_it_has() {
        let disk = Disk::new(b"", Random::new(1));
        let open = disk.open().unwrap();
        assert!(disk.open().is_err());
        disk.fail_after(Some(1));
        open.write(0, b"a").unwrap();
        open.sync_data().unwrap();
        open.write(0, b"b").unwrap();
        open.sync_data().unwrap_err();
        open.write(0, b"b").unwrap();
        disk.fill(true);
        open.set_len(100).unwrap_err();
        disk.fail_after(None);
        open.sync_data().unwrap();
        drop(open);
        assert!(disk.open().is_ok());
        assert_eq!(disk.image(), b"b");
    }
}
