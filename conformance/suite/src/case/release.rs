//! Releases of memcached and ranges of them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A release of memcached such as `1.6.45`, ordered number by number.
///
/// A release candidate (`1.6.0-rc1`) and a packager's suffix (`1.6.45-1ubuntu`) count as the release itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release(Vec<u32>);

impl Release {
    /// The release that the `VERSION` line of a server names, if it begins with dotted numbers.
    pub fn from_version_line(text: &str) -> Option<Self> {
        let numbers = text.split(|c: char| !(c.is_ascii_digit() || c == '.')).next()?;
        numbers.trim_end_matches('.').parse().ok()
    }
}

impl FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Result<Vec<u32>, _> = text.split('.').map(str::parse).collect();
        match numbers {
            Ok(numbers) if numbers.len() >= 2 => Ok(Self(numbers)),
            _ => Err(format!("a release such as 1.6.45, not `{text}`")),
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, number) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            write!(f, "{number}")?;
        }
        Ok(())
    }
}

/// The releases that the suite's facts were measured on, oldest first.
pub const OBSERVED: [&str; 16] = [
    "1.4.39", "1.5.22", "1.6.0", "1.6.6", "1.6.9", "1.6.12", "1.6.15", "1.6.18", "1.6.21", "1.6.29", "1.6.37",
    "1.6.38", "1.6.39", "1.6.40", "1.6.41", "1.6.45",
];

/// The releases of [`OBSERVED`], parsed.
pub fn observed() -> impl Iterator<Item = Release> {
    OBSERVED.iter().filter_map(|text| text.parse().ok())
}

/// A range of releases, both ends included; an end that is absent is open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReleaseRange {
    /// The first release of the range.
    pub first: Option<Release>,
    /// The last release of the range.
    pub last: Option<Release>,
}

impl ReleaseRange {
    /// The range that holds every release.
    pub const ALL: Self = Self {
        first: None,
        last: None,
    };

    /// Whether `release` lies in the range.
    pub fn contains(&self, release: &Release) -> bool {
        self.first.as_ref().is_none_or(|first| first <= release)
            && self.last.as_ref().is_none_or(|last| release <= last)
    }

    /// What two ranges have in common, or `None` if that is nothing.
    pub fn intersect(&self, other: &Self) -> Option<Self> {
        let first = pick(&self.first, &other.first, Ordering::Greater);
        let last = pick(&self.last, &other.last, Ordering::Less);
        match (&first, &last) {
            (Some(first), Some(last)) if first > last => None,
            _ => Some(Self { first, last }),
        }
    }
}

/// Of two ends the one that compares as `wanted` to the other; an open end yields to a closed one.
fn pick(a: &Option<Release>, b: &Option<Release>, wanted: Ordering) -> Option<Release> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if a.cmp(b) == wanted { a } else { b }.clone()),
        (Some(end), None) | (None, Some(end)) => Some(end.clone()),
        (None, None) => None,
    }
}

impl FromStr for ReleaseRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let end = |text: &str| {
            if text.is_empty() {
                Ok(None)
            } else {
                text.parse().map(Some)
            }
        };
        let range = match text.split_once("..") {
            None => {
                let release: Release = text.parse()?;
                Self {
                    first: Some(release.clone()),
                    last: Some(release),
                }
            }
            Some((first, last)) => Self {
                first: end(first)?,
                last: end(last)?,
            },
        };
        match (&range.first, &range.last) {
            (None, None) => Err("a release range with an end: A..B, A.., ..B or A".to_owned()),
            (Some(first), Some(last)) if first > last => {
                Err(format!("a release range that ends after it begins, not `{text}`"))
            }
            _ => Ok(range),
        }
    }
}

impl fmt::Display for ReleaseRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first.is_some() && self.first == self.last {
            return self.first.iter().try_for_each(|release| release.fmt(f));
        }
        self.first.iter().try_for_each(|release| release.fmt(f))?;
        f.write_str("..")?;
        self.last.iter().try_for_each(|release| release.fmt(f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> ReleaseRange {
        text.parse().unwrap()
    }

    #[test]
    fn releases_compare_number_by_number() {
        let release = |text: &str| text.parse::<Release>().unwrap();
        assert!(release("1.6.9") < release("1.6.12"));
        assert!(release("1.6") < release("1.6.0"));
        assert_eq!(Release::from_version_line("1.6.18 (Ubuntu)"), Some(release("1.6.18")));
        assert_eq!(Release::from_version_line("1.6.0-rc1"), Some(release("1.6.0")));
        assert_eq!(Release::from_version_line("unknown"), None);
    }

    #[test]
    fn ranges_include_both_ends() {
        for (text, inside, outside) in [
            ("..1.6.39", "1.6.39", "1.6.40"),
            ("1.6.40..", "1.6.40", "1.6.39"),
            ("1.6.12", "1.6.12", "1.6.15"),
        ] {
            assert!(range(text).contains(&inside.parse().unwrap()), "{text}");
            assert!(!range(text).contains(&outside.parse().unwrap()), "{text}");
            assert_eq!(range(text).to_string(), text);
        }
        for wrong in ["..", "1.6.9..1.6.1", "x", "1", "1.6.a..", ""] {
            assert!(wrong.parse::<ReleaseRange>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_intersection_is_what_both_hold() {
        let meet = |a: &str, b: &str| range(a).intersect(&range(b)).map(|r| r.to_string());
        assert_eq!(meet("1.6.9..", "..1.6.39").as_deref(), Some("1.6.9..1.6.39"));
        assert_eq!(meet("..1.6.39", "1.6.40.."), None);
        assert_eq!(meet("1.6.9..1.6.18", "1.6.12..").as_deref(), Some("1.6.12..1.6.18"));
        assert_eq!(ReleaseRange::ALL.intersect(&range("1.6.9")), Some(range("1.6.9")));
    }
}
