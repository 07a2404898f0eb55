//! What must hold of a command that the parser has read, or refused: read off the bytes a second time, slowly and plainly,
//! with none of the parser's code.
//!
//! A crate of its own, so that fuzzers are built without watching it: which of its branches are taken shows nothing about
//! the parser, and counting them costs a fifth of an execution.
//!
//! # Layout
//! - the root: requests and refusals. `steps`: the same command twice. [`base64`]: a second decoder.

pub mod base64;
mod steps;

pub use steps::{no_such_step, same_step, steps_differ};

use refcached_protocol::meta::{MetaCommand, MetaFlags, MetaRequest};
use refcached_protocol::request::{Retrieve, Store, StoreVerb};
use refcached_protocol::{Limits, Refusal, RefusalKind, Request};

/// More words of a line are counted, but not kept.
const WORDS_KEPT: usize = 24;

/// Memcached looks for `noreply` among the first words only; in lines as short as this, that is all of them.
const WORDS_SEEN: usize = 20;

/// What an item takes beside its key and value, and beside its flags: README of `reference/protocol`, limits.
const ITEM_BYTES: usize = 59;

/// The letters that are flags of meta commands.
const FLAGS: &[u8] = b"kOstcflhPLvquIxTNRCEFJDMb";

/// A command line and what follows it.
struct Line<'a> {
    words: [&'a [u8]; WORDS_KEPT],
    count: usize,
    /// Names that are looked for at the very beginning are not found behind a blank.
    indented: bool,
    block: &'a [u8],
}

impl<'a> Line<'a> {
    #[inline]
    fn of(command: &'a [u8]) -> Self {
        let end = command
            .iter()
            .position(|&byte| byte == b'\n')
            .expect("a line has an end");
        let text = command[..end].strip_suffix(b"\r").unwrap_or(&command[..end]);
        let mut line = Line {
            words: [b""; WORDS_KEPT],
            count: 0,
            indented: text.starts_with(b" "),
            block: &command[end + 1..],
        };
        for word in text.split(|&byte| byte == b' ').filter(|word| !word.is_empty()) {
            if line.count < WORDS_KEPT {
                line.words[line.count] = word;
            }
            line.count += 1;
        }
        line
    }

    fn kept(&self) -> &[&'a [u8]] {
        &self.words[..self.count.min(WORDS_KEPT)]
    }

    /// Whether the last word is `noreply`; none if it may not have been looked at.
    fn ends_in_noreply(&self) -> Option<bool> {
        (self.count <= WORDS_SEEN).then(|| self.kept().last() == Some(&&b"noreply"[..]))
    }

    /// The length of the data block that the line announces.
    fn announced(&self) -> Option<u64> {
        let word = match self.words[0] {
            _ if self.indented => return None,
            b"set" | b"add" | b"replace" | b"append" | b"prepend" | b"cas" if self.count > 4 => self.words[4],
            b"ms" if self.count > 2 => self.words[2],
            _ => return None,
        };
        let length = u64::try_from(signed(word)?).ok()?;
        (length <= i32::MAX as u64 - 2).then_some(length)
    }
}

/// The number that `word` is, if it is digits and no more than memcached reads.
fn plain(word: &[u8]) -> Option<u128> {
    let is_number = (1..=22).contains(&word.len()) && word.iter().all(u8::is_ascii_digit);
    is_number.then(|| word.iter().fold(0, |sum, digit| sum * 10 + u128::from(digit - b'0')))
}

/// The same with a sign, of 32 bits. A sign alone is 0 to memcached.
fn signed(word: &[u8]) -> Option<i32> {
    if word.len() > 11 {
        return None;
    }
    let number = match word.strip_prefix(b"-") {
        Some([]) => 0,
        Some(rest) => -(plain(rest)? as i128),
        None => plain(word)? as i128,
    };
    i32::try_from(number).ok()
}

/// Judges a request that was read from `command`.
///
/// # Panics
/// When it says what the bytes do not.
pub fn request(request: &Request<'_>, command: &[u8], limits: &Limits) {
    let line = Line::of(command);
    let words = &line.words;
    let is_key = |key: &[u8]| {
        assert!(
            (1..=limits.key_bytes_max).contains(&key.len()),
            "a key of {} bytes",
            key.len()
        );
        assert_eq!(key, words[1], "the key");
    };
    match request {
        Request::Store(store) => {
            is_key(store.key);
            judge_store(store, &line, limits);
        }
        Request::Retrieve(retrieve) => judge_retrieval(retrieve, &line, limits),
        Request::Delete(delete) => is_key(delete.key),
        Request::Arithmetic(arithmetic) => {
            is_key(arithmetic.key);
            assert_eq!(plain(words[2]), Some(arithmetic.delta.into()), "the delta");
        }
        Request::Touch(touch) => {
            is_key(touch.key);
            assert_eq!(signed(words[2]), Some(touch.exptime.0), "the exptime");
        }
        Request::Meta(meta) => judge_meta(meta, &line, limits),
        Request::Verbosity(verbosity) => assert_eq!(plain(words[1]), Some(verbosity.level.into()), "the level"),
        Request::CacheMemlimit(limit) => assert_eq!(plain(words[1]), Some(limit.megabytes.into()), "the limit"),
        Request::FlushAll(flush) => {
            let none = line.count == 1 || (line.count == 2 && words[1] == b"noreply");
            let delay = if none { Some(0) } else { signed(words[1]) };
            assert_eq!(delay, Some(flush.delay.0), "the delay");
        }
        Request::MetaNoop => assert!(words[0].starts_with(b"mn")),
        Request::Version => assert_eq!(words[0], b"version"),
        Request::Quit => assert_eq!(words[0], b"quit"),
        Request::Stats(_) => assert_eq!(words[0], b"stats"),
        Request::Watch(_) => assert_eq!(words[0], b"watch"),
        Request::Shutdown(_) => assert_eq!(words[0], b"shutdown"),
        Request::Slabs(_) => assert_eq!(words[0], b"slabs"),
        Request::Lru(_) => assert_eq!(words[0], b"lru"),
        Request::LruCrawler(_) => assert_eq!(words[0], b"lru_crawler"),
    }
    if request.noreply() {
        assert_ne!(line.ends_in_noreply(), Some(false), "silent unasked");
    }
    if !matches!(request, Request::Store(_) | Request::Meta(_)) {
        assert!(line.block.is_empty(), "a data block after {request:?}");
    }
}

fn judge_store(store: &Store<'_>, line: &Line<'_>, limits: &Limits) {
    let words = &line.words;
    assert_eq!(words[0], store.verb.name().as_bytes(), "the verb");
    judge_block(store.value, line, store.key.len(), store.client_flags, limits);
    if let StoreVerb::Cas { unique } = store.verb {
        assert_eq!(plain(words[5]), Some(unique.into()), "the CAS value");
    }
    // Both are cut down to 32 bits, and may have signs and more around them, which is not judged.
    if let Some(flags) = plain(words[2]) {
        assert_eq!(
            store.client_flags,
            u64::try_from(flags).expect("64 bits at most") as u32
        );
    }
    if let Some(exptime) = plain(words[3]) {
        assert_eq!(store.exptime.0, i64::try_from(exptime).expect("63 bits at most") as i32);
    }
    assert!(
        line.ends_in_noreply()
            .is_none_or(|silent| silent == store.noreply || line.count == 5)
    );
}

/// A value is the data block, whole, with its end, and small enough.
fn judge_block(value: &[u8], line: &Line<'_>, key_bytes: usize, client_flags: u32, limits: &Limits) {
    assert_eq!(line.announced(), Some(value.len() as u64), "the length");
    assert_eq!(line.block.strip_suffix(b"\r\n"), Some(value), "the data block");
    let size = ITEM_BYTES + key_bytes + value.len() + if client_flags == 0 { 0 } else { 4 };
    assert!(size as u64 <= limits.item_bytes_max, "an item of {size} bytes");
}

fn judge_retrieval(retrieve: &Retrieve<'_>, line: &Line<'_>, limits: &Limits) {
    let before = match retrieve.touch {
        Some(exptime) => {
            assert_eq!(signed(line.words[1]), Some(exptime.0), "the exptime");
            2
        }
        None => 1,
    };
    let mut keys = retrieve.keys;
    assert_eq!(keys.by_ref().count(), line.count - before, "the number of keys");
    assert!(line.count > before, "no key");
    for (key, word) in retrieve.keys.zip(&line.words[before..]) {
        assert_eq!(key, *word, "a key");
    }
    assert!(
        retrieve.keys.into_iter().all(|key| key.len() <= limits.key_bytes_max),
        "a long key"
    );
    assert_eq!(line.words[0].ends_with(b"s"), retrieve.with_cas);
}

fn judge_meta(meta: &MetaRequest<'_>, line: &Line<'_>, limits: &Limits) {
    assert!(
        line.words[1].len() <= limits.key_bytes_max,
        "a key of {} bytes",
        line.words[1].len()
    );
    let flags = match meta.command {
        MetaCommand::Set { value, .. } => {
            judge_block(value, line, meta.key.bytes.len(), meta.flags.client_flags, limits);
            &line.kept()[3..]
        }
        _ => &line.kept()[2..],
    };
    if meta.key.base64 {
        assert!(flags.iter().any(|flag| flag[0] == b'b'), "base64 unasked");
        assert_eq!(
            base64::decode(line.words[1]).as_deref(),
            Some(meta.key.bytes),
            "the decoded key"
        );
    } else {
        assert_eq!(meta.key.bytes, line.words[1], "the key");
    }
    if meta.command == MetaCommand::Debug {
        return;
    }
    assert!(line.count <= WORDS_SEEN, "{} words", line.count);
    judge_flags(&meta.flags, flags);
}

fn judge_flags(flags: &MetaFlags<'_>, words: &[&[u8]]) {
    assert_eq!(flags.words.count(), words.len(), "the number of flags");
    let token = |letter| words.iter().find(|word| word[0] == letter).map(|word| &word[1..]);
    for (at, word) in words.iter().enumerate() {
        assert!(FLAGS.contains(&word[0]), "flag {}", word.escape_ascii());
        assert!(words[..at].iter().all(|other| other[0] != word[0]), "a flag twice");
    }
    for (letter, number) in [(b'C', flags.cas_compare), (b'E', flags.cas_new), (b'D', flags.delta)] {
        assert_eq!(token(letter).map(plain), number.map(|number| Some(number.into())));
    }
    for (letter, exptime) in [(b'T', flags.exptime), (b'N', flags.vivify), (b'R', flags.recache)] {
        assert_eq!(token(letter).map(signed), exptime.map(|exptime| Some(exptime.0)));
    }
    assert_eq!(token(b'J').map_or(Some(0), plain), Some(flags.initial.into()));
    assert_eq!(token(b'F').map_or(Some(0), plain), Some(flags.client_flags.into()));
    let given = [
        flags.quiet,
        flags.value,
        flags.no_bump,
        flags.invalidate,
        flags.remove_value,
    ];
    for (letter, given) in b"qvuIx".iter().zip(given) {
        assert_eq!(token(*letter).is_some(), given, "flag {}", char::from(*letter));
    }
}

/// Judges a refusal of `command`, and answers how many bytes must be swallowed after it. Those that close at once have no
/// line, and are not for this.
///
/// # Panics
/// When the bytes give no reason for it.
pub fn refusal(refusal: &Refusal<'_>, command: &[u8], limits: &Limits) -> u64 {
    let line = Line::of(command);
    let flags = line.kept().get(2..).unwrap_or_default();
    let fits = match refusal.kind {
        RefusalKind::BadDataChunk => {
            assert_eq!(line.announced().map(|length| length + 2), Some(line.block.len() as u64));
            !line.block.ends_with(b"\r\n")
        }
        RefusalKind::TooLarge => {
            let largest = ITEM_BYTES as u64 + 4 + limits.key_bytes_max as u64 + line.announced().expect("a data block");
            largest > limits.item_bytes_max
        }
        RefusalKind::DuplicateFlag => (0..flags.len()).any(|at| flags[..at].iter().any(|flag| flag[0] == flags[at][0])),
        RefusalKind::InvalidFlag => flags.iter().any(|flag| !FLAGS.contains(&flag[0])),
        RefusalKind::TooManyFlags => line.count > WORDS_SEEN,
        RefusalKind::OpaqueTooLong => flags.iter().any(|flag| flag[0] == b'O' && flag.len() > 32),
        RefusalKind::Http => line.kept().iter().any(|word| word.starts_with(b"HTTP/")),
        RefusalKind::UndecodableKey => base64::decode(line.words[1]).is_none(),
        RefusalKind::InvalidSetMode | RefusalKind::InvalidArithmeticMode => flags.iter().any(|flag| flag[0] == b'M'),
        RefusalKind::InvalidDelta => plain(line.words[2]).is_none_or(|delta| delta > u128::from(u64::MAX)),
        RefusalKind::InvalidExptime => line.kept().iter().any(|word| signed(word).is_none()),
        _ => true,
    };
    assert!(fits, "{:?} of {}", refusal.kind, command.escape_ascii());
    if refusal.silent {
        assert_ne!(line.ends_in_noreply(), Some(false), "silent unasked");
    }
    if refusal.invalidate.is_some() {
        assert_eq!(refusal.kind, RefusalKind::TooLarge);
        assert!(matches!(line.words[0], b"set" | b"ms"));
    }
    refused_block(refusal.kind, &line)
}

/// The length of the data block that a refused line announces, unless it is not known for a data block, or was judged with
/// the line.
fn refused_block(kind: RefusalKind, line: &Line<'_>) -> u64 {
    let whole_block = line.announced().map_or(0, |length| length + 2);
    let is_letter = |flag: &&&[u8]| matches!(flag[0], b'A'..=b'z' | b'0'..=b'9');
    match kind {
        RefusalKind::BadDataChunk => 0,
        // The line itself is bad when a flag begins with no letter: then it announces nothing.
        RefusalKind::BadFormat if line.words[0] == b"ms" => {
            let letters = line.kept().iter().skip(3).filter(is_letter).count();
            if letters + 3 == line.kept().len() {
                whole_block
            } else {
                0
            }
        }
        _ => whole_block,
    }
}
