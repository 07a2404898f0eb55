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
