//! Which cases a run is about, and which part of them: what tells whether two reports belong together.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The cases that were selected, before they were shared out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// How many.
    pub cases: usize,
    /// The same for the same ids, and for no others; 16 hexadecimal digits.
    pub fingerprint: String,
    /// The part of them that was run, if it was not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// The k-th of n parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Part {
    /// From 1.
    pub k: u64,
    /// How many there are.
    pub n: u64,
}

impl Selection {
    /// Describes the ids that were selected, and the part of them that is run.
    pub fn new(ids: &BTreeSet<String>, part: Option<Part>) -> Self {
        let mut text = String::new();
        for id in ids {
            text.push_str(id);
            text.push('\n');
        }
        Self {
            cases: ids.len(),
            fingerprint: format!("{:016x}", fnv1a(text.as_bytes())),
            part,
        }
    }
}

impl Part {
    /// Whether the case is of this part. It depends on the id alone, by FNV-1a, so that it is the same on every machine and
    /// in every version.
    pub fn holds(self, id: &str) -> bool {
        // The low bits of FNV are its worst.
        (fnv1a(id.as_bytes()) >> 32) % self.n == self.k - 1
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.k, self.n)
    }
}

/// FNV-1a of 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_that_of_the_ids() {
        let of = |ids: &[&str]| Selection::new(&ids.iter().map(|id| (*id).to_owned()).collect(), None).fingerprint;
        // Written down: the parts of one run may be made by several versions.
        assert_eq!(of(&[]), "cbf29ce484222325");
        assert_eq!(of(&["a/b/c", "a/b/d"]), of(&["a/b/d", "a/b/c"]));
        assert_ne!(of(&["a/b/c"]), of(&["a/b/c", "a/b/d"]));
        assert_ne!(of(&["a/b/c"]), of(&["a/b/d"]));
    }
}
