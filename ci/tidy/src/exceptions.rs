//! What may be longer than the limits, or hold what a check forbids: `exceptions.toml`, each entry with its reason.
//!
//! The list is a ratchet. An entry that matches nothing, that is not needed, or that allows more than is used is itself
//! a finding, so that the list only ever shrinks.

use anyhow::Context as _;
use serde::Deserialize;

use crate::finding::Finding;
use crate::tree::Tree;

/// The file that holds the exceptions.
pub const FILE: &str = "ci/tidy/exceptions.toml";

/// All exceptions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exceptions {
    /// Files that are longer than the limit of their kind.
    #[serde(default)]
    pub file: Vec<Exception>,
    /// Functions that are longer than the limit; `name` is `path::function`.
    #[serde(default)]
    pub function: Vec<Exception>,
    /// Files with lines that the check of prose forbids; `lines` is how many.
    #[serde(default)]
    pub prose: Vec<Exception>,
}

/// One exception.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// What it is for.
    pub name: String,
    /// How many lines it allows: exactly as many as there are.
    pub lines: usize,
    /// Why.
    pub reason: String,
}

impl Exceptions {
    /// Reads the exceptions of the tree; no file is no exception.
    ///
    /// # Errors
    /// When the file does not follow its format.
    pub fn read(tree: &Tree) -> anyhow::Result<Self> {
        toml::from_str(tree.text(FILE).unwrap_or_default()).with_context(|| format!("cannot read {FILE}"))
    }
}

/// Something that was measured, in lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// What an exception would name.
    pub name: String,
    /// The file it stands in.
    pub path: String,
    /// The line it begins on, from 1, or 0 for a file.
    pub line: usize,
    /// How many lines it has.
    pub lines: usize,
    /// How many it may have without an exception.
    pub limit: usize,
}

/// Compares what was measured with the limits and the exceptions, and the exceptions with what was measured.
pub fn judge(what: &str, measured: &[Measured], exceptions: &[Exception]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in measured {
        let exception = exceptions.iter().find(|exception| exception.name == one.name);
        let allowed = exception.map_or(one.limit, |exception| exception.lines.max(one.limit));
        if one.lines > allowed {
            let (path, lines) = (one.path.as_str(), one.lines);
            findings.push(Finding::of_line(
                path,
                one.line,
                format!("{what} of {lines} lines; at most {allowed} are allowed. Split it where its subjects part"),
            ));
        }
    }
    for exception in exceptions {
        let name = &exception.name;
        let of_name = measured
            .iter()
            .filter(|one| one.name == *name)
            .max_by_key(|one| one.lines);
        let message = match of_name {
            None => format!("stale: `{name}` is not there. Remove the entry"),
            Some(one) if one.lines <= one.limit => {
                format!(
                    "stale: `{name}` keeps the limit of {} lines. Remove the entry",
                    one.limit
                )
            }
            Some(one) if one.lines < exception.lines => {
                format!(
                    "`{name}` has shrunk to {} lines. Lower the entry from {}",
                    one.lines, exception.lines
                )
            }
            Some(_) if exception.reason.trim().is_empty() => format!("`{name}` has no reason. Say why"),
            Some(_) => continue,
        };
        findings.push(Finding::of_file(FILE, message));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::planted;

    fn measured(lines: usize) -> [Measured; 1] {
        [Measured {
            name: "a.rs".into(),
            path: "a.rs".into(),
            line: 0,
            lines,
            limit: 10,
        }]
    }

    fn exception(lines: usize) -> [Exception; 1] {
        [Exception {
            name: "a.rs".into(),
            lines,
            reason: "generated".into(),
        }]
    }

    #[test]
    fn what_is_too_long_is_found_and_the_limit_itself_is_not() {
        assert_eq!(judge("a file", &measured(10), &[]), []);
        let findings = judge("a file", &measured(11), &[]);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].message.contains("11 lines; at most 10"), "{}", findings[0]);
    }

    #[test]
    fn an_exception_allows_exactly_what_it_says() {
        assert_eq!(judge("a file", &measured(12), &exception(12)), []);
        let grown = judge("a file", &measured(13), &exception(12));
        assert!(grown[0].message.contains("13 lines; at most 12"), "{grown:?}");
        let shrunk = judge("a file", &measured(11), &exception(12));
        assert!(shrunk[0].message.contains("shrunk to 11"), "{shrunk:?}");
    }

    #[test]
    fn an_exception_that_is_not_needed_is_stale() {
        for (measured, why) in [(&measured(10)[..], "keeps the limit"), (&[], "is not there")] {
            let findings = judge("a file", measured, &exception(12));
            assert_eq!(findings.len(), 1);
            assert!(findings[0].message.contains(why), "{}", findings[0]);
            assert_eq!(findings[0].path, FILE);
        }
    }

    #[test]
    fn an_exception_without_a_reason_is_found() {
        let mut exceptions = exception(12);
        exceptions[0].reason = " ".into();
        assert!(
            judge("a file", &measured(12), &exceptions)[0]
                .message
                .contains("no reason")
        );
    }

    #[test]
    fn a_misspelt_exception_is_an_error() {
        let (_directory, tree) = planted(&[(FILE, "[[fiel]]\nname = \"a\"\nlines = 1\nreason = \"b\"\n")]);
        assert!(Exceptions::read(&tree).is_err());
        let (_directory, tree) = planted(&[(FILE, "[[file]]\nname = \"a\"\nlines = 1\nreason = \"b\"\n")]);
        assert_eq!(Exceptions::read(&tree).unwrap().file.len(), 1);
    }
}
