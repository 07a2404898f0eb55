//! The meta commands.

mod change;
mod debug;
mod get;

use refcached_protocol::meta::{MetaCommand, MetaKey, MetaRequest};
use refcached_protocol::meta_reply::{MetaCode, MetaWriter};
use refcached_protocol::request::Exptime;

use super::{Engine, Progress};
use crate::counters::Counter;
use crate::item::Marks;
use crate::store::Store;
use crate::time::{Expiry, Timestamp};

impl<S: Store> Engine<S> {
    /// Executes a meta command.
    pub(super) fn meta(&self, request: &MetaRequest<'_>, now: Timestamp, out: &mut Vec<u8>) -> Progress {
        self.count(Counter::CmdMeta);
        let before = out.len();
        let done = match request.command {
            MetaCommand::Get => self.meta_get(request, now, out),
            MetaCommand::Set { value, mode } => self.meta_set(request, value, mode, now, out),
            MetaCommand::Delete => self.meta_delete(request, now, out),
            MetaCommand::Arithmetic { direction } => self.meta_arithmetic(request, direction, now, out),
            MetaCommand::Debug => self.meta_debug(request, now, out),
        };
        if let Err(error) = done {
            // Errors are answered even to `q` (protocol.txt: "Errors are always returned").
            out.truncate(before);
            self.failure(&error, out);
        }
        Progress::Done
    }
}

/// The mark of an item that is created under this key.
fn key_marks(key: &MetaKey<'_>) -> Marks {
    Marks::when(key.base64, Marks::BASE64_KEY)
}

/// The expiry that the token of a `T` or `N` flag stands for.
fn expiry_of(exptime: Option<Exptime>, now: Timestamp) -> Expiry {
    Expiry::from_exptime(exptime.unwrap_or_default(), now)
}

/// Writes the `t` flag: seconds left, or -1.
fn write_ttl(writer: &mut MetaWriter<'_>, expiry: Expiry, now: Timestamp) {
    match expiry.remaining_s(now) {
        None => writer.token(b't', b"-1"),
        Some(seconds) => writer.number(b't', seconds),
    }
}

/// Writes an answer that has nothing of an item: the code, and of the flags what the client sent along, `O` and `k`.
fn write_bare(request: &MetaRequest<'_>, code: MetaCode, out: &mut Vec<u8>) {
    let mut writer = MetaWriter::code(out, code);
    for flag in request.flags.iter() {
        match flag.code {
            b'O' => writer.token(b'O', flag.token),
            b'k' => writer.key(request.key.bytes, request.key.base64),
            _ => {}
        }
    }
    writer.finish();
}
