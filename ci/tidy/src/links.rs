//! Links between the pages of the tree lead somewhere.

use pulldown_cmark::{Event, Parser, Tag};
use regex::Regex;

use crate::finding::Finding;
use crate::tree::Tree;

/// Finds links and images in Markdown, and in HTML within it, whose target is not in the tree. Links to other places are not
/// followed.
pub fn check(tree: &Tree) -> Vec<Finding> {
    // A constant, and compiles; a test below says so.
    let Ok(attribute) = Regex::new(r#"\b(?:href|src|srcset)="([^"]*)""#) else {
        return vec![Finding::of_file("ci/tidy/src/links.rs", "a pattern does not compile")];
    };
    let pages = tree.texts().filter(|(path, _)| path.ends_with(".md"));
    pages
        .flat_map(|(path, text)| page(tree, path, text, &attribute))
        .collect()
}

fn page(tree: &Tree, path: &str, text: &str, attribute: &Regex) -> Vec<Finding> {
    let mut links: Vec<(usize, String)> = Vec::new();
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                links.push((range.start, dest_url.into_string()));
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                let found = attribute.captures_iter(&html);
                links.extend(found.map(|found| (range.start, found[1].to_owned())));
            }
            _ => {}
        }
    }
    let line_of = |at: usize| text[..at].matches('\n').count() + 1;
    let wrong = |(at, link): (usize, String)| Some(Finding::of_line(path, line_of(at), fault(tree, path, &link)?));
    links.into_iter().filter_map(wrong).collect()
}

fn fault(tree: &Tree, page: &str, link: &str) -> Option<String> {
    let target = link.split('#').next().unwrap_or_default();
    if target.is_empty() || target.contains(':') {
        return None;
    }
    match resolve(page, target) {
        Some(file) if file.is_empty() || tree.holds(&file) => None,
        Some(file) => Some(format!("links to {file}, which does not exist")),
        None => Some(format!("links to {target}, outside the tree")),
    }
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
    fn links_in_html_are_links() {
        let (_directory, tree) = planted(&[
            (
                "a.md",
                "<picture>\n  <source srcset=\"dark.png\">\n  <img src=\"light.png\">\n</picture>\n\nSee <a href=\"https://x\">x</a> and <a href=\"b.md\">b</a>\n",
            ),
            ("light.png", ""),
        ]);
        let findings: Vec<String> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            findings,
            [
                "a.md:2: links to dark.png, which does not exist",
                "a.md:6: links to b.md, which does not exist"
            ]
        );
    }

    #[test]
    fn what_only_looks_like_a_link_is_not_one() {
        let (_directory, tree) = planted(&[("a.md", "`[x](gone.md)`\n\n```\n[y](gone.md)\n```\n")]);
        assert_eq!(check(&tree), []);
    }
}
