//! Requests to bytes, for clients, tests and fuzzing.

use crate::base64;
use crate::meta::{MetaCommand, MetaRequest};
use crate::request::{
    Arguments, Arithmetic, Direction, FlushAll, Request, Retrieve, Shutdown, ShutdownMode, Store, StoreVerb,
};
use crate::response::write_decimal;

impl Request<'_> {
    /// Appends the command to `out`: its line with CR LF, and its data block where it has one.
    ///
    /// Nothing is checked. What is not within the grammar (a key with a blank, say) is written all the same, and a parser then
    /// makes something else of it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Request::Store(store) => store.encode(out),
            Request::Retrieve(retrieve) => retrieve.encode(out),
            Request::Delete(delete) => end(out, &[b"delete ", delete.key], delete.noreply),
            Request::Arithmetic(arithmetic) => arithmetic.encode(out),
            Request::Touch(touch) => {
                words(out, &[b"touch ", touch.key, b" "]);
                write_signed(out, touch.exptime.0);
                end(out, &[], touch.noreply);
            }
            Request::Meta(meta) => meta.encode(out),
            Request::MetaNoop => out.extend_from_slice(b"mn\r\n"),
            Request::FlushAll(flush) => flush.encode(out),
            Request::Version => out.extend_from_slice(b"version\r\n"),
            Request::Verbosity(verbosity) => {
                out.extend_from_slice(b"verbosity ");
                write_decimal(out, u64::from(verbosity.level));
                end(out, &[], verbosity.noreply);
            }
            Request::Stats(arguments) => arguments.encode(b"stats", out),
            Request::Quit => out.extend_from_slice(b"quit\r\n"),
            Request::Shutdown(shutdown) => shutdown.encode(out),
            Request::CacheMemlimit(limit) => {
                out.extend_from_slice(b"cache_memlimit ");
                write_decimal(out, u64::from(limit.megabytes));
                end(out, &[], limit.noreply);
            }
            Request::Slabs(arguments) => arguments.encode(b"slabs", out),
            Request::Lru(arguments) => arguments.encode(b"lru", out),
            Request::LruCrawler(arguments) => arguments.encode(b"lru_crawler", out),
            Request::Watch(arguments) => arguments.encode(b"watch", out),
        }
    }
}

impl StoreVerb {
    /// The command's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            StoreVerb::Set => "set",
            StoreVerb::Add => "add",
            StoreVerb::Replace => "replace",
            StoreVerb::Append => "append",
            StoreVerb::Prepend => "prepend",
            StoreVerb::Cas { .. } => "cas",
        }
    }
}

impl Store<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        words(out, &[self.verb.name().as_bytes(), b" ", self.key, b" "]);
        write_decimal(out, u64::from(self.client_flags));
        out.push(b' ');
        write_signed(out, self.exptime.0);
        out.push(b' ');
        write_decimal(out, self.value.len() as u64);
        if let StoreVerb::Cas { unique } = self.verb {
            out.push(b' ');
            write_decimal(out, unique);
        }
        end(out, &[], self.noreply);
        words(out, &[self.value, b"\r\n"]);
    }
}

impl Retrieve<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.touch.is_some() { b"gat" } else { b"get" });
        if self.with_cas {
            out.push(b's');
        }
        if let Some(exptime) = self.touch {
            out.push(b' ');
            write_signed(out, exptime.0);
        }
        for key in self.keys {
            words(out, &[b" ", key]);
        }
        out.extend_from_slice(b"\r\n");
    }
}

impl Arithmetic<'_> {
    fn encode(&self, out: &mut Vec<u8>) {
        let verb: &[u8] = match self.direction {
            Direction::Increment => b"incr ",
            Direction::Decrement => b"decr ",
        };
        words(out, &[verb, self.key, b" "]);
        write_decimal(out, self.delta);
        end(out, &[], self.noreply);
    }
}

impl FlushAll {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"flush_all");
        if self.delay.0 != 0 {
            out.push(b' ');
            write_signed(out, self.delay.0);
        }
        end(out, &[], self.noreply);
    }
}

impl Shutdown {
    /// With `noreply`, the word itself is an unknown mode: `Immediate` cannot be asked for silently.
    fn encode(&self, out: &mut Vec<u8>) {
        let mode: &[u8] = match self.mode {
            ShutdownMode::Immediate => b"",
            ShutdownMode::Graceful => b" graceful",
            ShutdownMode::Unknown => b" unknown",
        };
        end(out, &[b"shutdown", mode], self.noreply);
    }
}

impl Arguments<'_> {
    /// The words hold `noreply` already.
    fn encode(&self, verb: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(verb);
        for word in self.words {
            words(out, &[b" ", word]);
        }
        out.extend_from_slice(b"\r\n");
    }
}

impl MetaRequest<'_> {
    /// The flags are written from [`crate::meta::MetaFlags::words`]; what the other fields sum up is not looked at.
    fn encode(&self, out: &mut Vec<u8>) {
        let verb: &[u8] = match self.command {
            MetaCommand::Get => b"mg ",
            MetaCommand::Set { .. } => b"ms ",
            MetaCommand::Delete => b"md ",
            MetaCommand::Arithmetic { .. } => b"ma ",
            MetaCommand::Debug => b"me ",
        };
        out.extend_from_slice(verb);
        if self.key.base64 {
            base64::encode(self.key.bytes, out);
        } else {
            out.extend_from_slice(self.key.bytes);
        }
        if let MetaCommand::Set { value, .. } = self.command {
            out.push(b' ');
            write_decimal(out, value.len() as u64);
        }
        for word in self.flags.words {
            words(out, &[b" ", word]);
        }
        out.extend_from_slice(b"\r\n");
        if let MetaCommand::Set { value, .. } = self.command {
            words(out, &[value, b"\r\n"]);
        }
    }
}

fn write_signed(out: &mut Vec<u8>, number: i32) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn words(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

fn end(out: &mut Vec<u8>, parts: &[&[u8]], noreply: bool) {
    words(out, parts);
    words(out, &[if noreply { b" noreply" } else { b"" }, b"\r\n"]);
}
