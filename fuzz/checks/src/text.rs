//! Inputs as lines of text, so that seeds can be read, compared and reviewed: printable ASCII stands for itself, everything
//! else and the backslash is escaped as in Rust.

/// An input as one line, without its end.
pub fn write(input: &[u8]) -> String {
    input.escape_ascii().to_string()
}

/// The input that a line stands for; `None` if it is not one that [`write()`] writes.
pub fn read(line: &str) -> Option<Vec<u8>> {
    let mut bytes = line.bytes();
    let mut input = Vec::new();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'\\' => match bytes.next()? {
                b'r' => b'\r',
                b'n' => b'\n',
                b't' => b'\t',
                b'x' => {
                    let digits = [bytes.next()?, bytes.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                quoted => quoted,
            },
            plain => plain,
        };
        input.push(byte);
    }
    Some(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives() {
        let all: Vec<u8> = (0..=255).collect();
        let line = write(&all);
        assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        assert_eq!(read(&line), Some(all));
        assert_eq!(read("\\x4"), None);
    }
}
