//! Finds the fields of a record that a build does not know.
//!
//! Format: <https://protobuf.dev/programming-guides/encoding/>. A record is a row of fields; a field is a varint
//! `number << 3 | wire type`, then a payload whose length follows from the wire type.

use bytes::Buf;

use super::DecodeError;

/// The bytes of all fields whose number is not in `known`, in order.
pub(super) fn fields(record: &[u8], known: &[u64]) -> Result<Vec<u8>, DecodeError> {
    let mut unknown = Vec::new();
    let mut rest = record;
    while !rest.is_empty() {
        let field = rest;
        let key = varint(&mut rest)?;
        skip_payload(key & 0b111, &mut rest)?;
        if !known.contains(&(key >> 3)) {
            unknown.extend_from_slice(&field[..field.len() - rest.len()]);
        }
    }
    Ok(unknown)
}

fn skip_payload(wire_type: u64, rest: &mut &[u8]) -> Result<(), DecodeError> {
    let length = match wire_type {
        0 => {
            varint(rest)?;
            0
        }
        1 => 8,
        2 => usize::try_from(varint(rest)?).map_err(|_| DecodeError::Fields)?,
        5 => 4,
        // Groups (3, 4) went out of use before the first record was written.
        _ => return Err(DecodeError::Fields),
    };
    if rest.len() < length {
        return Err(DecodeError::Fields);
    }
    rest.advance(length);
    Ok(())
}

/// A number of 7 bits per byte, the lowest first; the last byte's top bit is clear.
fn varint(rest: &mut &[u8]) -> Result<u64, DecodeError> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first().ok_or(DecodeError::Fields)?;
        *rest = tail;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(DecodeError::Fields)
}
