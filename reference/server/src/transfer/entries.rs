//! Reading entries, one after the other, of whatever format.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{Entry, Format, TransferError, csv, ndjson};

/// How much is read from the file at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// What is wrong in a text, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {what}")]
pub struct InputError {
    /// From 1.
    pub line: u64,
    /// From 1, in bytes; in CSV the number of the field.
    pub column: u64,
    /// What is wrong.
    pub what: String,
}

/// The entries of a text file, in its order.
pub struct Entries {
    path: PathBuf,
    of_bytes: u64,
    reader: Reader,
}

enum Reader {
    Ndjson(ndjson::Reader<BufReader<Source>>),
    Csv(Box<csv::Reader<Source>>),
}

/// Where the bytes come from. Asked for many at a time.
type Source = Box<dyn Read + Send>;

impl Entries {
    /// Opens a text file; its name says which format it has.
    ///
    /// # Errors
    /// It has another format, or cannot be read.
    pub fn open(path: &Path) -> Result<Entries, TransferError> {
        let format = Format::of(path).ok_or_else(|| TransferError::UnknownFormat {
            path: path.to_owned(),
            redb: false,
        })?;
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (of_bytes, file) = opened.map_err(TransferError::io("read", path))?;
        Ok(Entries::of(path, format, of_bytes, Box::new(file)))
    }

    /// The entries in so many bytes of `source`, called `path` in errors.
    pub(super) fn of(path: &Path, format: Format, of_bytes: u64, source: Source) -> Entries {
        let reader = match format {
            Format::Ndjson => Reader::Ndjson(ndjson::Reader::new(BufReader::with_capacity(BUFFER_BYTES, source))),
            Format::Csv => Reader::Csv(Box::new(csv::Reader::new(source))),
        };
        Entries {
            path: path.to_owned(),
            of_bytes,
            reader,
        }
    }

    /// Bytes of the file that have been read, about, and how many there are.
    pub fn progress(&self) -> (u64, u64) {
        let done = match &self.reader {
            Reader::Ndjson(reader) => reader.bytes(),
            Reader::Csv(reader) => reader.bytes(),
        };
        (done, self.of_bytes)
    }

    fn at(&self, fault: Fault) -> TransferError {
        match fault {
            Fault::Input(error) => TransferError::Input {
                path: self.path.clone(),
                error,
            },
            Fault::Io(error) => TransferError::io("read", &self.path)(error),
        }
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, TransferError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match &mut self.reader {
            Reader::Ndjson(reader) => reader.next_entry(),
            Reader::Csv(reader) => reader.next_entry(),
        };
        next.map_err(|fault| self.at(fault)).transpose()
    }
}

/// Why a format's reader has stopped.
#[derive(Debug)]
pub(super) enum Fault {
    Input(InputError),
    Io(std::io::Error),
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Fault {
        Fault::Io(error)
    }
}

/// All entries of a text in memory.
#[cfg(test)]
pub(super) fn all(format: Format, text: &[u8]) -> Result<Vec<Entry>, InputError> {
    fn collect(mut next: impl FnMut() -> Result<Option<Entry>, Fault>) -> Result<Vec<Entry>, InputError> {
        let mut entries = Vec::new();
        loop {
            match next() {
                Ok(Some(entry)) => entries.push(entry),
                Ok(None) => return Ok(entries),
                Err(Fault::Input(error)) => return Err(error),
                Err(Fault::Io(error)) => panic!("memory can be read: {error}"),
            }
        }
    }
    match format {
        Format::Ndjson => {
            let mut reader = ndjson::Reader::new(text);
            collect(|| reader.next_entry())
        }
        Format::Csv => {
            let mut reader = csv::Reader::new(text);
            collect(|| reader.next_entry())
        }
    }
}
