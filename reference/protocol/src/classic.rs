//! Reads the lines of the classic commands.

use crate::limits::Limits;
use crate::number::{lenient_flags, lenient_i32, strict_i32, strict_u32, strict_u64};
use crate::parser::{Command, Step};
use crate::refusal::{Refusal, RefusalKind};
use crate::request::{
    Arguments, Arithmetic, CacheMemlimit, Delete, Direction, Exptime, FlushAll, Request, Retrieve, Shutdown,
    ShutdownMode, Store, StoreVerb, Touch, Verbosity,
};
use crate::tokens::Tokens;

/// Memcached looks at no more words than this in any line but that of a retrieval; a `noreply` that comes later goes unseen.
pub(crate) const WORDS_MAX: usize = 23;

/// The largest length that a data block may claim: with CR LF it fits 31 bits.
const VALUE_BYTES_CEILING: i32 = i32::MAX - 2;

#[inline]
pub(crate) fn read<'a>(command: &Command<'a>, limits: &Limits) -> Step<'a> {
    match command.verb {
        b"get" => retrieve(command, limits, false),
        b"set" => store(command, limits, StoreVerb::Set),
        b"gets" => retrieve(command, limits, true),
        b"gat" => retrieve_and_touch(command, limits, false),
        b"gats" => retrieve_and_touch(command, limits, true),
        b"add" => store(command, limits, StoreVerb::Add),
        b"replace" => store(command, limits, StoreVerb::Replace),
        b"append" => store(command, limits, StoreVerb::Append),
        b"prepend" => store(command, limits, StoreVerb::Prepend),
        b"cas" => store(command, limits, StoreVerb::Cas { unique: 0 }),
        b"delete" => delete(command, limits),
        b"incr" => arithmetic(command, limits, Direction::Increment),
        b"decr" => arithmetic(command, limits, Direction::Decrement),
        b"touch" => touch(command, limits),
        b"version" => command.step(Request::Version),
        b"quit" => command.step(Request::Quit),
        b"stats" => command.step(Request::Stats(arguments(Tokens::new(command.arguments), false))),
        b"watch" => command.step(Request::Watch(arguments(Tokens::new(command.arguments), false))),
        _ => administrative(command),
    }
}

#[inline]
fn retrieve<'a>(command: &Command<'a>, limits: &Limits, with_cas: bool) -> Step<'a> {
    let keys = Tokens::new(command.arguments);
    match check_keys(keys, limits) {
        Ok(()) => command.step(Request::Retrieve(Retrieve {
            keys,
            with_cas,
            touch: None,
        })),
        Err(kind) => command.refuse(Refusal::new(kind)),
    }
}

fn retrieve_and_touch<'a>(command: &Command<'a>, limits: &Limits, with_cas: bool) -> Step<'a> {
    match keys_to_touch(Tokens::new(command.arguments), limits) {
        Ok((exptime, keys)) => {
            let touch = Some(Exptime(exptime));
            command.step(Request::Retrieve(Retrieve { keys, with_cas, touch }))
        }
        Err(kind) => command.refuse(Refusal::new(kind)),
    }
}

fn keys_to_touch<'a>(mut words: Tokens<'a>, limits: &Limits) -> Result<(i32, Tokens<'a>), RefusalKind> {
    let exptime = words.next().ok_or(RefusalKind::BadFormat)?;
    let mut keys = words;
    if keys.next().is_none() {
        return Err(RefusalKind::BadFormat);
    }
    let exptime = strict_i32(exptime).ok_or(RefusalKind::InvalidExptime)?;
    check_keys(words, limits)?;
    Ok((exptime, words))
}

/// One key at least, and none too long. A retrieval with a key that is too long answers nothing else.
#[inline]
fn check_keys(keys: Tokens<'_>, limits: &Limits) -> Result<(), RefusalKind> {
    let rest = keys.as_bytes();
    if rest.iter().all(|&byte| byte == b' ') {
        return Err(RefusalKind::BadFormat);
    }
    // What is no longer than a key may be, its blank included, holds no key that is too long.
    if rest.len() > limits.key_bytes_max {
        return check_each_key(keys, limits);
    }
    Ok(())
}

fn check_each_key(mut keys: Tokens<'_>, limits: &Limits) -> Result<(), RefusalKind> {
    match keys.find(|key| key.len() > limits.key_bytes_max) {
        Some(_) => Err(RefusalKind::BadFormat),
        None => Ok(()),
    }
}

/// What stands in the line of a storage command.
struct StoreLine<'a> {
    verb: StoreVerb,
    key: &'a [u8],
    client_flags: u32,
    exptime: Exptime,
    length: usize,
    noreply: bool,
}

#[inline]
fn store<'a>(command: &Command<'a>, limits: &Limits, verb: StoreVerb) -> Step<'a> {
    match store_line(command.arguments, limits, verb) {
        Ok(StoreLine {
            verb,
            key,
            client_flags,
            exptime,
            length,
            noreply,
        }) => command.step_with_data(length, noreply, |value| {
            Request::Store(Store {
                verb,
                key,
                client_flags,
                exptime,
                value,
                noreply,
            })
        }),
        Err(refusal) => command.refuse(refusal),
    }
}

#[inline]
fn store_line<'a>(arguments: &'a [u8], limits: &Limits, verb: StoreVerb) -> Result<StoreLine<'a>, Refusal<'a>> {
    let mut words = Tokens::new(arguments);
    let (Some(key), Some(flags), Some(exptime), Some(length)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Refusal::new(RefusalKind::BadFormat));
    };
    let length = value_length(length).map_err(Refusal::new)?;
    let noreply = ends_in_noreply(words, WORDS_MAX - 5);
    let refuse = |kind| Refusal::new(kind).silent_if(noreply).swallowing(length);

    if key.len() > limits.key_bytes_max {
        return Err(refuse(RefusalKind::BadFormat));
    }
    let (Some(client_flags), Some(exptime)) = (lenient_flags(flags), lenient_i32(exptime)) else {
        return Err(refuse(RefusalKind::BadFormat));
    };
    let verb = match verb {
        StoreVerb::Cas { .. } => match words.next().and_then(strict_u64) {
            Some(unique) => StoreVerb::Cas { unique },
            None => return Err(refuse(RefusalKind::BadFormat)),
        },
        other => other,
    };
    if !limits.admits(key.len(), client_flags, length) {
        let refusal = refuse(RefusalKind::TooLarge);
        return Err(if verb == StoreVerb::Set {
            refusal.invalidating(key)
        } else {
            refusal
        });
    }
    Ok(StoreLine {
        verb,
        key,
        client_flags,
        exptime: Exptime(exptime),
        length,
        noreply,
    })
}

/// The length of a data block. A length that cannot be read leaves the block to be taken for commands.
#[inline]
pub(crate) fn value_length(word: &[u8]) -> Result<usize, RefusalKind> {
    strict_i32(word)
        .filter(|&length| length <= VALUE_BYTES_CEILING)
        .and_then(|length| usize::try_from(length).ok())
        .ok_or(RefusalKind::BadFormat)
}

fn delete<'a>(command: &Command<'a>, limits: &Limits) -> Step<'a> {
    let mut words = Tokens::new(command.arguments);
    let noreply = ends_in_noreply(words, WORDS_MAX - 1);
    match words.next() {
        None => command.refuse(Refusal::new(RefusalKind::BadFormat)),
        Some(key) if key.len() > limits.key_bytes_max => {
            command.refuse(Refusal::new(RefusalKind::BadFormat).silent_if(noreply))
        }
        Some(key) => command.step(Request::Delete(Delete { key, noreply })),
    }
}

fn arithmetic<'a>(command: &Command<'a>, limits: &Limits, direction: Direction) -> Step<'a> {
    match key_and_number(command.arguments, limits, strict_u64, RefusalKind::InvalidDelta) {
        Ok((key, delta, noreply)) => command.step(Request::Arithmetic(Arithmetic {
            key,
            direction,
            delta,
            noreply,
        })),
        Err(refusal) => command.refuse(refusal),
    }
}

fn touch<'a>(command: &Command<'a>, limits: &Limits) -> Step<'a> {
    match key_and_number(command.arguments, limits, strict_i32, RefusalKind::InvalidExptime) {
        Ok((key, exptime, noreply)) => command.step(Request::Touch(Touch {
            key,
            exptime: Exptime(exptime),
            noreply,
        })),
        Err(refusal) => command.refuse(refusal),
    }
}

/// The key, the number after it, and whether the line ends in `noreply`; that may stand where the number should.
fn key_and_number<'a, N>(
    arguments: &'a [u8],
    limits: &Limits,
    read: impl FnOnce(&[u8]) -> Option<N>,
    otherwise: RefusalKind,
) -> Result<(&'a [u8], N, bool), Refusal<'a>> {
    let mut words = Tokens::new(arguments);
    let noreply = ends_in_noreply(words, WORDS_MAX - 1);
    let (Some(key), Some(number)) = (words.next(), words.next()) else {
        return Err(Refusal::new(RefusalKind::BadFormat));
    };
    if key.len() > limits.key_bytes_max {
        return Err(Refusal::new(RefusalKind::BadFormat).silent_if(noreply));
    }
    let number = read(number).ok_or_else(|| Refusal::new(otherwise).silent_if(noreply))?;
    Ok((key, number, noreply))
}

/// The commands whose name may stand after blanks, and what is none of them.
#[inline(never)]
fn administrative<'a>(command: &Command<'a>) -> Step<'a> {
    let mut words = Tokens::new(command.line);
    let noreply = ends_in_noreply(words, WORDS_MAX);
    let request = match words.next() {
        Some(b"flush_all") => flush_all(words, noreply),
        Some(b"verbosity") => words
            .next()
            .and_then(strict_u32)
            .map(|level| Request::Verbosity(Verbosity { level, noreply }))
            .ok_or(RefusalKind::BadFormat),
        Some(b"cache_memlimit") => words
            .next()
            .and_then(strict_u32)
            .map(|megabytes| Request::CacheMemlimit(CacheMemlimit { megabytes, noreply }))
            .ok_or(RefusalKind::UnknownCommand),
        Some(b"shutdown") => {
            let mode = match (words.next(), words.next()) {
                (None, _) => ShutdownMode::Immediate,
                (Some(b"graceful"), None) => ShutdownMode::Graceful,
                _ => ShutdownMode::Unknown,
            };
            Ok(Request::Shutdown(Shutdown { mode, noreply }))
        }
        Some(b"slabs") => Ok(Request::Slabs(arguments(words, noreply))),
        Some(b"lru") => Ok(Request::Lru(arguments(words, noreply))),
        Some(b"lru_crawler") => Ok(Request::LruCrawler(arguments(words, noreply))),
        _ if is_http(command.line) => Err(RefusalKind::Http),
        _ => Err(RefusalKind::UnknownCommand),
    };
    match request {
        Ok(request) => command.step(request),
        Err(kind) => command.refuse(Refusal::new(kind).silent_if(noreply)),
    }
}

fn flush_all<'a>(mut words: Tokens<'a>, noreply: bool) -> Result<Request<'a>, RefusalKind> {
    let delay = match (words.next(), words.next()) {
        (None, _) | (Some(b"noreply"), None) => 0,
        (Some(delay), _) => strict_i32(delay).ok_or(RefusalKind::InvalidExptime)?,
    };
    Ok(Request::FlushAll(FlushAll {
        delay: Exptime(delay),
        noreply,
    }))
}

/// Memcached hangs up on web browsers and on what else speaks HTTP to it.
fn is_http(line: &[u8]) -> bool {
    let words = Tokens::new(line).take(WORDS_MAX);
    words.skip(1).last().is_some_and(|word| word.starts_with(b"HTTP/"))
}

fn arguments(words: Tokens<'_>, noreply: bool) -> Arguments<'_> {
    Arguments { words, noreply }
}

/// Whether the last of the words, or of the first `seen` of them, is `noreply`.
#[inline]
fn ends_in_noreply(words: Tokens<'_>, seen: usize) -> bool {
    !words.as_bytes().is_empty() && words.take(seen).last() == Some(b"noreply")
}
