//! Numbers in the data of items.

/// The number that `data` holds, read as memcached reads it (with C's `strtoull`): white space, at most one `+`, digits, and
/// then the end, white space or a NUL, after which anything may follow. `None` if it is no number or one of more than 64 bits.
pub(super) fn parse(data: &[u8]) -> Option<u64> {
    let blanks = data.iter().take_while(|&&byte| is_space(byte)).count();
    let signed = &data[blanks..];
    let unsigned = signed.strip_prefix(b"+").unwrap_or(signed);
    let digits = unsigned.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = unsigned.split_at(digits);
    let ended = rest.first().is_none_or(|&byte| byte == 0 || is_space(byte));
    if digits.is_empty() || !ended {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, &digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

/// How many digits `number` has.
pub(super) fn length(number: u64) -> usize {
    number.checked_ilog10().map_or(1, |exponent| exponent as usize + 1)
}

/// C's `isspace`.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// A number written out, with blanks after it where it replaces a longer one: memcached changes a number in place and does
/// not shorten the item.
#[derive(Default)]
pub(super) struct Digits {
    /// Enough for every number of 64 bits; longer values are padded in `long`.
    short: [u8; 32],
    long: Vec<u8>,
}

impl Digits {
    /// `number`, padded with blanks to `width` bytes. Answers the bytes, and whether the number was not longer than `width`.
    pub(super) fn write(&mut self, number: u64, width: usize) -> (&[u8], bool) {
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(number).as_bytes();
        let fits = digits.len() <= width;
        let bytes = width.max(digits.len());
        let target = if bytes <= self.short.len() {
            &mut self.short[..bytes]
        } else {
            self.long.resize(bytes, b' ');
            &mut self.long[..]
        };
        target[..digits.len()].copy_from_slice(digits);
        target[digits.len()..].fill(b' ');
        (target, fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_memcached_reads_it() {
        let cases: [(&[u8], Option<u64>); 18] = [
            (b"10", Some(10)),
            (b"007", Some(7)),
            (b" 10", Some(10)),
            (b"\t10", Some(10)),
            (b"10 ", Some(10)),
            (b"1 2", Some(1)),
            (b"+10", Some(10)),
            (b"10\0a", Some(10)),
            (b"18446744073709551615", Some(u64::MAX)),
            (b"000000000000000000000000000001", Some(1)),
            (b"18446744073709551616", None),
            (b"-10", None),
            (b"10a", None),
            (b"", None),
            (b" ", None),
            (b"+", None),
            (b"0x10", None),
            (b"abc", None),
        ];
        for (data, number) in cases {
            assert_eq!(parse(data), number, "{:?}", data.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_number_is_padded_to_the_width_it_replaces() {
        let mut digits = Digits::default();
        assert_eq!(digits.write(9, 2), (&b"9 "[..], true));
        assert_eq!(digits.write(100, 2), (&b"100"[..], false));
        assert_eq!(digits.write(7, 0), (&b"7"[..], false));
        let (padded, fits) = digits.write(u64::MAX, 40);
        assert_eq!(padded, format!("{:<40}", u64::MAX).as_bytes());
        assert!(fits);
    }
}
