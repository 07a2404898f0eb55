//! What clients ask, and what they are told: encoded and parsed without the server's own protocol crate, so that a fault
//! in that one cannot hide itself.

use std::fmt;

/// The key that every dataset has under the same name, with a value that no other dataset has.
pub const MARKER: &str = "marker";

/// A value that is longer is told of by its pattern alone.
const TOLD_WHOLE_BYTES_MAX: usize = 400;

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// `get` or, with CAS uniques, `gets`; of several keys.
    Get {
        /// In the order in which they are asked for; a key may stand twice.
        keys: Vec<String>,
        /// Whether CAS uniques are asked for.
        uniques: bool,
    },
    /// `mg KEY v c`.
    MetaGet {
        /// The key.
        key: String,
    },
    /// A command that changes one key.
    Change {
        /// The key.
        key: String,
        /// What is to become of it.
        change: Change,
        /// How it is written.
        style: Style,
    },
}

/// What is to become of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `set`.
    Set(String),
    /// `add`.
    Add(String),
    /// `replace`.
    Replace(String),
    /// `append`.
    Append(String),
    /// `prepend`.
    Prepend(String),
    /// `cas`, with the unique that was seen.
    Cas(String, u64),
    /// `delete`.
    Delete,
    /// `incr`.
    Increase(u64),
    /// `decr`.
    Decrease(u64),
}

/// How a change is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A classic command.
    Classic,
    /// A classic command with `noreply`.
    Silent,
    /// A meta command.
    Meta,
}

/// What a client was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Keys that are there, as they were told.
    Items(Vec<(String, Found)>),
    /// It was stored.
    Stored,
    /// It was not stored.
    NotStored,
    /// The unique was another one.
    Exists,
    /// There is no such key.
    NotFound,
    /// It was deleted.
    Deleted,
    /// The new number.
    Number(u64),
    /// Nothing, as was asked for; what came later was answered.
    Silence,
    /// A line that begins with `SERVER_ERROR`.
    ServerError(String),
}

/// What a key has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Found {
    /// The value; of a long one, its pattern.
    pub value: String,
    /// Its CAS unique, where that was asked for.
    pub unique: Option<u64>,
}

impl Command {
    /// `get`.
    pub fn get<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Command {
        Command::Get {
            keys: keys.into_iter().map(Into::into).collect(),
            uniques: false,
        }
    }

    /// Whether the server is to answer it.
    pub fn is_answered(&self) -> bool {
        !matches!(
            self,
            Command::Change {
                style: Style::Silent,
                ..
            }
        )
    }

    /// Writes it as it is sent.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let text = match self {
            Command::Get { keys, uniques } => {
                let verb = if *uniques { "gets" } else { "get" };
                format!("{verb} {}\r\n", keys.join(" "))
            }
            Command::MetaGet { key } => format!("mg {key} v c\r\n"),
            Command::Change { key, change, style } => encode_change(key, change, *style),
        };
        out.extend_from_slice(text.as_bytes());
    }

    /// Reads the reply that `received` begins with: the reply and its length, or nothing if more must come.
    ///
    /// # Errors
    /// When it is no reply to this command.
    pub fn parse(&self, received: &[u8]) -> Result<Option<(Reply, usize)>, Nonsense> {
        let mut scanner = Scanner { received, at: 0 };
        let reply = match self {
            Command::Get { keys, .. } => parse_values(&mut scanner, keys),
            Command::MetaGet { key } => parse_meta_value(&mut scanner, key),
            Command::Change { change, style, .. } => parse_change(&mut scanner, change, *style),
        };
        match reply {
            Ok(reply) => Ok(Some((reply, scanner.at))),
            Err(Stop::More) => Ok(None),
            Err(Stop::Nonsense(nonsense)) => Err(nonsense),
        }
    }
}

/// Bytes that are no reply to what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonsense(pub String);

enum Stop {
    More,
    Nonsense(Nonsense),
}

struct Scanner<'a> {
    received: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    fn line(&mut self) -> Result<&'a str, Stop> {
        let rest = &self.received[self.at..];
        let end = rest.windows(2).position(|pair| pair == b"\r\n").ok_or(Stop::More)?;
        self.at += end + 2;
        std::str::from_utf8(&rest[..end]).map_err(|_| nonsense(&rest[..end]))
    }

    fn block(&mut self, bytes: usize) -> Result<&'a [u8], Stop> {
        let block = self.received.get(self.at..self.at + bytes + 2).ok_or(Stop::More)?;
        self.at += bytes + 2;
        block.strip_suffix(b"\r\n").ok_or_else(|| nonsense(block))
    }
}

fn nonsense(bytes: &[u8]) -> Stop {
    let shown = &bytes[..bytes.len().min(80)];
    Stop::Nonsense(Nonsense(shown.escape_ascii().to_string()))
}

fn encode_change(key: &str, change: &Change, style: Style) -> String {
    let noreply = if style == Style::Silent { " noreply" } else { "" };
    let meta = style == Style::Meta;
    let store = |verb: &str, mode: &str, value: &str| {
        let length = value.len();
        if meta {
            format!("ms {key} {length} {mode}\r\n{value}\r\n")
        } else {
            format!("{verb} {key} 0 0 {length}{noreply}\r\n{value}\r\n")
        }
    };
    match change {
        Change::Set(value) => store("set", "MS", value),
        Change::Add(value) => store("add", "ME", value),
        Change::Replace(value) => store("replace", "MR", value),
        Change::Append(value) => store("append", "MA", value),
        Change::Prepend(value) => store("prepend", "MP", value),
        Change::Cas(value, unique) if meta => format!("ms {key} {} C{unique}\r\n{value}\r\n", value.len()),
        Change::Cas(value, unique) => format!("cas {key} 0 0 {} {unique}{noreply}\r\n{value}\r\n", value.len()),
        Change::Delete if meta => format!("md {key}\r\n"),
        Change::Delete => format!("delete {key}{noreply}\r\n"),
        Change::Increase(by) if meta => format!("ma {key} v D{by}\r\n"),
        Change::Increase(by) => format!("incr {key} {by}{noreply}\r\n"),
        Change::Decrease(by) if meta => format!("ma {key} v MD D{by}\r\n"),
        Change::Decrease(by) => format!("decr {key} {by}{noreply}\r\n"),
    }
}

fn parse_values(scanner: &mut Scanner<'_>, keys: &[String]) -> Result<Reply, Stop> {
    let mut items = Vec::new();
    let mut asked = keys.iter();
    loop {
        let line = scanner.line()?;
        if line == "END" {
            return Ok(Reply::Items(items));
        }
        if line.starts_with("SERVER_ERROR") {
            return Ok(Reply::ServerError(line.to_owned()));
        }
        let mut words = line.split(' ');
        let (Some("VALUE"), Some(key), Some("0"), Some(length)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(nonsense(line.as_bytes()));
        };
        // In the order of the keys, each at most as often as it was asked for.
        if !asked.any(|one| one == key) {
            return Err(nonsense(line.as_bytes()));
        }
        let length = length.parse().map_err(|_| nonsense(line.as_bytes()))?;
        let unique = words.next().and_then(|word| word.parse().ok());
        let value = told(scanner.block(length)?);
        items.push((key.to_owned(), Found { value, unique }));
    }
}

fn parse_meta_value(scanner: &mut Scanner<'_>, key: &str) -> Result<Reply, Stop> {
    let line = scanner.line()?;
    if line == "EN" {
        return Ok(Reply::Items(Vec::new()));
    }
    if line.starts_with("SERVER_ERROR") {
        return Ok(Reply::ServerError(line.to_owned()));
    }
    let words: Vec<&str> = line.split(' ').collect();
    let ["VA", length, unique] = words[..] else {
        return Err(nonsense(line.as_bytes()));
    };
    let length = length.parse().map_err(|_| nonsense(line.as_bytes()))?;
    let unique = unique.strip_prefix('c').and_then(|digits| digits.parse().ok());
    let value = told(scanner.block(length)?);
    Ok(Reply::Items(vec![(key.to_owned(), Found { value, unique })]))
}

fn parse_change(scanner: &mut Scanner<'_>, change: &Change, style: Style) -> Result<Reply, Stop> {
    let line = scanner.line()?;
    if line.starts_with("SERVER_ERROR") {
        return Ok(Reply::ServerError(line.to_owned()));
    }
    let number = |text: &str| text.trim_end().parse().map(Reply::Number).ok();
    let reply = match (change, style, line) {
        (Change::Delete, Style::Meta, "HD") | (Change::Delete, _, "DELETED") => Some(Reply::Deleted),
        (Change::Increase(_) | Change::Decrease(_), Style::Meta, _) if line.starts_with("VA ") => {
            let length = line["VA ".len()..].parse().map_err(|_| nonsense(line.as_bytes()))?;
            let digits = scanner.block(length)?;
            std::str::from_utf8(digits).ok().and_then(number)
        }
        (_, Style::Meta, "NF") | (_, _, "NOT_FOUND") => Some(Reply::NotFound),
        (Change::Increase(_) | Change::Decrease(_), ..) => number(line),
        (Change::Delete, ..) => None,
        (_, Style::Meta, "HD") | (_, _, "STORED") => Some(Reply::Stored),
        (_, Style::Meta, "NS") | (_, _, "NOT_STORED") => Some(Reply::NotStored),
        (_, Style::Meta, "EX") | (_, _, "EXISTS") => Some(Reply::Exists),
        _ => None,
    };
    reply.ok_or_else(|| nonsense(line.as_bytes()))
}

/// A long value that repeats a pattern, ending with `;`.
pub fn patterned(pattern: &str, bytes: usize) -> Vec<u8> {
    let mut value = format!("{pattern};").repeat(bytes / pattern.len() + 1).into_bytes();
    value.truncate(bytes);
    value
}

/// A value as it stands in a history.
pub fn told(value: &[u8]) -> String {
    if value.len() <= TOLD_WHOLE_BYTES_MAX {
        return value.escape_ascii().to_string();
    }
    let end = value.iter().position(|&byte| byte == b';').unwrap_or(0);
    let pattern = String::from_utf8_lossy(&value[..end]);
    if value == patterned(&pattern, value.len()) {
        format!("{pattern}*{}", value.len())
    } else {
        format!("{}... mixed with something else", value[..end].escape_ascii())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        let text = bytes.strip_suffix(b"\r\n").unwrap_or(&bytes);
        write!(f, "{}", text.escape_ascii().to_string().replace("\\r\\n", " | "))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reply::Items(items) = self else {
            return write!(f, "{self:?}");
        };
        f.write_str("Items")?;
        for (key, Found { value, unique }) in items {
            write!(f, " {key}={value}")?;
            if let Some(unique) = unique {
                write!(f, "#{unique}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
