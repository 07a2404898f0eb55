//! Random meta commands. What the flags come to is put together here from the flags, not from their text.

use proptest::prelude::*;
use refcached_protocol::meta::{MetaCommand, MetaFlags, MetaKey, MetaRequest, MetaSetMode};
use refcached_protocol::request::{Direction, Exptime};
use refcached_protocol::tokens::Tokens;

use super::{keys, values, words};

/// A [`MetaRequest`] that owns what it is made of.
#[derive(Clone, Debug)]
pub(crate) struct OwnedMeta {
    verb: Verb,
    key: Vec<u8>,
    flags: Vec<Flag>,
    /// The flags as they are sent.
    text: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Verb {
    Get,
    Set(Vec<u8>),
    Delete,
    Arithmetic,
    Debug,
}

#[derive(Clone, Debug)]
enum Flag {
    Base64,
    Plain(u8),
    Token(u8, Vec<u8>),
    Exptime(u8, i32),
    Number(u8, u64),
    ClientFlags(u32),
    SetMode(MetaSetMode, u8),
    Direction(Direction, u8),
}

impl Flag {
    fn code(&self) -> u8 {
        match *self {
            Flag::Base64 => b'b',
            Flag::Plain(code) | Flag::Token(code, _) | Flag::Exptime(code, _) | Flag::Number(code, _) => code,
            Flag::ClientFlags(_) => b'F',
            Flag::SetMode(..) | Flag::Direction(..) => b'M',
        }
    }

    fn text(&self) -> Vec<u8> {
        let token = match self {
            Flag::Base64 | Flag::Plain(_) => Vec::new(),
            Flag::Token(_, token) => token.clone(),
            Flag::Exptime(_, exptime) => exptime.to_string().into_bytes(),
            Flag::Number(_, number) => number.to_string().into_bytes(),
            Flag::ClientFlags(flags) => flags.to_string().into_bytes(),
            Flag::SetMode(_, letter) | Flag::Direction(_, letter) => vec![*letter],
        };
        [&[self.code()], token.as_slice()].concat()
    }
}

impl OwnedMeta {
    fn new(verb: Verb, key: Vec<u8>, flags: Vec<Flag>) -> Self {
        let text = flags.iter().map(Flag::text).collect::<Vec<_>>().join(&b' ');
        OwnedMeta { verb, key, flags, text }
    }

    pub(crate) fn borrow(&self) -> MetaRequest<'_> {
        let base64 = self.flags.iter().any(|flag| matches!(flag, Flag::Base64));
        MetaRequest {
            command: self.command(),
            key: MetaKey {
                bytes: &self.key,
                base64,
            },
            flags: self.summed_up(),
        }
    }

    fn command(&self) -> MetaCommand<'_> {
        let mode = self.flags.iter().find_map(|flag| match flag {
            Flag::SetMode(mode, _) => Some(*mode),
            _ => None,
        });
        let direction = self.flags.iter().find_map(|flag| match flag {
            Flag::Direction(direction, _) => Some(*direction),
            _ => None,
        });
        match &self.verb {
            Verb::Get => MetaCommand::Get,
            Verb::Set(value) => MetaCommand::Set {
                value,
                mode: mode.unwrap_or(MetaSetMode::Set),
            },
            Verb::Delete => MetaCommand::Delete,
            Verb::Arithmetic => MetaCommand::Arithmetic {
                direction: direction.unwrap_or(Direction::Increment),
            },
            Verb::Debug => MetaCommand::Debug,
        }
    }

    fn summed_up(&self) -> MetaFlags<'_> {
        let mut sum = MetaFlags {
            words: Tokens::new(&self.text),
            ..MetaFlags::default()
        };
        if matches!(self.verb, Verb::Debug) {
            return sum;
        }
        for flag in &self.flags {
            match *flag {
                Flag::Plain(b'q') => sum.quiet = true,
                Flag::Plain(b'v') => sum.value = true,
                Flag::Plain(b'u') => sum.no_bump = true,
                Flag::Plain(b'I') => sum.invalidate = true,
                Flag::Plain(b'x') => sum.remove_value = true,
                Flag::Exptime(b'T', exptime) => sum.exptime = Some(Exptime(exptime)),
                Flag::Exptime(b'N', exptime) => sum.vivify = Some(Exptime(exptime)),
                Flag::Exptime(_, exptime) => sum.recache = Some(Exptime(exptime)),
                Flag::Number(b'C', number) => sum.cas_compare = Some(number),
                Flag::Number(b'E', number) => sum.cas_new = Some(number),
                Flag::Number(b'J', number) => sum.initial = number,
                Flag::Number(_, number) => sum.delta = Some(number),
                Flag::ClientFlags(flags) => sum.client_flags = flags,
                Flag::Base64 | Flag::Plain(_) | Flag::Token(..) | Flag::SetMode(..) | Flag::Direction(..) => {}
            }
        }
        sum
    }
}

/// Any meta command but `mn`.
pub(crate) fn metas() -> impl Strategy<Value = OwnedMeta> {
    let verbs = prop_oneof![
        3 => Just(Verb::Get),
        3 => values().prop_map(Verb::Set),
        2 => Just(Verb::Delete),
        2 => Just(Verb::Arithmetic),
        1 => Just(Verb::Debug),
    ];
    verbs.prop_flat_map(|verb| {
        let mode = modes(&verb);
        let flags = prop::collection::vec(flags(), 0..10);
        // Decoded bytes may be anything; 186 of them take 248 in base64.
        let keys = prop_oneof![
            keys().prop_map(|key| (key, false)),
            prop::collection::vec(any::<u8>(), 1..=186).prop_map(|key| (key, true)),
        ];
        (
            Just(verb),
            keys,
            flags,
            prop::option::of(mode),
            any::<prop::sample::Index>(),
        )
            .prop_map(|(verb, (key, base64), flags, mode, place)| assemble(verb, key, base64, flags, mode, place))
    })
}

/// Puts the flags together: none twice, and `b` where the key calls for it.
fn assemble(
    verb: Verb,
    key: Vec<u8>,
    base64: bool,
    mut flags: Vec<Flag>,
    mode: Option<Flag>,
    place: prop::sample::Index,
) -> OwnedMeta {
    flags.extend(mode);
    let mut seen = Vec::new();
    flags.retain(|flag| {
        !seen.contains(&flag.code()) && {
            seen.push(flag.code());
            true
        }
    });
    if base64 && matches!(verb, Verb::Debug) {
        // `me` knows `b` only in the first place, and only when another flag follows.
        flags.insert(0, Flag::Base64);
        if flags.len() == 1 {
            flags.push(Flag::Plain(b'v'));
        }
    } else if base64 {
        let at = place.index(flags.len() + 1);
        flags.insert(at, Flag::Base64);
    }
    OwnedMeta::new(verb, key, flags)
}

fn flags() -> impl Strategy<Value = Flag> {
    let plain = prop::sample::select(b"ckfhlstvquIx".to_vec()).prop_map(Flag::Plain);
    let hints = (prop::sample::select(b"PL".to_vec()), words(40)).prop_map(|(code, token)| Flag::Token(code, token));
    let opaque = words(31).prop_map(|token| Flag::Token(b'O', token));
    let exptimes =
        (prop::sample::select(b"TNR".to_vec()), any::<i32>()).prop_map(|(code, exptime)| Flag::Exptime(code, exptime));
    let numbers =
        (prop::sample::select(b"CEJD".to_vec()), any::<u64>()).prop_map(|(code, number)| Flag::Number(code, number));
    let client_flags = any::<u32>().prop_map(Flag::ClientFlags);
    prop_oneof![4 => plain, 1 => hints, 1 => opaque, 3 => exptimes, 3 => numbers, 1 => client_flags]
}

/// The `M` flags that a command takes; on most it means nothing and may be anything.
fn modes(verb: &Verb) -> BoxedStrategy<Flag> {
    match verb {
        Verb::Set(_) => prop::sample::select(vec![
            Flag::SetMode(MetaSetMode::Set, b'S'),
            Flag::SetMode(MetaSetMode::Add, b'E'),
            Flag::SetMode(MetaSetMode::Append, b'A'),
            Flag::SetMode(MetaSetMode::Prepend, b'P'),
            Flag::SetMode(MetaSetMode::Replace, b'R'),
        ])
        .boxed(),
        Verb::Arithmetic => prop::sample::select(vec![
            Flag::Direction(Direction::Increment, b'I'),
            Flag::Direction(Direction::Increment, b'+'),
            Flag::Direction(Direction::Decrement, b'D'),
            Flag::Direction(Direction::Decrement, b'-'),
        ])
        .boxed(),
        Verb::Get | Verb::Delete | Verb::Debug => words(5).prop_map(|token| Flag::Token(b'M', token)).boxed(),
    }
}
