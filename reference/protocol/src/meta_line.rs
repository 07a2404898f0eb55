//! Reads the lines of the meta commands.

use crate::base64;
use crate::classic::{WORDS_MAX, value_length};
use crate::limits::Limits;
use crate::meta::{MetaCommand, MetaFlags, MetaKey, MetaRequest, MetaSetMode};
use crate::number::{strict_i32, strict_u32, strict_u64};
use crate::parser::{Command, Step};
use crate::refusal::{Refusal, RefusalKind};
use crate::request::{Direction, Exptime, Request};
use crate::tokens::Tokens;

/// The most words in a line: the command, the key, for `ms` the length, and flags.
const META_WORDS_MAX: usize = 20;

/// The longest `O` flag, its letter included.
const OPAQUE_BYTES_MAX: usize = 32;

/// Where a base64 key is decoded to.
type Scratch = [u8; Limits::KEY_BYTES_CEILING];

/// Reads the line of `mg`, `ms`, `md`, `ma`, `me` or `mn`, whose second letter is `letter`.
#[inline]
pub(crate) fn read<'a>(letter: u8, command: &Command<'a>, limits: &Limits, scratch: &'a mut Scratch) -> Step<'a> {
    let verb = match letter {
        b'g' => MetaCommand::Get,
        b's' => return set(command, limits, scratch),
        b'd' => MetaCommand::Delete,
        b'a' => MetaCommand::Arithmetic {
            direction: Direction::Increment,
        },
        b'e' => MetaCommand::Debug,
        _ => return command.step(Request::MetaNoop),
    };
    let (key, words) = match key_and_flags(command) {
        Ok(parts) => parts,
        Err(kind) => return command.refuse(Refusal::new(kind)),
    };
    let mut summary = Summary::new(words);
    let read = match verb {
        MetaCommand::Debug => summary.read_for_debug(key, limits, scratch).map(|()| verb),
        MetaCommand::Arithmetic { .. } => arithmetic(&mut summary, key, limits, scratch),
        _ => summary
            .read(key, 2, limits, scratch)
            .and_then(|()| check_opaque(words))
            .map(|()| verb),
    };
    match read {
        Ok(verb) => {
            let key = summary.key(key, scratch);
            command.step(Request::Meta(MetaRequest {
                command: verb,
                key,
                flags: summary.flags,
            }))
        }
        Err(kind) => command.refuse(Refusal::new(kind)),
    }
}

fn arithmetic<'a>(
    summary: &mut Summary<'_>,
    key: &[u8],
    limits: &Limits,
    scratch: &mut Scratch,
) -> Result<MetaCommand<'a>, RefusalKind> {
    summary
        .read(key, 2, limits, scratch)
        .map_err(|_| RefusalKind::InvalidOrDuplicateFlag)?;
    let direction = match summary.mode {
        None | Some(Some(b'I' | b'+')) => Direction::Increment,
        Some(Some(b'D' | b'-')) => Direction::Decrement,
        Some(_) => return Err(RefusalKind::InvalidArithmeticMode),
    };
    check_opaque(summary.flags.words)?;
    Ok(MetaCommand::Arithmetic { direction })
}

#[inline]
fn set<'a>(command: &Command<'a>, limits: &Limits, scratch: &'a mut Scratch) -> Step<'a> {
    // What is at fault up to here leaves the data block to be taken for commands; all later faults swallow it.
    let (key, length, words) = match key_length_and_flags(command) {
        Ok(parts) => parts,
        Err(kind) => return command.refuse(Refusal::new(kind)),
    };
    let mut summary = Summary::new(words);
    let read = summary
        .read(key, 3, limits, scratch)
        .and_then(|()| set_mode(summary.mode));
    let mode = match read {
        Ok(mode) => mode,
        Err(kind) => return command.refuse(Refusal::new(kind).swallowing(length)),
    };
    let key = summary.key(key, scratch);
    let flags = summary.flags;
    if !limits.admits(key.bytes.len(), flags.client_flags, length) {
        return command.refuse(
            Refusal::new(RefusalKind::TooLarge)
                .swallowing(length)
                .invalidating(key.bytes),
        );
    }
    if let Err(kind) = check_opaque(words) {
        return command.refuse(Refusal::new(kind).swallowing(length));
    }
    command.step_with_data(length, false, |value| {
        Request::Meta(MetaRequest {
            command: MetaCommand::Set { value, mode },
            key,
            flags,
        })
    })
}

/// Only the first byte of the token counts, so `MAppend` is append and `Mappend` is no mode.
fn set_mode(mode: Option<Option<u8>>) -> Result<MetaSetMode, RefusalKind> {
    match mode {
        None | Some(Some(b'S')) => Ok(MetaSetMode::Set),
        Some(Some(b'E')) => Ok(MetaSetMode::Add),
        Some(Some(b'A')) => Ok(MetaSetMode::Append),
        Some(Some(b'P')) => Ok(MetaSetMode::Prepend),
        Some(Some(b'R')) => Ok(MetaSetMode::Replace),
        Some(_) => Err(RefusalKind::InvalidSetMode),
    }
}

/// The key and the flags of any command but `ms`.
#[inline]
fn key_and_flags<'a>(command: &Command<'a>) -> Result<(&'a [u8], Tokens<'a>), RefusalKind> {
    let mut words = Tokens::new(command.arguments);
    let key = words.next().ok_or(RefusalKind::BadFormat)?;
    check_letters(words, 2)?;
    Ok((key, words))
}

/// The key, the length and the flags of `ms`.
#[inline]
fn key_length_and_flags<'a>(command: &Command<'a>) -> Result<(&'a [u8], usize, Tokens<'a>), RefusalKind> {
    let mut words = Tokens::new(command.arguments);
    let (Some(key), Some(length)) = (words.next(), words.next()) else {
        return Err(RefusalKind::BadFormat);
    };
    check_letters(words, 3)?;
    Ok((key, value_length(length)?, words))
}

/// Memcached looks at the first byte of every word before it looks at any flag. A byte that is neither a digit nor in the range
/// from `A` to `z` makes the whole line bad.
#[inline]
fn check_letters(words: Tokens<'_>, words_before: usize) -> Result<(), RefusalKind> {
    for word in words.take(WORDS_MAX - words_before) {
        if !matches!(word[0], b'A'..=b'z' | b'0'..=b'9') {
            return Err(RefusalKind::BadFormat);
        }
    }
    Ok(())
}

/// Judged after everything else in the line.
#[inline]
fn check_opaque(words: Tokens<'_>) -> Result<(), RefusalKind> {
    let mut words = words;
    if words.as_bytes().len() > OPAQUE_BYTES_MAX && words.any(|word| word[0] == b'O' && word.len() > OPAQUE_BYTES_MAX) {
        return Err(RefusalKind::OpaqueTooLong);
    }
    Ok(())
}

/// What the flags of a line come to.
struct Summary<'a> {
    flags: MetaFlags<'a>,
    /// Of `M`, the first byte of the token, if it has one.
    mode: Option<Option<u8>>,
    /// With `b`, how many bytes of the scratch space the key has become.
    decoded_bytes: Option<usize>,
}

impl<'a> Summary<'a> {
    #[inline]
    fn new(words: Tokens<'a>) -> Self {
        Summary {
            flags: MetaFlags {
                words,
                ..MetaFlags::default()
            },
            mode: None,
            decoded_bytes: None,
        }
    }

    /// Reads the flags, before which `words_before` other words stand in the line.
    ///
    /// A flag that is unknown or stands there twice ends the reading. Other faults do not, and of several the last is answered.
    #[inline]
    fn read(
        &mut self,
        key: &[u8],
        words_before: usize,
        limits: &Limits,
        scratch: &mut Scratch,
    ) -> Result<(), RefusalKind> {
        if key.len() > limits.key_bytes_max {
            return Err(RefusalKind::BadFormat);
        }
        let words = self.flags.words;
        let mut seen = 0u128;
        let mut fault = None;
        let mut count = words_before;
        for word in words {
            count += 1;
            if count > META_WORDS_MAX {
                return Err(RefusalKind::TooManyFlags);
            }
            let (letter, token) = (word[0], &word[1..]);
            // Letters are below 128: check_letters has seen to that.
            let bit = 1u128 << (letter & 127);
            if seen & bit != 0 {
                return Err(too_many_or(words, words_before, RefusalKind::DuplicateFlag));
            }
            seen |= bit;
            match self.take(letter, token, key, scratch) {
                Ok(()) => {}
                Err(RefusalKind::InvalidFlag) => {
                    return Err(too_many_or(words, words_before, RefusalKind::InvalidFlag));
                }
                // A bad `F` does not displace the text of an earlier fault.
                Err(RefusalKind::BadFormat) => fault = fault.or(Some(RefusalKind::BadFormat)),
                Err(kind) => fault = Some(kind),
            }
        }
        fault.map_or(Ok(()), Err)
    }

    /// `me` reads a `b` in the first place, if another flag follows it, and nothing else.
    fn read_for_debug(&mut self, key: &[u8], limits: &Limits, scratch: &mut Scratch) -> Result<(), RefusalKind> {
        if key.len() > limits.key_bytes_max {
            return Err(RefusalKind::BadFormat);
        }
        let mut words = self.flags.words;
        if words.next() == Some(b"b") && words.next().is_some() {
            self.decoded_bytes = Some(base64::decode(key, scratch).ok_or(RefusalKind::BadFormat)?);
        }
        Ok(())
    }

    #[inline]
    fn take(&mut self, letter: u8, token: &[u8], key: &[u8], scratch: &mut Scratch) -> Result<(), RefusalKind> {
        let exptime = || strict_i32(token).map(Exptime).ok_or(RefusalKind::BadToken);
        let cas = || strict_u64(token).ok_or(RefusalKind::BadToken);
        let flags = &mut self.flags;
        match letter {
            b'k' | b'O' | b's' | b't' | b'c' | b'f' | b'l' | b'h' | b'P' | b'L' => {}
            b'v' => flags.value = true,
            b'q' => flags.quiet = true,
            b'u' => flags.no_bump = true,
            b'I' => flags.invalidate = true,
            b'x' => flags.remove_value = true,
            b'T' => flags.exptime = Some(exptime()?),
            b'N' => flags.vivify = Some(exptime()?),
            b'R' => flags.recache = Some(exptime()?),
            b'C' => flags.cas_compare = Some(cas()?),
            b'E' => flags.cas_new = Some(cas()?),
            b'F' => flags.client_flags = strict_u32(token).ok_or(RefusalKind::BadFormat)?,
            b'J' => flags.initial = strict_u64(token).ok_or(RefusalKind::InvalidInitial)?,
            b'D' => flags.delta = Some(strict_u64(token).ok_or(RefusalKind::InvalidDeltaToken)?),
            b'M' => self.mode = Some(token.first().copied()),
            b'b' => {
                let length = base64::decode(key, scratch).ok_or(RefusalKind::UndecodableKey)?;
                self.decoded_bytes = Some(length);
            }
            _ => return Err(RefusalKind::InvalidFlag),
        }
        Ok(())
    }

    #[inline]
    fn key(&self, key: &'a [u8], scratch: &'a Scratch) -> MetaKey<'a> {
        match self.decoded_bytes {
            Some(length) => MetaKey {
                bytes: &scratch[..length],
                base64: true,
            },
            None => MetaKey {
                bytes: key,
                base64: false,
            },
        }
    }
}

/// That there are too many flags is found before any other fault of a flag.
#[cold]
fn too_many_or(words: Tokens<'_>, words_before: usize, kind: RefusalKind) -> RefusalKind {
    if words.count() + words_before > META_WORDS_MAX {
        RefusalKind::TooManyFlags
    } else {
        kind
    }
}
