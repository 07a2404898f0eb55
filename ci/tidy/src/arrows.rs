//! Which crate may depend on which.
//!
//! Above all, the suite and what it is made of depend on nothing in `reference/`: if the judge and the judged shared a
//! parser, their bugs would cancel out.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::finding::Finding;

/// A crate of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its directory, relative to the root.
    pub directory: String,
    /// What it depends on, for itself or its build script.
    pub dependencies: Vec<Dependency>,
    /// What only its tests, examples and benchmarks depend on.
    pub of_tests: Vec<Dependency>,
}

/// One dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dependency {
    /// A crate of the workspace, by its directory.
    Member(String),
    /// A crate from elsewhere, by its name.
    Foreign(String),
}

/// A crate's directory, the directories it may depend on, and the foreign crates it must do without (`*`: all).
type Rule = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Every crate that the design draws. A directory at the end of an arrow stands for all crates below it.
const RULES: [Rule; 19] = [
    ("reference/protocol", &[], &["tokio", "tracing", "log"]),
    ("reference/store", &["reference/protocol"], &["tokio"]),
    ("reference/swap", &[], &["*"]),
    (
        "reference/server",
        &["reference/protocol", "reference/store", "reference/swap"],
        &[],
    ),
    ("reference/dial", &[], &[]),
    ("conformance/suite", &[], &[]),
    ("conformance/explore", &["conformance/suite"], &[]),
    ("conformance/containers", &["conformance/suite"], &[]),
    // The explorer, too, is tested by what it finds of the planted faults.
    (
        "conformance/mutants",
        &[
            "conformance/suite",
            "conformance/explore",
            "conformance/mutation",
            "reference",
        ],
        &[],
    ),
    ("conformance/mutation", &["conformance/suite", "reference/server"], &[]),
    ("conformance/cli", &["conformance", "reference"], &[]),
    // The worlds fill seams of the server that are made of the store's types: items, timestamps, open files.
    (
        "simulation/turmoil",
        &["reference/server", "reference/store", "reference/swap"],
        &[],
    ),
    ("simulation/loom", &["reference/swap"], &[]),
    ("conformance/fuzz", &["conformance/suite"], &[]),
    (
        "fuzz/checks",
        &[
            "reference/protocol",
            "reference/store",
            "reference/server",
            "conformance/suite",
            "fuzz/judge",
        ],
        &[],
    ),
    ("fuzz/judge", &["reference/protocol"], &["*"]),
    (
        "ci/paths",
        &["reference/protocol", "reference/store", "reference/swap"],
        &[],
    ),
    ("ci/speed", &[], &[]),
    ("ci/tidy", &["conformance/suite"], &[]),
];

/// What nothing outside of it may depend on, not even a test.
const ENDS: [&str; 4] = ["simulation", "fuzz", "ci", "conformance/cli"];

/// Asks cargo for the crates of the workspace at `root`.
///
/// # Errors
/// When cargo cannot be run or does not know the workspace.
pub fn members(root: &Path) -> anyhow::Result<Vec<Member>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(&cargo)
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
            "--manifest-path",
        ])
        .arg(root.join("Cargo.toml"))
        .output()
        .with_context(|| format!("cannot run {}", cargo.display()))?;
    if !output.status.success() {
        bail!(
            "cargo metadata failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cargo metadata is not as documented")?;
    let relative = |path: &Path| {
        path.strip_prefix(&metadata.workspace_root)
            .unwrap_or(path)
            .display()
            .to_string()
    };
    let member = |package: &Package| {
        let (mut dependencies, mut of_tests) = (Vec::new(), Vec::new());
        for dependency in &package.dependencies {
            let one = match &dependency.path {
                Some(path) => Dependency::Member(relative(path)),
                None => Dependency::Foreign(dependency.name.clone()),
            };
            let list = if dependency.kind.as_deref() == Some("dev") {
                &mut of_tests
            } else {
                &mut dependencies
            };
            list.push(one);
        }
        Member {
            directory: relative(package.manifest_path.parent().unwrap_or(Path::new(""))),
            dependencies,
            of_tests,
        }
    };
    Ok(metadata.packages.iter().map(member).collect())
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: std::path::PathBuf,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: std::path::PathBuf,
    dependencies: Vec<PackageDependency>,
}

#[derive(Deserialize)]
struct PackageDependency {
    name: String,
    kind: Option<String>,
    path: Option<std::path::PathBuf>,
}

/// Finds crates and arrows that the design does not draw.
pub fn check(members: &[Member]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for member in members {
        let manifest = format!("{}/Cargo.toml", member.directory);
        let Some((_, allowed, without)) = RULES.iter().find(|(directory, ..)| *directory == member.directory) else {
            let message = "the design draws no such crate. Say in ci/tidy/src/arrows.rs what it may depend on";
            findings.push(Finding::of_file(manifest, message));
            continue;
        };
        for dependency in &member.dependencies {
            let message = match dependency {
                Dependency::Member(to) if !allowed.iter().any(|allowed| within(to, allowed)) => {
                    format!("must not depend on {to}: the design draws no such arrow")
                }
                Dependency::Foreign(name) if without.iter().any(|without| *without == "*" || without == name) => {
                    format!("must do without {name}: the design keeps this crate free of it")
                }
                _ => continue,
            };
            findings.push(Finding::of_file(&manifest, message));
        }
        let all = member.dependencies.iter().chain(&member.of_tests);
        for dependency in all {
            if let Dependency::Member(to) = dependency
                && ENDS
                    .iter()
                    .any(|end| within(to, end) && !within(&member.directory, end))
            {
                let message = format!("must not depend on {to}: nothing does, tests included");
                findings.push(Finding::of_file(&manifest, message));
            }
        }
    }
    findings
}

fn within(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::planted;

    fn member(directory: &str, dependencies: &[&str], of_tests: &[&str]) -> Member {
        let named = |names: &[&str]| {
            let one = |name: &&str| match name.contains('/') {
                true => Dependency::Member((*name).to_owned()),
                false => Dependency::Foreign((*name).to_owned()),
            };
            names.iter().map(one).collect()
        };
        Member {
            directory: directory.to_owned(),
            dependencies: named(dependencies),
            of_tests: named(of_tests),
        }
    }

    #[test]
    fn the_arrows_of_the_design_are_allowed() {
        let members = [
            member("reference/protocol", &["memchr"], &["proptest"]),
            member("reference/store", &["reference/protocol"], &[]),
            member("reference/swap", &[], &["proptest"]),
            member("reference/server", &["reference/store", "reference/swap", "tokio"], &[]),
            member("conformance/suite", &["tokio"], &["reference/server"]),
            member("conformance/cli", &["conformance/suite", "reference/server"], &[]),
            member("conformance/mutants", &["conformance/suite", "reference/store"], &[]),
            member("simulation/turmoil", &["reference/server", "turmoil"], &[]),
        ];
        assert_eq!(check(&members), []);
    }

    #[test]
    fn every_arrow_against_the_design_is_found() {
        for (from, to) in [
            ("conformance/suite", "reference/protocol"),
            ("conformance/explore", "reference/store"),
            ("conformance/containers", "reference/server"),
            ("reference/protocol", "reference/store"),
            ("reference/store", "reference/server"),
            ("reference/swap", "reference/protocol"),
            ("reference/server", "conformance/suite"),
            ("reference/dial", "reference/store"),
            ("simulation/loom", "reference/server"),
            ("reference/protocol", "tokio"),
            ("reference/swap", "parking_lot"),
            ("ci/tidy", "reference/protocol"),
        ] {
            let findings = check(&[member(from, &[to], &[])]);
            assert_eq!(findings.len(), 1, "{from} -> {to}: {findings:?}");
            assert!(findings[0].message.contains(to), "{}", findings[0]);
            assert_eq!(findings[0].path, format!("{from}/Cargo.toml"));
        }
    }

    #[test]
    fn nothing_depends_on_simulation_fuzz_or_ci_not_even_tests() {
        for to in ["simulation/turmoil", "fuzz/targets", "ci/tidy"] {
            let findings = check(&[member("conformance/cli", &[], &[to])]);
            assert_eq!(findings.len(), 1, "{to}: {findings:?}");
        }
    }

    #[test]
    fn a_crate_that_is_not_drawn_is_found() {
        let findings = check(&[member("reference/tools", &[], &[])]);
        assert!(findings[0].message.contains("no such crate"), "{findings:?}");
    }

    #[test]
    fn members_are_read_from_cargo() {
        let manifest = |name: &str, more: &str| format!("[package]\nname = '{name}'\nedition = '2024'\n{more}");
        let (directory, _) = planted(&[
            (
                "Cargo.toml",
                "[workspace]\nresolver = '3'\nmembers = ['x/one', 'x/two']\n",
            ),
            (
                "x/one/Cargo.toml",
                &manifest("one", "[dev-dependencies]\ntwo = { path = '../two' }\n"),
            ),
            ("x/two/Cargo.toml", &manifest("two", "[dependencies]\nlibc = '0.2'\n")),
            ("x/one/src/lib.rs", ""),
            ("x/two/src/lib.rs", ""),
        ]);
        let mut members = members(&directory.path().canonicalize().unwrap()).unwrap();
        members.sort_by(|a, b| a.directory.cmp(&b.directory));
        assert_eq!(
            members,
            [member("x/one", &[], &["x/two"]), member("x/two", &["libc"], &[])]
        );
    }
}
