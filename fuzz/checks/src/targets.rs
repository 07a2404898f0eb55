//! The targets by name.

/// A target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: of the program that fuzzes it, of its seeds, of its regressions.
    pub name: &'static str,
    /// Panics if something is wrong.
    pub check: fn(&[u8]),
}

/// All targets of this build.
pub const ALL: &[Target] = &[
    Target {
        name: "parse_request",
        check: crate::requests::check,
    },
    Target {
        name: "parse_reply",
        check: crate::replies::check,
    },
    Target {
        name: "round_trip",
        check: crate::round_trip::check,
    },
    #[cfg(feature = "case_file")]
    Target {
        name: "case_file",
        check: crate::case_file::check,
    },
    #[cfg(feature = "engine")]
    Target {
        name: "engine",
        check: crate::engine::check,
    },
    #[cfg(feature = "connection")]
    Target {
        name: "connection",
        check: crate::connection::check,
    },
];
