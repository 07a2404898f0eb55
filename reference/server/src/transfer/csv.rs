//! Comma-separated values with a header.

use std::borrow::Cow;
use std::io::{Read, Write};

use ::csv::{ByteRecord, ErrorKind, ReaderBuilder, Writer};

use super::entries::{Fault, InputError};
use super::{Entry, Text, bytes_of, judged};

/// The names of the columns, in the order in which they are written.
const COLUMNS: [&str; 6] = ["key", "value", "flags", "exptime", "key_base64", "value_base64"];

const KEY: usize = 0;
const VALUE: usize = 1;
const FLAGS: usize = 2;
const EXPTIME: usize = 3;
const KEY_BASE64: usize = 4;
const VALUE_BASE64: usize = 5;

pub(super) struct Reader<R> {
    reader: ::csv::Reader<R>,
    record: ByteRecord,
    /// Where in a row each of [`COLUMNS`] stands; `None` before the header has been read.
    places: Option<[Option<usize>; COLUMNS.len()]>,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(source: R) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.has_headers(false).flexible(true).buffer_capacity(256 << 10);
        Reader {
            reader: builder.from_reader(source),
            record: ByteRecord::new(),
            places: None,
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.reader.position().byte()
    }

    /// The next entry.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry>, Fault> {
        let places = match self.places {
            Some(places) => places,
            None => {
                if !self.advance()? {
                    return Ok(None);
                }
                *self.places.insert(self.header()?)
            }
        };
        if !self.advance()? {
            return Ok(None);
        }
        self.entry(&places).map(Some)
    }

    fn advance(&mut self) -> Result<bool, Fault> {
        let line = self.reader.position().line();
        self.reader
            .read_byte_record(&mut self.record)
            .map_err(|error| match error.into_kind() {
                ErrorKind::Io(error) => Fault::Io(error),
                other => Fault::Input(InputError {
                    line,
                    column: 1,
                    what: format!("{other:?}"),
                }),
            })
    }

    fn header(&self) -> Result<[Option<usize>; COLUMNS.len()], Fault> {
        let mut places = [None; COLUMNS.len()];
        for (at, name) in self.record.iter().enumerate() {
            let known = COLUMNS.iter().position(|column| column.as_bytes() == name);
            let Some(known) = known else {
                let name = name.escape_ascii();
                return Err(self.fault(at, format!("no such column: {name}; known are {}", COLUMNS.join(", "))));
            };
            if places[known].replace(at).is_some() {
                return Err(self.fault(at, format!("column {} stands there twice", COLUMNS[known])));
            }
        }
        for (plain, encoded) in [(KEY, KEY_BASE64), (VALUE, VALUE_BASE64)] {
            if places[plain].is_none() && places[encoded].is_none() {
                return Err(self.fault(0, format!("the header has no column {}", COLUMNS[plain])));
            }
        }
        Ok(places)
    }

    fn entry(&self, places: &[Option<usize>; COLUMNS.len()]) -> Result<Entry, Fault> {
        let columns = places.iter().flatten().count();
        if self.record.len() != columns {
            let what = format!("there are {} fields, and {columns} in the header", self.record.len());
            return Err(self.fault(self.record.len().saturating_sub(1), what));
        }
        let field = |column: usize| places[column].and_then(|place| self.record.get(place));
        let misplaced = |column: usize, what: String| self.fault(places[column].unwrap_or(0), what);
        let text = |column: usize| match field(column).map(std::str::from_utf8) {
            Some(Err(_)) => Err(misplaced(column, format!("{} is not UTF-8", COLUMNS[column]))),
            Some(Ok(text)) => Ok(text),
            None => Ok(""),
        };
        let bytes = |plain: usize, encoded: usize| {
            // A row has room for both; the one that is not used is empty.
            let (in_plain, in_base64) = (text(plain)?, text(encoded)?);
            let given = |text| Some(Cow::Borrowed(text)).filter(|text: &Cow<'_, str>| !text.is_empty());
            let in_plain = Some(Cow::Borrowed(in_plain)).filter(|text| !text.is_empty() || in_base64.is_empty());
            bytes_of(COLUMNS[plain], in_plain, given(in_base64)).map_err(|what| misplaced(encoded, what))
        };
        let number = |column: usize| match text(column)? {
            "" => Ok(0),
            text => text
                .parse::<u64>()
                .map_err(|_| misplaced(column, format!("{} is not a number from 0 on: {text}", COLUMNS[column]))),
        };
        let flags = number(FLAGS)?;
        let entry = Entry {
            key: bytes(KEY, KEY_BASE64)?,
            value: bytes(VALUE, VALUE_BASE64)?,
            flags: u32::try_from(flags)
                .map_err(|_| misplaced(FLAGS, format!("flags is {flags}, more than 32 bits")))?,
            exptime_unix_s: number(EXPTIME)?,
        };
        judged(entry).map_err(|what| {
            let column = COLUMNS.iter().position(|name| what.starts_with(name)).unwrap_or(KEY);
            misplaced(column, what)
        })
    }

    fn fault(&self, place: usize, what: String) -> Fault {
        let line = self.record.position().map_or(1, ::csv::Position::line);
        Fault::Input(InputError {
            line,
            column: place as u64 + 1,
            what,
        })
    }
}

/// Writes the header.
pub(super) fn write_header(out: &mut Writer<impl Write>) -> std::io::Result<()> {
    Ok(out.write_record(COLUMNS)?)
}

/// Writes an entry as a row.
pub(super) fn write(entry: &Entry, out: &mut Writer<impl Write>) -> std::io::Result<()> {
    let (flags, exptime) = (entry.flags.to_string(), entry.exptime_unix_s.to_string());
    let (key, value) = (Text::of(&entry.key), Text::of(&entry.value));
    let mut fields = [""; COLUMNS.len()];
    fields[FLAGS] = &flags;
    fields[EXPTIME] = &exptime;
    for (text, plain, encoded) in [(&key, KEY, KEY_BASE64), (&value, VALUE, VALUE_BASE64)] {
        match text {
            Text::Plain(text) => fields[plain] = text,
            Text::Base64(text) => fields[encoded] = text,
        }
    }
    Ok(out.write_record(fields)?)
}
