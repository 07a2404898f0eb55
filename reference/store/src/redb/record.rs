//! How an item lies in the file.

use crate::item::{Attributes, Item, Marks};
use crate::store::Data;
use crate::time::{Expiry, Timestamp};

/// A record, borrowed from the page that it lies on. Little-endian; the optional fields are there when the first byte says so,
/// and most items do without all three:
///
/// | bytes | |
/// |---|---|
/// | 1 | marks in the lower half; [`HAS_EXPIRY`], [`HAS_FLAGS`], [`HAS_EPOCH`] |
/// | 8 | CAS |
/// | 4 | last access, seconds since the Unix epoch |
/// | 0 or 6 | expiry, milliseconds since the Unix epoch; without it: never |
/// | 0 or 4 | client flags; without it: 0 |
/// | 0 or 4 | how many flushes had been done when it was stored; without it: 0 |
/// | the rest | the data block |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) attributes: Attributes,
    /// Which flush it survived last: a record of an earlier epoch than the store's is gone.
    pub(super) epoch: u32,
    pub(super) data: &'a [u8],
    /// What the record takes in the file, key apart.
    pub(super) encoded_bytes: usize,
}

const HAS_EXPIRY: u8 = 1 << 4;
const HAS_FLAGS: u8 = 1 << 5;
const HAS_EPOCH: u8 = 1 << 6;
const UNKNOWN: u8 = 1 << 7;

/// The longest header.
const HEADER_MAX: usize = 1 + 8 + 4 + 6 + 4 + 4;

/// Six bytes of milliseconds reach to the year 10889.
const EXPIRY_MS_MAX: u64 = (1 << 48) - 1;

impl<'a> Record<'a> {
    /// Reads a record; `None` if no version of this program wrote it.
    #[inline]
    pub(super) fn decode(bytes: &'a [u8]) -> Option<Record<'a>> {
        let (&head, rest) = bytes.split_first()?;
        if head & UNKNOWN != 0 {
            return None;
        }
        let (cas, rest) = rest.split_first_chunk::<8>()?;
        let (accessed, mut rest) = rest.split_first_chunk::<4>()?;
        let mut expiry = Expiry::NEVER;
        if head & HAS_EXPIRY != 0 {
            let (&[a, b, c, d, e, f], behind) = rest.split_first_chunk::<6>()?;
            expiry = Expiry::at(Timestamp::from_unix_ms(u64::from_le_bytes([a, b, c, d, e, f, 0, 0])));
            rest = behind;
        }
        let mut optional = |bit: u8| -> Option<u32> {
            if head & bit == 0 {
                return Some(0);
            }
            let (number, behind) = rest.split_first_chunk::<4>()?;
            rest = behind;
            Some(u32::from_le_bytes(*number))
        };
        let client_flags = optional(HAS_FLAGS)?;
        let epoch = optional(HAS_EPOCH)?;
        let attributes = Attributes {
            client_flags,
            expiry,
            cas: u64::from_le_bytes(*cas),
            accessed_unix_s: u32::from_le_bytes(*accessed),
            marks: Marks::from_bits(head),
        };
        Some(Record {
            attributes,
            epoch,
            data: rest,
            encoded_bytes: bytes.len(),
        })
    }

    /// The item, with what is remembered of it in memory.
    #[inline]
    pub(super) fn item<'k>(&self, key: &'k [u8], accessed_unix_s: Option<u32>) -> Item<'k>
    where
        'a: 'k,
    {
        let mut attributes = self.attributes;
        if let Some(accessed_unix_s) = accessed_unix_s {
            attributes.accessed_unix_s = accessed_unix_s;
            attributes.marks = attributes.marks.with(Marks::FETCHED);
        }
        Item {
            key,
            attributes,
            data: self.data,
        }
    }
}

/// Writes a record into `out`, which is emptied first. `current` is what [`Data::Same`] and [`Data::Around`] stand for.
#[inline]
pub(super) fn encode(out: &mut Vec<u8>, attributes: &Attributes, epoch: u32, data: Data<'_>, current: &[u8]) {
    let flag = |bit: u8, condition: bool| if condition { bit } else { 0 };
    out.clear();
    out.reserve(HEADER_MAX + data.len(current.len()));
    let expiry = attributes.expiry.timestamp();
    out.push(
        attributes.marks.bits()
            | flag(HAS_EXPIRY, expiry.is_some())
            | flag(HAS_FLAGS, attributes.client_flags != 0)
            | flag(HAS_EPOCH, epoch != 0),
    );
    out.extend_from_slice(&attributes.cas.to_le_bytes());
    out.extend_from_slice(&attributes.accessed_unix_s.to_le_bytes());
    if let Some(at) = expiry {
        out.extend_from_slice(&at.unix_ms().min(EXPIRY_MS_MAX).to_le_bytes()[..6]);
    }
    for number in [attributes.client_flags, epoch] {
        if number != 0 {
            out.extend_from_slice(&number.to_le_bytes());
        }
    }
    match data {
        Data::Same => out.extend_from_slice(current),
        Data::Bytes(data) => out.extend_from_slice(data),
        Data::Around { before, after } => {
            out.extend_from_slice(before);
            out.extend_from_slice(current);
            out.extend_from_slice(after);
        }
    }
}

/// What a record costs in the file, in bytes: key, record, and the two offsets that redb keeps for them. The free room of
/// its pages comes on top.
pub(super) fn charge(key_bytes: usize, record_bytes: usize) -> u64 {
    (key_bytes + record_bytes + 8) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_attributes() -> impl Strategy<Value = Attributes> {
        let expiry = prop_oneof![
            Just(Expiry::NEVER),
            (0..EXPIRY_MS_MAX).prop_map(|unix_ms| Expiry::at(Timestamp::from_unix_ms(unix_ms))),
        ];
        let flags = prop_oneof![Just(0), any::<u32>()];
        (flags, expiry, any::<u64>(), any::<u32>(), any::<u8>()).prop_map(
            |(client_flags, expiry, cas, accessed_unix_s, marks)| Attributes {
                client_flags,
                expiry,
                cas,
                accessed_unix_s,
                marks: Marks::from_bits(marks),
            },
        )
    }

    proptest! {
        #[test]
        fn a_record_is_read_as_it_was_written_and_no_part_of_its_header_is_taken_for_one(
            attributes in any_attributes(),
            epoch in prop_oneof![Just(0), any::<u32>()],
            data in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let mut bytes = Vec::new();
            encode(&mut bytes, &attributes, epoch, Data::Bytes(&data), b"");
            let record = Record::decode(&bytes).unwrap();
            prop_assert_eq!((record.attributes, record.epoch, record.data), (attributes, epoch, &data[..]));
            prop_assert_eq!(record.encoded_bytes, bytes.len());
            let header = bytes.len() - data.len();
            prop_assert!(header <= HEADER_MAX);
            for cut in 0..header {
                prop_assert_eq!(Record::decode(&bytes[..cut]), None);
            }
        }

        #[test]
        fn any_bytes_are_a_record_or_not(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let record = Record::decode(&bytes);
            prop_assert!(record.is_none_or(|record| record.data.len() < bytes.len()));
        }
    }

    #[test]
    fn most_records_have_a_header_of_13_bytes() {
        let attributes = Attributes {
            client_flags: 0,
            expiry: Expiry::NEVER,
            cas: 1,
            accessed_unix_s: 2,
            marks: Marks::NONE,
        };
        let mut bytes = Vec::new();
        encode(
            &mut bytes,
            &attributes,
            0,
            Data::Around {
                before: b"a",
                after: b"c",
            },
            b"b",
        );
        assert_eq!(bytes.len(), 13 + 3);
        assert_eq!(Record::decode(&bytes).unwrap().data, b"abc");
        bytes[0] |= UNKNOWN;
        assert_eq!(Record::decode(&bytes), None, "a later version wrote it");
    }
}
