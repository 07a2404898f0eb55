//! One line on each server, in the form that shields.io reads from an address: <https://shields.io/badges/endpoint-badge>.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Column, Matrix};
use crate::verdict::Verdict;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Badge {
    schema_version: u8,
    label: &'static str,
    message: String,
    color: &'static str,
    is_error: bool,
}

/// The text of each badge by the name of its file: that of the server, with `-` for what is no letter, digit, dot or `-`.
/// Servers whose names differ in nothing else get a number.
///
/// # Errors
/// None that a matrix can cause; the serializer's own.
pub fn to_badges(matrix: &Matrix) -> Result<BTreeMap<String, String>, serde_json::Error> {
    let mut badges = BTreeMap::new();
    for column in &matrix.columns {
        let stem = stem(&column.name);
        let names = (1..).map(|n: u32| {
            if n == 1 {
                format!("{stem}.json")
            } else {
                format!("{stem}-{n}.json")
            }
        });
        // There are more numbers than columns.
        let name = names
            .into_iter()
            .find(|name| !badges.contains_key(name))
            .unwrap_or_default();
        badges.insert(name, serde_json::to_string(&badge(column))? + "\n");
    }
    Ok(badges)
}

fn badge(column: &Column) -> Badge {
    let (verdict, _) = column.standing();
    let count = |of: Verdict| column.count(|verdict| verdict == of);
    let offered = column.verdicts.len() - count(Verdict::Unsupported);
    let failing = column.count(|verdict| !verdict.is_expected());
    let (message, color) = match (verdict, failing) {
        (Verdict::Pass, _) => (format!("conforms, {offered} cases"), "brightgreen"),
        (Verdict::Deviation, _) => (
            format!("{} known deviations in {offered} cases", count(Verdict::Deviation)),
            "yellow",
        ),
        (_, 0) => ("wrong declarations".to_owned(), "red"),
        _ => (format!("{failing} of {offered} cases fail"), "red"),
    };
    Badge {
        schema_version: 1,
        label: "memcached",
        message,
        color,
        is_error: color == "red",
    }
}

fn stem(name: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') {
            c
        } else {
            '-'
        }
    };
    let stem: String = name.chars().map(safe).collect();
    let stem = stem.trim_matches(['-', '.']);
    if stem.is_empty() {
        "server".to_owned()
    } else {
        stem.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_one_that_every_file_system_takes() {
        assert_eq!(stem("memcached 1.6.45"), "memcached-1.6.45");
        assert_eq!(stem("../../etc/passwd"), "etc-passwd");
        assert_eq!(stem("\u{fc}/"), "server");
    }
}
