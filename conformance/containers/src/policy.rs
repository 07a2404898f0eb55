//! What becomes of a test that needs a Docker engine where none answers.
//!
//! It is decided before tests are listed, so that a test that cannot run is listed as ignored, with the reason in
//! plain sight, and is never shown as passed.

use crate::EngineError;

/// Whether a test that needs an engine runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// An engine answers.
    Run,
    /// None answers, and that may be: the test is ignored for this reason.
    Ignore(String),
    /// None answers, though one must: the test fails for this reason.
    Fail(String),
}

impl Policy {
    /// Decides by the answer of an engine; `required` says that the tests must run, as they must in CI.
    pub fn decide<T>(engine: &Result<T, EngineError>, required: bool) -> Self {
        match engine {
            Ok(_) => Self::Run,
            Err(cause) if required => Self::Fail(cause.to_string()),
            Err(cause) => Self::Ignore(cause.to_string()),
        }
    }

    /// Whether the environment demands an engine: `CI=true`, as every hosted CI sets it.
    pub fn required_here() -> bool {
        std::env::var_os("CI").is_some_and(|value| value == "true" || value == "1")
    }

    /// The kind that a test is listed with, which names the reason if it is ignored.
    pub fn kind(&self, kind: &str) -> String {
        match self {
            Self::Run | Self::Fail(_) => kind.to_owned(),
            Self::Ignore(_) => format!("{kind}, ignored: no Docker engine answers"),
        }
    }

    /// Whether the test is to be listed as ignored.
    pub fn ignores(&self) -> bool {
        matches!(self, Self::Ignore(_))
    }

    /// Fails a test that must run and cannot.
    ///
    /// # Errors
    /// The reason, unless an engine answers.
    pub fn demand(&self) -> Result<(), String> {
        match self {
            Self::Run => Ok(()),
            Self::Ignore(reason) | Self::Fail(reason) => Err(reason.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn absent() -> Result<(), EngineError> {
        Err(EngineError::Silent { seconds: 5 })
    }

    #[test]
    fn a_test_without_an_engine_is_ignored_with_the_reason() {
        let policy = Policy::decide(&absent(), false);
        assert!(policy.ignores());
        assert!(
            policy.kind("release").contains("no Docker engine"),
            "{}",
            policy.kind("release")
        );
        assert!(policy.demand().unwrap_err().contains("5 s"));
    }

    #[test]
    fn a_test_without_an_engine_fails_where_one_is_required() {
        let policy = Policy::decide(&absent(), true);
        assert!(!policy.ignores());
        assert_eq!(policy.kind("release"), "release");
        assert!(policy.demand().unwrap_err().contains("5 s"));
    }

    #[test]
    fn a_test_with_an_engine_runs_whether_or_not_it_must() {
        for required in [false, true] {
            let policy = Policy::decide(&Ok(()), required);
            assert_eq!(policy.demand(), Ok(()));
            assert!(!policy.ignores());
        }
    }
}
