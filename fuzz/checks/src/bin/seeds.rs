//! fuzz-seeds: seeds and dictionary from the conformance cases, packing and unpacking of corpora, findings into cases.
//!
//! Started by `ci/fuzz`; all paths are relative to `fuzz/`.

#[cfg(feature = "coverage")]
#[path = "seeds/coverage.rs"]
mod coverage;
// Cases are read and written by the suite; without it the other commands are built in seconds.
#[cfg(feature = "case_file")]
#[path = "seeds/finding.rs"]
mod finding;
#[cfg(all(feature = "case_file", feature = "engine"))]
#[path = "seeds/from_cases.rs"]
mod from_cases;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use fuzz_checks::{targets, text};

const USAGE: &str = "usage: fuzz-seeds make | pack | unpack | run TARGET FILE... | case TARGET FILE | coverage EXPORT
make      writes fuzz/dictionary, and seeds from the conformance cases into fuzz/corpus/TARGET/
pack      writes fuzz/seeds/TARGET.txt, what is in fuzz/corpus/TARGET/ and in fuzz/kept/TARGET.txt
unpack    writes fuzz/corpus/TARGET/, what is in fuzz/seeds/TARGET.txt
run       gives inputs to a target, without a fuzzer
case      prints a finding as a conformance case to be completed
coverage  holds what `llvm-cov export` wrote against fuzz/unreached.toml";

/// A longer seed makes its target slow; nothing needs one.
const SEED_BYTES_MAX: usize = 2048;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        #[cfg(all(feature = "case_file", feature = "engine"))]
        ["make"] => make(),
        ["pack"] => each(pack),
        ["unpack"] => unpack_all(),
        ["run", target, ref files @ ..] => run(target, files),
        #[cfg(feature = "case_file")]
        ["case", target, file] => {
            let input = fs::read(file).with_context(|| format!("{file} cannot be read"))?;
            print!("{}", finding::as_case(target, &input)?);
            Ok(())
        }
        #[cfg(feature = "coverage")]
        ["coverage", export] => {
            let root = fuzz("..")
                .canonicalize()
                .context("the tree that this was built from is gone")?;
            coverage::check(
                Path::new(export),
                &fuzz("unreached.toml"),
                &root,
                "reference/protocol/src",
            )
        }
        _ => bail!("{USAGE}"),
    }
}

fn run(target: &str, files: &[&str]) -> anyhow::Result<()> {
    let Some(target) = targets::ALL.iter().find(|known| known.name == target) else {
        bail!(
            "no target {target}; there are: {}",
            targets::ALL
                .iter()
                .map(|known| known.name)
                .collect::<Vec<_>>()
                .join(", ")
        );
    };
    for file in files {
        let input = fs::read(file).with_context(|| format!("{file} cannot be read"))?;
        if std::panic::catch_unwind(|| (target.check)(&input)).is_err() {
            bail!("{file} fails: {}", text::write(&input));
        }
    }
    println!("{}: {} inputs pass", target.name, files.len());
    Ok(())
}

fn fuzz(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn corpus(target: &str) -> PathBuf {
    fuzz("corpus").join(target)
}

fn packed(target: &str) -> PathBuf {
    fuzz("seeds").join(format!("{target}.txt"))
}

fn each(task: fn(&str) -> anyhow::Result<()>) -> anyhow::Result<()> {
    targets::ALL.iter().try_for_each(|target| task(target.name))
}

#[cfg(all(feature = "case_file", feature = "engine"))]
fn make() -> anyhow::Result<()> {
    let cases = fuzz("../conformance/cases");
    let material = from_cases::read(&cases)?;
    let file = fuzz("dictionary");
    fs::write(&file, material.dictionary()).with_context(|| format!("{} cannot be written", file.display()))?;
    for target in targets::ALL {
        let seeds = material.seeds(target.name)?;
        write_all(target.name, &seeds)?;
    }
    Ok(())
}

fn write_all(target: &str, seeds: &BTreeSet<Vec<u8>>) -> anyhow::Result<()> {
    let directory = corpus(target);
    fs::create_dir_all(&directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    for (number, seed) in seeds.iter().filter(|seed| seed.len() <= SEED_BYTES_MAX).enumerate() {
        let file = directory.join(format!("seed-{number:05}"));
        fs::write(&file, seed).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    println!("{target}: {} seeds", seeds.len());
    Ok(())
}

/// The shortest come first, so that a fuzzer and a reader both begin with what is simple.
fn pack(target: &str) -> anyhow::Result<()> {
    let directory = corpus(target);
    let files = fs::read_dir(&directory).with_context(|| format!("{} cannot be read", directory.display()))?;
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for file in files {
        seeds.push(fs::read(file?.path())?);
    }
    let kept = fuzz("kept").join(format!("{target}.txt"));
    if kept.exists() {
        seeds.extend(read(&kept)?);
    }
    seeds.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    seeds.dedup();
    let lines: String = seeds.iter().map(|seed| text::write(seed) + "\n").collect();
    fs::create_dir_all(fuzz("seeds"))?;
    fs::write(packed(target), &lines)?;
    println!("{target}: {} seeds, {} bytes", seeds.len(), lines.len());
    Ok(())
}

/// All that are there, whatever this build knows of.
fn unpack_all() -> anyhow::Result<()> {
    let directory = fuzz("seeds");
    let files = fs::read_dir(&directory).with_context(|| format!("{} cannot be read", directory.display()))?;
    for file in files {
        let path = file?.path();
        let target = path
            .file_stem()
            .and_then(|name| name.to_str())
            .context("a file of seeds without a name")?;
        unpack(target)?;
    }
    Ok(())
}

fn unpack(target: &str) -> anyhow::Result<()> {
    write_all(target, &read(&packed(target))?.into_iter().collect())
}

/// The inputs of a file that has one a line.
fn read(file: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let lines = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let inputs = lines.lines().enumerate().map(|(line, input)| {
        text::read(input).with_context(|| format!("{}:{} is no escaped text", file.display(), line + 1))
    });
    inputs.collect()
}
