//! Records to bytes and back: protobuf, by `proto/record.proto`.
//!
//! A field's number is the schema's version of it. What a build does not know in a record it keeps: the bytes of unknown
//! fields travel with the value and are written again behind it, so that an older build that changes a newer record
//! loses nothing. (prost alone drops them.) A record in which a known field is missing or out of its bounds is refused.

mod unknown;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use prost::Message;

use crate::dial::{Dial, DialId, InvalidLevel, InvalidName, Level, Name};
use crate::user::{User, UserId};

/// What prost makes of the schema.
mod schema {
    #![allow(missing_docs, unreachable_pub)] // Generated.
    include!(concat!(env!("OUT_DIR"), "/wtfdial.record.rs"));
}

/// A value as it was read, with the fields of its record that this build does not know.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept<T> {
    /// What this build knows.
    pub(crate) value: T,
    /// The rest: whole fields, in the order in which they were found.
    unknown: Vec<u8>,
}

impl<T> From<T> for Kept<T> {
    fn from(value: T) -> Kept<T> {
        Kept {
            value,
            unknown: Vec::new(),
        }
    }
}

/// Why bytes are not a record.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    /// They are not protobuf, or a field has another type.
    #[error("not a record: {0}")]
    Format(#[from] prost::DecodeError),
    /// They end in the middle of a field, or have a kind of field that no version wrote.
    #[error("not a record: a field is cut off or of a kind that is never written")]
    Fields,
    /// A field that every version writes is not there.
    #[error("the record has no field `{0}`")]
    Missing(&'static str),
    /// A name that could not have been written.
    #[error("the record's name {0}")]
    Name(#[from] InvalidName),
    /// A level that could not have been written.
    #[error("the record's level {0}")]
    Level(#[from] InvalidLevel),
    /// A time that no calendar has.
    #[error("the record's time is out of range")]
    Time,
}

/// Numbers of the fields of a dial's record.
const DIAL_FIELDS: &[u64] = &[1, 2, 3, 4, 5];

/// Numbers of the fields of a user's record.
const USER_FIELDS: &[u64] = &[1, 2];

/// The record of a dial.
pub(crate) fn encode_dial(dial: &Kept<Dial>) -> Vec<u8> {
    let record = schema::Dial {
        id: Some(dial.value.id.0),
        user_id: Some(dial.value.user_id.0),
        name: Some(dial.value.name.as_str().to_owned()),
        level: Some(dial.value.level.value()),
        mod_time_ms: Some(dial.value.mod_time.as_millisecond()),
    };
    encode(&record, &dial.unknown)
}

/// The dial of a record.
pub(crate) fn decode_dial(bytes: &[u8]) -> Result<Kept<Dial>, DecodeError> {
    let record = schema::Dial::decode(bytes)?;
    let value = Dial {
        id: DialId(record.id.ok_or(DecodeError::Missing("id"))?),
        user_id: UserId(record.user_id.ok_or(DecodeError::Missing("user_id"))?),
        name: Name::new(record.name.ok_or(DecodeError::Missing("name"))?)?,
        level: Level::new(record.level.ok_or(DecodeError::Missing("level"))?)?,
        mod_time: match record.mod_time_ms {
            Some(milliseconds) => Timestamp::from_millisecond(milliseconds).map_err(|_| DecodeError::Time)?,
            None => Timestamp::UNIX_EPOCH,
        },
    };
    let unknown = unknown::fields(bytes, DIAL_FIELDS)?;
    Ok(Kept { value, unknown })
}

/// The record of a user.
pub(crate) fn encode_user(user: &Kept<User>) -> Vec<u8> {
    let record = schema::User {
        id: Some(user.value.id.0),
        name: Some(user.value.name.as_str().to_owned()),
    };
    encode(&record, &user.unknown)
}

/// The user of a record.
pub(crate) fn decode_user(bytes: &[u8]) -> Result<Kept<User>, DecodeError> {
    let record = schema::User::decode(bytes)?;
    let value = User {
        id: UserId(record.id.ok_or(DecodeError::Missing("id"))?),
        name: Name::new(record.name.ok_or(DecodeError::Missing("name"))?)?,
    };
    let unknown = unknown::fields(bytes, USER_FIELDS)?;
    Ok(Kept { value, unknown })
}

fn encode(record: &impl Message, unknown: &[u8]) -> Vec<u8> {
    let mut bytes = record.encode_to_vec();
    bytes.extend_from_slice(unknown);
    bytes
}
