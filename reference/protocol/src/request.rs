//! What a client can ask for: the classic text commands. The meta commands stand in [`crate::meta`].

use crate::meta::MetaRequest;
use crate::tokens::Tokens;

/// One whole command, data block included. It borrows from the read buffer, and from the parser where a key had to be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// `set`, `add`, `replace`, `append`, `prepend`, `cas`.
    Store(Store<'a>),
    /// `get`, `gets`, `gat`, `gats`.
    Retrieve(Retrieve<'a>),
    /// `delete <key>`.
    Delete(Delete<'a>),
    /// `incr` and `decr`.
    Arithmetic(Arithmetic<'a>),
    /// `touch <key> <exptime>`.
    Touch(Touch<'a>),
    /// `mg`, `ms`, `md`, `ma`, `me`.
    Meta(MetaRequest<'a>),
    /// `mn`, answered by `MN`.
    MetaNoop,
    /// `flush_all [delay]`.
    FlushAll(FlushAll),
    /// `version`, with whatever follows ignored.
    Version,
    /// `verbosity <level>`.
    Verbosity(Verbosity),
    /// `stats [arguments]`.
    Stats(Arguments<'a>),
    /// `quit`: close without an answer.
    Quit,
    /// `shutdown [graceful]`.
    Shutdown(Shutdown),
    /// `cache_memlimit <megabytes>`.
    CacheMemlimit(CacheMemlimit),
    /// `slabs ...`; the arguments have not been looked at.
    Slabs(Arguments<'a>),
    /// `lru ...`; the arguments have not been looked at.
    Lru(Arguments<'a>),
    /// `lru_crawler ...`; the arguments have not been looked at.
    LruCrawler(Arguments<'a>),
    /// `watch ...`; the arguments have not been looked at.
    Watch(Arguments<'a>),
}

impl Request<'_> {
    /// Whether the client asked for no answer with `noreply`. Meta commands have the `q` flag instead, whose meaning depends
    /// on the outcome: see [`crate::meta::MetaFlags::quiet`].
    pub fn noreply(&self) -> bool {
        match self {
            Request::Store(store) => store.noreply,
            Request::Delete(delete) => delete.noreply,
            Request::Arithmetic(arithmetic) => arithmetic.noreply,
            Request::Touch(touch) => touch.noreply,
            Request::FlushAll(flush) => flush.noreply,
            Request::Verbosity(verbosity) => verbosity.noreply,
            Request::CacheMemlimit(limit) => limit.noreply,
            Request::Shutdown(shutdown) => shutdown.noreply,
            Request::Slabs(arguments) | Request::Lru(arguments) | Request::LruCrawler(arguments) => arguments.noreply,
            Request::Retrieve(_)
            | Request::Meta(_)
            | Request::MetaNoop
            | Request::Version
            | Request::Stats(_)
            | Request::Watch(_)
            | Request::Quit => false,
        }
    }
}

/// A classic storage command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Store<'a> {
    /// Which of the six.
    pub verb: StoreVerb,
    /// 1 to `key_bytes_max` bytes, never a blank or LF.
    pub key: &'a [u8],
    /// Opaque to the server. `append` and `prepend` ignore them.
    pub client_flags: u32,
    /// Expiration time as sent. `append` and `prepend` ignore it.
    pub exptime: Exptime,
    /// The data block without its CR LF.
    pub value: &'a [u8],
    /// Answer nothing.
    pub noreply: bool,
}

/// The six classic storage commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreVerb {
    /// Store.
    Set,
    /// Store unless the key exists.
    Add,
    /// Store if the key exists.
    Replace,
    /// Add after the value that is there.
    Append,
    /// Add before the value that is there.
    Prepend,
    /// Store if the item still has this CAS value.
    Cas {
        /// The `cas unique` of the request.
        unique: u64,
    },
}

/// An expiration time as the client sent it: 0 is never, a negative one is at once, up to 30 days is a number of seconds from
/// now, more is a Unix time in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Exptime(pub i32);

/// `get`, `gets`, `gat` or `gats`. All keys have been checked: none is longer than the limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retrieve<'a> {
    /// At least one key, in the order asked; a key may occur twice and is then answered twice.
    pub keys: Tokens<'a>,
    /// `gets` and `gats`: the CAS value is part of each `VALUE` line.
    pub with_cas: bool,
    /// `gat` and `gats`: the new expiration time of what is found.
    pub touch: Option<Exptime>,
}

/// `delete <key>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delete<'a> {
    /// The key.
    pub key: &'a [u8],
    /// Answer nothing.
    pub noreply: bool,
}

/// `incr` or `decr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arithmetic<'a> {
    /// The key.
    pub key: &'a [u8],
    /// Up or down.
    pub direction: Direction,
    /// By how much.
    pub delta: u64,
    /// Answer nothing.
    pub noreply: bool,
}

/// Whether a number grows or shrinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// `incr`, and mode `I` or `+` of `ma`: wraps at 2^64.
    Increment,
    /// `decr`, and mode `D` or `-` of `ma`: stops at 0.
    Decrement,
}

/// `touch <key> <exptime>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch<'a> {
    /// The key.
    pub key: &'a [u8],
    /// Its new expiration time.
    pub exptime: Exptime,
    /// Answer nothing.
    pub noreply: bool,
}

/// `flush_all [delay]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlushAll {
    /// When: read like an expiration time, but 0 and all negative numbers are now. `Exptime(0)` when absent.
    pub delay: Exptime,
    /// Answer nothing.
    pub noreply: bool,
}

/// `verbosity <level>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verbosity {
    /// The level asked for; memcached knows 0, 1 and 2 and takes more as 2.
    pub level: u32,
    /// Answer nothing.
    pub noreply: bool,
}

/// `cache_memlimit <megabytes>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheMemlimit {
    /// The new limit in MiB; not checked against any bound.
    pub megabytes: u32,
    /// Answer nothing.
    pub noreply: bool,
}

/// `shutdown [graceful]`. Whether it is allowed is the server's decision, and comes before the arguments are judged:
/// where it is off the answer is [`crate::response::SHUTDOWN_NOT_ENABLED`] whatever the arguments are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown {
    /// What was asked for.
    pub mode: ShutdownMode,
    /// Answer nothing.
    pub noreply: bool,
}

/// The ways to end a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ShutdownMode {
    /// `shutdown`.
    Immediate,
    /// `shutdown graceful`.
    Graceful,
    /// Anything else: [`crate::response::SHUTDOWN_MODE_INVALID`] where shutdown is enabled.
    Unknown,
}

/// The words after the name of an administrative command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments<'a> {
    /// The words, `noreply` included if it stands last.
    pub words: Tokens<'a>,
    /// Answer nothing. Always false for `stats` and `watch`, which do not know `noreply`.
    pub noreply: bool,
}
