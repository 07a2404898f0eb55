//! What the server holds for a key.

use crate::time::{Expiry, Timestamp};

/// An item as a store shows it: borrowed for the length of one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// 1 to 250 bytes, any.
    pub key: &'a [u8],
    /// All but key and data.
    pub attributes: Attributes,
    /// The data block, without its CR LF.
    pub data: &'a [u8],
}

impl Item<'_> {
    /// Bytes of key, data and attributes, without what a store adds of its own: what `me` calls `size`.
    pub fn bytes(&self) -> usize {
        self.key.len() + self.data.len() + Attributes::BYTES
    }

    /// Whether the key has to be shown in base64: it came so, or it holds a byte that would break a line of text. (Memcached
    /// forgets that a key came in base64 when an `append`, say, replaces the item, and then breaks the line.) Other control
    /// bytes can come in a plain key and are shown as they came, as memcached does.
    pub fn has_base64_key(&self) -> bool {
        self.attributes.marks.has(Marks::BASE64_KEY) || self.key.iter().any(|byte| matches!(byte, b' ' | b'\n'))
    }
}

/// What an item is beside its key and its data. A store keeps all of it and reads none of it but the expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Opaque to the server.
    pub client_flags: u32,
    /// From when on the item is gone.
    pub expiry: Expiry,
    /// Changes whenever the item does. Unique but where a client set its own with the `E` flag.
    pub cas: u64,
    /// When the item was last stored, fetched or touched: whole seconds since the Unix epoch, to the year 2106.
    pub accessed_unix_s: u32,
    /// Yes-or-no facts.
    pub marks: Marks,
}

impl Attributes {
    /// What they take when packed: CAS (8), expiry (6), last access (4), client flags (4), marks (1).
    const BYTES: usize = 23;

    /// Seconds between the last access and `now`; 0 if the clock has stepped back.
    pub fn idle_s(&self, now: Timestamp) -> u64 {
        now.unix_s().saturating_sub(u64::from(self.accessed_unix_s))
    }

    /// The same, accessed at `now`: fetched once more.
    #[must_use]
    pub fn fetched_at(mut self, now: Timestamp) -> Self {
        self.accessed_unix_s = access_time(now);
        self.marks = self.marks.with(Marks::FETCHED);
        self
    }
}

/// `now` as [`Attributes::accessed_unix_s`] keeps it.
pub fn access_time(now: Timestamp) -> u32 {
    u32::try_from(now.unix_s()).unwrap_or(u32::MAX)
}

/// A set of yes-or-no facts about an item. A store keeps these bits; the other four are its own to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Marks(u8);

impl Marks {
    /// None.
    pub const NONE: Marks = Marks(0);
    /// Fetched at least once since it was stored (the `h` flag).
    pub const FETCHED: Marks = Marks(1);
    /// Marked as stale by `md ... I` or by an `ms` with an older CAS (the `X` flag).
    pub const STALE: Marks = Marks(1 << 1);
    /// A client has been told to recache it (the `W` flag; others get `Z`).
    pub const WON: Marks = Marks(1 << 2);
    /// Its key was sent in base64, and is shown so by `mg` and `me`.
    pub const BASE64_KEY: Marks = Marks(1 << 3);
    /// All of the above.
    pub const ALL: Marks = Marks(0b1111);

    /// The set of these bits; bits outside [`Marks::ALL`] are dropped.
    pub const fn from_bits(bits: u8) -> Self {
        Marks(bits & Marks::ALL.0)
    }

    /// The bits; none outside [`Marks::ALL`].
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all of `marks` are in the set.
    pub const fn has(self, marks: Marks) -> bool {
        self.0 & marks.0 == marks.0
    }

    /// The set and `marks`.
    #[must_use]
    pub const fn with(self, marks: Marks) -> Self {
        Marks(self.0 | marks.0)
    }

    /// The set without `marks`.
    #[must_use]
    pub const fn without(self, marks: Marks) -> Self {
        Marks(self.0 & !marks.0)
    }

    /// `marks` if `condition`, else none.
    #[must_use]
    pub const fn when(condition: bool, marks: Marks) -> Self {
        if condition { marks } else { Marks::NONE }
    }
}
