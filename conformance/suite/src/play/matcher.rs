//! Compares what came with what was expected.

/// What is expected, with keys and captured numbers filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A decimal number between the two, captured under a name if there is one.
    Number {
        low: i128,
        high: i128,
        capture: Option<String>,
    },
    /// One or more bytes other than CR and LF.
    Text,
    /// None or more whole lines.
    Lines,
    /// None or more lines that end in LF, with or without a CR.
    Log,
}

/// The answer to "do these bytes begin with what is expected?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Match {
    /// Yes: so many bytes, with these captured numbers.
    Complete {
        length: usize,
        captured: Vec<(String, u64)>,
    },
    /// Not yet: all that is there agrees.
    Partial,
    /// No: the bytes agree up to this offset.
    Mismatch { at: usize },
}

/// Compares the beginning of `bytes` with `tokens`.
pub(crate) fn compare(tokens: &[Token], bytes: &[u8]) -> Match {
    let mut walk = Walk {
        bytes,
        furthest: 0,
        captured: Vec::new(),
    };
    match walk.from(tokens, 0) {
        Outcome::Complete(length) => Match::Complete {
            length,
            captured: walk.captured,
        },
        Outcome::Partial => Match::Partial,
        Outcome::Mismatch => Match::Mismatch { at: walk.furthest },
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Complete(usize),
    Partial,
    Mismatch,
}

struct Walk<'b> {
    bytes: &'b [u8],
    /// The first offset at which no way of reading agreed.
    furthest: usize,
    captured: Vec<(String, u64)>,
}

impl Walk<'_> {
    fn from(&mut self, tokens: &[Token], at: usize) -> Outcome {
        let Some((token, rest)) = tokens.split_first() else {
            return Outcome::Complete(at);
        };
        match token {
            Token::Bytes(expected) => self.literal(expected, rest, at),
            Token::Number { low, high, capture } => self.number(*low, *high, capture.as_deref(), rest, at),
            Token::Text => self.text(rest, at),
            Token::Lines => self.lines(b"\r\n", rest, at),
            Token::Log => self.lines(b"\n", rest, at),
        }
    }

    fn mismatch(&mut self, at: usize) -> Outcome {
        self.furthest = self.furthest.max(at);
        Outcome::Mismatch
    }

    fn literal(&mut self, expected: &[u8], rest: &[Token], at: usize) -> Outcome {
        let there = &self.bytes[at..];
        // Large values are compared anew whenever more of them has come: whole slices, not byte by byte.
        if there.starts_with(expected) {
            self.from(rest, at + expected.len())
        } else if expected.starts_with(there) {
            Outcome::Partial
        } else {
            let same = expected.iter().zip(there).take_while(|(a, b)| a == b).count();
            self.mismatch(at + same)
        }
    }

    fn number(&mut self, low: i128, high: i128, capture: Option<&str>, rest: &[Token], at: usize) -> Outcome {
        let there = &self.bytes[at..];
        let sign = usize::from(low < 0 && there.first() == Some(&b'-'));
        let length = sign + there[sign..].iter().take_while(|b| b.is_ascii_digit()).count();
        if length == there.len() && length <= 40 {
            return Outcome::Partial;
        }
        let number = std::str::from_utf8(&there[..length])
            .ok()
            .and_then(|text| text.parse::<i128>().ok());
        match number.filter(|number| (low..=high).contains(number)) {
            None => self.mismatch(at),
            Some(number) => {
                let outcome = self.from(rest, at + length);
                if let (Outcome::Complete(_), Some(name)) = (outcome, capture) {
                    self.captured
                        .push((name.to_owned(), u64::try_from(number).unwrap_or_default()));
                }
                outcome
            }
        }
    }

    fn text(&mut self, rest: &[Token], at: usize) -> Outcome {
        let there = &self.bytes[at..];
        let length = there
            .iter()
            .position(|b| matches!(b, b'\r' | b'\n'))
            .unwrap_or(there.len());
        let mut result = if length == there.len() {
            Outcome::Partial
        } else {
            Outcome::Mismatch
        };
        if length == 0 && !there.is_empty() {
            return self.mismatch(at);
        }
        for taken in 1..=length {
            match self.from(rest, at + taken) {
                Outcome::Mismatch => {}
                Outcome::Partial => result = Outcome::Partial,
                complete @ Outcome::Complete(_) => return complete,
            }
        }
        result
    }

    fn lines(&mut self, end: &[u8], rest: &[Token], mut at: usize) -> Outcome {
        loop {
            if let complete @ Outcome::Complete(_) = self.from(rest, at) {
                return complete;
            }
            match self.bytes[at..].windows(end.len()).position(|bytes| bytes == end) {
                Some(length) => at += length + end.len(),
                None => return Outcome::Partial,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Token {
        Token::Bytes(text.as_bytes().to_vec())
    }

    fn number(low: i128, high: i128) -> Token {
        Token::Number {
            low,
            high,
            capture: Some("n".to_owned()),
        }
    }

    fn complete(length: usize, captured: &[u64]) -> Match {
        Match::Complete {
            length,
            captured: captured.iter().map(|n| ("n".to_owned(), *n)).collect(),
        }
    }

    #[test]
    fn literals_are_compared_byte_by_byte_and_surplus_is_left() {
        let tokens = [bytes("STORED\r\n")];
        assert_eq!(compare(&tokens, b"STOR"), Match::Partial);
        assert_eq!(compare(&tokens, b"STORED\r\nx"), complete(8, &[]));
        assert_eq!(compare(&tokens, b"STOLEN"), Match::Mismatch { at: 3 });
    }

    #[test]
    fn a_number_is_complete_only_when_something_follows_it() {
        let tokens = [bytes("c"), number(5, 99), bytes("\r\n")];
        assert_eq!(compare(&tokens, b"c12"), Match::Partial);
        assert_eq!(compare(&tokens, b"c12\r\n"), complete(5, &[12]));
        assert_eq!(compare(&tokens, b"c100\r\n"), Match::Mismatch { at: 1 });
        assert_eq!(compare(&tokens, b"cx"), Match::Mismatch { at: 1 });
        assert_eq!(compare(&tokens, b"c-1\r\n"), Match::Mismatch { at: 1 });
        assert_eq!(compare(&[number(-1, -1), bytes("\r\n")], b"-1\r\n"), complete(4, &[0]));
    }

    #[test]
    fn text_and_lines_take_as_little_as_will_do() {
        let tokens = [bytes("VERSION "), Token::Text, bytes("\r\n")];
        assert_eq!(compare(&tokens, b"VERSION 1.6"), Match::Partial);
        assert_eq!(compare(&tokens, b"VERSION 1.6\r\nMN\r\n"), complete(13, &[]));
        assert_eq!(compare(&tokens, b"VERSION \r\n"), Match::Mismatch { at: 8 });
        let tokens = [Token::Lines, bytes("END\r\n")];
        assert_eq!(compare(&tokens, b"STAT a 1\r\nEN"), Match::Partial);
        assert_eq!(compare(&tokens, b"STAT a 1\r\nEND\r\nEND\r\n"), complete(15, &[]));
        assert_eq!(compare(&tokens, b"END\r\n"), complete(5, &[]));
    }

    #[test]
    fn lines_of_a_log_may_end_in_lf_alone() {
        let log = [
            Token::Log,
            bytes("key=b "),
            Token::Text,
            bytes("\n"),
            Token::Log,
            bytes("END\r\n"),
        ];
        assert_eq!(
            compare(&log, b"key=a x\nkey=b y\nkey=c z\nEND\r\nMN\r\n"),
            complete(29, &[])
        );
        assert_eq!(compare(&log, b"OK\r\nkey=b y\nEND\r\n"), complete(17, &[]));
        assert_eq!(compare(&log, b"key=b y\nkey=b"), Match::Partial);
        // The end alone does not do: a line has to have come.
        assert_eq!(compare(&log, b"key=a x\nEND\r\n"), Match::Partial);
        let lines = [Token::Lines, bytes("END\r\n")];
        assert_eq!(compare(&lines, b"STAT a 1\nEND\r\n"), Match::Partial);
    }
}
