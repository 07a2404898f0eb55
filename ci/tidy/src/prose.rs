//! What does not belong into the tree: paths of one machine, and notes to oneself that a reader can do nothing with.
//! Sources are ASCII, so that what they show is what they hold.

use regex::Regex;

use crate::exceptions::{Exceptions, Measured, judge};
use crate::finding::Finding;
use crate::tree::Tree;

/// Lock files are made by machines, the licence's text is fixed, and this file names what it looks for.
const UNREAD: [&str; 3] = ["Cargo.lock", "LICENSE", "ci/tidy/src/prose.rs"];

/// Finds such lines. Files with an exception may have as many as it says, and no more.
pub fn check(tree: &Tree, exceptions: &Exceptions) -> Vec<Finding> {
    let path = r#"(?:^|[\s"'`=(:])(/(?:work|root|home/\w+|Users/\w+|farm)/)"#;
    // Both patterns are constants, and the tests below use them.
    let (Ok(machine), Ok(note)) = (Regex::new(path), Regex::new(r"\b(TODO|FIXME|XXX|HACK)\b")) else {
        return vec![Finding::of_file("ci/tidy/src/prose.rs", "a pattern does not compile")];
    };
    let mut findings = Vec::new();
    let mut counted = Vec::new();
    for (path, text) in tree.texts() {
        if UNREAD
            .iter()
            .any(|unread| path == *unread || path.ends_with(&format!("/{unread}")))
        {
            continue;
        }
        let source = path.ends_with(".rs") || path.ends_with(".toml");
        let found: Vec<Finding> = (1..)
            .zip(text.lines())
            .filter_map(|(number, line)| {
                let message = if let Some(found) = machine.captures(line) {
                    format!(
                        "`{}` is a path of one machine. Name the thing, not where it lay",
                        &found[1]
                    )
                } else if let Some(found) = note.captures(line) {
                    format!("`{}` is a note to oneself. Do it, or write down why not", &found[1])
                } else if source && !line.is_ascii() {
                    "not ASCII. Write the character as an escape".to_owned()
                } else {
                    return None;
                };
                Some(Finding::of_line(path, number, message))
            })
            .collect();
        counted.push(Measured {
            name: path.to_owned(),
            path: path.to_owned(),
            line: 0,
            lines: found.len(),
            limit: 0,
        });
        if !exceptions.prose.iter().any(|exception| exception.name == path) {
            findings.extend(found);
        }
    }
    // Without an exception the lines themselves are the findings, with one their number is.
    counted.retain(|file| exceptions.prose.iter().any(|exception| exception.name == file.name));
    findings.extend(judge("a file with such lines", &counted, &exceptions.prose));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::planted;

    #[test]
    fn paths_of_one_machine_are_found() {
        let (_directory, tree) = planted(&[
            ("a.md", "see /root/notes\n"),
            ("b.sh", "cd \"/work/x\"\n"),
            ("c.rs", "const P: &str = \"/home/someone/x\";\n"),
            (
                "fine.md",
                "/var/run, target/work/x, https://example.org/work/x, /rooted/\n",
            ),
        ]);
        let findings = check(&tree, &Exceptions::default());
        let found: Vec<_> = findings
            .iter()
            .map(|finding| (finding.path.as_str(), finding.line))
            .collect();
        assert_eq!(found, [("a.md", 1), ("b.sh", 1), ("c.rs", 1)]);
    }

    #[test]
    fn notes_to_oneself_are_found() {
        let (_directory, tree) = planted(&[("a.rs", "// fine\n// TODO: later\n"), ("b.md", "XXXL and a mastodon\n")]);
        let findings = check(&tree, &Exceptions::default());
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].path.as_str(), findings[0].line), ("a.rs", 2));
    }

    #[test]
    fn sources_are_ascii_and_pages_need_not_be() {
        let (_directory, tree) = planted(&[("a.rs", "// caf\u{e9}\n"), ("b.md", "caf\u{e9}\n")]);
        let findings = check(&tree, &Exceptions::default());
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].path, "a.rs");
    }

    #[test]
    fn an_exception_counts_the_lines_and_goes_stale() {
        let exceptions: Exceptions =
            toml::from_str("[[prose]]\nname = 'a.md'\nlines = 1\nreason = 'it explains the check'\n").unwrap();
        let found = |text: &str| {
            let (_directory, tree) = planted(&[("a.md", text)]);
            check(&tree, &exceptions)
                .into_iter()
                .map(|finding| finding.message)
                .collect::<Vec<_>>()
        };
        assert_eq!(found("XXX\n"), [""; 0]);
        assert!(found("XXX\nXXX\n")[0].contains("2 lines; at most 1"));
        assert!(found("fine\n")[0].contains("stale"));
    }
}
