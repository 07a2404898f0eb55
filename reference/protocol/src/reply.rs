//! Bytes to responses: the client's side, for tests, fuzzing and the model.

use memchr::memchr;
use thiserror::Error;

use crate::meta_reply::{MetaCode, MetaDebug, MetaReply};
use crate::number::{strict_u32, strict_u64};
use crate::response::{Response, Value};
use crate::tokens::Tokens;

/// The sizes beyond which a reply is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyLimits {
    /// The longest line, in bytes, its CR LF included.
    pub line_bytes_max: usize,
    /// The longest data block, in bytes.
    pub value_bytes_max: usize,
}

impl Default for ReplyLimits {
    /// 8 KiB for a line, 128 MiB for a value; `-I` of memcached allows 1 GiB, its default is 1 MiB.
    fn default() -> Self {
        ReplyLimits {
            line_bytes_max: 8 << 10,
            value_bytes_max: 128 << 20,
        }
    }
}

/// What [`ReplyParser::next`] found at the beginning of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplyStep<'a> {
    /// Not a whole reply yet; nothing is consumed.
    Incomplete {
        /// How many bytes the input must hold before it is worth asking again.
        wanted: usize,
    },
    /// A reply.
    Reply {
        /// The reply.
        response: Response<'a>,
        /// Its length, data block included.
        consumed: usize,
    },
    /// Not memcached's protocol. There is no way to tell where the next reply begins: the caller closes.
    Malformed(ReplyFault),
}

/// Why bytes are no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum ReplyFault {
    /// No end of line within [`ReplyLimits::line_bytes_max`].
    #[error("the reply's line is longer than the limit; this is no memcached, or the stream is out of step")]
    LineTooLong,
    /// A LF without a CR before it.
    #[error("the reply's line ends in LF without CR; memcached ends every line in CR LF")]
    BareLineFeed,
    /// A `VALUE`, `VA`, `STAT` or `ME` line without the words that belong there, or with others.
    #[error("the reply's line begins like one of memcached's and goes on otherwise; compare it with the protocol text")]
    BadLine,
    /// A line that begins with no upper-case letter and is no number.
    #[error("the line is no reply of memcached; the stream may be out of step")]
    UnknownLine,
    /// A data block longer than [`ReplyLimits::value_bytes_max`].
    #[error("the reply announces a data block beyond the limit; raise the limit if such values are expected")]
    ValueTooLarge,
    /// A data block without CR LF at its end.
    #[error("the reply's data block does not end in CR LF where its length says")]
    BadDataBlock,
}

/// Finds the replies in a stream of bytes. Used like [`crate::parser::Parser`].
#[derive(Debug, Default)]
pub struct ReplyParser {
    limits: ReplyLimits,
    /// Bytes at the beginning of the input that are known to hold no end of line.
    scanned: usize,
}

impl ReplyParser {
    /// A parser for one new connection.
    pub fn new(limits: ReplyLimits) -> Self {
        ReplyParser { limits, scanned: 0 }
    }

    /// Judges the beginning of `input`, which must begin with the bytes that the last step did not consume.
    pub fn next<'a>(&mut self, input: &'a [u8]) -> ReplyStep<'a> {
        let known = std::mem::take(&mut self.scanned).min(input.len());
        let Some(line_end) = memchr(b'\n', &input[known..]).map(|offset| known + offset) else {
            if input.len() >= self.limits.line_bytes_max {
                return ReplyStep::Malformed(ReplyFault::LineTooLong);
            }
            self.scanned = input.len();
            return ReplyStep::Incomplete {
                wanted: input.len() + 1,
            };
        };
        if line_end >= self.limits.line_bytes_max {
            return ReplyStep::Malformed(ReplyFault::LineTooLong);
        }
        let after = &input[line_end + 1..];
        let read = input[..line_end]
            .strip_suffix(b"\r")
            .ok_or(ReplyFault::BareLineFeed)
            .and_then(line);
        match read {
            Ok(Line::Whole(response)) => ReplyStep::Reply {
                response,
                consumed: line_end + 1,
            },
            Ok(Line::Headed { head, length }) => self.with_data(head, length, line_end + 1, after),
            Err(fault) => ReplyStep::Malformed(fault),
        }
    }

    fn with_data<'a>(&self, head: Head<'a>, length: usize, head_bytes: usize, after: &'a [u8]) -> ReplyStep<'a> {
        if length > self.limits.value_bytes_max {
            return ReplyStep::Malformed(ReplyFault::ValueTooLarge);
        }
        let consumed = head_bytes + length + 2;
        let Some(block) = after.get(..length + 2) else {
            return ReplyStep::Incomplete { wanted: consumed };
        };
        match block.strip_suffix(b"\r\n") {
            Some(data) => ReplyStep::Reply {
                response: head.with_data(data),
                consumed,
            },
            None => ReplyStep::Malformed(ReplyFault::BadDataBlock),
        }
    }
}

/// A line of a reply.
enum Line<'a> {
    Whole(Response<'a>),
    Headed { head: Head<'a>, length: usize },
}

/// The line before a data block.
enum Head<'a> {
    Value {
        key: &'a [u8],
        client_flags: u32,
        cas: Option<u64>,
    },
    Meta {
        flags: Tokens<'a>,
    },
}

impl<'a> Head<'a> {
    fn with_data(self, data: &'a [u8]) -> Response<'a> {
        match self {
            Head::Value { key, client_flags, cas } => Response::Value(Value {
                key,
                client_flags,
                data,
                cas,
            }),
            Head::Meta { flags } => Response::Meta(MetaReply {
                code: MetaCode::Value,
                flags,
                data: Some(data),
            }),
        }
    }
}

fn line(line: &[u8]) -> Result<Line<'_>, ReplyFault> {
    let blank = memchr(b' ', line);
    let (word, rest) = blank.map_or((line, None), |at| (&line[..at], Some(&line[at + 1..])));
    let response = match (word, rest) {
        (b"STORED", None) => Response::Stored,
        (b"NOT_STORED", None) => Response::NotStored,
        (b"EXISTS", None) => Response::Exists,
        (b"NOT_FOUND", None) => Response::NotFound,
        (b"DELETED", None) => Response::Deleted,
        (b"TOUCHED", None) => Response::Touched,
        (b"OK", None) => Response::Ok,
        (b"END", None) => Response::End,
        (b"RESET", None) => Response::Reset,
        (b"ERROR", None) => Response::Error,
        (b"MN", None) => Response::MetaNoop,
        (b"CLIENT_ERROR", Some(text)) => Response::ClientError(text),
        (b"SERVER_ERROR", Some(text)) => Response::ServerError(text),
        (b"VERSION", Some(text)) => Response::Version(text),
        (b"VALUE", rest) => return value_line(rest.unwrap_or_default()),
        (b"VA", rest) => return meta_value_line(rest.unwrap_or_default()),
        (b"STAT", rest) => stat_line(rest.unwrap_or_default())?,
        (b"ME", rest) => debug_line(rest.unwrap_or_default())?,
        (&[first, second], rest) if MetaCode::from_letters([first, second]).is_some() => {
            let code = MetaCode::from_letters([first, second]).ok_or(ReplyFault::BadLine)?;
            Response::Meta(MetaReply {
                code,
                flags: Tokens::new(rest.unwrap_or_default()),
                data: None,
            })
        }
        _ => return other_line(line),
    };
    Ok(Line::Whole(response))
}

impl MetaCode {
    /// The code of these letters.
    pub fn from_letters(letters: [u8; 2]) -> Option<Self> {
        Some(match &letters {
            b"HD" => MetaCode::Done,
            b"VA" => MetaCode::Value,
            b"EN" => MetaCode::Miss,
            b"NF" => MetaCode::NotFound,
            b"NS" => MetaCode::NotStored,
            b"EX" => MetaCode::Exists,
            _ => return None,
        })
    }
}

/// `VALUE <key> <flags> <bytes> [<cas>]`
fn value_line(rest: &[u8]) -> Result<Line<'_>, ReplyFault> {
    let mut words = Tokens::new(rest);
    let (Some(key), Some(client_flags), Some(length)) = (
        words.next(),
        words.next().and_then(strict_u32),
        words.next().and_then(strict_u32),
    ) else {
        return Err(ReplyFault::BadLine);
    };
    let cas = match words.next() {
        Some(cas) => Some(strict_u64(cas).ok_or(ReplyFault::BadLine)?),
        None => None,
    };
    if words.next().is_some() {
        return Err(ReplyFault::BadLine);
    }
    Ok(Line::Headed {
        head: Head::Value { key, client_flags, cas },
        length: length as usize,
    })
}

/// `VA <bytes> <flags>*`
fn meta_value_line(rest: &[u8]) -> Result<Line<'_>, ReplyFault> {
    let mut flags = Tokens::new(rest);
    let length = flags.next().and_then(strict_u32).ok_or(ReplyFault::BadLine)?;
    Ok(Line::Headed {
        head: Head::Meta { flags },
        length: length as usize,
    })
}

/// `STAT <name> <value>`; the value may be empty and may hold blanks.
fn stat_line(rest: &[u8]) -> Result<Response<'_>, ReplyFault> {
    let blank = memchr(b' ', rest).ok_or(ReplyFault::BadLine)?;
    let (name, value) = (&rest[..blank], &rest[blank + 1..]);
    if name.is_empty() {
        return Err(ReplyFault::BadLine);
    }
    Ok(Response::Stat { name, value })
}

/// `ME <key> <k>=<v>*`
fn debug_line(rest: &[u8]) -> Result<Response<'_>, ReplyFault> {
    let mut fields = Tokens::new(rest);
    let key = fields.next().ok_or(ReplyFault::BadLine)?;
    Ok(Response::MetaDebug(MetaDebug { key, fields }))
}

/// A number, or a line that has no type of its own.
fn other_line(line: &[u8]) -> Result<Line<'_>, ReplyFault> {
    if let Some(number) = strict_u64(line) {
        return Ok(Line::Whole(Response::Number(number)));
    }
    if line.first().is_some_and(u8::is_ascii_uppercase) {
        return Ok(Line::Whole(Response::Notice(line)));
    }
    Err(ReplyFault::UnknownLine)
}
