//! What lies where in the file.

use std::ops::Bound;

use ::redb::{ReadTransaction, ReadableTable, TableDefinition, TableError, TableHandle, WriteTransaction};

use super::error::{OpenError, RedbError, UNREADABLE_RECORD};
use super::record::Record;
use crate::time::Timestamp;

/// Keys to records.
pub(super) const RECORDS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("records");

/// Facts about all of them, by name.
pub(super) const FACTS: TableDefinition<'static, &str, u64> = TableDefinition::new("refcached");

/// The layout of the tables, one of the facts.
const FORMAT: &str = "format";
const FORMAT_NUMBER: u64 = 1;
const EPOCH: &str = "epoch";
const FLUSH_AT: &str = "flush_at_unix_ms";
const CAS_CEILING: &str = "cas_ceiling";

/// No flush is to come.
const NEVER: u64 = u64::MAX;

/// What the file says of the dataset as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// How many flushes have been done.
    pub(super) epoch: u32,
    /// When the next one is due.
    pub(super) flush_at: Option<Timestamp>,
    /// No CAS value that the server has given out is larger.
    pub(super) cas_ceiling: u64,
}

impl Facts {
    /// Reads the facts of a dataset; an error if the database is not one of ours. `None` if it is empty.
    pub(super) fn recognise(transaction: &ReadTransaction) -> Result<Option<Facts>, OpenError> {
        let table = match transaction.open_table(FACTS) {
            Ok(table) => table,
            Err(TableError::Storage(error)) => return Err(error.into()),
            Err(TableError::TableDoesNotExist(_)) => {
                let tables: Vec<_> = transaction.list_tables()?.collect();
                let others = transaction.list_multimap_tables()?.count();
                return match tables.first() {
                    None if others == 0 => Ok(None),
                    None => Err(OpenError::Foreign("it has tables of other kinds".to_owned())),
                    Some(table) => Err(OpenError::Foreign(format!("it has a table {:?}", table.name()))),
                };
            }
            Err(other) => return Err(OpenError::Foreign(other.to_string())),
        };
        match table.get(FORMAT)?.map(|format| format.value()) {
            Some(FORMAT_NUMBER) => {}
            Some(other) => {
                return Err(OpenError::Foreign(format!(
                    "it has format {other}, and {FORMAT_NUMBER} is known here"
                )));
            }
            None => return Err(OpenError::Foreign("it does not say which format it has".to_owned())),
        }
        match transaction.open_table(RECORDS) {
            Ok(_) => {}
            Err(TableError::Storage(error)) => return Err(error.into()),
            Err(other) => return Err(OpenError::Foreign(other.to_string())),
        }
        Ok(Some(Facts::load(&table)?))
    }

    fn load(table: &impl ReadableTable<&'static str, u64>) -> Result<Facts, OpenError> {
        let number = |name| -> Result<Option<u64>, OpenError> { Ok(table.get(name)?.map(|fact| fact.value())) };
        let epoch = u32::try_from(number(EPOCH)?.unwrap_or(0));
        Ok(Facts {
            epoch: epoch.map_err(|_| OpenError::Damaged("it counts too many flushes".to_owned()))?,
            flush_at: number(FLUSH_AT)?.filter(|&at| at != NEVER).map(Timestamp::from_unix_ms),
            cas_ceiling: number(CAS_CEILING)?.unwrap_or(0),
        })
    }

    /// Writes the facts; makes the tables if there are none.
    pub(super) fn store(&self, transaction: &WriteTransaction) -> Result<(), RedbError> {
        let mut table = transaction.open_table(FACTS)?;
        table.insert(FORMAT, FORMAT_NUMBER)?;
        table.insert(EPOCH, u64::from(self.epoch))?;
        table.insert(FLUSH_AT, self.flush_at.map_or(NEVER, Timestamp::unix_ms))?;
        table.insert(CAS_CEILING, self.cas_ceiling)?;
        Ok(())
    }

    /// The epoch of what is there at `now`: the flush that is due counts as done.
    #[inline]
    pub(super) fn epoch_at(&self, now: Timestamp) -> u32 {
        self.epoch + u32::from(self.is_flush_due(now))
    }

    #[inline]
    pub(super) fn is_flush_due(&self, now: Timestamp) -> bool {
        self.flush_at.is_some_and(|at| now >= at)
    }

    /// What has become of a record.
    #[inline]
    pub(super) fn fate(&self, record: &Record<'_>, now: Timestamp) -> Fate {
        if record.epoch != self.epoch_at(now) {
            Fate::Flushed
        } else if record.attributes.expiry.is_past(now) {
            Fate::Expired
        } else {
            Fate::Live
        }
    }
}

/// What has become of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Live,
    Expired,
    Flushed,
}

/// How far [`walk`] goes before it pauses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) records: usize,
    /// Bytes of keys and records; one record more than that may be visited.
    pub(super) bytes: usize,
}

impl Stretch {
    /// What a scan visits at a time.
    pub(super) const SCAN: Stretch = Stretch {
        records: 1024,
        bytes: 256 << 10,
    };

    /// Everything.
    pub(super) const ALL: Stretch = Stretch {
        records: usize::MAX,
        bytes: usize::MAX,
    };
}

/// Visits the records from `from` on, in the order of their keys, until `visit` answers `false` or
/// the stretch is done. Answers the key that it stopped at, or `None` at the end.
pub(super) fn walk(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    from: Bound<&[u8]>,
    stretch: Stretch,
    mut visit: impl FnMut(&[u8], Record<'_>) -> bool,
) -> Result<Option<Vec<u8>>, RedbError> {
    let mut bytes = 0;
    let range = table.range::<&[u8]>((from, Bound::Unbounded))?;
    for (count, row) in (1_usize..).zip(range) {
        let (key, record) = row?;
        let (key, record) = (key.value(), record.value());
        bytes += key.len() + record.len();
        let record = Record::decode(record).ok_or_else(|| RedbError::Damaged(UNREADABLE_RECORD.to_owned()))?;
        if !visit(key, record) || count >= stretch.records || bytes >= stretch.bytes {
            return Ok(Some(key.to_vec()));
        }
    }
    Ok(None)
}
