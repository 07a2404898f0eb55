//! Bytes as text that shows every one of them.

/// Writes bytes with `\r \n \t \0 \\ \xHH` for what cannot be seen.
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\r' => out.push_str("\\r"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            0 => out.push_str("\\0"),
            b'\\' => out.push_str("\\\\"),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                out.push_str("\\x");
                out.push(char::from(DIGITS[usize::from(byte >> 4)]));
                out.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_byte_can_be_seen() {
        assert_eq!(super::escape(b"a b\r\n\t\0\\\x7f\xff"), "a b\\r\\n\\t\\0\\\\\\x7f\\xff");
    }
}
