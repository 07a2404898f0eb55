//! Words separated by blanks, split as they are asked for.

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
        let end = word_bytes(rest);
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

/// How many bytes stand before the first blank. Words are short: eight bytes at a time beat a call for most of them.
#[inline]
fn word_bytes(rest: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut passed = 0;
    let mut tail = rest;
    while let Some((eight, more)) = tail.split_first_chunk::<8>() {
        // Blanks become zero bytes, and the lowest zero byte keeps its high bit in the expression below.
        let differences = u64::from_le_bytes(*eight) ^ (ONES * b' ' as u64);
        let zeros = differences.wrapping_sub(ONES) & !differences & HIGH;
        if zeros != 0 {
            return passed + zeros.trailing_zeros() as usize / 8;
        }
        passed += 8;
        tail = more;
    }
    passed + tail.iter().position(|&byte| byte == b' ').unwrap_or(tail.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_are_what_stands_between_blanks(
            line in prop::collection::vec(prop_oneof![2 => Just(b' '), 3 => Just(b'a'), 1 => any::<u8>()], 0..64),
        ) {
            let expected: Vec<&[u8]> = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty()).collect();
            prop_assert_eq!(Tokens::new(&line).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn how_many_blanks_separate_words_does_not_count() {
        assert_eq!(Tokens::new(b" a  b"), Tokens::new(b"a b "));
        assert_ne!(Tokens::new(b"a b"), Tokens::new(b"ab"));
    }
}
