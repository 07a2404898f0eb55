//! Patterns that select cases by id.

use globset::{GlobBuilder, GlobMatcher};

/// A pattern such as `storage/*` or `**/noreply*`; `*` does not cross a `/`, and a section selects all its cases.
#[derive(Debug, Clone)]
pub struct Glob {
    text: String,
    matcher: GlobMatcher,
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with the pattern.
    pub fn new(text: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(text.trim_end_matches('/'))
            .literal_separator(true)
            .build();
        let matcher = glob
            .map_err(|error| format!("`{text}` is no pattern: {}", error.kind()))?
            .compile_matcher();
        Ok(Self {
            text: text.to_owned(),
            matcher,
        })
    }

    /// Whether the pattern selects the case: its id, or a section that holds it.
    pub fn matches(&self, id: &str) -> bool {
        let ends = id.match_indices('/').map(|(end, _)| end).chain([id.len()]);
        ends.into_iter().any(|end| self.matcher.is_match(&id[..end]))
    }
}

impl std::fmt::Display for Glob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_selects_an_id_or_a_section_that_holds_it() {
        let selects = |pattern: &str, id: &str| Glob::new(pattern).unwrap().matches(id);
        for pattern in [
            "storage/add/new",
            "storage/add",
            "storage",
            "storage/*",
            "storage/",
            "**/new",
            "*/add/n?w",
        ] {
            assert!(selects(pattern, "storage/add/new"), "{pattern}");
        }
        for pattern in ["stor", "storage/set", "new", "add/new", "storage/add/newer"] {
            assert!(!selects(pattern, "storage/add/new"), "{pattern}");
        }
        assert!(Glob::new("a[").is_err());
    }
}
