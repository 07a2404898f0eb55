//! Decimal numbers, in the two ways memcached 1.6.45 reads them.
//!
//! Most numbers are read strictly: digits and nothing else, `-` before them where the number is signed, and no more than 11
//! bytes for 32 bits, 22 for 64. The flags and the exptime of the classic storage commands still go through C's `strtol` family:
//! blanks and a sign before, anything after a blank or a NUL, and 64 bits cut down to 32.

/// The most bytes of a strict 32-bit number, sign included.
const STRICT_32_BYTES_MAX: usize = 11;

/// The most bytes of a strict 64-bit number.
const STRICT_64_BYTES_MAX: usize = 22;

/// A strict unsigned number of 32 bits.
#[inline]
pub(crate) fn strict_u32(word: &[u8]) -> Option<u32> {
    if word.len() > STRICT_32_BYTES_MAX {
        return None;
    }
    u32::try_from(digits(word)?).ok()
}

/// A strict unsigned number of 64 bits.
#[inline]
pub(crate) fn strict_u64(word: &[u8]) -> Option<u64> {
    if word.len() > STRICT_64_BYTES_MAX {
        return None;
    }
    digits(word)
}

/// A strict signed number of 32 bits. A lone `-` is 0, as in memcached.
#[inline]
pub(crate) fn strict_i32(word: &[u8]) -> Option<i32> {
    if word.len() > STRICT_32_BYTES_MAX {
        return None;
    }
    match word.split_first() {
        Some((b'-', [])) => Some(0),
        // At most ten digits, so far from the bounds of i64.
        Some((b'-', rest)) => i32::try_from(-(digits(rest)? as i64)).ok(),
        _ => i32::try_from(digits(word)?).ok(),
    }
}

/// Client flags of a classic storage command: `strtoul`, of which the lower 32 bits count, so that 2^32 is 0.
#[inline]
pub(crate) fn lenient_flags(word: &[u8]) -> Option<u32> {
    if let [byte] = word {
        return digit(*byte).map(|number| number as u32);
    }
    let (negative, magnitude) = lenient_parts(word)?;
    let number = if negative { magnitude.wrapping_neg() } else { magnitude };
    // Memcached takes a negative number for one that wrapped when bit 63 is set, and refuses it then only.
    if negative && number > i64::MAX as u64 {
        return None;
    }
    // Cutting down is what memcached does.
    Some(number as u32)
}

/// An exptime of a classic storage command: `strtol`, of which the lower 32 bits count.
#[inline]
pub(crate) fn lenient_i32(word: &[u8]) -> Option<i32> {
    if let [byte] = word {
        return digit(*byte).map(|number| number as i32);
    }
    let (negative, magnitude) = lenient_parts(word)?;
    let number = if negative {
        -i128::from(magnitude)
    } else {
        i128::from(magnitude)
    };
    // Cutting down is what memcached does.
    i64::try_from(number).ok().map(|number| number as i32)
}

/// The sign and the digits of a number in the manner of `strtol`.
#[inline]
fn lenient_parts(word: &[u8]) -> Option<(bool, u64)> {
    if let Some(number) = digits(word) {
        return Some((false, number));
    }
    let blanks = word.iter().take_while(|&&byte| is_c_space(byte)).count();
    let signed = &word[blanks..];
    let (negative, unsigned) = match signed.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, signed),
    };
    let length = unsigned.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = unsigned.split_at(length);
    if rest.first().is_some_and(|&byte| byte != 0 && !is_c_space(byte)) {
        return None;
    }
    Some((negative, digits(number)?))
}

/// What C calls a space in its default locale.
fn is_c_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// One digit or more, and nothing else.
#[inline]
fn digits(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    // Numbers of up to 19 digits fit, whatever they are.
    let (safe, rest) = word.split_at(word.len().min(19));
    let mut number: u64 = 0;
    for &byte in safe {
        number = number * 10 + digit(byte)?;
    }
    for &byte in rest {
        number = number.checked_mul(10)?.checked_add(digit(byte)?)?;
    }
    Some(number)
}

#[inline]
fn digit(byte: u8) -> Option<u64> {
    let digit = byte.wrapping_sub(b'0');
    (digit <= 9).then_some(u64::from(digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strict_number_is_digits_and_nothing_else() {
        for word in ["", "+1", "1x", "1\t", "\t1", "1\0", "-1", "4294967296", "000000000001"] {
            assert_eq!(strict_u32(word.as_bytes()), None, "{word:?}");
        }
        assert_eq!(strict_u32(b"4294967295"), Some(u32::MAX));
        assert_eq!(strict_u32(b"00000000001"), Some(1));
        assert_eq!(strict_u64(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(strict_u64(b"18446744073709551616"), None);
        assert_eq!(strict_u64(b"0000000000000000000005"), Some(5));
        assert_eq!(strict_u64(b"00000000000000000000005"), None);
    }

    #[test]
    fn a_strict_signed_number_may_be_a_lone_minus() {
        assert_eq!(strict_i32(b"-"), Some(0));
        assert_eq!(strict_i32(b"-0"), Some(0));
        assert_eq!(strict_i32(b"-2147483648"), Some(i32::MIN));
        assert_eq!(strict_i32(b"-2147483649"), None);
        assert_eq!(strict_i32(b"2147483648"), None);
        assert_eq!(strict_i32(b"+5"), None);
        assert_eq!(strict_i32(b"--5"), None);
        assert_eq!(strict_i32(b""), None);
    }

    #[test]
    fn client_flags_are_cut_down_to_32_bits() {
        let cases: [(&str, Option<u32>); 17] = [
            ("4294967295", Some(4_294_967_295)),
            ("4294967296", Some(0)),
            ("4294967301", Some(5)),
            ("18446744073709551615", Some(4_294_967_295)),
            ("18446744073709551616", None),
            ("-1", None),
            ("-4294967296", None),
            ("-9223372036854775809", Some(4_294_967_295)),
            ("-18446744073709551615", Some(1)),
            ("+5", Some(5)),
            ("\t5", Some(5)),
            ("5\t", Some(5)),
            ("5\tx", Some(5)),
            ("5\0", Some(5)),
            ("5x", None),
            ("-0", Some(0)),
            ("-", None),
        ];
        for (word, flags) in cases {
            assert_eq!(lenient_flags(word.as_bytes()), flags, "{word:?}");
        }
    }

    #[test]
    fn an_exptime_of_a_storage_command_is_cut_down_to_32_bits() {
        let cases: [(&str, Option<i32>); 9] = [
            ("2147483647", Some(i32::MAX)),
            ("2147483648", Some(i32::MIN)),
            ("-2147483649", Some(i32::MAX)),
            ("+5", Some(5)),
            ("5\tx", Some(5)),
            ("5.5", None),
            ("0x5", None),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(0)),
        ];
        for (word, exptime) in cases {
            assert_eq!(lenient_i32(word.as_bytes()), exptime, "{word:?}");
        }
    }
}
