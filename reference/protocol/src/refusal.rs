//! Commands that are refused before anyone has to know what they mean.

use thiserror::Error;

/// A command that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// Why.
    pub kind: RefusalKind,
    /// Nothing is to be answered, because `noreply` was understood before the command was refused. Memcached is as silent.
    pub silent: bool,
    /// The key whose item must go: memcached drops the old item when the new value is too large to be stored, for `set` and
    /// for `ms` in every mode, never for `add`, `replace`, `append`, `prepend` and `cas`.
    pub invalidate: Option<&'a [u8]>,
    /// How many bytes after the line belong to it: the data block and its CR LF. The parser swallows them.
    pub(crate) swallow: u64,
}

impl<'a> Refusal<'a> {
    /// A refusal that is answered, of a line without a data block.
    #[cold]
    pub(crate) fn new(kind: RefusalKind) -> Self {
        Refusal {
            kind,
            silent: false,
            invalidate: None,
            swallow: 0,
        }
    }

    /// Not answered if the client asked for that.
    pub(crate) fn silent_if(mut self, silent: bool) -> Self {
        self.silent = silent;
        self
    }

    /// Followed by a data block of this length, which is swallowed with its CR LF.
    pub(crate) fn swallowing(mut self, length: usize) -> Self {
        self.swallow = length as u64 + 2;
        self
    }

    /// The item of this key must go.
    pub(crate) fn invalidating(mut self, key: &'a [u8]) -> Self {
        self.invalidate = Some(key);
        self
    }

    /// Whether the connection must be closed. Replies to earlier commands are sent first.
    pub fn closes(&self) -> bool {
        matches!(
            self.kind,
            RefusalKind::LineTooLong | RefusalKind::Http | RefusalKind::BinaryProtocol
        )
    }

    /// Appends the answer to `out`; nothing if the refusal is silent or closes without a word.
    pub fn encode(&self, out: &mut Vec<u8>) {
        if self.silent || self.closes() {
            return;
        }
        out.extend_from_slice(self.kind.line().as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

/// Why a command was refused. `Display` gives the line that memcached 1.6.45 answers, without CR LF; for those that close
/// without an answer it gives a line for a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[error("{}", self.line())]
pub enum RefusalKind {
    /// No such command.
    UnknownCommand,
    /// A line shorter than four bytes, too few words, a number that is none, a key that is too long.
    BadFormat,
    /// The data block does not end in CR LF where its length says.
    BadDataChunk,
    /// The item would be larger than [`crate::limits::Limits::item_bytes_max`].
    TooLarge,
    /// `touch`, `gat`, `gats`, `flush_all`: the time is not a number of 32 bits.
    InvalidExptime,
    /// `incr`, `decr`: the delta is not an unsigned number of 64 bits.
    InvalidDelta,
    /// A meta command: a flag that stands there twice.
    DuplicateFlag,
    /// A meta command: no such flag.
    InvalidFlag,
    /// `ma`: any fault in its flags.
    InvalidOrDuplicateFlag,
    /// A meta command: the token of `N`, `T`, `R`, `C` or `E` is not a number.
    BadToken,
    /// A meta command: the `J` token is not a number. (`ma` answers `InvalidOrDuplicateFlag`.)
    InvalidInitial,
    /// A meta command: the `D` token is not a number. (`ma` answers `InvalidOrDuplicateFlag`.)
    InvalidDeltaToken,
    /// A meta command: the `b` flag, and the key is not base64.
    UndecodableKey,
    /// A meta command: an `O` token of 32 bytes and more. Memcached finds it when it writes the reply, after `mg N` has created
    /// the item and `ma` has counted; here the command is not done at all.
    OpaqueTooLong,
    /// A meta command: too many flags.
    TooManyFlags,
    /// `ms`: the `M` token names no mode.
    InvalidSetMode,
    /// `ma`: the `M` token names no mode.
    InvalidArithmeticMode,
    /// Closes: no end of line within [`crate::limits::Limits::line_bytes_max`].
    LineTooLong,
    /// Closes: the last word of an unknown command begins with `HTTP/`.
    Http,
    /// Closes: the first byte of the connection is 0x80, with which the binary protocol begins.
    BinaryProtocol,
}

impl RefusalKind {
    /// The text of `Display`.
    pub fn line(self) -> &'static str {
        match self {
            RefusalKind::UnknownCommand => "ERROR",
            RefusalKind::BadFormat => "CLIENT_ERROR bad command line format",
            RefusalKind::BadDataChunk => "CLIENT_ERROR bad data chunk",
            RefusalKind::TooLarge => "SERVER_ERROR object too large for cache",
            RefusalKind::InvalidExptime => "CLIENT_ERROR invalid exptime argument",
            RefusalKind::InvalidDelta => "CLIENT_ERROR invalid numeric delta argument",
            RefusalKind::DuplicateFlag => "CLIENT_ERROR duplicate flag",
            RefusalKind::InvalidFlag => "CLIENT_ERROR invalid flag",
            RefusalKind::InvalidOrDuplicateFlag => "CLIENT_ERROR invalid or duplicate flag",
            RefusalKind::BadToken => "CLIENT_ERROR bad token in command line format",
            RefusalKind::InvalidInitial => "CLIENT_ERROR invalid numeric initial value",
            RefusalKind::InvalidDeltaToken => "CLIENT_ERROR invalid numeric delta value",
            RefusalKind::UndecodableKey => "CLIENT_ERROR error decoding key",
            RefusalKind::OpaqueTooLong => "CLIENT_ERROR opaque token too long",
            RefusalKind::TooManyFlags => "CLIENT_ERROR options flags are too long",
            RefusalKind::InvalidSetMode => "CLIENT_ERROR invalid mode for ms M token",
            RefusalKind::InvalidArithmeticMode => "CLIENT_ERROR invalid mode for ma M token",
            RefusalKind::LineTooLong => "no end of line within the limit: closed",
            RefusalKind::Http => "HTTP on a memcached port: closed",
            RefusalKind::BinaryProtocol => "the binary protocol is not offered: closed",
        }
    }
}
