//! Literals and what is filled in when a case runs, and parts of them.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::case::{Pattern, Piece};

/// A piece of what is sent or expected, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Part {
    /// Each character is the byte of its number.
    Literal(String),
    /// Filled in when the case runs.
    Filled {
        #[serde(flatten)]
        kind: Kind,
        /// The first byte that is meant, from 0; absent is 0.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<usize>,
        /// The byte before which it ends; absent is its end.
        #[serde(skip_serializing_if = "Option::is_none")]
        to: Option<usize>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Kind {
    /// The 16 letters and digits that no other run of any case has, `k`, and the number.
    Key { n: u8 },
    /// The same 16, `n`, the number of bytes, `z`, and filler up to that number of bytes.
    SizedKey { bytes: usize },
    /// The key of that number in base64.
    Base64Key { n: u8 },
    /// `abcdefghijklmnopqrstuvwxyz` over and over.
    Filler { bytes: usize },
    /// Seconds since 1970 when it is sent, and this much more.
    Unix { plus: i64 },
    /// The number that was captured under this name, and this much more, modulo 2^64.
    Captured { name: String, plus: i64 },
    /// What the fence of the run sends.
    Fence,
    /// A decimal number: from `min` to `max`, or without them any unsigned one of 64 bits.
    Number {
        #[serde(skip_serializing_if = "Option::is_none")]
        min: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        max: Option<i64>,
    },
    /// Any unsigned decimal number of 64 bits, kept under this name.
    Capture { name: String },
    /// One or more bytes other than CR and LF.
    Text,
    /// None or more lines that end so, as few as will do.
    Lines { end: &'static str },
}

impl Part {
    /// All of what is filled in.
    pub(super) fn whole(kind: Kind) -> Self {
        Self::Filled {
            kind,
            from: None,
            to: None,
        }
    }
}

/// Bytes as a string of characters of the same numbers.
pub(super) fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

pub(super) fn literal(bytes: &[u8]) -> Part {
    Part::Literal(text(bytes))
}

/// A piece that is sent; a write boundary is none.
pub(super) fn sent(piece: &Piece) -> Option<Part> {
    let kind = match piece {
        Piece::Literal(bytes) => return Some(literal(bytes)),
        Piece::Key(n) => Kind::Key { n: *n },
        Piece::SizedKey(bytes) => Kind::SizedKey { bytes: *bytes },
        Piece::Base64Key(n) => Kind::Base64Key { n: *n },
        Piece::Filler(bytes) => Kind::Filler { bytes: *bytes },
        Piece::Unix(plus) => Kind::Unix { plus: *plus },
        Piece::Capture(capture) => Kind::Captured {
            name: capture.name.clone(),
            plus: capture.offset,
        },
        Piece::Number | Piece::NumberIn(..) | Piece::Text | Piece::Lines | Piece::Log | Piece::Boundary => {
            return None;
        }
    };
    Some(Part::whole(kind))
}

/// What is expected. Names that are not `bound` yet are captured; whole lines bring their own line end, so that of the pattern
/// behind them goes.
pub(super) fn expected(pattern: &Pattern, bound: &BTreeSet<String>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut after_lines = false;
    for piece in &pattern.pieces {
        let kind = match piece {
            Piece::Number => Kind::Number { min: None, max: None },
            Piece::NumberIn(min, max) => Kind::Number {
                min: Some(*min),
                max: Some(*max),
            },
            Piece::Text => Kind::Text,
            Piece::Lines => Kind::Lines { end: "\r\n" },
            Piece::Log => Kind::Lines { end: "\n" },
            Piece::Capture(capture) if !bound.contains(&capture.name) => Kind::Capture {
                name: capture.name.clone(),
            },
            Piece::Literal(bytes) if after_lines => {
                parts.push(literal(bytes.strip_prefix(b"\r\n").unwrap_or(bytes)));
                after_lines = false;
                continue;
            }
            piece => {
                parts.extend(sent(piece));
                after_lines = false;
                continue;
            }
        };
        after_lines = matches!(piece, Piece::Lines);
        parts.push(Part::whole(kind));
    }
    parts.retain(|part| *part != Part::Literal(String::new()));
    parts
}
