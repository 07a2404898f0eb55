//! Faults that real memcached is known to have, by release.

use serde::Deserialize;

use crate::case::{Release, ReleaseRange};
use crate::escape::escape;
use crate::glob::Glob;
use crate::play::{Delivery, Failure};
use crate::target::Target;

static MEMCACHED: &str = include_str!("../../targets/memcached.toml");

/// What real memcached is known to do wrong.
#[derive(Debug, Clone, Default)]
pub struct KnownBugs(Vec<KnownBug>);

/// One fault of real memcached.
#[derive(Debug, Clone)]
pub struct KnownBug {
    /// The cases that show it.
    pub case: Glob,
    /// The releases that have it.
    pub releases: ReleaseRange,
    /// The deliveries that show it; none means all.
    pub deliveries: Vec<Delivery>,
    /// What comes instead, escaped as in a report; the received bytes begin with it.
    pub received: Option<String>,
    /// What is wrong, for a reader.
    pub reason: String,
}

/// A file of known bugs that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {cause}")]
pub struct KnownBugsError {
    file: String,
    cause: String,
}

/// The rest of a target file is read by [`crate::profile`].
#[derive(Deserialize)]
struct File {
    #[serde(default, rename = "upstream-bug")]
    bugs: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    case: String,
    releases: String,
    #[serde(default)]
    deliveries: Vec<String>,
    received: Option<String>,
    reason: String,
    /// How it was seen; for readers of the file.
    #[allow(dead_code, reason = "documentation that every entry must have")]
    evidence: String,
}

impl KnownBugs {
    /// The bugs of memcached that this suite records.
    ///
    /// # Errors
    /// A mistake in the file: possible only between an edit and its test.
    pub fn of_memcached() -> Result<Self, KnownBugsError> {
        Self::from_toml("conformance/targets/memcached.toml", MEMCACHED)
    }

    /// Reads a file of known bugs.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, KnownBugsError> {
        let error = |cause: String| KnownBugsError {
            file: file.to_owned(),
            cause,
        };
        let read: File = toml::from_str(text).map_err(|cause| error(cause.to_string()))?;
        let bugs = read.bugs.into_iter().map(|entry| {
            let case = Glob::new(&entry.case).map_err(error)?;
            let releases = entry.releases.parse().map_err(error)?;
            let deliveries: Result<_, String> = entry.deliveries.iter().map(|text| text.parse()).collect();
            let deliveries = deliveries.map_err(error)?;
            Ok(KnownBug {
                case,
                releases,
                deliveries,
                received: entry.received,
                reason: entry.reason,
            })
        });
        Ok(Self(bugs.collect::<Result<_, KnownBugsError>>()?))
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = &KnownBug> {
        self.0.iter()
    }

    /// The entry that explains a failure of this server, if there is one.
    pub fn explain(&self, id: &str, delivery: Delivery, target: &Target, failure: &Failure) -> Option<&KnownBug> {
        let release = target.release()?;
        self.0.iter().find(|bug| {
            bug.concerns(id, delivery, &release)
                && bug
                    .received
                    .as_ref()
                    .is_none_or(|start| escape(&failure.received).starts_with(start))
        })
    }
}

impl KnownBug {
    /// Whether the bug is to be seen in this case and delivery on this release.
    pub fn concerns(&self, id: &str, delivery: Delivery, release: &Release) -> bool {
        self.releases.contains(release)
            && self.case.matches(id)
            && (self.deliveries.is_empty() || self.deliveries.contains(&delivery))
    }
}
