//! A file that can be read and not written: what redb writes stays in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::redb::StorageBackend;

/// Bytes in a block: what is kept in memory at the first write to any of them.
const BLOCK_BYTES: u64 = 4096;

/// Lets redb open, repair and check a file that stays as it is.
#[derive(Debug)]
pub(super) struct Overlay {
    file: File,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The length that redb sees.
    len: u64,
    /// How much of the file shows through: what was once cut off comes back as zeros.
    file_len: u64,
    /// Blocks that were written, by their number.
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    pub(super) fn new(file: File) -> io::Result<Overlay> {
        let len = file.metadata()?.len();
        let state = Mutex::new(State {
            len,
            file_len: len,
            blocks: BTreeMap::new(),
        });
        Ok(Overlay { file, state })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bytes of a block as the file has them, zeros behind its end.
    fn file_block(&self, state: &State, number: u64) -> io::Result<Vec<u8>> {
        let mut block = vec![0; BLOCK_BYTES as usize];
        let start = number * BLOCK_BYTES;
        let visible = state.file_len.saturating_sub(start).min(BLOCK_BYTES) as usize;
        self.file.read_exact_at(&mut block[..visible], start)?;
        Ok(block)
    }
}

/// Cuts a stretch of bytes at the borders of blocks: (number of the block, where in the block, how many bytes).
fn pieces(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let end = offset + length as u64;
    let mut position = offset;
    std::iter::from_fn(move || {
        let within = position % BLOCK_BYTES;
        let count = (BLOCK_BYTES - within).min(end - position);
        let piece = (position / BLOCK_BYTES, within as usize, count as usize);
        position += count;
        (count > 0).then_some(piece)
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().len)
    }

    fn read(&self, offset: u64, mut out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > state.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (number, within, count) in pieces(offset, out.len()) {
            let (piece, rest) = out.split_at_mut(count);
            match state.blocks.get(&number) {
                Some(block) => piece.copy_from_slice(&block[within..within + count]),
                None => piece.copy_from_slice(&self.file_block(&state, number)?[within..within + count]),
            }
            out = rest;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.state();
        state.blocks.retain(|number, _| number * BLOCK_BYTES < len);
        if let Some(block) = state.blocks.get_mut(&(len / BLOCK_BYTES)) {
            block[(len % BLOCK_BYTES) as usize..].fill(0);
        }
        state.file_len = state.file_len.min(len);
        state.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, mut data: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        state.len = state.len.max(offset + data.len() as u64);
        for (number, within, count) in pieces(offset, data.len()) {
            let (piece, rest) = data.split_at(count);
            let mut block = match state.blocks.remove(&number) {
                Some(block) => block,
                None => self.file_block(&state, number)?,
            };
            block[within..within + count].copy_from_slice(piece);
            state.blocks.insert(number, block);
            data = rest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Operation {
        Write(u64, Vec<u8>),
        SetLen(u64),
    }

    fn operation() -> impl Strategy<Value = Operation> {
        prop_oneof![
            (0..20_000_u64, proptest::collection::vec(any::<u8>(), 1..9000))
                .prop_map(|(offset, data)| Operation::Write(offset, data)),
            (0..30_000_u64).prop_map(Operation::SetLen),
        ]
    }

    proptest! {
        #[test]
        fn an_overlay_reads_as_a_file_would_and_leaves_the_file_as_it_was(
            original in proptest::collection::vec(any::<u8>(), 0..20_000),
            operations in proptest::collection::vec(operation(), 0..12),
        ) {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&original).unwrap();
            let overlay = Overlay::new(file.try_clone().unwrap()).unwrap();
            let mut model = original.clone();
            for operation in operations {
                match operation {
                    Operation::Write(offset, data) => {
                        let end = offset as usize + data.len();
                        model.resize(model.len().max(end), 0);
                        model[offset as usize..end].copy_from_slice(&data);
                        overlay.write(offset, &data).unwrap();
                    }
                    Operation::SetLen(len) => {
                        model.resize(len as usize, 0);
                        overlay.set_len(len).unwrap();
                    }
                }
                let mut seen = vec![0; overlay.len().unwrap() as usize];
                overlay.read(0, &mut seen).unwrap();
                prop_assert_eq!(&seen, &model);
            }
            prop_assert!(overlay.read(model.len() as u64, &mut [0]).is_err());
            let mut left = Vec::new();
            std::io::Seek::rewind(&mut file).unwrap();
            file.read_to_end(&mut left).unwrap();
            prop_assert_eq!(left, original);
        }
    }
}
