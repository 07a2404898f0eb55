//! Links between the pages of the tree lead somewhere.

use pulldown_cmark::{Event, Parser, Tag};

use crate::finding::Finding;
use crate::tree::Tree;

/// Finds links and images in Markdown whose target is not in the tree. Links to other places are not followed.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let pages = tree.texts().filter(|(path, _)| path.ends_with(".md"));
    pages.flat_map(|(path, text)| page(tree, path, text)).collect()
}

fn page(tree: &Tree, path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (event, range) in Parser::new(text).into_offset_iter() {
        let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event else {
            continue;
        };
        let target = dest_url.split('#').next().unwrap_or_default();
        if target.is_empty() || target.contains(':') {
            continue;
        }
        let line = text[..range.start].matches('\n').count() + 1;
        match resolve(path, target) {
            Some(file) if file.is_empty() || tree.holds(&file) => {}
            Some(file) => findings.push(Finding::of_line(
                path,
                line,
                format!("links to {file}, which does not exist"),
            )),
            None => findings.push(Finding::of_line(
                path,
                line,
                format!("links to {target}, outside the tree"),
            )),
        }
    }
    findings
}

/// The path from the root that `target` means on the page at `page`; `None` if it leads out of the tree.
fn resolve(page: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::planted;

    #[test]
    fn links_that_lead_somewhere_are_not_found() {
        let (_directory, tree) = planted(&[
            (
                "README.md",
                "[a](a/b.md) [dir](a/) [part](#x) [web](https://example.org/x) ![i](a/i.svg)\n",
            ),
            (
                "a/b.md",
                "[up](../README.md#top) [here](./i.svg) [root](..)\n\n[ref]\n\n[ref]: ../a/b.md\n",
            ),
            ("a/i.svg", ""),
        ]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn links_that_lead_nowhere_are_found_with_their_line() {
        let (_directory, tree) = planted(&[(
            "a/b.md",
            "x\n\n[gone](c.md)\n![gone](../d.png)\n[out](../../e)\n[abs](/f)\n",
        )]);
        let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            findings,
            [
                "a/b.md:3: links to a/c.md, which does not exist",
                "a/b.md:4: links to d.png, which does not exist",
                "a/b.md:5: links to ../../e, outside the tree",
                "a/b.md:6: links to /f, outside the tree",
            ]
        );
    }

    #[test]
    fn what_only_looks_like_a_link_is_not_one() {
        let (_directory, tree) = planted(&[("a.md", "`[x](gone.md)`\n\n```\n[y](gone.md)\n```\n")]);
        assert_eq!(check(&tree), []);
    }
}
