//! A redb file into text.

use std::io::{BufWriter, Write};
use std::path::Path;

use refcached_store::item::Item;
use refcached_store::store::{ScanPosition, Store};
use refcached_store::{RedbOptions, RedbStore, Timestamp};

use super::fill::entry_of;
use super::placed::Placed;
use super::{Format, TransferError, TransferProgress, csv, ndjson};

/// What was dumped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dumped {
    /// Items written.
    pub items: u64,
}

/// Writes what is in a redb file to a text file, in the order of the keys; what has expired at `now` is left out. The
/// redb file is checked first, and only read. The text file appears under its name when it is whole.
///
/// # Errors
/// The text file is there already and `replace` is not set, or one of both cannot be read or written.
pub fn dump_to(
    from: &Path,
    to: &Path,
    format: Format,
    replace: bool,
    now: Timestamp,
    progress: impl FnMut(TransferProgress),
) -> Result<Dumped, TransferError> {
    let placed = Placed::begin(to, replace)?;
    let dumped = dump_into(from, (to, placed.open()?), format, now, progress)?;
    placed.put()?;
    Ok(dumped)
}

/// The same to any writer, such as standard output; `name` stands for it in errors.
///
/// # Errors
/// The file cannot be read, or the text not written.
pub fn dump(
    from: &Path,
    (name, out): (&Path, impl Write),
    format: Format,
    now: Timestamp,
    progress: impl FnMut(TransferProgress),
) -> Result<Dumped, TransferError> {
    dump_into(from, (name, out), format, now, progress)
}

fn dump_into(
    from: &Path,
    (name, out): (&Path, impl Write),
    format: Format,
    now: Timestamp,
    mut progress: impl FnMut(TransferProgress),
) -> Result<Dumped, TransferError> {
    let options = RedbOptions {
        read_only: true,
        ..RedbOptions::default()
    };
    let dataset = RedbStore::open(from, &options, now, |_| {}).map_err(|error| TransferError::Open {
        path: from.to_owned(),
        error,
    })?;
    let of = dataset.items();
    let mut lines = Lines::new(format, out).map_err(TransferError::io("write", name))?;
    let mut dumped = Dumped::default();
    let mut position = Some(ScanPosition::default());
    while let Some(at) = position {
        let mut written = Ok(());
        let visit = |item: Item<'_>| {
            if written.is_ok() {
                written = lines.write(&item);
                dumped.items += 1;
            }
        };
        let scanned = dataset.read(|batch| batch.scan(at, now, visit));
        position = scanned
            .and_then(|scanned| scanned)
            .map_err(TransferError::dataset(from))?;
        written.map_err(TransferError::io("write", name))?;
        progress(TransferProgress { done: dumped.items, of });
    }
    lines.finish().map_err(TransferError::io("write", name))?;
    Ok(dumped)
}

/// A text under way.
enum Lines<W: Write> {
    Ndjson(BufWriter<W>),
    Csv(Box<::csv::Writer<W>>),
}

impl<W: Write> Lines<W> {
    fn new(format: Format, out: W) -> std::io::Result<Lines<W>> {
        Ok(match format {
            Format::Ndjson => Lines::Ndjson(BufWriter::new(out)),
            Format::Csv => {
                let mut writer = ::csv::Writer::from_writer(out);
                csv::write_header(&mut writer)?;
                Lines::Csv(Box::new(writer))
            }
        })
    }

    fn write(&mut self, item: &Item<'_>) -> std::io::Result<()> {
        let entry = entry_of(item);
        match self {
            Lines::Ndjson(out) => ndjson::write(&entry, out),
            Lines::Csv(out) => csv::write(&entry, out),
        }
    }

    fn finish(&mut self) -> std::io::Result<()> {
        match self {
            Lines::Ndjson(out) => out.flush(),
            Lines::Csv(out) => out.flush(),
        }
    }
}
