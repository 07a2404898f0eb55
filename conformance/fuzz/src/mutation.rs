//! Streams as no client writes them: what is wrong with them is often one byte.

use crate::random::Random;

/// What is put in the place of something else.
const PIECES: [&[u8]; 22] = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"  ",
    b"\x00",
    b"\x80",
    b"\xff",
    b"noreply",
    b"-1",
    b"0",
    b"4294967296",
    b"18446744073709551616",
    b"99999999999999999999999",
    b"2147483647",
    b"b",
    b"q",
    b"get ",
    b"set k 0 0 5\r\n",
    b"mg k v\r\n",
    b"ms k S1\r\n",
    b"aw==",
];

/// Streams are not made longer than this: what is there to be found is found in short ones.
const BYTES_MAX: usize = 1500;

/// Changes `stream` in a few places.
pub(crate) fn mutate(stream: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(6) {
        if stream.is_empty() {
            return;
        }
        let at = random.below(stream.len());
        let end = (at + 1 + random.below(12)).min(stream.len());
        match random.below(6) {
            0 => stream[at] ^= 1 << random.below(8),
            1 => drop(stream.drain(at..end)),
            2 => {
                let piece = stream[at..end].to_vec();
                stream.splice(at..at, piece.repeat(1 + random.below(30)));
            }
            3 => stream.truncate(at),
            4 => drop(stream.splice(at..end, random.pick(&PIECES).iter().copied())),
            _ => drop(stream.splice(at..at, random.pick(&PIECES).iter().copied())),
        }
    }
    stream.truncate(BYTES_MAX);
}

/// Of the words that would end the server, or change it for others, so that a mutation does neither.
const NOT_SENT: [&[u8]; 6] = [b"shutdown", b"flush", b"cache_mem", b"verbosity", b"slabs", b"lru"];

/// Whether `stream` holds a word that is better not sent to a server that somebody else uses.
pub(crate) fn is_harmful(stream: &[u8]) -> bool {
    // A connection that begins so speaks the binary protocol, and may wait for gigabytes.
    stream.first() == Some(&0x80)
        || NOT_SENT
            .iter()
            .any(|word| stream.windows(word.len()).any(|window| window == *word))
}

/// The largest data block that a line of `stream` announces, in bytes.
pub(crate) fn largest_block(stream: &[u8]) -> u64 {
    let announced = stream.split(|&byte| byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
        let length = match words.next()? {
            b"set" | b"add" | b"replace" | b"append" | b"prepend" | b"cas" => words.nth(3)?,
            b"ms" => words.nth(1)?,
            _ => return None,
        };
        let digits = length.iter().filter(|byte| byte.is_ascii_digit());
        Some(digits.fold(0_u64, |sum, digit| {
            sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        }))
    });
    announced.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_block_is_where_the_command_has_it() {
        assert_eq!(largest_block(b"set a 0 9999 5\r\nabcde\r\nms k 7 T30\r\n"), 7);
        assert_eq!(largest_block(b"get 12345 3\nset a 0 0"), 0);
    }
}
