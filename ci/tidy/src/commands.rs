//! Scripts, directories and packages that a command on a page names are there.

use std::collections::BTreeSet;

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use crate::finding::Finding;
use crate::tree::Tree;

/// Finds commands in blocks of `sh` and commands in backquotes whose words name a path of the tree or a package of the
/// workspace that does not exist.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let packages = packages(tree);
    let pages = tree.texts().filter(|(path, _)| path.ends_with(".md"));
    let mut findings = Vec::new();
    for (path, text) in pages {
        for (line, command) in shown(text) {
            let wrong = wrong_words(tree, &packages, &command);
            findings.extend(wrong.map(|message| Finding::of_line(path, line, message)));
        }
    }
    findings
}

/// The names in the manifests of the tree, those that are outside the workspace included.
fn packages(tree: &Tree) -> BTreeSet<String> {
    let manifests = tree.texts().filter(|(path, _)| path.ends_with("Cargo.toml"));
    let name = |text: &str| {
        let table: toml::Table = text.parse().ok()?;
        Some(table.get("package")?.get("name")?.as_str()?.to_owned())
    };
    manifests.filter_map(|(_, text)| name(text)).collect()
}

/// The commands of a page, each with its line.
fn shown(text: &str) -> Vec<(usize, String)> {
    let line_of = |at: usize| text[..at].matches('\n').count() + 1;
    let mut shown = Vec::new();
    let mut in_commands = false;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                in_commands = matches!(&kind, CodeBlockKind::Fenced(language) if matches!(&**language, "sh" | ""));
            }
            Event::End(TagEnd::CodeBlock) => in_commands = false,
            Event::Text(block) if in_commands => {
                let first = line_of(range.start);
                shown.extend((first..).zip(block.lines().map(str::to_owned)));
            }
            Event::Code(code) => shown.push((line_of(range.start), code.into_string())),
            _ => {}
        }
    }
    shown
}

fn wrong_words(tree: &Tree, packages: &BTreeSet<String>, command: &str) -> impl Iterator<Item = String> {
    let command = command.split(" #").next().unwrap_or_default();
    let words: Vec<&str> = command.split_whitespace().collect();
    let first = words.first().copied().unwrap_or_default();
    let mut wrong = Vec::new();
    for word in &words {
        if is_path(word) && !tree.holds(word.trim_end_matches('/')) {
            wrong.push(format!("names {word}, which does not exist"));
        }
    }
    if first == "cargo" {
        // What stands behind `--` is not cargo's.
        let own = words.iter().position(|word| *word == "--").unwrap_or(words.len());
        for pair in words[..own]
            .windows(2)
            .filter(|pair| matches!(pair[0], "-p" | "--package"))
        {
            if !packages.contains(pair[1]) {
                wrong.push(format!("names the package {}, which does not exist", pair[1]));
            }
        }
    }
    wrong.into_iter()
}

/// Whether a word is a path from the root: below a directory of the top level, without a pattern or a place to fill in.
fn is_path(word: &str) -> bool {
    let tops = ["reference/", "conformance/", "simulation/", "fuzz/", "ci/", ".ci/"];
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-".contains(c);
    // What a run leaves there is no part of the tree.
    let left = ["fuzz/corpus", "fuzz/artifacts", "fuzz/target"];
    tops.iter().any(|top| word.starts_with(top))
        && word.chars().all(plain)
        && !left.iter().any(|left| word.starts_with(left))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::planted;

    fn found(page: &str) -> Vec<String> {
        let (_directory, tree) = planted(&[
            ("a/README.md", page),
            ("ci/lint", ""),
            ("conformance/cli/Cargo.toml", "[package]\nname = 'mcspec'\n"),
        ]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_there_is_not_found() {
        let page = "Run `ci/lint`, or\n\n```sh\ncargo install --path conformance/cli\ncargo run -p mcspec -- -p other # ci/x\n```\n";
        assert_eq!(found(page), [""; 0]);
        assert_eq!(
            found("`ci/NAME`, `fuzz/corpus/x`, `ci/{a,b}`, `other/x`, `cases/x`\n"),
            [""; 0]
        );
    }

    #[test]
    fn what_is_not_there_is_found_with_its_line() {
        let page =
            "Run `ci/lont`, or\n\n```sh\ntrue\ncargo test -p mcspc --lib # now\n```\n\n```toml\nx = ci/gone\n```\n";
        assert_eq!(
            found(page),
            [
                "a/README.md:1: names ci/lont, which does not exist",
                "a/README.md:5: names the package mcspc, which does not exist"
            ]
        );
    }
}
