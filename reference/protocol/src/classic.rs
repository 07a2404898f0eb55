//! Reads the lines of the classic commands.

use crate::limits::Limits;
use crate::number::{lenient_flags, lenient_i32, strict_i32, strict_u32, strict_u64};
use crate::parser::{Command, Fault, Outcome};
use crate::refusal::RefusalKind;
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
pub(crate) fn read<'a>(command: &Command<'a>, limits: &Limits) -> Outcome<'a> {
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
fn retrieve<'a>(command: &Command<'a>, limits: &Limits, with_cas: bool) -> Outcome<'a> {
    let keys = Tokens::new(command.arguments);
    check_keys(keys, limits)?;
    command.step(Request::Retrieve(Retrieve {
        keys,
        with_cas,
        touch: None,
    }))
}

fn retrieve_and_touch<'a>(command: &Command<'a>, limits: &Limits, with_cas: bool) -> Outcome<'a> {
    let mut keys = Tokens::new(command.arguments);
    let (Some(exptime), Some(_)) = (keys.next(), keys.clone().next()) else {
        return Err(Fault::new(RefusalKind::BadFormat));
    };
    let exptime = strict_i32(exptime).ok_or_else(|| Fault::new(RefusalKind::InvalidExptime))?;
    check_keys(keys, limits)?;
    let touch = Some(Exptime(exptime));
    command.step(Request::Retrieve(Retrieve { keys, with_cas, touch }))
}

/// One key at least, and none too long. A retrieval with a key that is too long answers nothing else.
#[inline]
fn check_keys<'a>(mut keys: Tokens<'a>, limits: &Limits) -> Result<(), Fault<'a>> {
    let first = keys.next().ok_or_else(|| Fault::new(RefusalKind::BadFormat))?;
    let too_long = |key: &[u8]| key.len() > limits.key_bytes_max;
    // What is left cannot hold a key that is too long unless it is too long itself.
    let rest_may_fail = too_long(keys.as_bytes());
    if too_long(first) || (rest_may_fail && keys.any(too_long)) {
        return Err(Fault::new(RefusalKind::BadFormat));
    }
    Ok(())
}

#[inline]
fn store<'a>(command: &Command<'a>, limits: &Limits, verb: StoreVerb) -> Outcome<'a> {
    let mut words = Tokens::new(command.arguments);
    let (Some(key), Some(flags), Some(exptime), Some(length)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Fault::new(RefusalKind::BadFormat));
    };
    let length = value_length(length)?;
    let noreply = ends_in_noreply(words, WORDS_MAX - 5);
    let refuse = |kind| Fault::new(kind).silent_if(noreply).swallowing(length);

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
        let fault = refuse(RefusalKind::TooLarge);
        return Err(if verb == StoreVerb::Set {
            fault.invalidating(key)
        } else {
            fault
        });
    }
    let exptime = Exptime(exptime);
    command.step_with_data(length, noreply, |value| {
        Request::Store(Store {
            verb,
            key,
            client_flags,
            exptime,
            value,
            noreply,
        })
    })
}

/// The length of a data block. A length that cannot be read leaves the block to be taken for commands.
#[inline]
pub(crate) fn value_length<'a>(word: &[u8]) -> Result<usize, Fault<'a>> {
    strict_i32(word)
        .filter(|&length| length <= VALUE_BYTES_CEILING)
        .and_then(|length| usize::try_from(length).ok())
        .ok_or_else(|| Fault::new(RefusalKind::BadFormat))
}

fn delete<'a>(command: &Command<'a>, limits: &Limits) -> Outcome<'a> {
    let mut words = Tokens::new(command.arguments);
    let noreply = ends_in_noreply(words, WORDS_MAX - 1);
    let key = words.next().ok_or_else(|| Fault::new(RefusalKind::BadFormat))?;
    check_key(key, limits, noreply)?;
    command.step(Request::Delete(Delete { key, noreply }))
}

fn arithmetic<'a>(command: &Command<'a>, limits: &Limits, direction: Direction) -> Outcome<'a> {
    let (key, delta, noreply) = key_and_argument(command, limits)?;
    let delta = strict_u64(delta).ok_or_else(|| Fault::new(RefusalKind::InvalidDelta).silent_if(noreply))?;
    command.step(Request::Arithmetic(Arithmetic {
        key,
        direction,
        delta,
        noreply,
    }))
}

fn touch<'a>(command: &Command<'a>, limits: &Limits) -> Outcome<'a> {
    let (key, exptime, noreply) = key_and_argument(command, limits)?;
    let exptime = strict_i32(exptime).ok_or_else(|| Fault::new(RefusalKind::InvalidExptime).silent_if(noreply))?;
    command.step(Request::Touch(Touch {
        key,
        exptime: Exptime(exptime),
        noreply,
    }))
}

/// The key, the word after it, and whether the line ends in `noreply`; that may be the word itself.
fn key_and_argument<'a>(command: &Command<'a>, limits: &Limits) -> Result<(&'a [u8], &'a [u8], bool), Fault<'a>> {
    let mut words = Tokens::new(command.arguments);
    let noreply = ends_in_noreply(words, WORDS_MAX - 1);
    let (Some(key), Some(argument)) = (words.next(), words.next()) else {
        return Err(Fault::new(RefusalKind::BadFormat));
    };
    check_key(key, limits, noreply)?;
    Ok((key, argument, noreply))
}

fn check_key<'a>(key: &[u8], limits: &Limits, noreply: bool) -> Result<(), Fault<'a>> {
    if key.len() > limits.key_bytes_max {
        return Err(Fault::new(RefusalKind::BadFormat).silent_if(noreply));
    }
    Ok(())
}

/// The commands whose name may stand after blanks, and what is none of them.
fn administrative<'a>(command: &Command<'a>) -> Outcome<'a> {
    let mut words = Tokens::new(command.line);
    let noreply = ends_in_noreply(words, WORDS_MAX);
    match words.next() {
        Some(b"flush_all") => flush_all(command, words, noreply),
        Some(b"verbosity") => {
            let level = words.next().and_then(strict_u32);
            let level = level.ok_or_else(|| Fault::new(RefusalKind::BadFormat).silent_if(noreply))?;
            command.step(Request::Verbosity(Verbosity { level, noreply }))
        }
        Some(b"cache_memlimit") => {
            let megabytes = words.next().and_then(strict_u32);
            let megabytes = megabytes.ok_or_else(|| Fault::new(RefusalKind::UnknownCommand).silent_if(noreply))?;
            command.step(Request::CacheMemlimit(CacheMemlimit { megabytes, noreply }))
        }
        Some(b"shutdown") => {
            let mode = match (words.next(), words.next()) {
                (None, _) => ShutdownMode::Immediate,
                (Some(b"graceful"), None) => ShutdownMode::Graceful,
                _ => ShutdownMode::Unknown,
            };
            command.step(Request::Shutdown(Shutdown { mode, noreply }))
        }
        Some(b"slabs") => command.step(Request::Slabs(arguments(words, noreply))),
        Some(b"lru") => command.step(Request::Lru(arguments(words, noreply))),
        Some(b"lru_crawler") => command.step(Request::LruCrawler(arguments(words, noreply))),
        _ => Err(unknown(command, noreply)),
    }
}

fn flush_all<'a>(command: &Command<'a>, mut words: Tokens<'a>, noreply: bool) -> Outcome<'a> {
    let delay = match (words.next(), words.next()) {
        (None, _) => 0,
        (Some(b"noreply"), None) => 0,
        (Some(delay), _) => {
            strict_i32(delay).ok_or_else(|| Fault::new(RefusalKind::InvalidExptime).silent_if(noreply))?
        }
    };
    command.step(Request::FlushAll(FlushAll {
        delay: Exptime(delay),
        noreply,
    }))
}

fn unknown<'a>(command: &Command<'a>, noreply: bool) -> Fault<'a> {
    let words = || Tokens::new(command.line).take(WORDS_MAX);
    if words().skip(1).last().is_some_and(|word| word.starts_with(b"HTTP/")) {
        return Fault::new(RefusalKind::Http);
    }
    Fault::new(RefusalKind::UnknownCommand).silent_if(noreply)
}

fn arguments(words: Tokens<'_>, noreply: bool) -> Arguments<'_> {
    Arguments { words, noreply }
}

/// Whether the last of the words, or of the first `seen` of them, is `noreply`.
#[inline]
fn ends_in_noreply(words: Tokens<'_>, seen: usize) -> bool {
    !words.as_bytes().is_empty() && words.take(seen).last() == Some(b"noreply")
}
