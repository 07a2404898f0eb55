//! Dropping what is gone, a stretch at a time, and making the filter anew on the way.

use std::ops::Bound;
use std::sync::Arc;

use super::bloom::Bloom;
use super::error::RedbError;
use super::tables::{self, Fate, Stretch};
use super::{RedbStore, Snapshot};
use crate::time::Timestamp;

/// A walk over all records that is under way.
pub(super) struct Walk {
    /// The key that it has come to; `None` at the beginning.
    after: Option<Vec<u8>>,
    /// The filter that takes the place of the present one when the walk has ended: it holds the keys that the walk has seen and
    /// all that were written since it began.
    pub(super) bloom: Bloom,
}

/// What a call of [`RedbStore::reclaim`] has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reclaimed {
    /// Records looked at.
    pub examined: u64,
    /// Expired and flushed records dropped.
    pub dropped: u64,
    /// The walk has come to the end of the records; the next call begins another.
    pub finished: bool,
}

impl RedbStore {
    /// Looks at up to `records` records and drops those that have expired or were flushed, in a transaction of their own; if
    /// there are none, nothing is written. Calls take up where the last has left off; when a walk has come to the end, a
    /// filter without the keys that have gone takes the place of the old one. Writers wait meanwhile, readers do not.
    ///
    /// # Errors
    /// As [`RedbStore::write`].
    pub fn reclaim(&self, now: Timestamp, records: usize) -> Result<Reclaimed, RedbError> {
        let mut writer = self.writer();
        let before = self.snapshot();
        let Walk { after, bloom } = writer.walk.take().unwrap_or_else(|| Walk {
            after: None,
            bloom: Bloom::with_room_for(before.items, self.options.false_positive_rate),
        });
        let mut reclaimed = Reclaimed::default();
        let mut dead = Vec::new();
        let mut bloom = bloom;
        let from = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let stretch = Stretch {
            records: records.max(1),
            bytes: usize::MAX,
        };
        let stopped = tables::walk(&*before.records, from, stretch, |key, record| {
            reclaimed.examined += 1;
            if before.facts.fate(&record, now) == Fate::Live {
                if bloom.is_full() {
                    bloom = bloom.grown();
                }
                bloom.insert(self.hash(key));
            } else {
                dead.push(key.to_vec());
            }
            true
        })?;
        reclaimed.finished = stopped.is_none();
        writer.walk = Some(Walk { after: stopped, bloom });
        if !dead.is_empty() || before.facts.is_flush_due(now) {
            let outcome = self.write_as(&mut writer, |batch| batch.drop_dead(&dead, now));
            // The keys are not in the new filter: if they are not gone from the file, it must not be used.
            let outcome = outcome.and_then(|dropped| dropped);
            reclaimed.dropped = outcome.inspect_err(|_| writer.walk = None)?;
        }
        if reclaimed.finished
            && let Some(walk) = writer.walk.take()
        {
            self.replace_filter(walk.bloom);
        }
        Ok(reclaimed)
    }

    /// Puts a filter in the place of the present one; the writer is held.
    fn replace_filter(&self, bloom: Bloom) {
        let current = self.snapshot();
        let snapshot = Snapshot {
            records: Arc::clone(&current.records),
            facts: current.facts,
            bloom: Arc::new(bloom),
            items: current.items,
            bytes: current.bytes,
        };
        *self.current.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(snapshot);
    }
}
