//! A second base64 decoder, as slow and plain as can be, for keys in base64.

/// Decodes `text` as memcached does: bytes outside the alphabet are skipped, a pad counts as a digit of value 0, decoding ends
/// with the first group of four that holds a pad. `None` if nothing is to be decoded, the digits are no whole groups, or
/// one has more than two pads.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.iter().copied().filter(|&byte| belongs(byte)).collect();
    if digits.is_empty() || !digits.len().is_multiple_of(4) {
        return None;
    }
    let mut out = Vec::new();
    for group in digits.chunks(4) {
        let pads = group.iter().filter(|&&byte| byte == b'=').count();
        let number = group.iter().fold(0, |sum: u32, &digit| sum * 64 + value(digit));
        let bytes = [(number >> 16) as u8, (number >> 8) as u8, number as u8];
        match pads {
            0 => out.extend(bytes),
            1 | 2 => {
                out.extend(&bytes[..3 - pads]);
                break;
            }
            _ => return None,
        }
    }
    Some(out)
}

/// Encodes `bytes`, with pads.
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    let alphabet: Vec<u8> = (b'A'..=b'Z')
        .chain(b'a'..=b'z')
        .chain(b'0'..=b'9')
        .chain(*b"+/")
        .collect();
    let mut out = Vec::new();
    for group in bytes.chunks(3) {
        let number = (0..3).fold(0, |sum, at| {
            sum * 256 + group.get(at).map_or(0, |&byte| u32::from(byte))
        });
        for digit in 0..4 {
            if digit <= group.len() {
                out.push(alphabet[(number >> (18 - 6 * digit)) as usize % 64]);
            } else {
                out.push(b'=');
            }
        }
    }
    out
}

fn belongs(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

fn value(digit: u8) -> u32 {
    u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_is_decoded() {
        for length in 1..40_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(77)).collect();
            assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }

    #[test]
    fn memcached_s_oddities_are_there() {
        assert_eq!(decode(b"aw==aw=="), Some(b"k".to_vec()));
        assert_eq!(decode(b"a!w=="), Some(b"k".to_vec()));
        assert_eq!(decode(b"aw"), None);
        assert_eq!(decode(b"a==="), None);
    }
}
