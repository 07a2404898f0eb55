//! What the tests of the command share: cases, the example programs, what was printed.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(dead_code, reason = "each test takes a part")]

use std::path::PathBuf;

/// A case that the odd server passes when it is `empty`, and one that it fails.
pub(crate) const CASES: &str = "section s/t
source protocol.txt:1

case miss MUST
  quote \"a miss\"
  > get {k}
  < END

case wrong MUST
  quote \"a miss\"
  > get {k}
  < ENDE
";

/// A directory with these cases in `cases/s/t.case`.
pub(crate) fn directory_with(cases: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("cases/s")).unwrap();
    std::fs::write(directory.path().join("cases/s/t.case"), cases).unwrap();
    directory
}

/// The example program of this name, which cargo builds beside the tests.
pub(crate) fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests.parent().unwrap().parent().unwrap().join("examples").join(name)
}

/// What was printed.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
