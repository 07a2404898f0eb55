//! Dials in the store.

use std::ops::Bound;

use ::redb::ReadableTable;

use super::Store;
use super::fault::Fault;
use super::tables::{DIAL_IDS, DIALS, next_id};
use crate::codec::{Kept, decode_dial, encode_dial};
use crate::dial::{Dial, DialId, Level, Name};
use crate::error::Error;
use crate::service::{DialService, Page, Stamp};

impl DialService for Store {
    fn dial(&self, id: DialId) -> Result<Option<Dial>, Error> {
        self.read(&format!("reading dial {id}"), |transaction| {
            let dials = transaction.open_table(DIALS)?;
            let Some(record) = dials.get(id.0.to_be_bytes())? else {
                return Ok(None);
            };
            Ok(Some(stored_dial(id, record.value())?.value))
        })
    }

    fn dials(&self, page: Page) -> Result<Vec<Dial>, Error> {
        self.read("listing the dials", |transaction| {
            let dials = transaction.open_table(DIALS)?;
            let after = page.after.map(|id| id.0.to_be_bytes());
            let start = after.map_or(Bound::Unbounded, Bound::Excluded);
            let mut found = Vec::new();
            for row in dials.range((start, Bound::Unbounded))?.take(page.limit) {
                let (key, record) = row?;
                found.push(stored_dial(DialId(u64::from_be_bytes(key.value())), record.value())?.value);
            }
            Ok(found)
        })
    }

    fn create_dial(&self, stamp: Stamp, name: &Name, level: Level) -> Result<Dial, Error> {
        self.write("creating a dial", |transaction| {
            let dial = Dial {
                id: DialId(next_id(transaction, DIAL_IDS)?),
                user_id: stamp.user_id,
                name: name.clone(),
                level,
                mod_time: stamp.time,
            };
            let record = Kept::from(dial);
            let key = record.value.id.0.to_be_bytes();
            transaction
                .open_table(DIALS)?
                .insert(key, encode_dial(&record).as_slice())?;
            Ok(record.value)
        })
    }

    fn set_level(&self, stamp: Stamp, id: DialId, level: Level) -> Result<Dial, Error> {
        self.write(&format!("setting dial {id}"), |transaction| {
            let mut dials = transaction.open_table(DIALS)?;
            let key = id.0.to_be_bytes();
            let mut kept = match dials.get(key)? {
                Some(record) => stored_dial(id, record.value())?,
                None => return Err(Error::DialNotFound(id).into()),
            };
            if kept.value.user_id != stamp.user_id {
                return Err(Error::Unauthorized.into());
            }
            kept.value.level = level;
            kept.value.mod_time = stamp.time;
            dials.insert(key, encode_dial(&kept).as_slice())?;
            Ok(kept.value)
        })
    }
}

/// The dial of a record that was found under an id.
pub(super) fn stored_dial(id: DialId, record: &[u8]) -> Result<Kept<Dial>, Fault> {
    let kept = decode_dial(record).map_err(|error| Fault::Damaged(format!("dial {id}: {error}")))?;
    if kept.value.id != id {
        return Err(Fault::Damaged(format!(
            "dial {id}: its record is of dial {}",
            kept.value.id
        )));
    }
    Ok(kept)
}
