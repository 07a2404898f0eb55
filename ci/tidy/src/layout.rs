//! What stands where: the top level, the crates, their pages.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::tree::Tree;

/// The directories of the top level, and of each what may stand in it; an empty list leaves that open.
const DIRECTORIES: [(&str, &[&str]); 5] = [
    ("reference", &["protocol", "store", "swap", "server", "dial"]),
    (
        "conformance",
        &[
            "cases",
            "targets",
            "suite",
            "explore",
            "containers",
            "mutants",
            "mutation",
            "fuzz",
            "cli",
        ],
    ),
    ("simulation", &["turmoil", "loom"]),
    ("fuzz", &[]),
    ("ci", &[]),
];

/// The files of the top level beside those that begin with a dot.
const FILES: [&str; 6] = [
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "LICENSE",
    "deny.toml",
    "rust-toolchain.toml",
];

/// Finds what stands where the design draws nothing, and crates and directories that lack what all of them have.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = strays(tree);
    for (directory, _) in DIRECTORIES {
        let page = format!("{directory}/README.md");
        if tree.holds(directory) && !tree.holds(&page) {
            findings.push(Finding::of_file(
                page,
                "missing: each top directory says what stands in it",
            ));
        }
    }
    for path in tree.paths() {
        if let Some(directory) = path.strip_suffix("/Cargo.toml") {
            findings.extend(crate_at(tree, directory));
        }
    }
    findings
}

fn strays(tree: &Tree) -> Vec<Finding> {
    let mut found = BTreeSet::new();
    for path in tree.paths().filter(|path| !path.starts_with('.')) {
        let mut parts = path.split('/');
        let (top, below, deeper) = (parts.next().unwrap_or_default(), parts.next(), parts.next().is_some());
        match (below, DIRECTORIES.iter().find(|(directory, _)| *directory == top)) {
            (None, _) if FILES.contains(&top) => {}
            (Some(below), Some((_, known))) => {
                // Pages may stand beside the directories that are drawn.
                if !(known.is_empty() || known.contains(&below) || !deeper && below.ends_with(".md")) {
                    found.insert(format!("{top}/{below}"));
                }
            }
            _ => {
                found.insert(top.to_owned());
            }
        }
    }
    let message = "the design draws nothing here. Move it, or draw it and say so in ci/tidy/src/layout.rs";
    found.into_iter().map(|path| Finding::of_file(path, message)).collect()
}

fn crate_at(tree: &Tree, directory: &str) -> Vec<Finding> {
    let manifest = format!("{directory}/Cargo.toml");
    let mut findings = Vec::new();
    match tree.text(&manifest).map(str::parse::<toml::Table>) {
        Some(Ok(table)) if table.contains_key("workspace") => return findings,
        Some(Ok(table)) => {
            let lints = table.get("lints").and_then(|lints| lints.get("workspace"));
            if lints.and_then(toml::Value::as_bool) != Some(true) {
                findings.push(Finding::of_file(&manifest, "lacks `[lints]` with `workspace = true`"));
            }
        }
        _ => findings.push(Finding::of_file(&manifest, "is no TOML")),
    }
    let root = format!("{directory}/src/lib.rs");
    if let Some(text) = tree.text(&root) {
        let mut opening = text.lines().take_while(|line| line.starts_with("//!"));
        if !opening.any(|line| line.trim_end() == "//! # Layout") {
            findings.push(Finding::of_file(
                root,
                "does not open with what it is and a `# Layout` of its modules",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::planted;

    const MANIFEST: &str = "[package]\nname = 'a'\n[lints]\nworkspace = true\n";
    const ROOT: &str = "//! What it is.\n//!\n//! # Layout\n//! - nothing\n";

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let (_directory, tree) = planted(files);
        check(&tree).into_iter().map(|finding| finding.path).collect()
    }

    #[test]
    fn what_the_design_draws_is_not_found() {
        let files = [
            ("Cargo.toml", "[workspace]\n"),
            (".gitignore", ""),
            (".ci/run", ""),
            ("LICENSE", ""),
            ("conformance/README.md", ""),
            ("conformance/cases/storage/add.case", ""),
            ("conformance/suite/Cargo.toml", MANIFEST),
            ("conformance/suite/src/lib.rs", ROOT),
            ("ci/README.md", ""),
            ("ci/anything", ""),
        ];
        assert_eq!(found(&files), [""; 0]);
    }

    #[test]
    fn strays_are_found_once_each() {
        let files = [
            ("notes.txt", ""),
            ("tools/a", ""),
            ("tools/b", ""),
            ("reference/README.md", ""),
            ("reference/helper/src/lib.rs", ROOT),
            ("reference/loose.rs", ""),
        ];
        assert_eq!(
            found(&files),
            ["notes.txt", "reference/helper", "reference/loose.rs", "tools"]
        );
    }

    #[test]
    fn a_top_directory_without_a_page_is_found() {
        assert_eq!(found(&[("ci/x", "")]), ["ci/README.md"]);
    }

    #[test]
    fn a_crate_without_the_lints_of_the_workspace_is_found() {
        for manifest in ["[package]\nname = 'a'\n", "[lints]\nworkspace = false\n", "not toml"] {
            let files = [("ci/README.md", ""), ("ci/tidy/Cargo.toml", manifest)];
            assert_eq!(found(&files), ["ci/tidy/Cargo.toml"], "{manifest}");
        }
    }

    #[test]
    fn a_library_without_a_layout_is_found() {
        for root in ["", "//! What it is.\n", "// # Layout\n", "use std::io;\n//! # Layout\n"] {
            let files = [
                ("ci/README.md", ""),
                ("ci/tidy/Cargo.toml", MANIFEST),
                ("ci/tidy/src/lib.rs", root),
            ];
            assert_eq!(found(&files), ["ci/tidy/src/lib.rs"], "{root}");
        }
    }
}
