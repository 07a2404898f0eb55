//! The commands of a history, before it is known under which names its keys go.

/// A key of a history; every run of a history gives it another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// `{k1}` to `{k9}`.
    Plain(u8),
    /// `{key N}`: exactly so many bytes.
    Sized(usize),
    /// `{k1}` to `{k9}`, and behind it what stands at this place of [`SUFFIXES`].
    Suffixed(u8, u8),
}

/// What keys may end in: case, what might pass for a separator, bytes beyond ASCII, a control byte.
pub const SUFFIXES: [&str; 5] = ["A", "a", ",b", "\u{e9}", "\u{1}"];

/// A delay after which nothing happens while anybody looks, yet still a delay and no date: these begin at 30 days. A flush that is
/// to come is forgotten with the next one.
pub const FAR_SECONDS: i32 = 1_000_000;

/// A data block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// These bytes.
    Literal(Vec<u8>),
    /// So many letters of the alphabet, over and over.
    Filler(usize),
}

/// An expiry time as a client writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exptime {
    /// Seconds from now; 0 is never, below 0 is at once.
    Relative(i64),
    /// A time of the calendar, this many seconds from now.
    Unix(i64),
}

/// A CAS value as a client knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CasRef {
    /// The value last seen for this key, plus an offset.
    Seen(Key, i64),
    /// This number.
    Number(u64),
}

/// The commands that store a data block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// `set`
    Set,
    /// `add`
    Add,
    /// `replace`
    Replace,
    /// `append`
    Append,
    /// `prepend`
    Prepend,
    /// `cas`
    Cas(CasRef),
}

/// A meta command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetaVerb {
    /// `mg`
    Get,
    /// `ms`
    Set,
    /// `md`
    Delete,
    /// `ma`
    Arithmetic,
}

/// One flag of a meta command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flag {
    /// A letter alone.
    Bare(u8),
    /// A letter and a word.
    Word(u8, &'static str),
    /// A letter and a number.
    Number(u8, u64),
    /// A letter and an expiry time: `T`, `N`, `R`.
    Time(u8, Exptime),
    /// A letter and a CAS value: `C`, `E`.
    Cas(u8, CasRef),
    /// `M` and a mode.
    Mode(u8),
}

impl Flag {
    /// The flag's letter.
    pub fn letter(&self) -> u8 {
        match *self {
            Self::Bare(letter)
            | Self::Word(letter, _)
            | Self::Number(letter, _)
            | Self::Time(letter, _)
            | Self::Cas(letter, _) => letter,
            Self::Mode(_) => b'M',
        }
    }
}

/// A meta command with its key and flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Which.
    pub verb: MetaVerb,
    /// The key; sent in base64 when the flag `b` stands.
    pub key: Key,
    /// The flags, in order; no letter twice.
    pub flags: Vec<Flag>,
    /// The data block of `ms`.
    pub value: Value,
}

impl Meta {
    /// The flag of this letter.
    pub fn flag(&self, letter: u8) -> Option<&Flag> {
        self.flags.iter().find(|flag| flag.letter() == letter)
    }

    /// Whether a flag of this letter stands.
    pub fn has(&self, letter: u8) -> bool {
        self.flag(letter).is_some()
    }
}

/// One command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `set` and its kin.
    Store {
        /// Which.
        verb: Store,
        /// Where.
        key: Key,
        /// Client flags.
        flags: u32,
        /// When it ends.
        exptime: Exptime,
        /// What.
        value: Value,
        /// Whether no reply is wanted.
        noreply: bool,
    },
    /// `get`, `gets`, `gat`, `gats`.
    Get {
        /// With CAS values.
        cas: bool,
        /// With a new expiry time.
        touch: Option<Exptime>,
        /// Which keys; one may stand twice.
        keys: Vec<Key>,
    },
    /// `delete`.
    Delete {
        /// Which.
        key: Key,
        /// Whether no reply is wanted.
        noreply: bool,
    },
    /// `incr`, `decr`.
    Count {
        /// `incr` rather than `decr`.
        up: bool,
        /// Which.
        key: Key,
        /// By how much.
        delta: u64,
        /// Whether no reply is wanted.
        noreply: bool,
    },
    /// `touch`.
    Touch {
        /// Which.
        key: Key,
        /// The new expiry time.
        exptime: Exptime,
        /// Whether no reply is wanted.
        noreply: bool,
    },
    /// `mg`, `ms`, `md`, `ma`.
    Meta(Meta),
    /// `me`.
    Debug {
        /// Which.
        key: Key,
    },
    /// A line of [`crate::generate::BAD`] with this key.
    Bad {
        /// Its place in the table.
        line: usize,
        /// The key that it names.
        key: Key,
    },
    /// `quit`: what follows on this connection goes to a new one.
    Quit,
    /// `flush_all`, at once or [`FAR_SECONDS`] ahead.
    Flush {
        /// The delay as it is written: 0 or less, or nothing at all, or so far that it does not strike.
        delay: Option<i32>,
        /// Whether no reply is wanted.
        noreply: bool,
    },
}

impl Command {
    /// The keys that it names, each once.
    pub fn keys(&self) -> Vec<Key> {
        match self {
            Self::Get { keys, .. } => {
                let mut keys = keys.clone();
                keys.sort_unstable();
                keys.dedup();
                keys
            }
            Self::Store { key, .. }
            | Self::Delete { key, .. }
            | Self::Count { key, .. }
            | Self::Touch { key, .. }
            | Self::Debug { key }
            | Self::Bad { key, .. }
            | Self::Meta(Meta { key, .. }) => vec![*key],
            Self::Flush { .. } | Self::Quit => Vec::new(),
        }
    }

    /// The CAS values that it sends.
    pub fn cas_refs(&mut self) -> Vec<&mut CasRef> {
        match self {
            Self::Store {
                verb: Store::Cas(cas), ..
            } => vec![cas],
            Self::Meta(meta) => {
                let flags = meta.flags.iter_mut();
                flags
                    .filter_map(|flag| match flag {
                        Flag::Cas(_, cas) => Some(cas),
                        _ => None,
                    })
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether it sends a CAS value that was seen in a reply.
    pub fn uses_seen_cas(&self) -> bool {
        match self {
            Self::Store { verb, .. } => matches!(verb, Store::Cas(CasRef::Seen(..))),
            Self::Meta(meta) => {
                let seen = |flag: &Flag| matches!(flag, Flag::Cas(_, CasRef::Seen(..)));
                meta.flags.iter().any(seen)
            }
            _ => false,
        }
    }
}

/// One step of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A command on this connection.
    Send {
        /// 0 is `A`.
        conn: u8,
        /// Whether it is sent apart, after the replies to all before it have come.
        apart: bool,
        /// What.
        command: Command,
    },
    /// Nothing is sent for so many milliseconds.
    Wait(u64),
}

/// What several connections do, in order.
pub type History = Vec<Step>;
