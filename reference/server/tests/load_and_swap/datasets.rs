//! Two datasets with the same keys and different values, and their files.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::process::run;

/// A dataset: the records with the numbers below `records`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dataset {
    /// Begins each value: no two datasets have one in common.
    tag: char,
    pub(crate) filename: &'static str,
    pub(crate) records: u64,
}

/// The key of a record.
pub(crate) fn key(number: u64) -> String {
    format!("key:{number:07}")
}

impl Dataset {
    pub(crate) const fn new(tag: char, filename: &'static str, records: u64) -> Dataset {
        Dataset { tag, filename, records }
    }

    /// The value of a record; none if this dataset does not have it.
    pub(crate) fn value(&self, number: u64) -> Option<String> {
        let (tag, records) = (self.tag, self.records);
        // Any multiplication that spreads the bits will do: neighbours must not look alike.
        let noise = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(u32::from(tag));
        (number < records).then(|| format!("{tag}:{number:07}:{noise:016x}"))
    }

    /// Makes the file.
    pub(crate) fn make(&self, directory: &Path) {
        let text = directory.join(format!("{}.ndjson", self.filename));
        let mut out = BufWriter::new(File::create(&text).unwrap());
        for number in 0..self.records {
            let value = self.value(number).unwrap();
            writeln!(out, "{{\"key\":\"{}\",\"value\":\"{value}\"}}", key(number)).unwrap();
        }
        out.into_inner().unwrap();
        let file = directory.join(self.filename);
        run(&["load", "--from", text.to_str().unwrap(), "--to", file.to_str().unwrap()]);
        fs::remove_file(text).unwrap();
    }
}
