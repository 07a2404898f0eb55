//! What fuzzers have found, and the seeds, without a fuzzer: a crash that was mended stays mended.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzz_checks::targets;
use fuzz_checks::text;

fn fuzz(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Runs all inputs and says which ones failed.
fn replay(check: fn(&[u8]), inputs: impl Iterator<Item = (String, Vec<u8>)>) -> Vec<String> {
    inputs
        .filter(|(_, input)| catch_unwind(|| check(input)).is_err())
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn what_was_found_once_stays_mended() {
    let directories = fs::read_dir(fuzz("regressions")).unwrap();
    let mut replayed = 0;
    for directory in directories.map(|directory| directory.unwrap().path()) {
        let name = directory.file_name().unwrap().to_str().unwrap();
        let target = targets::ALL.iter().find(|target| target.name == name);
        let target = target.unwrap_or_else(|| panic!("{} is named after no target", directory.display()));
        let files: Vec<PathBuf> = fs::read_dir(&directory)
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        replayed += files.len();
        let inputs = files
            .iter()
            .map(|file| (file.display().to_string(), fs::read(file).unwrap()));
        assert_eq!(replay(target.check, inputs), [""; 0], "{name}");
    }
    assert!(replayed > 0, "nothing was replayed");
}

#[test]
fn no_seed_fails() {
    for target in targets::ALL {
        let file = fuzz("seeds").join(format!("{}.txt", target.name));
        let seeds = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let inputs = seeds.lines().enumerate().map(|(line, seed)| {
            let place = format!("{}:{}", file.display(), line + 1);
            let input = text::read(seed).unwrap_or_else(|| panic!("{place} is no escaped text"));
            (place, input)
        });
        assert!(seeds.lines().count() > 10, "{}: no seeds to speak of", file.display());
        assert_eq!(replay(target.check, inputs), [""; 0], "{}", target.name);
    }
}
