//! How long files and functions may be.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use crate::exceptions::{Exceptions, Measured, judge};
use crate::finding::Finding;
use crate::tree::Tree;

/// Lines of a Rust file.
pub const RUST_FILE_LINES_MAX: usize = 500;
/// Lines of a function, from its signature to its last brace.
pub const FUNCTION_LINES_MAX: usize = 70;
/// Lines of a script in `ci/`.
pub const SCRIPT_LINES_MAX: usize = 60;
/// Lines of the README of a directory; the root's own is the house's front and has no limit.
pub const PAGE_LINES_MAX: usize = 60;

/// Finds what is too long and has no exception, and exceptions that are not needed.
pub fn check(tree: &Tree, exceptions: &Exceptions) -> Vec<Finding> {
    let mut files = Vec::new();
    let mut functions = Vec::new();
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        if let Some(limit) = limit(path) {
            files.push(Measured {
                name: path.to_owned(),
                path: path.to_owned(),
                line: 0,
                lines: text.lines().count(),
                limit,
            });
        }
        if path.ends_with(".rs") {
            match syn::parse_file(text) {
                Ok(file) => functions.extend(functions_of(path, &file)),
                Err(error) => findings.push(Finding::of_line(
                    path,
                    error.span().start().line,
                    format!("cannot be parsed: {error}"),
                )),
            }
        }
    }
    findings.extend(judge("a file", &files, &exceptions.file));
    findings.extend(judge("a function", &functions, &exceptions.function));
    findings
}

/// How long the file of this path may be, if its kind has a limit.
fn limit(path: &str) -> Option<usize> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.ends_with(".rs") {
        Some(RUST_FILE_LINES_MAX)
    } else if name == "README.md" && path != name {
        Some(PAGE_LINES_MAX)
    } else if path.starts_with("ci/") && (!name.contains('.') || name.ends_with(".sh")) {
        Some(SCRIPT_LINES_MAX)
    } else {
        None
    }
}

fn functions_of(path: &str, file: &syn::File) -> Vec<Measured> {
    let mut functions = Functions {
        path,
        found: Vec::new(),
    };
    functions.visit_file(file);
    functions.found
}

struct Functions<'p> {
    path: &'p str,
    found: Vec<Measured>,
}

impl Functions<'_> {
    fn add(&mut self, signature: &syn::Signature, end: Span) {
        let first = signature.span().start().line;
        self.found.push(Measured {
            name: format!("{}::{}", self.path, signature.ident),
            path: self.path.to_owned(),
            line: first,
            lines: end.end().line + 1 - first,
            limit: FUNCTION_LINES_MAX,
        });
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.sig, function.block.span());
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.add(&function.sig, function.block.span());
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block.span());
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::planted;

    /// A function of `lines` lines within an `impl`, which begins on line 3.
    fn function_of(lines: usize) -> String {
        format!(
            "struct S;\nimpl S {{\nfn long() {{\n{}}}\n}}\n",
            "let _ = 1;\n".repeat(lines - 2)
        )
    }

    #[test]
    fn files_are_measured_by_their_kind() {
        let lines = |n| "#\n".repeat(n);
        let rust = |n| "//\n".repeat(n);
        let planted = [
            ("a/long.rs", rust(501)),
            ("a/longest_allowed.rs", rust(500)),
            ("ci/script", lines(61)),
            ("ci/env.sh", lines(60)),
            ("ci/README.md", lines(61)),
            ("README.md", lines(200)),
            ("a/notes.md", lines(200)),
        ];
        let planted: Vec<_> = planted.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let (_directory, tree) = crate::tree::planted(&planted);
        let findings = check(&tree, &Exceptions::default());
        let found: Vec<_> = findings.iter().map(|finding| finding.path.as_str()).collect();
        assert_eq!(found, ["a/long.rs", "ci/README.md", "ci/script"]);
    }

    #[test]
    fn a_function_is_measured_wherever_it_stands() {
        let (_directory, tree) = planted(&[
            ("a.rs", &function_of(FUNCTION_LINES_MAX)),
            ("b.rs", &function_of(FUNCTION_LINES_MAX + 1)),
        ]);
        let findings = check(&tree, &Exceptions::default());
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!((findings[0].path.as_str(), findings[0].line), ("b.rs", 3));
        let exceptions: Exceptions =
            toml::from_str("[[function]]\nname = 'b.rs::long'\nlines = 71\nreason = 'a table'\n").unwrap();
        assert_eq!(check(&tree, &exceptions), []);
    }

    #[test]
    fn a_file_that_does_not_parse_is_found() {
        let (_directory, tree) = planted(&[("a.rs", "fn a() {}\nfn {\n")]);
        let findings = check(&tree, &Exceptions::default());
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].line, 2);
    }
}
