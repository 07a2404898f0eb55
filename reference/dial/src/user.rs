//! Users and the tokens that show who they are.

use std::fmt;

use crate::dial::Name;

/// Identifies a user. Given out in rising order, from 1, never twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub u64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Somebody who owns dials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Which user.
    pub id: UserId,
    /// No two users have the same name.
    pub name: Name,
}

/// What a user shows to be known: a secret, compared by whoever authenticates and printed by nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The most bytes a token may have.
    pub const BYTES_MAX: usize = 256;

    /// Checks that a text can be a token: 1 to 256 visible ASCII characters.
    ///
    /// # Errors
    /// [`InvalidToken`]. It does not repeat the text, which may be a secret with a slip of the keyboard in it.
    pub fn new(text: impl Into<String>) -> Result<Token, InvalidToken> {
        let text = text.into();
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if visible && (1..=Token::BYTES_MAX).contains(&text.len()) {
            Ok(Token(text))
        } else {
            Err(InvalidToken)
        }
    }

    /// The secret itself. To be shown once to its user, hashed, and forgotten.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// Why a text is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token is 1 to {} visible ASCII characters", Token::BYTES_MAX)]
pub struct InvalidToken;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_visible_ascii_of_bounded_length() {
        for text in ["", "two words", "line\n", "caf\u{e9}", &"x".repeat(257)] {
            assert_eq!(Token::new(text), Err(InvalidToken));
        }
        assert_eq!(Token::new("x".repeat(256)).unwrap().reveal().len(), 256);
    }

    #[test]
    fn a_token_is_not_shown_by_debug() {
        assert_eq!(format!("{:?}", Token::new("secret").unwrap()), "Token(..)");
    }
}
