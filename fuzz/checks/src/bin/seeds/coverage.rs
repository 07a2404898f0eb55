//! Which regions of the code no seed reaches, held against the list of those that none can.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Deserialize;

/// What `llvm-cov export` writes, as far as it is wanted here.
#[derive(Deserialize)]
struct Export {
    data: Vec<Data>,
}

#[derive(Deserialize)]
struct Data {
    functions: Vec<Function>,
}

/// One instance of a function: a generic one has several.
#[derive(Deserialize)]
struct Function {
    filenames: Vec<String>,
    regions: Vec<[u64; 8]>,
}

/// `fuzz/unreached.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    unreached: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The file, relative to the root of the tree.
    file: String,
    /// The line in which each region begins.
    lines: Vec<String>,
    reason: String,
}

/// The kind of a region that is code, in that format; others are gaps and expansions.
const CODE: u64 = 0;

/// A region by its place: first and last line and column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Region {
    start: (u64, u64),
    end: (u64, u64),
}

impl Region {
    fn holds(self, other: Self) -> bool {
        self != other && self.start <= other.start && other.end <= self.end
    }

    /// The line in which it begins: an operator alone would not say which one is meant.
    fn line(self, source: &str) -> String {
        let line = usize::try_from(self.start.0 - 1)
            .ok()
            .and_then(|line| source.lines().nth(line));
        line.unwrap_or_default().trim().to_owned()
    }
}

/// Fails unless the regions of the files below `directory` that are not reached are those that are listed.
pub(super) fn check(export: &Path, list: &Path, root: &Path, directory: &str) -> anyhow::Result<()> {
    let text = fs::read_to_string(export).with_context(|| format!("{} cannot be read", export.display()))?;
    let export: Export = serde_json::from_str(&text).context("not what `llvm-cov export` writes")?;
    let text = fs::read_to_string(list).with_context(|| format!("{} cannot be read", list.display()))?;
    let list: List = toml::from_str(&text).context("fuzz/unreached.toml cannot be read")?;
    let counts = counts(&export, root, directory);
    if counts.is_empty() {
        bail!("no region of {directory} was counted; was the program built with -Cinstrument-coverage?");
    }
    let mut unlisted: BTreeSet<(String, String)> = BTreeSet::new();
    let mut listed: BTreeMap<(String, String), bool> = BTreeMap::new();
    for entry in &list.unreached {
        if entry.reason.trim().is_empty() {
            bail!("fuzz/unreached.toml: an entry for {} has no reason", entry.file);
        }
        let place = |line: &String| ((entry.file.clone(), line.clone()), false);
        listed.extend(entry.lines.iter().map(place));
    }
    let (mut all, mut reached) = (0, 0);
    for (file, regions) in &counts {
        let source = fs::read_to_string(root.join(file)).with_context(|| format!("{file} cannot be read"))?;
        all += regions.len();
        reached += regions.values().filter(|count| **count > 0).count();
        for region in outermost(regions) {
            let place = (file.clone(), region.line(&source));
            match listed.get_mut(&place) {
                Some(is_needed) => *is_needed = true,
                None => {
                    unlisted.insert((format!("{file}:{}:{}", region.start.0, region.start.1), place.1));
                }
            }
        }
    }
    println!(
        "{directory}: {reached} of {all} regions are reached, {} places are listed as out of reach",
        listed.len()
    );
    for (place, line) in &unlisted {
        println!("{place}: not reached and not listed: {line}");
    }
    let stale: Vec<_> = listed
        .iter()
        .filter(|(_, is_needed)| !**is_needed)
        .map(|(place, _)| place)
        .collect();
    for (file, line) in &stale {
        println!("fuzz/unreached.toml: {file} has no region any more that is not reached and begins in `{line}`");
    }
    if unlisted.is_empty() && stale.is_empty() {
        return Ok(());
    }
    bail!(
        "{} regions are not reached and not listed, {} entries are stale: grow the seeds with `ci/fuzz --seeds`, or list a region \
         with the reason in fuzz/unreached.toml",
        unlisted.len(),
        stale.len()
    )
}

/// How often each region was reached, in all instances of its function, by file.
fn counts(export: &Export, root: &Path, directory: &str) -> BTreeMap<String, BTreeMap<Region, u64>> {
    let mut counts: BTreeMap<String, BTreeMap<Region, u64>> = BTreeMap::new();
    for function in export.data.iter().flat_map(|data| &data.functions) {
        for &[line, column, end_line, end_column, count, file, _, kind] in &function.regions {
            let file = usize::try_from(file).ok().and_then(|file| function.filenames.get(file));
            let file = file.and_then(|file| Path::new(file).strip_prefix(root).ok());
            let Some(file) = file.filter(|file| file.starts_with(directory) && kind == CODE) else {
                continue;
            };
            let region = Region {
                start: (line, column),
                end: (end_line, end_column),
            };
            let of_file = counts.entry(file.display().to_string()).or_default();
            *of_file.entry(region).or_default() += count;
        }
    }
    counts
}

/// The regions that were not reached, without those within another of them.
fn outermost(regions: &BTreeMap<Region, u64>) -> Vec<Region> {
    let unreached: Vec<Region> = regions
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(region, _)| *region)
        .collect();
    let is_within = |region: &Region| unreached.iter().any(|other| other.holds(*region));
    unreached.iter().filter(|region| !is_within(region)).copied().collect()
}
