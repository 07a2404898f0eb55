//! One JSON object in a line.

use std::borrow::Cow;
use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};

use super::entries::{Fault, InputError};
use super::{Entry, Text, bytes_of, judged};

/// The longest line: a value of the greatest length, all of it written as `\u0000`, and some more.
const LINE_BYTES_MAX: u64 = 6 * (super::VALUE_BYTES_MAX as u64) + (1 << 20);

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Row<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    key: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    key_base64: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    value: Option<Cow<'a, str>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    value_base64: Option<Cow<'a, str>>,
    #[serde(default)]
    flags: u32,
    #[serde(default)]
    exptime: u64,
}

pub(super) struct Reader<R> {
    source: R,
    line: Vec<u8>,
    number: u64,
    bytes: u64,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn new(source: R) -> Self {
        Reader {
            source,
            line: Vec::new(),
            number: 0,
            bytes: 0,
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next entry; empty lines are passed over.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry>, Fault> {
        loop {
            self.line.clear();
            self.number += 1;
            let mut bounded = std::io::Read::take(&mut self.source, LINE_BYTES_MAX);
            let read = bounded.read_until(b'\n', &mut self.line)? as u64;
            if read == 0 {
                return Ok(None);
            }
            self.bytes += read;
            if read == LINE_BYTES_MAX {
                return Err(self.fault(LINE_BYTES_MAX, "the line is too long".to_owned()));
            }
            if !self.line.trim_ascii().is_empty() {
                return self.entry().map(Some);
            }
        }
    }

    fn entry(&self) -> Result<Entry, Fault> {
        let row: Row<'_> = serde_json::from_slice(&self.line).map_err(|error| {
            let text = error.to_string();
            // It says where at its end, counting the lines of this text, which is one.
            let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
            let cut_short = error.is_eof().then(|| self.line.trim_ascii_end().len());
            self.fault(cut_short.unwrap_or(error.column()) as u64, what.to_owned())
        })?;
        let misplaced = |what: String| self.fault(self.column_of(&what), what);
        let entry = Entry {
            key: bytes_of("key", row.key, row.key_base64).map_err(misplaced)?,
            value: bytes_of("value", row.value, row.value_base64).map_err(misplaced)?,
            flags: row.flags,
            exptime_unix_s: row.exptime,
        };
        judged(entry).map_err(misplaced)
    }

    /// Where the field stands that the first word of a complaint names; the line's beginning if it is not there.
    fn column_of(&self, complaint: &str) -> u64 {
        let name = complaint.split(' ').next().unwrap_or_default();
        let places = [format!("\"{name}\""), format!("\"{name}_base64\"")];
        let find = |place: &String| {
            self.line
                .windows(place.len())
                .position(|window| window == place.as_bytes())
        };
        places.iter().find_map(find).map_or(1, |at| at as u64 + 1)
    }

    fn fault(&self, column: u64, what: String) -> Fault {
        Fault::Input(InputError {
            line: self.number,
            column: column.max(1),
            what,
        })
    }
}

/// Writes an entry as a line.
pub(super) fn write(entry: &Entry, out: &mut impl Write) -> std::io::Result<()> {
    let fields = |bytes| match Text::of(bytes) {
        Text::Plain(text) => (Some(Cow::Borrowed(text)), None),
        Text::Base64(text) => (None, Some(Cow::Owned(text))),
    };
    let (key, key_base64) = fields(&entry.key);
    let (value, value_base64) = fields(&entry.value);
    let row = Row {
        key,
        key_base64,
        value,
        value_base64,
        flags: entry.flags,
        exptime: entry.exptime_unix_s,
    };
    serde_json::to_writer(&mut *out, &row)?;
    out.write_all(b"\n")
}
