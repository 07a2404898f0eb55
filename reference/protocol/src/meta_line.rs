//! Reads the lines of the meta commands.

use crate::base64;
use crate::classic::{self, WORDS_MAX, value_length};
use crate::limits::Limits;
use crate::meta::{MetaCommand, MetaFlags, MetaKey, MetaRequest, MetaSetMode};
use crate::number::{strict_i32, strict_u32, strict_u64};
use crate::parser::{Command, Fault, Outcome};
use crate::refusal::RefusalKind;
use crate::request::{Direction, Exptime, Request};
use crate::tokens::Tokens;

/// The most words in a line: the command, the key, for `ms` the length, and flags.
const META_WORDS_MAX: usize = 20;

/// The longest `O` flag, its letter included.
const OPAQUE_BYTES_MAX: usize = 32;

/// Where a base64 key is decoded to.
type Scratch = [u8; Limits::KEY_BYTES_CEILING];

#[inline]
pub(crate) fn read<'a>(letter: u8, command: &Command<'a>, limits: &Limits, scratch: &'a mut Scratch) -> Outcome<'a> {
    match letter {
        b'g' => {
            let (key, flags) = one_key(command, limits, scratch).map_err(Fault::new)?;
            command.step(Request::Meta(MetaRequest {
                command: MetaCommand::Get,
                key,
                flags,
            }))
        }
        b's' => set(command, limits, scratch),
        b'd' => {
            let (key, flags) = one_key(command, limits, scratch).map_err(Fault::new)?;
            command.step(Request::Meta(MetaRequest {
                command: MetaCommand::Delete,
                key,
                flags,
            }))
        }
        b'a' => arithmetic(command, limits, scratch).map_or_else(
            |kind| Err(Fault::new(kind)),
            |request| command.step(Request::Meta(request)),
        ),
        b'e' => debug(command, limits, scratch).map_or_else(
            |kind| Err(Fault::new(kind)),
            |request| command.step(Request::Meta(request)),
        ),
        b'n' => command.step(Request::MetaNoop),
        _ => classic::read(command, limits),
    }
}

/// `mg` and `md`.
#[inline]
fn one_key<'a>(
    command: &Command<'a>,
    limits: &Limits,
    scratch: &'a mut Scratch,
) -> Result<(MetaKey<'a>, MetaFlags<'a>), RefusalKind> {
    let (key, words) = key_and_flags(command)?;
    let summary = Summary::of(key, words, 2, limits, scratch)?;
    check_opaque(words)?;
    Ok((summary.key(key, scratch), summary.flags))
}

fn arithmetic<'a>(
    command: &Command<'a>,
    limits: &Limits,
    scratch: &'a mut Scratch,
) -> Result<MetaRequest<'a>, RefusalKind> {
    let (key, words) = key_and_flags(command)?;
    let summary = Summary::of(key, words, 2, limits, scratch).map_err(|_| RefusalKind::InvalidOrDuplicateFlag)?;
    let direction = match summary.mode {
        None | Some(Some(b'I' | b'+')) => Direction::Increment,
        Some(Some(b'D' | b'-')) => Direction::Decrement,
        Some(_) => return Err(RefusalKind::InvalidArithmeticMode),
    };
    check_opaque(words)?;
    let key = summary.key(key, scratch);
    Ok(MetaRequest {
        command: MetaCommand::Arithmetic { direction },
        key,
        flags: summary.flags,
    })
}

fn debug<'a>(command: &Command<'a>, limits: &Limits, scratch: &'a mut Scratch) -> Result<MetaRequest<'a>, RefusalKind> {
    let (key, words) = key_and_flags(command)?;
    if key.len() > limits.key_bytes_max {
        return Err(RefusalKind::BadFormat);
    }
    let mut flags = words;
    let base64 = flags.next() == Some(b"b") && flags.next().is_some();
    let key = if base64 {
        let length = base64::decode(key, scratch).ok_or(RefusalKind::BadFormat)?;
        MetaKey {
            bytes: &scratch[..length],
            base64,
        }
    } else {
        MetaKey { bytes: key, base64 }
    };
    let flags = MetaFlags {
        words,
        ..MetaFlags::default()
    };
    Ok(MetaRequest {
        command: MetaCommand::Debug,
        key,
        flags,
    })
}

fn set<'a>(command: &Command<'a>, limits: &Limits, scratch: &'a mut Scratch) -> Outcome<'a> {
    let mut words = Tokens::new(command.arguments);
    let (Some(key), Some(length)) = (words.next(), words.next()) else {
        return Err(Fault::new(RefusalKind::BadFormat));
    };
    // These two leave the data block to be taken for commands; all later faults swallow it.
    check_letters(words, 3).map_err(Fault::new)?;
    let length = value_length(length)?;

    let refuse = |kind| Fault::new(kind).swallowing(length);
    let summary = Summary::of(key, words, 3, limits, scratch).map_err(refuse)?;
    let mode = set_mode(summary.mode).map_err(refuse)?;
    let key = summary.key(key, scratch);
    let flags = summary.flags;
    if !limits.admits(key.bytes.len(), flags.client_flags, length) {
        return Err(refuse(RefusalKind::TooLarge).invalidating(key.bytes));
    }
    check_opaque(words).map_err(refuse)?;
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
    /// Reads the flags in `words`, before which `words_before` others stand in the line.
    ///
    /// A flag that is unknown or stands there twice ends the reading. Other faults do not, and of several the last is answered.
    #[inline]
    fn of(
        key: &[u8],
        words: Tokens<'a>,
        words_before: usize,
        limits: &Limits,
        scratch: &mut Scratch,
    ) -> Result<Self, RefusalKind> {
        if key.len() > limits.key_bytes_max {
            return Err(RefusalKind::BadFormat);
        }
        let flags = MetaFlags {
            words,
            ..MetaFlags::default()
        };
        let mut summary = Summary {
            flags,
            mode: None,
            decoded_bytes: None,
        };
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
            match summary.take(letter, token, key, scratch) {
                Ok(()) => {}
                Err(RefusalKind::InvalidFlag) => {
                    return Err(too_many_or(words, words_before, RefusalKind::InvalidFlag));
                }
                // A bad `F` does not displace the text of an earlier fault.
                Err(RefusalKind::BadFormat) => fault = fault.or(Some(RefusalKind::BadFormat)),
                Err(kind) => fault = Some(kind),
            }
        }
        fault.map_or(Ok(summary), Err)
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
