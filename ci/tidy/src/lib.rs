//! Checks of the tree that no compiler makes.
//!
//! # Layout
//! - [`tree`]: the files of the tree. [`finding`]: what a check reports.
//! - [`arrows`]: which crate may depend on which.
//! - [`layout`]: what stands where: the top level, the crates, their pages.
//! - [`lengths`]: how long files and functions may be. [`exceptions`]: those that may be longer, as a ratchet.
//! - [`prose`]: paths of one machine and notes to oneself, which do not belong into the tree; sources in ASCII.
//! - [`links`]: links between pages lead somewhere. [`commands`]: so do paths and packages in the commands that they show.
//! - [`promises`]: what is said to hold a promise of the swap, exists.
//! - [`cases`]: the cases follow their format, and their quotes stand in the text that they cite.
//!
//! It depends on the suite for the format of the cases and on nothing else of the tree; nothing depends on it.

pub mod arrows;
pub mod cases;
pub mod commands;
pub mod exceptions;
pub mod finding;
pub mod layout;
pub mod lengths;
pub mod links;
pub mod promises;
pub mod prose;
pub mod tree;

use std::path::Path;

use crate::exceptions::Exceptions;
use crate::finding::Finding;
use crate::tree::Tree;

/// Runs every check on the tree at `root`, which is a Cargo workspace.
///
/// # Errors
/// What cannot be read at all. What is merely wrong is a finding.
pub fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let tree = Tree::read(root)?;
    let exceptions = Exceptions::read(&tree)?;
    let mut findings = arrows::check(&arrows::members(root)?);
    findings.extend(layout::check(&tree));
    findings.extend(lengths::check(&tree, &exceptions));
    findings.extend(prose::check(&tree, &exceptions));
    findings.extend(links::check(&tree));
    findings.extend(commands::check(&tree));
    findings.extend(promises::check(&tree));
    findings.extend(cases::check(&tree));
    findings.sort();
    Ok(findings)
}
