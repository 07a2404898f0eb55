//! What differs from release to release.

use mcspec_suite::case::Release;

use crate::command::{Meta, MetaVerb};

/// The behaviour of one release.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    release: Release,
}

impl Rules {
    pub(crate) fn new(release: Release) -> Self {
        Self { release }
    }

    fn since(&self, release: [u32; 3]) -> bool {
        let numbers = release.map(|number| number.to_string()).join(".");
        numbers.parse::<Release>().is_ok_and(|first| self.release >= first)
    }

    /// Until 1.6.39 one parser tokenized the whole line; since 1.6.40 another works word by word.
    pub(crate) fn is_old_parser(&self) -> bool {
        !self.since([1, 6, 40])
    }

    /// Whether a command has a flag that this release does not know: `E`, and `x` of `md`, came later.
    pub(crate) fn refuses(&self, command: &Meta) -> bool {
        let newer = command.has(b'E') || (command.verb == MetaVerb::Delete && command.has(b'x'));
        newer && !self.since([1, 6, 29])
    }

    /// Whether `ms` returns the size (`s`) and creates what it should append to (`N`).
    pub(crate) fn has_set_size(&self) -> bool {
        self.since([1, 6, 21])
    }

    /// Whether `q` silences an `ma` that created its item.
    pub(crate) fn is_vivify_quiet(&self) -> bool {
        self.since([1, 6, 40])
    }

    /// Whether `mg` leaves out a value whose CAS the client knows (`C`).
    pub(crate) fn has_conditional_get(&self) -> bool {
        self.since([1, 6, 45])
    }

    /// Whether a number may be taken for none: until 1.6.18 a stored number of 2^63 or more was searched for a minus
    /// sign far beyond its end.
    pub(crate) fn misreads(&self, number: u64) -> bool {
        number >> 63 == 1 && !self.since([1, 6, 21])
    }
}
