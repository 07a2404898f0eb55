//! Meta requests that own what they are made of.

use arbitrary::Arbitrary;
use refcached_protocol::Request;
use refcached_protocol::meta::{MetaCommand, MetaFlags, MetaKey, MetaRequest, MetaSetMode};
use refcached_protocol::request::{Direction, Exptime};
use refcached_protocol::tokens::Tokens;

use super::{Edgy, Word};

/// A line may have 20 words; three of them are no flags.
const FLAGS_MAX: usize = 17;

/// A longer key in base64 would be too long on the wire.
const ENCODED_KEY_BYTES_MAX: usize = 186;

/// An opaque token may have so many bytes.
const OPAQUE_BYTES_MAX: usize = 31;

/// A meta request.
#[derive(Debug, Arbitrary)]
pub(super) struct Owned {
    command: Command,
    key: Word,
    /// Bytes of a key in base64: any.
    raw: Vec<u8>,
    flags: Vec<Flag>,
}

#[derive(Debug, Arbitrary)]
enum Command {
    Get,
    Set { value: Vec<u8>, mode: Mode },
    Delete,
    Arithmetic { down: bool },
    Debug,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Mode {
    None,
    Set,
    Add,
    Append,
    Prepend,
    Replace,
}

#[derive(Debug, Arbitrary)]
enum Flag {
    /// One of those that need no token, and an arbitrary token.
    Bare(u8, Option<Word>),
    Opaque(Word),
    Base64,
    Quiet,
    Value,
    NoBump,
    Invalidate,
    RemoveValue,
    Exptime(Edgy<i32>),
    Vivify(Edgy<i32>),
    Recache(Edgy<i32>),
    CasCompare(Edgy<u64>),
    CasNew(Edgy<u64>),
    ClientFlags(u32),
    Initial(Edgy<u64>),
    Delta(Edgy<u64>),
}

impl Owned {
    pub(super) fn with(&self, then: impl FnOnce(Request<'_>)) {
        let is_debug = matches!(self.command, Command::Debug);
        let mut words: Vec<Vec<u8>> = Vec::new();
        let mut flags = MetaFlags::default();
        for flag in &self.flags {
            let word = flag.word();
            let is_new = words.iter().all(|other| other[0] != word[0]);
            if words.len() < FLAGS_MAX - 1 && is_new {
                words.push(word);
                if !is_debug {
                    flag.sum_up(&mut flags);
                }
            }
        }
        words.extend(self.mode_word());
        let base64 = match is_debug {
            true => words.len() > 1 && words[0] == b"b",
            false => words.iter().any(|word| word[0] == b'b'),
        };
        let raw = &self.raw[..self.raw.len().min(ENCODED_KEY_BYTES_MAX)];
        let bytes = if base64 && !raw.is_empty() { raw } else { &self.key.0 };
        let line = words.join(&b' ');
        flags.words = Tokens::new(&line);
        then(Request::Meta(MetaRequest {
            command: self.command(),
            key: MetaKey {
                bytes: &bytes[..bytes.len().min(if base64 { ENCODED_KEY_BYTES_MAX } else { 250 })],
                base64,
            },
            flags,
        }));
    }

    /// The `M` flag, which stands last.
    fn mode_word(&self) -> Option<Vec<u8>> {
        match self.command {
            Command::Set { mode, .. } => match mode {
                Mode::None => None,
                Mode::Set => Some(b"MS".to_vec()),
                Mode::Add => Some(b"ME".to_vec()),
                Mode::Append => Some(b"MAppend".to_vec()),
                Mode::Prepend => Some(b"MP".to_vec()),
                Mode::Replace => Some(b"MR".to_vec()),
            },
            Command::Arithmetic { down } => Some(if down { b"MD".to_vec() } else { b"M+".to_vec() }),
            _ => None,
        }
    }

    fn command(&self) -> MetaCommand<'_> {
        match &self.command {
            Command::Get => MetaCommand::Get,
            Command::Delete => MetaCommand::Delete,
            Command::Debug => MetaCommand::Debug,
            Command::Arithmetic { down } => MetaCommand::Arithmetic {
                direction: if *down {
                    Direction::Decrement
                } else {
                    Direction::Increment
                },
            },
            Command::Set { value, mode } => MetaCommand::Set {
                value: &value[..value.len().min(4096)],
                mode: match mode {
                    Mode::None | Mode::Set => MetaSetMode::Set,
                    Mode::Add => MetaSetMode::Add,
                    Mode::Append => MetaSetMode::Append,
                    Mode::Prepend => MetaSetMode::Prepend,
                    Mode::Replace => MetaSetMode::Replace,
                },
            },
        }
    }
}

impl Flag {
    fn word(&self) -> Vec<u8> {
        let number = |letter: char, number: &dyn std::fmt::Display| format!("{letter}{number}").into_bytes();
        match self {
            Flag::Bare(letter, token) => {
                let letters = b"kstcflhPL";
                let mut word = vec![letters[usize::from(*letter) % letters.len()]];
                word.extend(token.iter().flat_map(|token| &token.0));
                word
            }
            Flag::Opaque(token) => {
                let token = &token.0[..token.0.len().min(OPAQUE_BYTES_MAX)];
                [b"O", token].concat()
            }
            Flag::Base64 => b"b".to_vec(),
            Flag::Quiet => b"q".to_vec(),
            Flag::Value => b"v".to_vec(),
            Flag::NoBump => b"u".to_vec(),
            Flag::Invalidate => b"I".to_vec(),
            Flag::RemoveValue => b"x".to_vec(),
            Flag::Exptime(Edgy(exptime)) => number('T', exptime),
            Flag::Vivify(Edgy(exptime)) => number('N', exptime),
            Flag::Recache(Edgy(exptime)) => number('R', exptime),
            Flag::CasCompare(Edgy(cas)) => number('C', cas),
            Flag::CasNew(Edgy(cas)) => number('E', cas),
            Flag::ClientFlags(flags) => number('F', flags),
            Flag::Initial(Edgy(initial)) => number('J', initial),
            Flag::Delta(Edgy(delta)) => number('D', delta),
        }
    }

    fn sum_up(&self, sum: &mut MetaFlags<'_>) {
        match *self {
            Flag::Bare(..) | Flag::Opaque(_) | Flag::Base64 => {}
            Flag::Quiet => sum.quiet = true,
            Flag::Value => sum.value = true,
            Flag::NoBump => sum.no_bump = true,
            Flag::Invalidate => sum.invalidate = true,
            Flag::RemoveValue => sum.remove_value = true,
            Flag::Exptime(Edgy(exptime)) => sum.exptime = Some(Exptime(exptime)),
            Flag::Vivify(Edgy(exptime)) => sum.vivify = Some(Exptime(exptime)),
            Flag::Recache(Edgy(exptime)) => sum.recache = Some(Exptime(exptime)),
            Flag::CasCompare(Edgy(cas)) => sum.cas_compare = Some(cas),
            Flag::CasNew(Edgy(cas)) => sum.cas_new = Some(cas),
            Flag::ClientFlags(flags) => sum.client_flags = flags,
            Flag::Initial(Edgy(initial)) => sum.initial = initial,
            Flag::Delta(Edgy(delta)) => sum.delta = Some(delta),
        }
    }
}
