//! What a client can ask for: the meta commands and their flags.

use crate::request::{Direction, Exptime};
use crate::tokens::Tokens;

/// A meta command other than `mn`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetaRequest<'a> {
    /// Which command.
    pub command: MetaCommand<'a>,
    /// The key.
    pub key: MetaKey<'a>,
    /// Its flags, in order and summed up.
    pub flags: MetaFlags<'a>,
}

/// The meta commands with what is peculiar to each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetaCommand<'a> {
    /// `mg`.
    Get,
    /// `ms`.
    Set {
        /// The data block without its CR LF.
        value: &'a [u8],
        /// From the `M` flag.
        mode: MetaSetMode,
    },
    /// `md`.
    Delete,
    /// `ma`.
    Arithmetic {
        /// From the `M` flag.
        direction: Direction,
    },
    /// `me`. Only a `b` that is followed by another flag counts; all other flags are neither read nor checked.
    Debug,
}

/// How `ms` stores. A CAS value to compare ([`MetaFlags::cas_compare`]) makes `cas` of `Set` and `Replace`; append and
/// prepend check it and stay what they are; add ignores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetaSetMode {
    /// `MS`, or no mode.
    Set,
    /// `ME`.
    Add,
    /// `MA`.
    Append,
    /// `MP`.
    Prepend,
    /// `MR`.
    Replace,
}

/// The key of a meta command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetaKey<'a> {
    /// What to look up, decoded if it came in base64. Decoded bytes may be anything, blanks and line ends included.
    pub bytes: &'a [u8],
    /// The `b` flag was given. `ms` notes it with the item: replies to a hit give the key in base64, followed by ` b`, when
    /// the ITEM was stored so, and replies to a miss when the REQUEST was sent so.
    pub base64: bool,
}

/// The flags of a meta command: the words as they stood, to be walked in order for the reply, and their meaning.
///
/// Memcached takes every flag on every meta command and ignores those that mean nothing there. A flag occurs once at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetaFlags<'a> {
    /// Every flag with its token, in the order of the request.
    pub words: Tokens<'a>,
    /// `q`: leave out the nominal answer (`EN` of `mg`, `HD` of `ms` and `md`, `HD` and `VA` of `ma`). `NF` of `md` and `ma`
    /// is answered all the same, and so is every error.
    pub quiet: bool,
    /// `v`: answer `VA` with the value.
    pub value: bool,
    /// `u`: do not bump, do not mark as fetched.
    pub no_bump: bool,
    /// `I`: for `md` mark as stale; for `ms` with a CAS value to compare, accept an older one and mark as stale.
    pub invalidate: bool,
    /// `x`: `md` empties the item in place of deleting it.
    pub remove_value: bool,
    /// `T`: the new TTL.
    pub exptime: Option<Exptime>,
    /// `N`: create on a miss, with this TTL.
    pub vivify: Option<Exptime>,
    /// `R`: win for recache if the remaining TTL is below this.
    pub recache: Option<Exptime>,
    /// `C`: the CAS value to compare.
    pub cas_compare: Option<u64>,
    /// `E`: the CAS value to store.
    pub cas_new: Option<u64>,
    /// `F`: the client flags; 0 if absent.
    pub client_flags: u32,
    /// `J`: the value to create with `N`; 0 if absent.
    pub initial: u64,
    /// `D`: the delta; `None` stands for 1.
    pub delta: Option<u64>,
}

impl<'a> MetaFlags<'a> {
    /// The flags in the order of the request. A reply walks them in this order.
    pub fn iter(&self) -> impl Iterator<Item = MetaFlag<'a>> + use<'a> {
        self.words.filter_map(|word| {
            let (&code, token) = word.split_first()?;
            Some(MetaFlag { code, token })
        })
    }
}

/// One flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetaFlag<'a> {
    /// The letter.
    pub code: u8,
    /// What follows the letter up to the next blank; often empty.
    pub token: &'a [u8],
}
