//! Records of other versions of the schema, as bytes; the rest by properties.

use proptest::prelude::*;

use super::*;

/// Written when field 5 (`mod_time_ms`) was not there yet and field 6 (`note`, gone since) still was:
/// id 7, user_id 3, name "mood", level 42.5, note "old".
const OLDER: &[u8] = b"\x08\x07\x10\x03\x1a\x04mood\x21\x00\x00\x00\x00\x00\x40\x45\x40\x32\x03old";

/// Written by a later schema, in which field 5 is gone and fields 7 (string), 8 (fixed32), 9 (fixed64) and 200 (varint)
/// have come: id 7, user_id 3, name "mood", level 42.5, "blue", 1, 2, 300. The new fields stand between the old ones.
const NEWER: &[u8] = b"\x3a\x04blue\x08\x07\x10\x03\x45\x01\x00\x00\x00\x1a\x04mood\x49\x02\0\0\0\0\0\0\0\
    \x21\x00\x00\x00\x00\x00\x40\x45\x40\xc0\x0c\xac\x02";

/// The later schema, as far as it matters here.
#[derive(Clone, PartialEq, Message)]
struct NewerDial {
    #[prost(uint64, optional, tag = "1")]
    id: Option<u64>,
    #[prost(double, optional, tag = "4")]
    level: Option<f64>,
    #[prost(string, optional, tag = "7")]
    colour: Option<String>,
    #[prost(fixed32, optional, tag = "8")]
    icon: Option<u32>,
    #[prost(fixed64, optional, tag = "9")]
    group: Option<u64>,
    #[prost(uint64, optional, tag = "200")]
    weight: Option<u64>,
}

fn mood() -> Dial {
    Dial {
        id: DialId(7),
        user_id: UserId(3),
        name: Name::new("mood").unwrap(),
        level: Level::new(42.5).unwrap(),
        mod_time: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn a_record_of_an_older_schema_is_read() {
    assert_eq!(decode_dial(OLDER).unwrap().value, mood());
}

#[test]
fn a_record_of_a_newer_schema_is_read() {
    assert_eq!(decode_dial(NEWER).unwrap().value, mood());
}

#[test]
fn changing_a_newer_record_loses_none_of_its_new_fields() {
    let mut kept = decode_dial(NEWER).unwrap();
    kept.value.level = Level::MAX;
    let expected = NewerDial {
        id: Some(7),
        level: Some(100.0),
        colour: Some("blue".to_owned()),
        icon: Some(1),
        group: Some(2),
        weight: Some(300),
    };
    assert_eq!(NewerDial::decode(encode_dial(&kept).as_slice()).unwrap(), expected);
}

#[test]
fn changing_an_older_record_keeps_the_field_that_is_gone() {
    let mut kept = decode_dial(OLDER).unwrap();
    kept.value.level = Level::MAX;
    let bytes = encode_dial(&kept);
    assert!(bytes.ends_with(b"\x32\x03old"), "{bytes:02x?}");
    assert_eq!(decode_dial(&bytes).unwrap().value.level, Level::MAX);
}

#[test]
fn todays_records_stay_readable() {
    let dial = Dial {
        mod_time: Timestamp::from_millisecond(1_700_000_000_123).unwrap(),
        ..mood()
    };
    let bytes = b"\x08\x07\x10\x03\x1a\x04mood\x21\x00\x00\x00\x00\x00\x40\x45\x40\x28\xf6\xa1\xab\xfe\xf9\x62";
    assert_eq!(decode_dial(bytes).unwrap(), Kept::from(dial.clone()));
    assert_eq!(encode_dial(&Kept::from(dial)), bytes);
    let user = User {
        id: UserId(3),
        name: Name::new("ada").unwrap(),
    };
    let bytes = b"\x08\x03\x12\x03ada";
    assert_eq!(decode_user(bytes).unwrap(), Kept::from(user.clone()));
    assert_eq!(encode_user(&Kept::from(user)), bytes);
}

#[test]
fn the_numbers_that_count_as_known_are_those_of_the_schema() {
    let dial = encode_dial(&Kept::from(mood()));
    let user = encode_user(&Kept::from(User {
        id: UserId(1),
        name: Name::new("ada").unwrap(),
    }));
    for (record, known) in [(dial, DIAL_FIELDS), (user, USER_FIELDS)] {
        assert_eq!(unknown::fields(&record, known).unwrap(), b"");
        for left_out in known {
            let others: Vec<u64> = known.iter().copied().filter(|number| number != left_out).collect();
            assert_ne!(
                unknown::fields(&record, &others).unwrap(),
                b"",
                "field {left_out} is not in the schema"
            );
        }
    }
}

#[test]
fn a_record_that_lacks_a_field_or_breaks_a_rule_is_refused() {
    let says = |bytes: &[u8]| decode_dial(bytes).unwrap_err().to_string();
    assert_eq!(says(b""), "the record has no field `id`");
    assert_eq!(says(b"\x08\x07\x10\x03\x1a\x04mood"), "the record has no field `level`");
    assert_eq!(
        says(b"\x08\x07\x10\x03\x1a\x00\x21\x00\x00\x00\x00\x00\x40\x45\x40"),
        "the record's name must not be empty"
    );
    assert_eq!(
        says(b"\x08\x07\x10\x03\x1a\x04mood\x21\x00\x00\x00\x00\x00\x00\xf8\x7f"),
        "the record's level must be a finite number"
    );
    assert_eq!(
        says(&[OLDER, b"\x3b\x3c"].concat()),
        "not a record: a field is cut off or of a kind that is never written"
    );
}

#[test]
fn no_cut_of_a_record_passes_for_the_whole() {
    for end in 0..NEWER.len() {
        if let Ok(kept) = decode_dial(&NEWER[..end]) {
            // A cut between two fields of a later schema is a record with fewer fields; what it has is right.
            assert_eq!(kept.value, mood());
            assert!(NEWER[..end].ends_with(b"\x40\x45\x40"));
        }
    }
}

fn unknown_field() -> impl Strategy<Value = Vec<u8>> {
    let key = |number: u64, wire_type: u64| {
        let mut key = Vec::new();
        prost::encode_length_delimiter((number << 3 | wire_type) as usize, &mut key).unwrap();
        key
    };
    let payload = prop_oneof![
        any::<u32>().prop_map(|value| {
            let mut bytes = Vec::new();
            prost::encode_length_delimiter(value as usize, &mut bytes).unwrap();
            (0, bytes)
        }),
        any::<[u8; 8]>().prop_map(|bytes| (1, bytes.to_vec())),
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(|bytes| {
            let mut framed = Vec::new();
            prost::encode_length_delimiter(bytes.len(), &mut framed).unwrap();
            framed.extend(bytes);
            (2, framed)
        }),
        any::<[u8; 4]>().prop_map(|bytes| (5, bytes.to_vec())),
    ];
    (6_u64..(1 << 29), payload)
        .prop_map(move |(number, (wire_type, payload))| [key(number, wire_type), payload].concat())
}

proptest! {
    #[test]
    fn a_dial_survives_with_whatever_fields_came_with_it(
        id: u64, user_id: u64, name in "\\PC{1,100}", level in 0.0..=100.0,
        milliseconds in -377_705_000_000_000_i64..253_402_200_000_000,
        unknown in proptest::collection::vec(unknown_field(), 0..5),
    ) {
        let dial = Dial {
            id: DialId(id),
            user_id: UserId(user_id),
            name: Name::new(name).unwrap(),
            level: Level::new(level).unwrap(),
            mod_time: Timestamp::from_millisecond(milliseconds).unwrap(),
        };
        let kept = Kept { value: dial, unknown: unknown.concat() };
        prop_assert_eq!(decode_dial(&encode_dial(&kept)).unwrap(), kept);
    }

    #[test]
    fn no_bytes_whatever_make_decoding_panic(bytes: Vec<u8>) {
        if let Ok(kept) = decode_dial(&bytes) {
            prop_assert_eq!(decode_dial(&encode_dial(&kept)).unwrap(), kept);
        }
    }
}
