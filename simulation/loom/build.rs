//! Makes one copy of the cell's source for each planted fault, and one test that it is found.
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

use faults::{FAULTS, Fault};

fn main() {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(variable("OUT_DIR"));
    let source = here.join("../../reference/swap/src");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/faults.rs");
    println!("cargo::rerun-if-changed={}", source.display());
    let files = files(&source);
    let bodies = here.join("tests/bodies/mod.rs");
    let mut tests = String::new();
    for (number, fault) in FAULTS.iter().enumerate() {
        let copy = out.join(fault.name);
        plant(fault, &files, &copy);
        tests += &test(number, fault, &files, &copy, &bodies);
    }
    write(&out.join("faults.rs"), &tests);
}

/// A file of the source: its name and its text.
type File = (String, String);

/// The modules of the cell; `lib.rs` only names them.
fn files(source: &Path) -> Vec<File> {
    let listed = fs::read_dir(source).unwrap_or_else(|error| panic!("cannot list {}: {error}", source.display()));
    let mut files: Vec<File> = listed
        .map(|entry| {
            entry
                .unwrap_or_else(|error| panic!("cannot list {}: {error}", source.display()))
                .path()
        })
        .filter(|path| !path.ends_with("lib.rs"))
        .map(|path| {
            let text = fs::read_to_string(&path);
            let text = text.unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
            (
                path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                text,
            )
        })
        .collect();
    files.sort();
    files
}

/// Writes the copy, with the fault in it.
fn plant(fault: &Fault, files: &[File], copy: &Path) {
    fs::create_dir_all(copy).unwrap_or_else(|error| panic!("cannot make {}: {error}", copy.display()));
    assert!(
        files.iter().any(|(name, _)| name == fault.file),
        "the fault `{}` is for {}, which is no file of the cell. Say in src/faults.rs where its text stands now",
        fault.name,
        fault.file
    );
    for (name, text) in files {
        let mut text = text.clone();
        if name == fault.file {
            for (from, to) in fault.patch {
                let found = text.matches(from).count();
                assert_eq!(
                    found, 1,
                    "the fault `{}` replaces a text that stands {found} times in {name}: {from:?}. Plant it anew in \
                     src/faults.rs",
                    fault.name
                );
                text = text.replacen(from, to, 1);
            }
        }
        write(&copy.join(name), &text);
    }
}

/// The copy as a module of its own with the models, and the test.
fn test(number: usize, fault: &Fault, files: &[File], copy: &Path, bodies: &Path) -> String {
    let modules: String = files
        .iter()
        .map(|(name, _)| {
            let module = name.trim_end_matches(".rs");
            format!("    #[path = {:?}]\n    pub mod {module};\n", copy.join(name))
        })
        .collect();
    format!(
        "#[allow(warnings, clippy::all, reason = \"a copy with a fault\")]
mod {name} {{
    mod sync {{
        pub(crate) use loom::sync::atomic;
        pub(crate) use loom::sync::{{Arc, Condvar, Mutex, MutexGuard}};
    }}
{modules}    #[path = {bodies:?}]
    pub mod bodies;
}}

#[test]
fn {name}_and_is_found() {{
    finds(\"{name}_and_is_found\", {name}::bodies::{found_by}, &FAULTS[{number}]);
}}
",
        name = fault.name,
        found_by = fault.found_by,
    )
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|error| panic!("cargo sets {name} for build scripts, but: {error}"))
}
