//! Makes a copy of the server, of the swap cell and of the worlds, with all planted faults in it, each behind a question for
//! whether it is the one that is looked for, and one test for each that it is found.
//!
//! A fault whose text does not stand in the source exactly once ends the build: a fault that is no longer planted would be
//! found by nobody, and missed by nobody.

use std::fs;
use std::path::{Path, PathBuf};

#[allow(
    dead_code,
    unreachable_pub,
    reason = "only the names and the patches are of use here"
)]
#[path = "src/faults.rs"]
mod faults;

use faults::FAULTS;

/// The crates that are copied: the name of the copy, the source, and what belongs to the crate's binary alone.
const COPIES: [(&str, &str, &[&str]); 3] = [
    ("swap", "../../reference/swap/src", &[]),
    (
        "server",
        "../../reference/server/src",
        &[
            "main.rs",
            "flags.rs",
            "log.rs",
            "system.rs",
            "datasets.rs",
            "operator.rs",
        ],
    ),
    ("sim", "src", &["main.rs"]),
];

fn main() {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(variable("OUT_DIR")).join("faulty");
    println!("cargo::rerun-if-changed=build.rs");
    if out.exists() {
        fs::remove_dir_all(&out).unwrap_or_else(|error| panic!("cannot empty {}: {error}", out.display()));
    }
    let mut planted = 0;
    let mut modules = String::new();
    for (name, source, without) in COPIES {
        let source = here.join(source);
        println!("cargo::rerun-if-changed={}", source.display());
        planted += copy(name, &source, Path::new(""), without, &out.join(name));
        modules += &format!("#[path = {:?}]\npub mod {name};\n", out.join(name).join("mod.rs"));
    }
    assert_eq!(
        planted,
        FAULTS.len(),
        "a fault is for a file that there is not; say in src/faults.rs where it is now"
    );
    for fault in FAULTS {
        modules += &format!(
            "#[test]\nfn {name}_and_is_found() {{ super::finds({name:?}) }}\n",
            name = fault.name
        );
    }
    write(&out.join("mod.rs"), &modules);
}

/// Copies a directory, and gives the number of faults that it has now.
fn copy(name: &str, source: &Path, below: &Path, without: &[&str], to: &Path) -> usize {
    let directory = source.join(below);
    let listed =
        fs::read_dir(&directory).unwrap_or_else(|error| panic!("cannot list {}: {error}", directory.display()));
    let mut planted = 0;
    for entry in listed {
        let entry = entry.unwrap_or_else(|error| panic!("cannot list {}: {error}", directory.display()));
        let path = below.join(entry.file_name());
        if entry.path().is_dir() {
            planted += copy(name, source, &path, without, to);
        } else if !without.iter().any(|file| path == Path::new(file)) {
            let text = fs::read_to_string(entry.path());
            let text = text.unwrap_or_else(|error| panic!("cannot read {}: {error}", entry.path().display()));
            let (text, number) = plant(&format!("{name}/src/{}", path.display()), text);
            planted += number;
            let target = if path == Path::new("lib.rs") {
                to.join("mod.rs")
            } else {
                to.join(&path)
            };
            write(&target, &moved(name, &text));
        }
    }
    planted
}

/// The text of a file with its faults, and their number.
fn plant(file: &str, mut text: String) -> (String, usize) {
    let mut planted = 0;
    for fault in FAULTS.iter().filter(|fault| fault.file == file) {
        for (from, to) in fault.patch {
            let found = text.matches(from).count();
            assert_eq!(
                found, 1,
                "the fault `{}` replaces a text that stands {found} times in {file}: {from:?}. Plant it anew in \
                 src/faults.rs",
                fault.name
            );
            text = text.replacen(from, &to.replace("PLANTED", &format!("::planted({:?})", fault.name)), 1);
        }
        planted += 1;
    }
    (text, planted)
}

/// The text of a file of a crate as that of a file of a module.
fn moved(name: &str, text: &str) -> String {
    // Unit tests run where they stand.
    text.replace("#[cfg(test)]", "#[cfg(any())]")
        .replace("crate::", &format!("crate::faulty::{name}::"))
        .replace("refcached_swap::", "crate::faulty::swap::")
        .replace("refcached::", "crate::faulty::server::")
        .replace("::planted(", "crate::planted(")
}

fn write(path: &Path, text: &str) {
    let directory = path.parent().unwrap_or(path);
    fs::create_dir_all(directory).unwrap_or_else(|error| panic!("cannot make {}: {error}", directory.display()));
    fs::write(path, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|error| panic!("cargo sets {name} for build scripts, but: {error}"))
}
