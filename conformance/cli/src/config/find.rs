//! Where the file is looked for.

use std::io;
use std::path::{Path, PathBuf};

/// The file's name.
pub(super) const NAME: &str = "mcspec.toml";

/// What marks the root of a repository; a worktree of Git has a file of the name.
const ROOTS: [&str; 3] = [".git", ".hg", ".jj"];

/// The nearest file, from the working directory up to the root of its repository, as a path from the working directory.
///
/// Outside of a repository only the working directory counts: a file that happens to lie in a parent must not change what
/// a run means.
pub(super) fn find() -> io::Result<Option<PathBuf>> {
    let directory = std::env::current_dir()?;
    Ok(find_from(&directory))
}

fn find_from(directory: &Path) -> Option<PathBuf> {
    let is_root = |directory: &Path| ROOTS.iter().any(|root| directory.join(root).exists());
    let depth = directory.ancestors().position(is_root).unwrap_or(0);
    let (up, _) = directory
        .ancestors()
        .take(depth + 1)
        .enumerate()
        .find(|(_, directory)| directory.join(NAME).is_file())?;
    Some(std::iter::repeat_n("..", up).collect::<PathBuf>().join(NAME))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn the_nearest_file_up_to_the_root_of_the_repository_counts() {
        let outer = tempfile::tempdir().unwrap();
        let repository = outer.path().join("repository");
        let inner = repository.join("a/b");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(outer.path().join(NAME), "").unwrap();
        assert_eq!(find_from(&inner), None, "no repository: only the directory itself");
        assert_eq!(find_from(outer.path()), Some(NAME.into()));
        std::fs::write(repository.join(".git"), "gitdir: elsewhere\n").unwrap();
        assert_eq!(find_from(&inner), None, "nothing above the root counts");
        std::fs::write(repository.join(NAME), "").unwrap();
        assert_eq!(find_from(&inner), Some(Path::new("../..").join(NAME)));
        std::fs::write(repository.join("a").join(NAME), "").unwrap();
        assert_eq!(find_from(&inner), Some(Path::new("..").join(NAME)));
        assert_eq!(find_from(&repository), Some(NAME.into()));
    }
}
