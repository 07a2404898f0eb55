//! The keys of the commands that are next: a guess, made before they are judged.
//!
//! A store that knows several keys waits once for the memory of them all: see [`Store::foresee`]. A guess that is wrong costs
//! a look for a key that nobody asks for, and changes no answer, so this reads far less than the parser does.
//!
//! [`Store::foresee`]: refcached_store::Store::foresee

use memchr::memchr;
use refcached_protocol::tokens::Tokens;
use refcached_store::store::FORESEEN_MAX;

/// What the commands at the beginning of an input seem to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead<'a> {
    keys: [&'a [u8]; FORESEEN_MAX],
    count: usize,
    bytes: usize,
}

impl<'a> Ahead<'a> {
    /// Looks at the first commands of `input`, as many as have keys enough.
    pub(crate) fn guess(input: &'a [u8]) -> Self {
        let mut ahead = Ahead {
            keys: [&[]; FORESEEN_MAX],
            count: 0,
            bytes: 0,
        };
        let mut rest = input;
        while ahead.count < FORESEEN_MAX
            && let Some(end) = memchr(b'\n', rest)
        {
            let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
            let (key, data_bytes) = key_and_data_bytes(line);
            if let Some(key) = key {
                ahead.keys[ahead.count] = key;
                ahead.count += 1;
            }
            rest = rest.get(end + 1 + data_bytes..).unwrap_or_default();
        }
        ahead.bytes = input.len() - rest.len();
        ahead
    }

    /// The keys, if there are several: of one alone there is nothing to gain.
    pub(crate) fn keys(&self) -> Option<&[&'a [u8]]> {
        (self.count > 1).then(|| &self.keys[..self.count])
    }

    /// How far the commands reach whose keys these are; `None` if there are not even two.
    pub(crate) fn bytes(&self) -> Option<usize> {
        (self.count > 1).then_some(self.bytes)
    }
}

/// The key in a command line, and the length of the data block behind it.
#[inline]
fn key_and_data_bytes(line: &[u8]) -> (Option<&[u8]>, usize) {
    let mut words = Tokens::new(line);
    let (verb, key) = (words.next(), words.next());
    let length = match verb {
        Some(b"set" | b"add" | b"cas" | b"replace" | b"append" | b"prepend") => words.nth(2),
        Some(b"ms") => words.next(),
        _ => return (key, 0),
    };
    (key, length.map_or(0, block_bytes))
}

/// The length of a block of `digits` bytes, its end included.
#[inline]
fn block_bytes(digits: &[u8]) -> usize {
    let length = digits.iter().fold(0_usize, |number, digit| {
        number.saturating_mul(10).saturating_add(usize::from(digit & 15))
    });
    // Beyond any input; a sum with its place in one must not overflow.
    length.saturating_add(2).min(usize::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(input: &[u8]) -> (Vec<String>, Option<usize>) {
        let ahead = Ahead::guess(input);
        let keys = ahead.keys().unwrap_or_default();
        let keys = keys.iter().map(|key| String::from_utf8_lossy(key).into_owned());
        (keys.collect(), ahead.bytes())
    }

    #[test]
    fn keys_are_found_across_data_blocks() {
        let input =
            b"get a\r\nset b 0 0 7\r\nget x\r\n\r\nms c 2\r\nzz\r\nmg d v\nadd e 0 0 1 noreply\r\n1\r\ngat 0 f\r\n";
        let keys = ["a", "b", "c", "d", "e", "0"].map(str::to_owned);
        assert_eq!(guessed(input), (keys.into(), Some(input.len())));
    }

    #[test]
    fn no_more_keys_are_taken_than_a_store_is_told_of() {
        let input = b"get key\r\n".repeat(3 * FORESEEN_MAX);
        let (keys, bytes) = guessed(&input);
        assert_eq!(keys.len(), FORESEEN_MAX);
        assert_eq!(bytes, Some(FORESEEN_MAX * b"get key\r\n".len()));
    }

    #[test]
    fn one_command_is_not_worth_it_and_half_of_one_is_none() {
        for input in ["", "get a\r\n", "get a\r\nget", "get a\r\nmn\r\n", "set a 0 0 5\r\n12"] {
            assert_eq!(guessed(input.as_bytes()), (Vec::new(), None), "{input:?}");
        }
    }

    #[test]
    fn what_is_no_command_is_survived() {
        let input = b"set a 0 0 99999999999999999999999999\r\nget b\r\n";
        assert_eq!(guessed(input), (Vec::new(), None));
        let input = b"ms a 0\r\n\r\n \r\n\xff\x80 \x00\r\nget b\r\n";
        assert_eq!(
            guessed(input),
            (["a", "\0", "b"].map(str::to_owned).into(), Some(input.len()))
        );
    }
}
