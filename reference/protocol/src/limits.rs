//! The sizes at which a request is refused.

/// Bytes that memcached 1.6.45 keeps for an item beside its key, its value and its client flags: the item header (48), the
/// CAS value (8), the NUL after the key and the CR LF after the value. Part of the size that `-I` limits.
const ITEM_OVERHEAD_BYTES: u64 = 48 + 8 + 1 + 2;

/// Bytes that memcached keeps for client flags, when they are not zero.
const ITEM_FLAGS_BYTES: u64 = 4;

/// The sizes at which a request is refused. [`Limits::default`] is what memcached 1.6.45 does when started without options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest key, in bytes, as it stands on the wire; a base64 key is measured before it is decoded. At most
    /// [`Limits::KEY_BYTES_CEILING`].
    pub key_bytes_max: usize,
    /// A command line whose end has not been seen after this many bytes closes the connection. A line that arrives together
    /// with its end may be longer, as in memcached. Lines of `get` and `gets` are not held to it.
    pub line_bytes_max: usize,
    /// The same limit for lines that begin with `get ` or `gets `. Memcached has none: a multi-get takes what memory there is.
    pub multiget_line_bytes_max: usize,
    /// The largest item, in bytes: memcached's `-I`. It counts the key, the value, the client flags and memcached's own
    /// header, so the largest value is about 60 bytes smaller; [`Limits::admits`] has the sum.
    pub item_bytes_max: u64,
}

impl Limits {
    /// The largest [`Limits::key_bytes_max`] that a parser accepts: the length of a key is one byte in memcached's item.
    pub const KEY_BYTES_CEILING: usize = 250;

    /// Whether an item of these sizes (in bytes) may be stored.
    pub fn admits(&self, key_bytes: usize, client_flags: u32, value_bytes: usize) -> bool {
        let flags = if client_flags == 0 { 0 } else { ITEM_FLAGS_BYTES };
        let total = ITEM_OVERHEAD_BYTES + flags + key_bytes as u64 + value_bytes as u64;
        total <= self.item_bytes_max
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            key_bytes_max: 250,
            line_bytes_max: 2048,
            multiget_line_bytes_max: 16 << 20,
            item_bytes_max: 1 << 20,
        }
    }
}
