//! What the table of the swap's promises names, exists: a model, a checker or a test that was renamed or removed must not go
//! on being what holds a promise.

use std::collections::BTreeSet;

use regex::Regex;

use crate::finding::Finding;
use crate::tree::Tree;

/// The page with the table, a row for each promise of the design.
const PAGE: &str = "reference/swap/README.md";

const HEAD: &str = "| promise | models | checker | tests |";

const PROMISES: usize = 8;

/// Where loom's models stand, each a test.
const MODELS: &[&str] = &["simulation/loom/tests/"];

/// Where the checkers of histories stand, each a module.
const CHECKERS: &str = "simulation/turmoil/src/check/";

/// Where the tests stand.
const TESTS: &[&str] = &["reference/swap/", "reference/server/"];

/// Finds promises that nothing holds, and names in the table that nothing bears.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some((_, page)) = tree.texts().find(|(path, _)| *path == PAGE) else {
        return vec![Finding::of_file(
            PAGE,
            "missing: its table says what holds each promise of the swap",
        )];
    };
    let models = tests_below(tree, MODELS);
    let tests = tests_below(tree, TESTS);
    let checkers: BTreeSet<String> = tree
        .paths()
        .filter_map(|path| Some(path.strip_prefix(CHECKERS)?.strip_suffix(".rs")?.to_owned()))
        .collect();

    let mut findings = Vec::new();
    let mut next = 1;
    let rows = page.lines().enumerate().skip_while(|(_, line)| *line != HEAD).skip(2);
    for (place, row) in rows.take_while(|(_, line)| line.starts_with('|')) {
        let mut found = |message: String| findings.push(Finding::of_line(PAGE, place + 1, message));
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [promise, by_models, by_checkers, by_tests] = cells[..] else {
            found("a row has four cells: promise, models, checker, tests".to_owned());
            continue;
        };
        if !promise.starts_with(&format!("{next} ")) {
            found(format!("promise {next} comes here"));
        }
        next += 1;
        for (kind, cell, there_are) in [
            ("model", by_models, &models),
            ("checker", by_checkers, &checkers),
            ("test", by_tests, &tests),
        ] {
            for name in names(cell).filter(|name| !there_are.contains(*name)) {
                found(format!("there is no {kind} `{name}`"));
            }
        }
        for (kind, cell) in [("checker", by_checkers), ("test", by_tests)] {
            if names(cell).next().is_none() {
                found(format!("no {kind} holds promise {}", next - 1));
            }
        }
    }
    if next != PROMISES + 1 {
        let message = format!(
            "the table `{HEAD}` has {} rows; there are {PROMISES} promises",
            next - 1
        );
        findings.push(Finding::of_file(PAGE, message));
    }
    findings
}

/// The names of functions in a cell: what stands between backquotes and is no path and no attribute.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.filter(|name| !name.contains(':') && *name != "compile_fail")
}

/// The names of the tests in Rust files below these directories.
fn tests_below(tree: &Tree, directories: &[&str]) -> BTreeSet<String> {
    // The pattern is a constant, and compiles; a test below says so.
    let Ok(test) = Regex::new(r"#\[(?:tokio::)?test\b[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:async\s+)?fn\s+(\w+)") else {
        return BTreeSet::new();
    };
    tree.texts()
        .filter(|(path, _)| path.ends_with(".rs") && directories.iter().any(|directory| path.starts_with(directory)))
        .flat_map(|(_, text)| {
            test.captures_iter(text)
                .map(|found| found[1].to_owned())
                .collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::planted;

    fn found(rows: &str) -> Vec<String> {
        let page = format!("# x\n\n{HEAD}\n|---|---|---|---|\n{rows}\nMore.\n");
        let files = [
            (PAGE, page.as_str()),
            (
                "simulation/loom/tests/models.rs",
                "#[test]\nfn a_model() {}\nfn no_model() {}",
            ),
            ("simulation/turmoil/src/check/keys.rs", ""),
            (
                "reference/server/tests/a.rs",
                "#[tokio::test(start_paused = true)]\n#[ignore]\nasync fn a_test() {}\nfn no_test() {}",
            ),
        ];
        let (_directory, tree) = planted(&files);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    fn rows(changed: usize, row: &str) -> String {
        let row = |number| match number {
            number if number == changed => row.to_owned(),
            number => format!("| {number} x | `a_model` | `keys` | swap: `a_test`, see |"),
        };
        (1..=PROMISES).map(row).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_table_whose_names_exist_is_right() {
        assert_eq!(found(&rows(0, "")), [""; 0]);
        let without_model = "| 3 x | the compiler: `Cell::get` (`compile_fail`) | `keys` | `a_test` |";
        assert_eq!(found(&rows(3, without_model)), [""; 0]);
    }

    #[test]
    fn names_that_nothing_bears_are_found() {
        let row = "| 2 x | `no_model` | `gone` | `a_test`, `no_test` |";
        let line = |what: &str| format!("{PAGE}:6: there is no {what}");
        assert_eq!(
            found(&rows(2, row)),
            [line("model `no_model`"), line("checker `gone`"), line("test `no_test`")]
        );
    }

    #[test]
    fn a_promise_that_nothing_holds_or_that_is_not_there_is_found() {
        assert_eq!(
            found(&rows(8, "| 8 x | `a_model` | | |")),
            [
                format!("{PAGE}:12: no checker holds promise 8"),
                format!("{PAGE}:12: no test holds promise 8")
            ]
        );
        assert_eq!(found("| 2 x | | `keys` | `a_test` |").len(), 2);
    }
}
