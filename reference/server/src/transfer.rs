//! Datasets as text: NDJSON and CSV files into a dataset and out of it.
//!
//! An entry is a key, a value, the client's flags and the expiration time as Unix time in seconds, 0 for never. Bytes that are not
//! UTF-8 stand in base64, in a field of another name. CAS values are not carried over: they tell the versions of an item
//! apart on a server, and those of a file that is loaded twice would repeat.
//!
//! # Layout
//! - `ndjson`, `csv`: the two formats. `entries`: reading either, with the place of what is wrong.
//! - `load`: a text file into a redb file. `fill`: any file into a store that is there. `dump`: a redb file into text.
//! - `placed`: a file that appears whole under its name, or not at all.

mod csv;
mod dump;
mod entries;
mod fill;
mod load;
mod ndjson;
mod placed;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use refcached_protocol::base64;
use refcached_store::redb::{OpenError, RedbError};
use refcached_store::{Expiry, Timestamp};
use thiserror::Error;

pub use self::dump::{Dumped, dump, dump_to};
pub use self::entries::{Entries, InputError};
pub use self::fill::{Filled, fill, fill_from};
pub use self::load::{Loaded, load};

/// The longest key, in bytes: memcached's limit.
const KEY_BYTES_MAX: usize = 250;

/// The longest value, in bytes: what `-I` may be at most.
const VALUE_BYTES_MAX: usize = 1 << 30;

/// The latest expiration time, in Unix seconds: what a record has room for.
const EXPTIME_MAX_S: u64 = ((1 << 48) - 2) / 1000;

/// One item of a dataset, as text files have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 1 to 250 bytes, any.
    pub key: Vec<u8>,
    /// Up to 1 GiB.
    pub value: Vec<u8>,
    /// Opaque to the server.
    pub flags: u32,
    /// Unix time in seconds from which on the item is gone; 0 is never.
    pub exptime_unix_s: u64,
}

impl Entry {
    /// When it is gone.
    pub fn expiry(&self) -> Expiry {
        match self.exptime_unix_s {
            0 => Expiry::NEVER,
            seconds => Expiry::at(Timestamp::from_unix_s(seconds)),
        }
    }
}

/// The time of an item as an [`Entry`] has it: whole seconds, so that it is never gone earlier than it was to be.
fn exptime_unix_s(expiry: Expiry) -> u64 {
    expiry.timestamp().map_or(0, |at| at.unix_ms().div_ceil(1000).max(1))
}

/// A format of text files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object in a line: `{"key":"k","value":"v","flags":0,"exptime":0}`; `flags` and `exptime` may be left out, and
    /// `key_base64`, `value_base64` stand for bytes that are not UTF-8.
    Ndjson,
    /// A header with the same names, in any order, and rows (RFC 4180).
    Csv,
}

impl Format {
    /// The format that a file's name ends on: `.ndjson`, `.jsonl` or `.csv`.
    pub fn of(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()? {
            "ndjson" | "jsonl" => Some(Format::Ndjson),
            "csv" => Some(Format::Csv),
            _ => None,
        }
    }
}

/// Why a file could not be loaded, filled from or dumped.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransferError {
    /// What the file is cannot be told.
    #[error("{}: no such format; let the name end on .ndjson, .csv{}", .path.display(), if *.redb { " or .redb" } else { "" })]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// Whether a redb file would have done.
        redb: bool,
    },
    /// What stands in the file is not an entry.
    #[error("{}: {error}", .path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// Where, and what.
        error: InputError,
    },
    /// The file is there already.
    #[error("{} exists; remove it, or give --force to replace it", .0.display())]
    Exists(PathBuf),
    /// A text file cannot be read or written.
    #[error("cannot {what} {}: {error}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A dataset cannot be opened.
    #[error("cannot open {}: {error}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        error: OpenError,
    },
    /// A dataset cannot be read or written.
    #[error("{}: {error}", .path.display())]
    Dataset {
        /// The file.
        path: PathBuf,
        /// Why.
        error: RedbError,
    },
    /// The store that was to be filled refuses an entry.
    #[error("{}: the entry with key {key:?} cannot be stored: {cause}", .path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// The entry's key, escaped.
        key: String,
        /// What the store says.
        cause: String,
    },
}

impl TransferError {
    fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TransferError {
        move |error| TransferError::Io {
            what,
            path: path.to_owned(),
            error,
        }
    }

    fn dataset(path: &Path) -> impl FnOnce(RedbError) -> TransferError {
        move |error| TransferError::Dataset {
            path: path.to_owned(),
            error,
        }
    }
}

/// How far a transfer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferProgress {
    /// Bytes of the text, or items of the dataset, done so far.
    pub done: u64,
    /// Of so many.
    pub of: u64,
}

/// A CAS value for each entry, larger than those of any dataset that was made before `now`: of the two datasets of a swap,
/// none has a value of the other.
struct CasValues(u64);

impl CasValues {
    fn from(now: Timestamp) -> CasValues {
        CasValues(now.unix_ms() << 20)
    }

    fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// Bytes as text, if they are: else in base64.
enum Text<'a> {
    Plain(&'a str),
    Base64(String),
}

impl<'a> Text<'a> {
    fn of(bytes: &'a [u8]) -> Text<'a> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Text::Plain(text),
            Err(_) => {
                let mut encoded = Vec::new();
                base64::encode(bytes, &mut encoded);
                Text::Base64(String::from_utf8_lossy(&encoded).into_owned())
            }
        }
    }
}

/// The bytes of a field that is there as text or in base64. What is wrong names the field.
fn bytes_of(name: &str, plain: Option<Cow<'_, str>>, encoded: Option<Cow<'_, str>>) -> Result<Vec<u8>, String> {
    match (plain, encoded) {
        (Some(plain), None) => Ok(plain.into_owned().into_bytes()),
        (None, Some(encoded)) if encoded.is_empty() => Ok(Vec::new()),
        (None, Some(encoded)) => {
            let mut bytes = vec![0; encoded.len()];
            let decoded = base64::decode(encoded.as_bytes(), &mut bytes);
            bytes.truncate(decoded.ok_or_else(|| format!("{name}_base64 is not base64"))?);
            Ok(bytes)
        }
        (Some(_), Some(_)) => Err(format!("there are both {name} and {name}_base64")),
        (None, None) => Err(format!("there is no {name}")),
    }
}

/// Holds an entry to its limits. What is wrong begins with the name of the field.
fn judged(entry: Entry) -> Result<Entry, String> {
    if entry.key.is_empty() || entry.key.len() > KEY_BYTES_MAX {
        return Err(format!("key has {} bytes, not 1 to {KEY_BYTES_MAX}", entry.key.len()));
    }
    if entry.value.len() > VALUE_BYTES_MAX {
        return Err(format!(
            "value has {} bytes, more than {VALUE_BYTES_MAX}",
            entry.value.len()
        ));
    }
    if entry.exptime_unix_s > EXPTIME_MAX_S {
        return Err(format!(
            "exptime is {}, later than {EXPTIME_MAX_S}",
            entry.exptime_unix_s
        ));
    }
    Ok(entry)
}
