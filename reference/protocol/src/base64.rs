//! Base64 as memcached reads and writes it: the standard alphabet, padded. Bytes outside the alphabet are skipped, and what
//! follows the first padded group is not looked at; no crate reads it so, hence this module.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The six bits of each byte; 64 for a byte outside the alphabet.
const BITS: [u8; 256] = {
    let mut bits = [64; 256];
    let mut digit = 0;
    while digit < 64 {
        bits[ALPHABET[digit] as usize] = digit as u8;
        digit += 1;
    }
    bits
};

/// Appends `bytes` in base64 to `out`.
pub fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    for group in bytes.chunks(3) {
        let mut padded = [0u8; 4];
        padded[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(padded);
        for digit in 0..4 {
            if digit <= group.len() {
                // Six bits, so always within the alphabet.
                out.push(ALPHABET[((bits >> (18 - 6 * digit)) & 63) as usize]);
            } else {
                out.push(b'=');
            }
        }
    }
}

/// Decodes `text` to the beginning of `out` and returns the number of bytes, at least one. `None` if `text` is not base64, or
/// decodes to more than `out` holds.
pub fn decode(text: &[u8], out: &mut [u8]) -> Option<usize> {
    let belongs = |byte: u8| byte == b'=' || BITS[usize::from(byte)] < 64;
    let digits = text.iter().filter(|&&byte| belongs(byte)).count();
    if digits == 0 || !digits.is_multiple_of(4) {
        return None;
    }
    let mut written = 0;
    let (mut bits, mut gathered, mut pads) = (0u32, 0, 0);
    for &byte in text.iter().filter(|&&byte| belongs(byte)) {
        pads += usize::from(byte == b'=');
        // A pad counts as a digit of value 0, wherever in its group it stands.
        bits = bits << 6 | u32::from(BITS[usize::from(byte)] & 63);
        gathered += 1;
        if gathered < 4 {
            continue;
        }
        if pads > 2 {
            return None;
        }
        let group = &bits.to_be_bytes()[1..4 - pads];
        out.get_mut(written..written + group.len())?.copy_from_slice(group);
        written += group.len();
        if pads > 0 {
            break;
        }
        (bits, gathered) = (0, 0);
    }
    Some(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(text: &str) -> Option<Vec<u8>> {
        let mut out = [0; 64];
        decode(text.as_bytes(), &mut out).map(|length| out[..length].to_vec())
    }

    #[test]
    fn what_memcached_decodes_is_decoded_to_the_same_bytes() {
        for (text, again) in [
            ("aw==", "aw=="),
            ("a!w==", "aw=="),
            ("a\tw==", "aw=="),
            ("aw==aw==", "aw=="),
            ("=aw=", "AQ=="),
            ("aw=a", "awA="),
            ("a=w=", "aA=="),
            ("ab=c=d==", "abA="),
            ("YWJ=", "YWI="),
            ("IAo=", "IAo="),
            ("YWJj", "YWJj"),
        ] {
            let bytes = decoded(text).expect(text);
            let mut encoded = Vec::new();
            encode(&bytes, &mut encoded);
            assert_eq!(String::from_utf8(encoded).expect("ASCII"), again, "{text}");
        }
    }

    #[test]
    fn what_memcached_cannot_decode_is_refused() {
        for text in ["", "!!!", "aw", "aw=", "aw==x", "====", "a==="] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }

    #[test]
    fn more_than_the_space_is_refused_without_a_panic() {
        assert_eq!(decode(b"YWJjZGVm", &mut [0; 5]), None);
    }

    proptest! {
        #[test]
        fn bytes_survive_a_round_trip(bytes in prop::collection::vec(any::<u8>(), 1..250)) {
            let mut text = Vec::new();
            encode(&bytes, &mut text);
            let mut out = [0; 250];
            let length = decode(&text, &mut out);
            prop_assert_eq!(length.map(|length| &out[..length]), Some(&bytes[..]));
        }

        #[test]
        fn any_text_is_decoded_without_a_panic(text in prop::collection::vec(any::<u8>(), 0..80), space in 0usize..70) {
            let mut out = vec![0; space];
            let length = decode(&text, &mut out);
            prop_assert!(length.is_none_or(|length| 0 < length && length <= space));
        }
    }
}
