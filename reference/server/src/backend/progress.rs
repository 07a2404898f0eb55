//! What the log is told while a dataset is opened: one that is large takes seconds, in which its operator waits.

use std::sync::atomic::{AtomicU64, Ordering};

use refcached_store::redb::OpenProgress;

use crate::transfer::TransferProgress;

/// A file below this many bytes, or records of it below so many, is opened before anybody would read how far it has come.
const BYTES_MIN: u64 = 64 << 20;
const RECORDS_MIN: u64 = 500_000;

/// Tells the log each tenth of the check, and then of the count, of the dataset `name` that a redb file is.
pub(super) fn opening(name: &str) -> impl Fn(OpenProgress) + Send + Sync + use<> {
    let filename = name.to_owned();
    let (checked, counted) = (Tenths::default(), Tenths::default());
    move |progress| match progress {
        OpenProgress::Checking { read_bytes, of_bytes } if of_bytes >= BYTES_MIN => {
            if let Some(percent) = checked.reach(read_bytes, of_bytes) {
                tracing::info!(filename, percent, of_bytes, "checking a dataset");
            }
        }
        OpenProgress::Counting { records, of_records } if of_records >= RECORDS_MIN => {
            if let Some(percent) = counted.reach(records, of_records) {
                tracing::info!(filename, percent, of_records, "counting the records of a dataset");
            }
        }
        OpenProgress::Checking { .. } | OpenProgress::Counting { .. } => {}
    }
}

/// Tells the log each tenth of a dataset that is read into memory: of the bytes of a text, or of the records of a redb file.
pub(super) fn reading(name: &str) -> impl Fn(TransferProgress) + use<> {
    let filename = name.to_owned();
    let read = Tenths::default();
    move |progress| {
        if progress.of >= RECORDS_MIN
            && let Some(percent) = read.reach(progress.done, progress.of)
        {
            tracing::info!(filename, percent, "reading a dataset");
        }
    }
}

/// Which tenth has been reached, each once.
#[derive(Debug, Default)]
struct Tenths(AtomicU64);

impl Tenths {
    /// The per cent of the last whole tenth, if it is one that had not been reached before. The work may be told twice, or
    /// come to more than was foreseen: 100 is the most.
    fn reach(&self, done: u64, of: u64) -> Option<u64> {
        let tenth = (10 * done / of.max(1)).min(10);
        (self.0.fetch_max(tenth, Ordering::Relaxed) < tenth).then_some(10 * tenth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tenth_is_told_once() {
        let tenths = Tenths::default();
        let told: Vec<u64> = (0..=130).filter_map(|done| tenths.reach(done, 100)).collect();
        assert_eq!(told, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        assert_eq!(tenths.reach(50, 100), None);
        assert_eq!(Tenths::default().reach(95, 100), Some(90));
        assert_eq!(Tenths::default().reach(0, 0), None);
    }
}
