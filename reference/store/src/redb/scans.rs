//! Where scans stand that are paused.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::RedbError;
use crate::store::ScanPosition;

/// How many scans can be paused at a time. Of more, the one that has waited longest is forgotten.
const PAUSED_MAX: usize = 1024;

/// The keys behind the numbers of [`ScanPosition`].
#[derive(Debug, Default)]
pub(super) struct Scans(Mutex<Paused>);

#[derive(Debug, Default)]
struct Paused {
    /// The number given out last; 0 is the beginning of every scan.
    last: u64,
    keys: BTreeMap<u64, Vec<u8>>,
}

impl Scans {
    fn paused(&self) -> MutexGuard<'_, Paused> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key behind which a scan goes on; `None` is the beginning.
    pub(super) fn key(&self, position: ScanPosition) -> Result<Option<Vec<u8>>, RedbError> {
        if position == ScanPosition::default() {
            return Ok(None);
        }
        let key = self.paused().keys.remove(&position.0);
        key.map(Some).ok_or(RedbError::ScanLost)
    }

    /// Where the scan stands that is to go on behind `key`.
    pub(super) fn pause(&self, key: Vec<u8>) -> ScanPosition {
        let mut paused = self.paused();
        paused.last += 1;
        let number = paused.last;
        paused.keys.insert(number, key);
        if paused.keys.len() > PAUSED_MAX {
            paused.keys.pop_first();
        }
        ScanPosition(number)
    }
}
