//! What stands between redb and its storage: nothing is written to a file before it has passed its check.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use ::redb::{BackendError, StorageBackend};

/// Bytes in a block: what is kept in memory at the first write to any of them.
const BLOCK_BYTES: u64 = 4096;

/// How many bytes are read between two reports of progress.
const REPORT_BYTES: u64 = 1 << 20;

/// Called with the bytes read so far and the length of the storage.
pub(super) type ReadReport = Box<dyn Fn(u64, u64) + Send + Sync>;

/// A storage whose writes are withheld at first: redb, when it opens a file, repairs it and commits, and a file that is
/// damaged or another program's must stay as it is. [`Gate::open`] passes on what was withheld and lets all later writes
/// through; a gate that is never opened makes a storage read-only.
#[derive(Clone)]
pub(super) struct Gate(Arc<Inner>);

struct Inner {
    storage: Box<dyn StorageBackend>,
    /// `None` once the gate is open.
    withheld: RwLock<Option<Withheld>>,
    read_bytes: AtomicU64,
    read_only: bool,
}

/// What redb sees beside the storage, and what it has done to it, in order.
struct Withheld {
    report: Option<ReadReport>,
    /// The length that redb sees.
    len: u64,
    /// How much of the storage shows through: what was once cut off comes back as zeros.
    shown_len: u64,
    /// Blocks that were written, by their number.
    blocks: BTreeMap<u64, Vec<u8>>,
    /// To be done to the storage. Syncs are kept in their places, so a crash while it is done finds the file as a crash
    /// of redb itself would. Empty if the gate stays shut.
    operations: Vec<Operation>,
}

enum Operation {
    Write(u64, Vec<u8>),
    SetLen(u64),
    Sync,
}

impl Gate {
    /// A shut gate. With `read_only` it stays so, and locks are shared with other readers.
    pub(super) fn new(storage: Box<dyn StorageBackend>, read_only: bool, report: ReadReport) -> io::Result<Gate> {
        let len = storage.len()?;
        let withheld = Withheld {
            report: Some(report),
            len,
            shown_len: len,
            blocks: BTreeMap::new(),
            operations: Vec::new(),
        };
        Ok(Gate(Arc::new(Inner {
            storage,
            withheld: RwLock::new(Some(withheld)),
            read_bytes: AtomicU64::new(0),
            read_only,
        })))
    }

    /// Does to the storage what was withheld; from now on nothing is. A gate for reading alone stays shut, and only stops
    /// reporting.
    pub(super) fn open(&self) -> io::Result<()> {
        let inner = &*self.0;
        let mut withheld = inner.withheld.write().unwrap_or_else(PoisonError::into_inner);
        if inner.read_only {
            if let Some(withheld) = &mut *withheld {
                withheld.report = None;
            }
            return Ok(());
        }
        for operation in withheld.take().into_iter().flat_map(|withheld| withheld.operations) {
            match operation {
                Operation::Write(offset, data) => inner.storage.write(offset, &data)?,
                Operation::SetLen(len) => inner.storage.set_len(len)?,
                Operation::Sync => inner.storage.sync_data()?,
            }
        }
        Ok(())
    }
}

impl Inner {
    /// Runs `shut` if the gate is shut, else `open`.
    fn writing(
        &self,
        shut: impl FnOnce(&mut Withheld) -> io::Result<()>,
        open: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        if self.is_open() {
            return open();
        }
        match &mut *self.withheld.write().unwrap_or_else(PoisonError::into_inner) {
            Some(withheld) => shut(withheld),
            None => open(),
        }
    }

    fn is_open(&self) -> bool {
        self.withheld.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn report(&self, withheld: &Withheld, bytes: usize) {
        let before = self.read_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let after = before + bytes as u64;
        if before / REPORT_BYTES != after / REPORT_BYTES
            && let Some(report) = &withheld.report
        {
            report(after.min(withheld.shown_len), withheld.shown_len);
        }
    }
}

impl Withheld {
    /// The bytes of a block as the storage has them, zeros behind what shows through.
    fn stored_block(&self, storage: &dyn StorageBackend, number: u64) -> io::Result<Vec<u8>> {
        let mut block = vec![0; BLOCK_BYTES as usize];
        let start = number * BLOCK_BYTES;
        let visible = self.shown_len.saturating_sub(start).min(BLOCK_BYTES) as usize;
        if visible > 0 {
            storage.read(start, &mut block[..visible])?;
        }
        Ok(block)
    }

    fn read(&self, storage: &dyn StorageBackend, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(out.len() as u64);
        let Some(end) = end.filter(|&end| end <= self.len) else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let touched = self.blocks.range(offset / BLOCK_BYTES..end.div_ceil(BLOCK_BYTES));
        if end <= self.shown_len && touched.clone().next().is_none() {
            return storage.read(offset, out);
        }
        let mut rest = out;
        for (number, within, count) in pieces(offset, rest.len()) {
            let (piece, behind) = rest.split_at_mut(count);
            match self.blocks.get(&number) {
                Some(block) => piece.copy_from_slice(&block[within..within + count]),
                None => piece.copy_from_slice(&self.stored_block(storage, number)?[within..within + count]),
            }
            rest = behind;
        }
        Ok(())
    }

    fn write(&mut self, storage: &dyn StorageBackend, offset: u64, data: &[u8]) -> io::Result<()> {
        self.len = self.len.max(offset + data.len() as u64);
        let mut rest = data;
        for (number, within, count) in pieces(offset, data.len()) {
            let (piece, behind) = rest.split_at(count);
            let mut block = match self.blocks.remove(&number) {
                Some(block) => block,
                None => self.stored_block(storage, number)?,
            };
            block[within..within + count].copy_from_slice(piece);
            self.blocks.insert(number, block);
            rest = behind;
        }
        Ok(())
    }

    fn set_len(&mut self, len: u64) {
        self.blocks.retain(|number, _| number * BLOCK_BYTES < len);
        if let Some(block) = self.blocks.get_mut(&(len / BLOCK_BYTES)) {
            block[(len % BLOCK_BYTES) as usize..].fill(0);
        }
        self.shown_len = self.shown_len.min(len);
        self.len = len;
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

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gate").field(&self.0.storage).finish()
    }
}

impl StorageBackend for Gate {
    fn len(&self) -> io::Result<u64> {
        match &*self.0.withheld.read().unwrap_or_else(PoisonError::into_inner) {
            None => self.0.storage.len(),
            Some(withheld) => Ok(withheld.len),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match &*self.0.withheld.read().unwrap_or_else(PoisonError::into_inner) {
            None => self.0.storage.read(offset, out),
            Some(withheld) => {
                withheld.read(&*self.0.storage, offset, out)?;
                self.0.report(withheld, out.len());
                Ok(())
            }
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let shut = |withheld: &mut Withheld| {
            withheld.set_len(len);
            if !self.0.read_only {
                withheld.operations.push(Operation::SetLen(len));
            }
            Ok(())
        };
        self.0.writing(shut, || self.0.storage.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        let shut = |withheld: &mut Withheld| {
            if !self.0.read_only {
                withheld.operations.push(Operation::Sync);
            }
            Ok(())
        };
        self.0.writing(shut, || self.0.storage.sync_data())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let shut = |withheld: &mut Withheld| {
            withheld.write(&*self.0.storage, offset, data)?;
            if !self.0.read_only {
                withheld.operations.push(Operation::Write(offset, data.to_vec()));
            }
            Ok(())
        };
        self.0.writing(shut, || self.0.storage.write(offset, data))
    }

    fn close(&self) -> io::Result<()> {
        self.0.storage.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if self.0.read_only {
            return self.0.storage.try_lock_shared_range(start, end);
        }
        self.0.storage.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.storage.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if self.0.read_only {
            return self.0.storage.lock_shared_range(start, end);
        }
        self.0.storage.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.storage.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.storage.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.storage.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use ::redb::backends::InMemoryBackend;
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Op {
        Write(u64, Vec<u8>),
        SetLen(u64),
        Sync,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            4 => (0..20_000_u64, prop::collection::vec(any::<u8>(), 1..9000)).prop_map(|(at, data)| Op::Write(at, data)),
            2 => (0..30_000_u64).prop_map(Op::SetLen),
            1 => Just(Op::Sync),
        ]
    }

    /// A storage as a file is one: a write behind its end makes it longer.
    fn write(storage: &dyn StorageBackend, offset: u64, data: &[u8]) {
        let end = offset + data.len() as u64;
        if storage.len().unwrap() < end {
            storage.set_len(end).unwrap();
        }
        storage.write(offset, data).unwrap();
    }

    fn bytes(storage: &dyn StorageBackend) -> Vec<u8> {
        let mut bytes = vec![0; storage.len().unwrap() as usize];
        storage.read(0, &mut bytes).unwrap();
        bytes
    }

    proptest! {
        #[test]
        fn what_is_withheld_is_seen_and_comes_through_when_the_gate_is_opened(
            original in prop::collection::vec(any::<u8>(), 0..20_000),
            ops in prop::collection::vec(op(), 0..12),
            read_only in any::<bool>(),
        ) {
            let storage = Arc::new(InMemoryBackend::new());
            write(&*storage, 0, &original);
            let gate = Gate::new(Box::new(Shared(Arc::clone(&storage))), read_only, Box::new(|_, _| {})).unwrap();
            let mut model = original.clone();
            for op in ops {
                match op {
                    Op::Write(offset, data) => {
                        let end = offset as usize + data.len();
                        model.resize(model.len().max(end), 0);
                        model[offset as usize..end].copy_from_slice(&data);
                        write(&gate, offset, &data);
                    }
                    Op::SetLen(len) => {
                        model.resize(len as usize, 0);
                        gate.set_len(len).unwrap();
                    }
                    Op::Sync => gate.sync_data().unwrap(),
                }
                prop_assert_eq!(&bytes(&gate), &model);
                prop_assert_eq!(&bytes(&*storage), &original);
            }
            prop_assert!(gate.read(model.len() as u64, &mut [0]).is_err());
            gate.open().unwrap();
            prop_assert_eq!(&bytes(&gate), &model);
            prop_assert_eq!(&bytes(&*storage), if read_only { &original } else { &model });
        }
    }

    /// A storage that the test looks at while the gate has it.
    #[derive(Debug)]
    struct Shared(Arc<InMemoryBackend>);

    impl StorageBackend for Shared {
        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            StorageBackend::read(&*self.0, offset, out)
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.0.set_len(len)
        }

        fn sync_data(&self) -> io::Result<()> {
            self.0.sync_data()
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            StorageBackend::write(&*self.0, offset, data)
        }
    }
}
