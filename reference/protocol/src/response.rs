//! What a server can answer, and how it is written.

use crate::meta_reply::{MetaDebug, MetaReply};

/// `shutdown` where it is not enabled. Memcached really puts the colon after `SERVER_ERROR`.
pub const SHUTDOWN_NOT_ENABLED: Response<'static> = Response::Notice(b"SERVER_ERROR: shutdown not enabled");
/// `shutdown` with an argument other than `graceful`.
pub const SHUTDOWN_MODE_INVALID: Response<'static> = Response::ClientError(b"invalid shutdown mode");
/// `incr`, `decr` or `ma` on a value that is not a number.
pub const NON_NUMERIC: Response<'static> = Response::ClientError(b"cannot increment or decrement non-numeric value");

/// One answer: a line, or a line and a data block. An answer of several (`VALUE ... END`, `STAT ... END`) is several of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response<'a> {
    /// `STORED`.
    Stored,
    /// `NOT_STORED`.
    NotStored,
    /// `EXISTS`.
    Exists,
    /// `NOT_FOUND`.
    NotFound,
    /// `DELETED`.
    Deleted,
    /// `TOUCHED`.
    Touched,
    /// `OK`.
    Ok,
    /// `END`.
    End,
    /// `RESET`, the answer to `stats reset`.
    Reset,
    /// `ERROR`.
    Error,
    /// `CLIENT_ERROR <text>`.
    ClientError(&'a [u8]),
    /// `SERVER_ERROR <text>`.
    ServerError(&'a [u8]),
    /// `VERSION <text>`.
    Version(&'a [u8]),
    /// The new number, alone on its line: the answer to `incr` and `decr`.
    Number(u64),
    /// `VALUE <key> <flags> <bytes> [<cas>]` and the data block.
    Value(Value<'a>),
    /// `STAT <name> <value>`.
    Stat {
        /// Without blanks.
        name: &'a [u8],
        /// Up to the end of the line; may be empty.
        value: &'a [u8],
    },
    /// The answer to a meta command, a data block included.
    Meta(MetaReply<'a>),
    /// `ME <key> <k>=<v>*`, the answer to `me`.
    MetaDebug(MetaDebug<'a>),
    /// `MN`, the answer to `mn`.
    MetaNoop,
    /// Any other line, such as `BADCLASS invalid class id` of the administrative commands. Begins with an upper-case letter.
    Notice(&'a [u8]),
}

/// What a retrieval found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a> {
    /// The key as asked for.
    pub key: &'a [u8],
    /// As stored.
    pub client_flags: u32,
    /// The data block without its CR LF.
    pub data: &'a [u8],
    /// For `gets` and `gats`.
    pub cas: Option<u64>,
}

impl Response<'_> {
    /// Appends the answer, CR LF and all, to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Response::Stored => out.extend_from_slice(b"STORED\r\n"),
            Response::NotStored => out.extend_from_slice(b"NOT_STORED\r\n"),
            Response::Exists => out.extend_from_slice(b"EXISTS\r\n"),
            Response::NotFound => out.extend_from_slice(b"NOT_FOUND\r\n"),
            Response::Deleted => out.extend_from_slice(b"DELETED\r\n"),
            Response::Touched => out.extend_from_slice(b"TOUCHED\r\n"),
            Response::Ok => out.extend_from_slice(b"OK\r\n"),
            Response::End => out.extend_from_slice(b"END\r\n"),
            Response::Reset => out.extend_from_slice(b"RESET\r\n"),
            Response::Error => out.extend_from_slice(b"ERROR\r\n"),
            Response::MetaNoop => out.extend_from_slice(b"MN\r\n"),
            Response::ClientError(text) => write_line(out, &[b"CLIENT_ERROR ", text]),
            Response::ServerError(text) => write_line(out, &[b"SERVER_ERROR ", text]),
            Response::Version(text) => write_line(out, &[b"VERSION ", text]),
            Response::Number(number) => {
                write_decimal(out, number);
                out.extend_from_slice(b"\r\n");
            }
            Response::Value(ref value) => value.encode(out),
            Response::Stat { name, value } => write_line(out, &[b"STAT ", name, b" ", value]),
            Response::Meta(ref reply) => reply.encode(out),
            Response::MetaDebug(ref debug) => debug.encode(out),
            Response::Notice(text) => write_line(out, &[text]),
        }
    }
}

impl Value<'_> {
    /// Appends `VALUE <key> <flags> <bytes> [<cas>]`, CR LF, the data block and CR LF to `out`.
    #[inline]
    pub fn encode(&self, out: &mut Vec<u8>) {
        // The fixed words and three numbers of at most 20 digits come to less than 80 bytes.
        out.reserve(self.key.len() + self.data.len() + 80);
        out.extend_from_slice(b"VALUE ");
        out.extend_from_slice(self.key);
        out.push(b' ');
        write_decimal(out, u64::from(self.client_flags));
        out.push(b' ');
        write_decimal(out, self.data.len() as u64);
        if let Some(cas) = self.cas {
            out.push(b' ');
            write_decimal(out, cas);
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(self.data);
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends `number` in decimal to `out`, without the formatting machinery of the standard library.
#[inline]
pub fn write_decimal(out: &mut Vec<u8>, number: u64) {
    if number < 10 {
        // A digit, so the sum is at most b'9'.
        out.push(b'0' + number as u8);
        return;
    }
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn write_line(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(b"\r\n");
}
