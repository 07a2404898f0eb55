//! What cargo-mutants would change: its list, `cargo mutants --list --json`.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

/// One change of one place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Mutant {
    /// `FILE: what is changed`, as cargo-mutants says it but without the line and the column, which move. The second that
    /// would have the same name ends in ` (2)`, and so on.
    pub name: String,
    /// The file, relative to the root of the tree.
    pub file: String,
    /// What is replaced.
    pub span: Span,
    /// What stands there instead.
    pub replacement: String,
}

/// Part of a file; the end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Span {
    /// Where it begins.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
}

/// A place in a file. Lines and columns count from one, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Reads the list.
///
/// # Errors
/// When it is not there or is not such a list.
pub fn read(list: &Path) -> anyhow::Result<Vec<Mutant>> {
    let text = std::fs::read_to_string(list).with_context(|| format!("cannot read {}", list.display()))?;
    let mut mutants: Vec<Mutant> =
        serde_json::from_str(&text).with_context(|| format!("{} is not a list of cargo-mutants", list.display()))?;
    give_names(&mut mutants);
    Ok(mutants)
}

/// Gives the mutants names that stay when lines move.
fn give_names(mutants: &mut [Mutant]) {
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    for mutant in mutants {
        let name = without_line(&mutant.name);
        let count = given.entry(name.clone()).or_default();
        *count += 1;
        mutant.name = if *count == 1 { name } else { format!("{name} ({count})") };
    }
}

/// The name of a mutant as cargo-mutants prints it, without `:LINE:COLUMN`.
fn without_line(name: &str) -> String {
    let Some((file, rest)) = name.split_once(':') else {
        return name.to_owned();
    };
    let what = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
    format!("{file}:{what}")
}

/// One of several equal parts of a list: every COUNT-th from the INDEX-th.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// The part that is the whole.
    pub const ALL: Shard = Shard { index: 0, count: 1 };

    /// Whether the `place`-th of the list is in this part.
    pub fn holds(&self, place: usize) -> bool {
        place % self.count == self.index
    }
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no part: write K/N, K from 0 to N-1, as cargo-mutants counts them");
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let (Ok(index), Ok(count)) = (index.parse(), count.parse()) else {
            return Err(wrong());
        };
        if index < count {
            Ok(Shard { index, count })
        } else {
            Err(wrong())
        }
    }
}

impl Span {
    /// The bytes of `text` that it stands for; none if `text` is shorter.
    pub fn bytes(&self, text: &str) -> Option<std::ops::Range<usize>> {
        let (start, end) = (self.start.byte(text)?, self.end.byte(text)?);
        (start <= end).then_some(start..end)
    }
}

impl Position {
    fn byte(self, text: &str) -> Option<usize> {
        let mut start = 0;
        for (number, line) in text.split_inclusive('\n').enumerate() {
            if number + 1 == self.line {
                let mut columns = line.char_indices().map(|(at, _)| at).chain([line.len()]);
                return columns.nth(self.column.checked_sub(1)?).map(|at| start + at);
            }
            start += line.len();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_from_one() {
        let at = |line, column| Position { line, column };
        let span = Span {
            start: at(2, 3),
            end: at(2, 5),
        };
        assert_eq!(span.bytes("x\n\u{f6} <=\n"), Some(5..7));
        let beyond = Span {
            start: at(2, 3),
            end: at(4, 1),
        };
        assert_eq!(beyond.bytes("x\n\u{f6} <=\n"), None);
    }

    #[test]
    fn names_stay_when_lines_move() {
        let mutant = |name: &str| Mutant {
            name: name.to_owned(),
            file: "a.rs".to_owned(),
            span: Span {
                start: Position { line: 1, column: 1 },
                end: Position { line: 1, column: 2 },
            },
            replacement: String::new(),
        };
        let mut mutants = ["a.rs:3:1: delete !", "a.rs:9:1: delete !", "b.rs:1:2: replace f with 0"].map(mutant);
        give_names(&mut mutants);
        let names = mutants.map(|mutant| mutant.name);
        assert_eq!(
            names,
            ["a.rs: delete !", "a.rs: delete ! (2)", "b.rs: replace f with 0"]
        );
    }

    #[test]
    fn the_parts_of_a_list_are_all_of_it() {
        let parts: Vec<Shard> = ["0/3", "1/3", "2/3"].iter().map(|text| text.parse().unwrap()).collect();
        for place in 0..10 {
            assert_eq!(parts.iter().filter(|part| part.holds(place)).count(), 1);
        }
        for wrong in ["3/3", "1", "a/b", "1/0", "-1/2"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
