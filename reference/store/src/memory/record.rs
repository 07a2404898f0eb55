//! An item in memory: everything in one allocation.

use std::hint::black_box;

use crate::item::{Attributes, Item, Marks};
use crate::store::Data;
use crate::time::{Expiry, Timestamp};

/// Header, key and data in one allocation, so that an item costs one trip to the allocator, one pointer in the table and no
/// padding between its parts. The header, little-endian:
///
/// | offset | bytes | |
/// |---|---|---|
/// | 0 | 8 | CAS |
/// | 8 | 6 | expiry, milliseconds since the Unix epoch; all ones is never |
/// | 14 | 1 | marks in the lower half; [`STORED`] and [`FETCHED_SINCE`] |
/// | 15 | 1 | length of the key |
/// | 16 | 4 | last access, seconds since the Unix epoch |
/// | 20 | 4 | client flags |
pub(super) struct Record(Box<[u8]>);

/// Stored since the eviction's hand came by, or fetched since the last time but one.
const STORED: u8 = 1 << 6;
/// Fetched since the eviction's hand came by.
const FETCHED_SINCE: u8 = 1 << 7;

const HEADER: usize = 24;
const MARKS: usize = 14;
const KEY_BYTES: usize = 15;
const EXPIRY_NEVER: u64 = (1 << 48) - 1;

const CACHE_LINE_BYTES: usize = 64;
/// How many of them [`Record::touch`] looks at.
const TOUCHED_LINES: usize = 4;

/// What the table of a shard takes for each item. A slot is 17 bytes, and between 7/8 and 7/16 of the slots are in use: 19 to 39
/// bytes. The most is charged, so that a limit is kept at every size.
const SLOT_BYTES: usize = 40;
/// What the allocator takes for each allocation, and the unit in which it gives.
const ALLOCATION_BYTES: usize = 8;
const ALLOCATION_UNIT_BYTES: usize = 16;

/// Bytes that an item is charged with.
pub(super) fn charge(key_bytes: usize, data_bytes: usize) -> usize {
    let allocation = HEADER + key_bytes + data_bytes + ALLOCATION_BYTES;
    allocation.next_multiple_of(ALLOCATION_UNIT_BYTES) + SLOT_BYTES
}

impl Record {
    /// A record for `key` with `data`, of which [`Data::Same`] stands for `current`. Counts as just used.
    pub(super) fn new(key: &[u8], attributes: &Attributes, data: Data<'_>, current: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(HEADER + key.len() + data.len(current.len()));
        bytes.extend_from_slice(&header(key.len(), attributes));
        bytes.extend_from_slice(key);
        match data {
            Data::Same => bytes.extend_from_slice(current),
            Data::Bytes(data) => bytes.extend_from_slice(data),
            Data::Around { before, after } => {
                bytes.extend_from_slice(before);
                bytes.extend_from_slice(current);
                bytes.extend_from_slice(after);
            }
        }
        Record(bytes.into_boxed_slice())
    }

    /// Takes on `attributes` and, if it fits as it is, `data`; answers whether it did. What does not fit needs a new record.
    pub(super) fn overwrite(&mut self, attributes: &Attributes, data: Data<'_>) -> bool {
        let data_at = self.data_at();
        let current = self.0.len() - data_at;
        if data.len(current) != current {
            return false;
        }
        if let Data::Bytes(data) = data {
            self.0[data_at..].copy_from_slice(data);
        }
        let header = header(data_at - HEADER, attributes);
        self.0[..HEADER].copy_from_slice(&header);
        true
    }

    /// Looks at every cache line of a small record. The processor fetches those of a large one by itself.
    #[inline]
    pub(super) fn touch(&self) {
        let lines = self.0.iter().step_by(CACHE_LINE_BYTES).take(TOUCHED_LINES);
        for byte in lines.chain(self.0.last()) {
            black_box(*byte);
        }
    }

    /// Notes a use at `accessed_unix_s`. Writes only what changes: items that are read all the time stay clean in the caches of
    /// all processors.
    #[inline]
    pub(super) fn note_access(&mut self, accessed_unix_s: u32) {
        let marks = self.0[MARKS] | FETCHED_SINCE | STORED | Marks::FETCHED.bits();
        if self.0[MARKS] != marks {
            self.0[MARKS] = marks;
        }
        if self.accessed_unix_s() != accessed_unix_s {
            self.0[16..20].copy_from_slice(&accessed_unix_s.to_le_bytes());
        }
    }

    /// Takes away one of the turns that it may stay, of which a fetch gives two and a store one; answers whether it had any.
    pub(super) fn take_turn(&mut self) -> bool {
        let turns = self.0[MARKS] & (FETCHED_SINCE | STORED);
        let taken = if turns & FETCHED_SINCE != 0 {
            FETCHED_SINCE
        } else {
            STORED
        };
        self.0[MARKS] &= !taken;
        turns != 0
    }

    #[inline]
    pub(super) fn key(&self) -> &[u8] {
        &self.0[HEADER..self.data_at()]
    }

    #[inline]
    pub(super) fn data(&self) -> &[u8] {
        &self.0[self.data_at()..]
    }

    #[inline]
    pub(super) fn item(&self) -> Item<'_> {
        Item {
            key: self.key(),
            attributes: self.attributes(),
            data: self.data(),
        }
    }

    #[inline]
    pub(super) fn attributes(&self) -> Attributes {
        Attributes {
            client_flags: u32::from_le_bytes(self.header_bytes::<4>(20)),
            expiry: self.expiry(),
            cas: u64::from_le_bytes(self.header_bytes::<8>(0)),
            accessed_unix_s: self.accessed_unix_s(),
            marks: self.marks(),
        }
    }

    #[inline]
    pub(super) fn marks(&self) -> Marks {
        Marks::from_bits(self.0[MARKS])
    }

    #[inline]
    pub(super) fn expiry(&self) -> Expiry {
        // Its six bytes and the two after them: one load.
        match u64::from_le_bytes(self.header_bytes::<8>(8)) & EXPIRY_NEVER {
            EXPIRY_NEVER => Expiry::NEVER,
            unix_ms => Expiry::at(Timestamp::from_unix_ms(unix_ms)),
        }
    }

    #[inline]
    pub(super) fn accessed_unix_s(&self) -> u32 {
        u32::from_le_bytes(self.header_bytes::<4>(16))
    }

    /// Bytes that this item is charged with.
    #[inline]
    pub(super) fn charge(&self) -> usize {
        charge(0, self.0.len() - HEADER)
    }

    #[inline]
    fn data_at(&self) -> usize {
        HEADER + usize::from(self.0[KEY_BYTES])
    }

    #[inline]
    fn header_bytes<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.0[at..at + N]);
        bytes
    }
}

fn header(key_bytes: usize, attributes: &Attributes) -> [u8; HEADER] {
    let expiry = match attributes.expiry.timestamp() {
        None => EXPIRY_NEVER,
        Some(at) => at.unix_ms().min(EXPIRY_NEVER - 1),
    };
    let mut header = [0; HEADER];
    header[0..8].copy_from_slice(&attributes.cas.to_le_bytes());
    header[8..16].copy_from_slice(&expiry.to_le_bytes());
    header[16..20].copy_from_slice(&attributes.accessed_unix_s.to_le_bytes());
    header[20..24].copy_from_slice(&attributes.client_flags.to_le_bytes());
    header[MARKS] = attributes.marks.bits() | STORED;
    // The protocol's limit for keys is 250, and the store refuses what is longer than 255.
    header[KEY_BYTES] = key_bytes as u8;
    header
}
