//! The bytes of a step as they are written: literals and what is filled in when a case runs.

use super::line::{Cursor, ParseError};

/// What a step sends or expects, before keys, times and captured numbers are filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pattern {
    /// The pieces in order; no two literals are neighbours.
    pub pieces: Vec<Piece>,
    /// Whether names that are not bound yet capture a number (`<?`).
    pub captures: bool,
}

/// One piece of a [`Pattern`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// These bytes.
    Literal(Vec<u8>),
    /// The key of this number; 0 is `{k}`.
    Key(u8),
    /// A key of exactly so many bytes.
    SizedKey(usize),
    /// A key in base64.
    Base64Key(u8),
    /// So many bytes of filler.
    Filler(usize),
    /// Seconds since 1970, this much from now.
    Unix(i64),
    /// A captured number, or the place where it is captured.
    Capture(CaptureRef),
    /// Any unsigned number.
    Number,
    /// A number from one to another.
    NumberIn(i64, i64),
    /// One or more bytes other than CR and LF.
    Text,
    /// None or more whole lines.
    Lines,
    /// None or more lines of a log, which end in LF with or without a CR.
    Log,
    /// A write boundary.
    Boundary,
}

/// A captured number and what is added to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureRef {
    /// The name it was captured under.
    pub name: String,
    /// Added, wrapping at 2^64.
    pub offset: i64,
}

/// The shortest key that `{key N}` can make: the part that keeps it unique has to fit.
pub(crate) const SIZED_KEY_BYTES_MIN: usize = 24;

impl Pattern {
    /// Reads the rest of a step's line.
    pub(super) fn parse(cursor: &mut Cursor<'_>, sending: bool) -> Result<Self, ParseError> {
        let mut reader = Reader {
            cursor,
            pattern: Self::default(),
            sending,
        };
        reader.read()?;
        Ok(reader.pattern)
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        if let Some(Piece::Literal(literal)) = self.pieces.last_mut() {
            literal.extend_from_slice(bytes);
        } else if !bytes.is_empty() {
            self.pieces.push(Piece::Literal(bytes.to_vec()));
        }
    }

    /// The captured numbers that the pattern names.
    pub fn names(&self) -> impl Iterator<Item = &CaptureRef> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Capture(capture) => Some(capture),
            _ => None,
        })
    }
}

struct Reader<'c, 'l> {
    cursor: &'c mut Cursor<'l>,
    pattern: Pattern,
    sending: bool,
}

impl Reader<'_, '_> {
    fn read(&mut self) -> Result<(), ParseError> {
        self.cursor.skip_blanks();
        loop {
            let blanks = self.cursor.blanks();
            let at_separator = self.pattern.pieces.is_empty() || !blanks.is_empty();
            match self.cursor.rest() {
                "" => return self.end(),
                "\\c" => {
                    self.cursor.take(2);
                    return Ok(());
                }
                rest if at_separator && is_separator(rest, '|') => {
                    self.cursor.take(1);
                    self.pattern.push_bytes(b"\r\n");
                    self.separators()?;
                }
                rest if at_separator && is_separator(rest, '~') => self.boundary()?,
                _ => {
                    self.pattern.push_bytes(blanks.as_bytes());
                    self.piece()?;
                }
            }
        }
    }

    /// After a separator: its blanks, and any separators that follow it at once.
    fn separators(&mut self) -> Result<(), ParseError> {
        loop {
            self.cursor.skip_blanks();
            let rest = self.cursor.rest();
            if is_separator(rest, '|') {
                self.cursor.take(1);
                self.pattern.push_bytes(b"\r\n");
            } else if is_separator(rest, '~') {
                return self.boundary();
            } else {
                return Ok(());
            }
        }
    }

    fn boundary(&mut self) -> Result<(), ParseError> {
        if !self.sending {
            return Err(self
                .cursor
                .error("bytes to expect; a write boundary `~` stands only in what is sent"));
        }
        self.cursor.take(1);
        self.pattern.pieces.push(Piece::Boundary);
        self.separators()
    }

    fn end(&mut self) -> Result<(), ParseError> {
        self.pattern.push_bytes(b"\r\n");
        Ok(())
    }

    fn piece(&mut self) -> Result<(), ParseError> {
        match self.cursor.peek() {
            Some('{') => self.braces(),
            Some('\\') => self.escape(),
            Some('}') => Err(self.cursor.error("a byte; `}` is written \\x7d")),
            Some('|') => Err(self
                .cursor
                .error("blanks on both sides of `|`; the byte itself is written \\x7c")),
            Some('~') => Err(self
                .cursor
                .error("blanks on both sides of `~`; the byte itself is written \\x7e")),
            Some(c) => {
                self.cursor.take(c.len_utf8());
                let mut buffer = [0; 4];
                self.pattern.push_bytes(c.encode_utf8(&mut buffer).as_bytes());
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn escape(&mut self) -> Result<(), ParseError> {
        let rest = self.cursor.rest().as_bytes();
        let byte = match rest.get(1) {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'0') => 0,
            Some(b's') => b' ',
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let digits = self
                    .cursor
                    .rest()
                    .get(2..4)
                    .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                let Some(byte) = digits.and_then(|d| u8::from_str_radix(d, 16).ok()) else {
                    return Err(self.cursor.error("two hexadecimal digits after `\\x`"));
                };
                self.cursor.take(2);
                byte
            }
            _ => {
                return Err(self
                    .cursor
                    .error("one of \\r \\n \\t \\0 \\s \\\\ \\xHH, or \\c at the end of the line"));
            }
        };
        self.cursor.take(2);
        self.pattern.push_bytes(&[byte]);
        Ok(())
    }

    fn braces(&mut self) -> Result<(), ParseError> {
        let Some(end) = self.cursor.rest().find('}') else {
            return Err(self.cursor.error("`}` before the end of the line"));
        };
        let inner = self.cursor.rest()[1..end].to_owned();
        let piece = placeholder(&inner, self.sending).map_err(|expected| self.cursor.error(expected))?;
        self.cursor.take(end + 1);
        self.pattern.pieces.push(piece);
        Ok(())
    }
}

/// Whether the text begins with this sign standing alone.
fn is_separator(rest: &str, sign: char) -> bool {
    rest.strip_prefix(sign)
        .is_some_and(|after| after.is_empty() || after.starts_with([' ', '\t']))
}

/// Reads what stands between braces; the error says what was expected.
fn placeholder(inner: &str, sending: bool) -> Result<Piece, String> {
    let piece = match inner.split_once(' ') {
        Some(("key", bytes)) => match bytes.parse() {
            Ok(bytes) if bytes >= SIZED_KEY_BYTES_MIN => Piece::SizedKey(bytes),
            _ => return Err(format!("`{{key N}}` with N of {SIZED_KEY_BYTES_MIN} or more")),
        },
        Some(("bytes", bytes)) => Piece::Filler(bytes.parse().map_err(|_| "`{bytes N}` with a number N")?),
        Some(("b64", key)) => Piece::Base64Key(key_number(key).ok_or("a key's name, `k` or `k1` to `k9`")?),
        Some(_) => return Err("`{key N}`, `{bytes N}` or `{b64 k}`".to_owned()),
        None => single_word(inner)?,
    };
    let only_received = matches!(
        piece,
        Piece::Number | Piece::NumberIn(..) | Piece::Text | Piece::Lines | Piece::Log
    );
    match (&piece, sending) {
        (Piece::Unix(_), false) => Err("a placeholder to expect; `{unix}` is only sent".to_owned()),
        (_, true) if only_received => Err(format!("a placeholder to send; `{{{inner}}}` is only expected")),
        _ => Ok(piece),
    }
}

fn single_word(word: &str) -> Result<Piece, String> {
    if let Some(piece) = of_no_offset(word) {
        return Ok(piece);
    }
    if let Some(range) = word.strip_prefix('#') {
        let ends = range
            .split_once("..")
            .and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        let ends = ends.filter(|(low, high)| low <= high);
        return ends
            .map(|(low, high)| Piece::NumberIn(low, high))
            .ok_or("`{#N..M}` with N up to M".into());
    }
    let (name, offset) = match word.find(['+', '-']) {
        Some(sign) => {
            let digits = word[sign..].strip_prefix('+').unwrap_or(&word[sign..]);
            (&word[..sign], digits.parse().map_err(|_| "a number after the sign")?)
        }
        None => (word, 0),
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    match name {
        "unix" => Ok(Piece::Unix(offset)),
        // Such a name without its offset is something else, and an offset of 0 is not printed.
        _ if is_name && of_no_offset(name).is_none() => Ok(Piece::Capture(CaptureRef {
            name: name.to_owned(),
            offset,
        })),
        _ => Err("a placeholder such as {k}, {key 250}, {bytes 10}, {unix+5}, {name}, {#} or {*}".to_owned()),
    }
}

/// What a word stands for that takes no offset and has no bounds.
fn of_no_offset(word: &str) -> Option<Piece> {
    match word {
        "#" => Some(Piece::Number),
        "*" => Some(Piece::Text),
        "lines" => Some(Piece::Lines),
        "log" => Some(Piece::Log),
        _ => key_number(word).map(Piece::Key),
    }
}

/// `k` is 0, `k1` to `k9` are 1 to 9.
fn key_number(word: &str) -> Option<u8> {
    match word.as_bytes() {
        b"k" => Some(0),
        [b'k', digit @ b'1'..=b'9'] => Some(digit - b'0'),
        _ => None,
    }
}
