//! The exit codes, and the errors that lead to them.

/// How mcspec ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The server conforms, or the command did what it was asked to.
    Conforms = 0,
    /// The server does not conform.
    DoesNotConform = 1,
    /// The command line or the configuration is wrong.
    Usage = 2,
    /// The server cannot be reached or judged, or the harness broke.
    Unreachable = 3,
    /// The selection holds no case.
    NothingSelected = 4,
}

/// What the exit codes of a command mean; `None` is `mcspec` without one.
pub(crate) fn codes(command: Option<&str>) -> &'static [(Exit, &'static str)] {
    use Exit::{Conforms, DoesNotConform, NothingSelected, Unreachable, Usage};
    const WRONG: (Exit, &str) = (Usage, "wrong usage or configuration");
    const NO_TARGET: (Exit, &str) = (
        Unreachable,
        "the target cannot be reached or is no memcached server, or the harness broke",
    );
    const NO_CASE: (Exit, &str) = (NothingSelected, "no case is selected");
    match command {
        None | Some("run") => &[
            (Conforms, "the server conforms, or deviates only as declared"),
            (
                DoesNotConform,
                "it does not, or a declaration is not true, or has no reason",
            ),
            WRONG,
            NO_TARGET,
            NO_CASE,
        ],
        Some("list" | "explain" | "export") => &[(Conforms, "done"), WRONG, NO_CASE],
        Some("coverage") => &[
            (
                Conforms,
                "every paragraph is cited, or it is written down why none can be",
            ),
            (DoesNotConform, "one is not"),
            WRONG,
        ],
        Some("explore" | "diff" | "fuzz") => &[
            (Conforms, "nothing was found"),
            (DoesNotConform, "something was"),
            WRONG,
            NO_TARGET,
        ],
        Some("matrix") => &[
            (Conforms, "the matrix was made, whatever it says"),
            (DoesNotConform, "the table that --check looks at is out of date"),
            WRONG,
        ],
        Some("init") => &[
            (Conforms, "the file is written, whether the server conforms or not"),
            WRONG,
            NO_TARGET,
        ],
        Some(_) => &[(Conforms, "done"), WRONG],
    }
}

/// An error that ends the program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// One line: what was tried, what happened, what to do.
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            message: message.into(),
        }
    }

    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::Unreachable,
            message: message.into(),
        }
    }

    pub(crate) fn nothing_selected(message: impl Into<String>) -> Self {
        Self {
            exit: Exit::NothingSelected,
            message: message.into(),
        }
    }
}
