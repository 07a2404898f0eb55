//! Fills keys, times and captured numbers into the patterns of a case.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::matcher::Token;
use crate::case::{Pattern, Piece};

const FILLER: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";

/// What one run of one case has bound: its keys and the numbers it captured.
#[derive(Debug, Clone)]
pub(crate) struct Bindings {
    /// The part of every key that no other run of any case has: 16 letters and digits.
    unique: String,
    captured: BTreeMap<String, u64>,
}

/// A part of what is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Bytes(Vec<u8>),
    /// A long run of no meaning, told apart because a delivery need not cut all of it.
    Filler(Vec<u8>),
    /// A write boundary that the case itself asks for.
    Boundary,
}

impl Bindings {
    pub(crate) fn new(unique: String) -> Self {
        Self {
            unique,
            captured: BTreeMap::new(),
        }
    }

    pub(crate) fn capture(&mut self, captured: Vec<(String, u64)>) {
        self.captured.extend(captured);
    }

    /// What to send for a pattern.
    pub(crate) fn segments(&self, pattern: &Pattern) -> Vec<Segment> {
        pattern
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Boundary => Segment::Boundary,
                piece @ (Piece::Filler(_) | Piece::SizedKey(_)) => {
                    Segment::Filler(self.fixed(piece).unwrap_or_default())
                }
                piece => Segment::Bytes(self.fixed(piece).unwrap_or_default()),
            })
            .collect()
    }

    /// What to expect for a pattern.
    pub(crate) fn tokens(&self, pattern: &Pattern) -> Vec<Token> {
        let mut tokens: Vec<Token> = Vec::new();
        for piece in &pattern.pieces {
            let token = match piece {
                Piece::Number => Token::Number {
                    low: 0,
                    high: i128::from(u64::MAX),
                    capture: None,
                },
                Piece::NumberIn(low, high) => Token::Number {
                    low: (*low).into(),
                    high: (*high).into(),
                    capture: None,
                },
                Piece::Text => Token::Text,
                Piece::Lines => Token::Lines,
                Piece::Log => Token::Log,
                piece => match (self.fixed(piece), piece) {
                    (Some(bytes), _) => Token::Bytes(bytes),
                    (None, Piece::Capture(capture)) => {
                        let capture = Some(capture.name.clone());
                        Token::Number {
                            low: 0,
                            high: i128::from(u64::MAX),
                            capture,
                        }
                    }
                    (None, _) => continue,
                },
            };
            push(&mut tokens, token);
        }
        tokens
    }

    /// The bytes of a piece that stands for fixed ones.
    fn fixed(&self, piece: &Piece) -> Option<Vec<u8>> {
        Some(match piece {
            Piece::Literal(bytes) => bytes.clone(),
            Piece::Key(number) => self.key(*number).into_bytes(),
            Piece::Base64Key(number) => base64(self.key(*number).as_bytes()).into_bytes(),
            Piece::SizedKey(bytes) => {
                let mut key = format!("{}n{bytes}z", self.unique).into_bytes();
                let more = bytes.saturating_sub(key.len());
                key.extend(filler(more));
                key
            }
            Piece::Filler(bytes) => filler(*bytes),
            Piece::Unix(offset) => {
                let now = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |age| age.as_secs());
                (i128::from(now) + i128::from(*offset)).to_string().into_bytes()
            }
            Piece::Capture(capture) => {
                let number = *self.captured.get(&capture.name)?;
                number.wrapping_add_signed(capture.offset).to_string().into_bytes()
            }
            Piece::Number | Piece::NumberIn(..) | Piece::Text | Piece::Lines | Piece::Log | Piece::Boundary => {
                return None;
            }
        })
    }

    fn key(&self, number: u8) -> String {
        format!("{}k{number}", self.unique)
    }
}

/// Adds a token; a literal after a literal joins it, and whole lines have brought their own line end.
fn push(tokens: &mut Vec<Token>, token: Token) {
    match (tokens.last_mut(), token) {
        (Some(Token::Bytes(before)), Token::Bytes(bytes)) => before.extend(bytes),
        (Some(Token::Lines), Token::Bytes(bytes)) => {
            let bytes = bytes.strip_prefix(b"\r\n").map(<[u8]>::to_vec).unwrap_or(bytes);
            tokens.push(Token::Bytes(bytes));
        }
        (_, token) => tokens.push(token),
    }
}

fn filler(bytes: usize) -> Vec<u8> {
    FILLER.iter().copied().cycle().take(bytes).collect()
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit) & 63) as usize;
            out.push(if digit <= group.len() {
                char::from(DIGITS[index])
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Action, parse};

    fn pattern(line: &str) -> Pattern {
        let text = format!("section a/b\ncase c DEFACTO\n  observed 1.6.9\n  {line}\n");
        match parse("f", &text).unwrap().cases.remove(0).steps.remove(0).action {
            Action::Send(pattern) | Action::Receive(pattern) => pattern,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn keys_have_the_size_that_was_asked_for_and_differ_by_name() {
        let bindings = Bindings::new("abcdefgh12345678".to_owned());
        for bytes in [24, 30, 250, 251, 1000] {
            let segments = bindings.segments(&pattern(&format!("> {{key {bytes}}}\\c")));
            assert!(matches!(&segments[..], [Segment::Filler(key)] if key.len() == bytes));
        }
        assert_ne!(bindings.fixed(&Piece::Key(0)), bindings.fixed(&Piece::Key(1)));
        assert_ne!(
            bindings.fixed(&Piece::SizedKey(250)),
            bindings.fixed(&Piece::SizedKey(249))
        );
    }

    #[test]
    fn a_captured_number_is_used_with_its_offset_and_wraps() {
        let mut bindings = Bindings::new(String::new());
        let unbound = bindings.tokens(&pattern("<? c{id}\\c"));
        assert!(matches!(&unbound[1], Token::Number { capture: Some(name), .. } if name == "id"));
        bindings.capture(vec![("id".to_owned(), u64::MAX)]);
        let capture = |offset| {
            Piece::Capture(crate::case::CaptureRef {
                name: "id".to_owned(),
                offset,
            })
        };
        assert_eq!(bindings.fixed(&capture(1)), Some(b"0".to_vec()));
        assert_eq!(bindings.fixed(&capture(0)), Some(u64::MAX.to_string().into_bytes()));
    }

    #[test]
    fn whole_lines_bring_their_own_line_end() {
        let tokens = Bindings::new(String::new()).tokens(&pattern("< {lines} | END"));
        assert_eq!(tokens, [Token::Lines, Token::Bytes(b"END\r\n".to_vec())]);
    }

    #[test]
    fn base64_pads() {
        let all: Vec<String> = ["", "f", "fo", "foo", "foob"]
            .iter()
            .map(|text| base64(text.as_bytes()))
            .collect();
        assert_eq!(all, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }
}
