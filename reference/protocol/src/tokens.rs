//! Words separated by blanks, split as they are asked for.

use memchr::memchr;

/// An iterator over the words of a line. Only the blank (0x20) separates; a tab or a CR is part of a word. Cloning it
/// is free and starts over from where it stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    /// The words of `line`, which must not contain the line's end.
    pub fn new(line: &'a [u8]) -> Self {
        Tokens { rest: line }
    }

    /// What has not been split yet, as it stands on the wire.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let blanks = self.rest.iter().take_while(|&&byte| byte == b' ').count();
        let rest = &self.rest[blanks..];
        if rest.is_empty() {
            self.rest = rest;
            return None;
        }
        let end = memchr(b' ', rest).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        Some(word)
    }
}

impl std::iter::FusedIterator for Tokens<'_> {}

/// Two are equal when they yield the same words: how many blanks separate them does not count.
impl PartialEq for Tokens<'_> {
    fn eq(&self, other: &Self) -> bool {
        Iterator::eq(*self, *other)
    }
}

impl Eq for Tokens<'_> {}
