//! A dial and the values it is made of. A value of these types has been checked.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::user::UserId;

/// Identifies a dial. Given out in rising order, from 1, never twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialId(pub u64);

impl fmt::Display for DialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A dial: something that somebody thinks goes well or badly, and how much.
#[derive(Clone, Debug, PartialEq)]
pub struct Dial {
    /// Which dial.
    pub id: DialId,
    /// Its owner, who alone changes it.
    pub user_id: UserId,
    /// What it is about.
    pub name: Name,
    /// Where it stands.
    pub level: Level,
    /// When it was created or last set, to the millisecond.
    pub mod_time: Timestamp,
}

/// A name of a dial or a user: 1 to 100 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// The most characters a name may have.
    pub const CHARACTERS_MAX: usize = 100;

    /// Checks a name.
    ///
    /// # Errors
    /// [`InvalidName`], which says what is wrong.
    pub fn new(text: impl Into<String>) -> Result<Name, InvalidName> {
        let text = text.into();
        let characters = text.chars().count();
        if characters == 0 {
            return Err(InvalidName::Empty);
        }
        if characters > Name::CHARACTERS_MAX {
            return Err(InvalidName::TooLong { characters });
        }
        if let Some(control) = text.chars().find(|character| character.is_control()) {
            return Err(InvalidName::ControlCharacter { control });
        }
        Ok(Name(text))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Name, InvalidName> {
        Name::new(text)
    }
}

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// It has no character.
    #[error("must not be empty")]
    Empty,
    /// It has more than [`Name::CHARACTERS_MAX`].
    #[error("must have at most {} characters; this one has {characters}", Name::CHARACTERS_MAX)]
    TooLong {
        /// How many it has.
        characters: usize,
    },
    /// It has a control character (Unicode category Cc).
    #[error("must not have control characters; this one has U+{:04X}", u32::from(*control))]
    ControlCharacter {
        /// The first of them.
        control: char,
    },
}

/// Where a dial stands: a finite number from 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Level(f64);

impl Level {
    /// The lowest level, where a dial begins.
    pub const MIN: Level = Level(0.0);
    /// The highest level.
    pub const MAX: Level = Level(100.0);

    /// Checks a level. Minus zero becomes zero.
    ///
    /// # Errors
    /// [`InvalidLevel`] if it is not finite or outside the range.
    pub fn new(level: f64) -> Result<Level, InvalidLevel> {
        if (Level::MIN.0..=Level::MAX.0).contains(&level) {
            // Adding zero is what turns -0.0 into 0.0, and changes no other number.
            Ok(Level(level + 0.0))
        } else if level.is_finite() {
            Err(InvalidLevel::OutOfRange)
        } else {
            Err(InvalidLevel::NotFinite)
        }
    }

    /// The level as a number.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a number is not a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLevel {
    /// Infinite, or not a number at all.
    #[error("must be a finite number")]
    NotFinite,
    /// Below 0 or above 100.
    #[error("must be from 0 to 100")]
    OutOfRange,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_1_to_100_characters_not_bytes() {
        assert_eq!(Name::new(""), Err(InvalidName::Empty));
        let longest = "\u{1F600}".repeat(100);
        assert_eq!(Name::new(longest.clone()).unwrap().as_str(), longest);
        assert_eq!(Name::new(longest + "x"), Err(InvalidName::TooLong { characters: 101 }));
    }

    #[test]
    fn a_name_has_no_control_characters() {
        for control in ['\0', '\n', '\t', '\u{7f}', '\u{85}'] {
            let refused = Name::new(format!("a{control}b"));
            assert_eq!(refused, Err(InvalidName::ControlCharacter { control }));
        }
        assert_eq!(
            Name::new("a\nb").unwrap_err().to_string(),
            "must not have control characters; this one has U+000A"
        );
    }

    #[test]
    fn a_level_is_finite_and_from_0_to_100() {
        for level in [0.0, f64::MIN_POSITIVE, 50.5, 100.0] {
            assert_eq!(Level::new(level).map(Level::value), Ok(level));
        }
        for level in [-f64::MIN_POSITIVE, -1.0, 100.000_000_1, f64::MAX] {
            assert_eq!(Level::new(level), Err(InvalidLevel::OutOfRange));
        }
        for level in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Level::new(level), Err(InvalidLevel::NotFinite));
        }
    }

    #[test]
    fn a_level_of_minus_zero_is_zero() {
        assert!(Level::new(-0.0).unwrap().value().is_sign_positive());
    }
}
