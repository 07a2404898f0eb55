//! A position in a case file, and the errors that name one.

use std::fmt;

/// An error in a case file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ParseError {
    /// The file as the caller named it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What should have stood there.
    pub expected: String,
    /// The line's text.
    pub text: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            expected,
            text,
        } = self;
        writeln!(f, "{file}:{line}:{column}: expected {expected}")?;
        writeln!(f, "  | {text}")?;
        write!(f, "  | {:>width$}", "^", width = *column as usize)
    }
}

/// Reads one line from left to right.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'l> {
    file: &'l str,
    number: u32,
    text: &'l str,
    at: usize,
}

impl<'l> Cursor<'l> {
    pub(super) fn new(file: &'l str, number: u32, text: &'l str) -> Self {
        Self {
            file,
            number,
            text,
            at: 0,
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'l str {
        &self.text[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Passes over `bytes` bytes; the caller has seen that they end at a character.
    pub(super) fn take(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Takes the blanks that come next.
    pub(super) fn blanks(&mut self) -> &'l str {
        let rest = self.rest();
        let length = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        self.take(length);
        &rest[..length]
    }

    pub(super) fn skip_blanks(&mut self) {
        self.blanks();
    }

    /// Takes everything up to the next blank, then the blanks.
    pub(super) fn word(&mut self) -> &'l str {
        let rest = self.rest();
        let word = &rest[..rest.find([' ', '\t']).unwrap_or(rest.len())];
        self.take(word.len());
        self.skip_blanks();
        word
    }

    /// Reads a word with `read`; an error stands at the word's first column.
    pub(super) fn parse_word<T>(&mut self, read: impl Fn(&str) -> Result<T, String>) -> Result<T, ParseError> {
        let start = self.clone();
        read(self.word()).map_err(|expected| start.error(expected))
    }

    /// Makes sure that nothing is left.
    pub(super) fn end(&mut self) -> Result<(), ParseError> {
        self.skip_blanks();
        if self.rest().is_empty() {
            Ok(())
        } else {
            Err(self.error("the end of the line"))
        }
    }

    /// An error at the next character.
    pub(super) fn error(&self, expected: impl Into<String>) -> ParseError {
        ParseError {
            file: self.file.to_owned(),
            line: self.number,
            column: u32::try_from(self.text[..self.at].chars().count() + 1).unwrap_or(u32::MAX),
            expected: expected.into(),
            text: self.text.to_owned(),
        }
    }
}
