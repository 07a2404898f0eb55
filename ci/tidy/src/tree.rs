//! The files of the tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The tree: every file that is not ignored by `.gitignore`, with its text.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    /// Relative path with `/`, to the text; `None` for files that are not UTF-8.
    files: BTreeMap<String, Option<String>>,
}

impl Tree {
    /// Reads the tree below `root`.
    ///
    /// # Errors
    /// A directory or file that cannot be read.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let mut files = BTreeMap::new();
        let walk = ignore::WalkBuilder::new(root)
            .hidden(false)
            .require_git(false)
            .git_global(false)
            .parents(false)
            .filter_entry(|entry| entry.file_name() != ".git")
            .build();
        for entry in walk {
            let entry = entry.with_context(|| format!("cannot list the files below {}", root.display()))?;
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {}", entry.path().display()))?;
            let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
            files.insert(path.to_string_lossy().replace('\\', "/"), String::from_utf8(bytes).ok());
        }
        Ok(Self {
            root: root.to_owned(),
            files,
        })
    }

    /// Where the tree stands.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The relative paths of all files, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// All files that are text, with it.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter_map(|(path, text)| Some((path.as_str(), text.as_deref()?)))
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// Whether there is a file, or a directory with files in it, of this relative path.
    pub fn holds(&self, path: &str) -> bool {
        let below = format!("{path}/");
        self.files.contains_key(path)
            || self
                .files
                .range(below.clone()..)
                .next()
                .is_some_and(|(next, _)| next.starts_with(&below))
    }
}

/// Writes a small tree for a test.
#[cfg(test)]
pub(crate) fn planted(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let tree = Tree::read(directory.path()).unwrap();
    (directory, tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_ignores_is_no_part_of_the_tree() {
        let (_directory, tree) = planted(&[
            (".gitignore", "/target/\n*.snap.new\n"),
            ("target/debug/x", ""),
            ("a/x.snap.new", ""),
            ("a/b.rs", "fn b() {}"),
            (".git/config", ""),
            (".ci/run", ""),
        ]);
        assert_eq!(tree.paths().collect::<Vec<_>>(), [".ci/run", ".gitignore", "a/b.rs"]);
        assert!(tree.holds("a") && tree.holds("a/b.rs"));
        assert!(!tree.holds("target") && !tree.holds("a/b"));
        assert_eq!(tree.text("a/b.rs"), Some("fn b() {}"));
    }
}
