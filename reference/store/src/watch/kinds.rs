//! What there is to watch.

use refcached_protocol::request::Arguments;

/// A set of the things that `watch` can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kinds(u8);

/// The words of `watch` (protocol.txt:1207-1215).
const NAMES: [(&[u8], Kinds); 8] = [
    (b"fetchers", Kinds::FETCHERS),
    (b"mutations", Kinds::MUTATIONS),
    (b"evictions", Kinds::EVICTIONS),
    (b"connevents", Kinds::CONNECTIONS),
    (b"deletions", Kinds::DELETIONS),
    // A server that is no proxy takes these too, and has nothing to tell.
    (b"proxyreqs", Kinds::PROXY),
    (b"proxyevents", Kinds::PROXY),
    (b"proxyuser", Kinds::PROXY),
];

impl Kinds {
    /// Lookups of keys.
    pub const FETCHERS: Kinds = Kinds(1);
    /// Items that are stored, or are not.
    pub const MUTATIONS: Kinds = Kinds(1 << 1);
    /// Items that make room for others.
    pub const EVICTIONS: Kinds = Kinds(1 << 2);
    /// Connections that come and go.
    pub const CONNECTIONS: Kinds = Kinds(1 << 3);
    /// Items that are deleted.
    pub const DELETIONS: Kinds = Kinds(1 << 4);
    /// What a proxy does. This is none.
    pub const PROXY: Kinds = Kinds(1 << 5);

    /// What the words after `watch` ask for; no word asks for lookups. `None` if one of them means nothing.
    pub fn of(arguments: &Arguments<'_>) -> Option<Kinds> {
        let mut kinds = 0;
        for word in arguments.words {
            let (_, kind) = NAMES.iter().find(|(name, _)| *name == word)?;
            kinds |= kind.0;
        }
        Some(if kinds == 0 { Kinds::FETCHERS } else { Kinds(kinds) })
    }

    pub(super) fn bits(self) -> u8 {
        self.0
    }

    pub(super) fn overlap(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }
}
