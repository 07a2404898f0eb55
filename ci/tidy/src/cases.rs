//! The cases follow their format, and their quotes stand in the text that they cite.

use std::fs;

use mcspec_suite::case::{Library, check_quotes};
use sha2::{Digest as _, Sha256};

use crate::finding::Finding;
use crate::tree::Tree;

/// Where the cases stand.
const CASES: &str = "conformance/cases";
/// The pin of the text: its SHA-256, two blanks, its path, as `sha256sum` writes it.
const PIN: &str = "ci/protocol.sha256";

/// Finds files that do not follow the format or whose section is not their path, and quotes that do not stand where
/// their source says.
///
/// Lines are compared only with the pinned text. When a newer one was fetched in its place its lines have moved; then a
/// quote must stand somewhere in it.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let library = match Library::from_directory(&tree.root().join(CASES)) {
        Ok(library) => library,
        Err(error) => return vec![Finding::of_file(CASES, error.to_string())],
    };
    let (text, is_pinned) = match protocol_text(tree) {
        Ok(text) => text,
        Err(finding) => return vec![finding],
    };
    let mut findings = Vec::new();
    for topic in library.topics() {
        for error in check_quotes(topic, "protocol.txt", &text) {
            if is_pinned || error.found_at.is_none() {
                findings.push(Finding::of_file(
                    format!("{CASES}/{}.case", topic.section),
                    error.to_string(),
                ));
            }
        }
        findings.extend(unknown_sources(topic));
    }
    findings
}

/// The protocol text, and whether it is the one that the sources cite.
fn protocol_text(tree: &Tree) -> Result<(String, bool), Finding> {
    let pin = tree.text(PIN).and_then(|pin| pin.trim().split_once("  "));
    let Some((hash, path)) = pin else {
        return Err(Finding::of_file(PIN, "does not hold a SHA-256, two blanks and a path"));
    };
    let bytes = fs::read(tree.root().join(path)).map_err(|error| {
        Finding::of_file(
            path,
            format!("cannot be read ({error}), so no quote can be checked. Run ci/images first"),
        )
    })?;
    let found: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok((String::from_utf8_lossy(&bytes).into_owned(), found == hash))
}

/// A source in a text that nobody has would never be checked.
fn unknown_sources(topic: &mcspec_suite::case::Topic) -> Vec<Finding> {
    let quoted = topic.cases.iter().flat_map(|case| &case.quotes);
    let sources = quoted.filter_map(|quote| quote.source.as_ref()).chain(&topic.source);
    let unknown = sources.filter(|source| source.file != "protocol.txt");
    let finding = |source| {
        let message = format!("cites {source}, a text that is not at hand. Cite protocol.txt");
        Finding::of_file(format!("{CASES}/{}.case", topic.section), message)
    };
    unknown.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::planted;

    const TEXT: &str = "first line\nthe words\n  of the text\n";
    const CASE: &str = "conformance/cases/storage/add.case";

    fn pin() -> String {
        let hash: String = Sha256::digest(TEXT).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{hash}  target/protocol.txt\n")
    }

    fn case(section: &str, source: &str, quote: &str) -> String {
        format!(
            "section {section}\nsource {source}\n\ncase one MUST\n  quote \"{quote}\"\n  > version\n  <? VERSION {{*}}\n"
        )
    }

    fn found(case: &str, text: &str) -> Vec<String> {
        let (_directory, tree) = planted(&[(PIN, &pin()), (CASE, case), ("target/protocol.txt", text)]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_quote_on_its_lines_is_right() {
        assert_eq!(
            found(&case("storage/add", "protocol.txt:2-3", "words of the"), TEXT),
            [""; 0]
        );
    }

    #[test]
    fn a_quote_on_other_lines_or_none_is_found() {
        let moved = found(&case("storage/add", "protocol.txt:1", "words of the"), TEXT);
        assert!(moved[0].contains("it stands at protocol.txt:2-3"), "{moved:?}");
        let invented = found(&case("storage/add", "protocol.txt:2", "words of mine"), TEXT);
        assert!(invented[0].contains("nor anywhere else"), "{invented:?}");
    }

    #[test]
    fn in_a_newer_text_a_quote_may_stand_on_other_lines_but_must_stand() {
        let newer = format!("a new line\n{TEXT}");
        assert_eq!(
            found(&case("storage/add", "protocol.txt:2-3", "words of the"), &newer),
            [""; 0]
        );
        let gone = found(&case("storage/add", "protocol.txt:2-3", "words of the"), "all else\n");
        assert_eq!(gone.len(), 1, "{gone:?}");
    }

    #[test]
    fn without_the_text_the_check_fails() {
        let (_directory, tree) = planted(&[
            (PIN, &pin()),
            (CASE, &case("storage/add", "protocol.txt:2", "the words")),
        ]);
        let findings = check(&tree);
        assert!(findings[0].message.contains("Run ci/images first"), "{findings:?}");
    }

    #[test]
    fn a_section_that_is_not_the_path_and_a_broken_file_are_found() {
        let other = found(&case("storage/set", "protocol.txt:2", "the words"), TEXT);
        assert!(other[0].contains("section storage/add"), "{other:?}");
        let broken = found("section storage/add\n\ncase ONE MUST\n", TEXT);
        assert_eq!(broken.len(), 1, "{broken:?}");
    }

    #[test]
    fn a_source_that_nobody_has_is_found() {
        let elsewhere = found(&case("storage/add", "memory.txt:1", "the words"), TEXT);
        assert!(elsewhere[0].contains("memory.txt:1"), "{elsewhere:?}");
    }
}
