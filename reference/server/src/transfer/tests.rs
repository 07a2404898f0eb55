//! The formats, and what is said of texts that are neither.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use refcached_store::redb::OpenError;
use refcached_store::store::{ScanPosition, Store};
use refcached_store::{MemoryOptions, MemoryStore, RedbOptions, RedbStore};
use tempfile::TempDir;

use super::entries::all;
use super::*;

const NOW: Timestamp = Timestamp::from_unix_s(1_800_000_000);

fn entry(key: &[u8], value: &[u8], flags: u32, exptime_unix_s: u64) -> Entry {
    Entry {
        key: key.to_vec(),
        value: value.to_vec(),
        flags,
        exptime_unix_s,
    }
}

struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn with(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Everything in the directory.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn load_quietly(from: &Path, to: &Path) -> Result<Loaded, TransferError> {
    load(from, to, false, NOW, |_| {})
}

#[test]
fn both_formats_say_the_same() {
    let expected = [
        entry(b"a", b"1,\"2\"\n3", 7, 1_900_000_000),
        entry("k\u{e9}".as_bytes(), b"", 0, 0),
        entry(b"\xff", b"\x00\xfe", u32::MAX, 0),
    ];
    let ndjson = concat!(
        "{\"key\":\"a\",\"value\":\"1,\\\"2\\\"\\n3\",\"flags\":7,\"exptime\":1900000000}\n",
        "\n",
        "{\"value\":\"\",\"key\":\"k\\u00e9\"}\r\n",
        "{\"key_base64\":\"/w==\",\"value_base64\":\"AP4=\",\"flags\":4294967295}"
    );
    let csv = concat!(
        "value,key,exptime,flags,value_base64,key_base64\r\n",
        "\"1,\"\"2\"\"\n3\",a,1900000000,7,,\r\n",
        ",k\u{e9},,,,\n",
        ",,0,4294967295,AP4=,/w==\n",
    );
    assert_eq!(all(Format::Ndjson, ndjson.as_bytes()).unwrap(), expected);
    assert_eq!(all(Format::Csv, csv.as_bytes()).unwrap(), expected);
    assert_eq!(
        all(Format::Csv, b"key,value\na,b\n").unwrap(),
        [entry(b"a", b"b", 0, 0)]
    );
}

#[test]
fn what_is_wrong_in_ndjson_is_told_with_its_place() {
    let long = format!("{{\"key\":\"{}\",\"value\":\"\"}}", "k".repeat(251));
    for (text, line, column, what) in [
        (
            "{\"key\":\"a\",\"value\":\"b\"}\n{\"key\":\"a\" \"value\"}",
            2,
            12,
            "expected `,` or `}`",
        ),
        (
            "{\"key\":\"a\",\"value\":\"b\",\"flags\":-1}",
            1,
            33,
            "invalid value: integer `-1`",
        ),
        (
            "{\"key\":\"a\",\"value\":\"b\",\"exptime\":\"x\"}",
            1,
            36,
            "invalid type: string",
        ),
        (
            "{\"key\":\"a\",\"value\":\"b\",\"ttl\":1}",
            1,
            28,
            "unknown field `ttl`",
        ),
        ("{\"key\":\"a\"}", 1, 1, "there is no value"),
        ("{\"value\":\"a\"}", 1, 1, "there is no key"),
        (
            "{\"key\":\"a\",\"value_base64\":\"*\"}",
            1,
            12,
            "value_base64 is not base64",
        ),
        (
            "{\"key\":\"a\",\"value\":\"\",\"key_base64\":\"YQ==\"}",
            1,
            1,
            "there are both key and key_base64",
        ),
        (
            "\n\n{\"value\":\"\",\"key\":\"\"}",
            3,
            13,
            "key has 0 bytes, not 1 to 250",
        ),
        (&long, 1, 2, "key has 251 bytes, not 1 to 250"),
        (
            "{\"key\":\"a\",\"value\":\"\",\"exptime\":999999999999}",
            1,
            23,
            "exptime is 999999999999, later than",
        ),
        ("[1]", 1, 2, ""),
        ("{\"key\":\"a\",\"value\":\"b", 1, 21, "EOF while parsing a string"),
        ("{\"key\":\"a\"\r\n{}", 1, 10, "EOF while parsing an object"),
    ] {
        let error = all(Format::Ndjson, text.as_bytes()).expect_err(text);
        assert_eq!((error.line, error.column), (line, column), "{text}: {error}");
        assert!(error.what.starts_with(what), "{text}: {error}");
    }
}

#[test]
fn what_is_wrong_in_csv_is_told_with_its_place() {
    for (text, line, column, what) in [
        ("key,value\na,b\nc", 3, 1, "there are 1 fields, and 2 in the header"),
        ("key,value\na,b\n\"x\ny\",b,c", 3, 3, "there are 3 fields"),
        ("key,val\n", 1, 2, "no such column: val"),
        ("key,key,value\n", 1, 2, "column key stands there twice"),
        ("key,flags\n", 1, 1, "the header has no column value"),
        ("key,value,flags\na,b,-1\n", 2, 3, "flags is not a number"),
        ("key,value,flags\na,b,4294967296\n", 2, 3, "flags is 4294967296"),
        ("key,value,exptime\na,b,soon\n", 2, 3, "exptime is not a number"),
        (
            "key,value,value_base64\na,b,Yg==\n",
            2,
            3,
            "there are both value and value_base64",
        ),
        ("key,value_base64\na,*\n", 2, 2, "value_base64 is not base64"),
        ("key,value\n,b\n", 2, 1, "key has 0 bytes"),
    ] {
        let error = all(Format::Csv, text.as_bytes()).expect_err(text);
        assert_eq!((error.line, error.column), (line, column), "{text}: {error}");
        assert!(error.what.starts_with(what), "{text}: {error}");
    }
    let error = all(Format::Csv, b"key,value\na,\xff\n").expect_err("not UTF-8");
    assert_eq!(error.to_string(), "line 2, column 2: value is not UTF-8");
}

#[test]
fn a_text_with_a_fault_leaves_nothing_behind() {
    let place = Place::new();
    let text = place.with("a.ndjson", "{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":1}\n");
    let error = load_quietly(&text, &place.path("a.redb")).expect_err("the second line");
    assert!(error.to_string().contains("a.ndjson: line 2, column 8: "), "{error}");
    assert_eq!(place.names(), ["a.ndjson"]);
}

#[test]
fn what_is_there_is_replaced_only_when_that_is_asked_for() {
    let place = Place::new();
    let text = place.with("a.csv", "key,value\na,1\nb,2\na,3\n");
    let kept = place.with("kept.redb", "something else");
    let error = load_quietly(&text, &kept).expect_err("it exists");
    assert!(matches!(error, TransferError::Exists(_)), "{error}");
    assert_eq!(fs::read(&kept).unwrap(), b"something else");
    let loaded = load(&text, &kept, true, NOW, |_| {}).unwrap();
    assert_eq!((loaded.items, loaded.replaced, loaded.expired), (2, 1, 0));
    let error = dump_to(&kept, &text, Format::Csv, false, NOW, |_| {}).expect_err("it exists");
    assert!(matches!(error, TransferError::Exists(_)), "{error}");
    dump_to(&kept, &text, Format::Csv, true, NOW, |_| {}).unwrap();
    let expected = "key,value,flags,exptime,key_base64,value_base64\na,3,0,0,,\nb,2,0,0,,\n";
    assert_eq!(fs::read_to_string(&text).unwrap(), expected);
    assert_eq!(place.names(), ["a.csv", "kept.redb"]);
}

#[test]
fn entries_whose_time_is_over_are_left_out() {
    let place = Place::new();
    let over = NOW.unix_s();
    let text = place.with("a.csv", format!("key,value,exptime\na,1,{over}\nb,2,{}\n", over + 10));
    let loaded = load_quietly(&text, &place.path("a.redb")).unwrap();
    assert_eq!((loaded.items, loaded.expired), (1, 1));
    let later = NOW.plus_ms(10_000);
    let mut out = Vec::new();
    let dumped = dump(
        &place.path("a.redb"),
        (Path::new("memory"), &mut out),
        Format::Ndjson,
        later,
        |_| {},
    );
    assert_eq!((dumped.unwrap().items, out.len()), (0, 0));
}

#[test]
fn cas_values_of_two_loads_have_nothing_in_common() {
    let place = Place::new();
    let text = place.with("a.csv", "key,value\na,1\nb,2\n");
    let mut seen = std::collections::BTreeSet::new();
    for (name, now) in [("one.redb", NOW), ("two.redb", NOW.plus_ms(1))] {
        load(&text, &place.path(name), false, now, |_| {}).unwrap();
        let store = RedbStore::open(place.path(name), &RedbOptions::default(), now, |_| {}).unwrap();
        let mut values = Vec::new();
        store
            .read(|batch| batch.scan(ScanPosition::default(), now, |item| values.push(item.attributes.cas)))
            .unwrap()
            .unwrap();
        assert!(values.iter().all(|&cas| cas <= store.cas_ceiling()), "{values:?}");
        assert!(values.into_iter().all(|cas| seen.insert(cas)), "{seen:?}");
    }
    assert_eq!(seen.len(), 4);
}

#[test]
fn a_store_is_filled_from_every_kind_of_file() {
    let place = Place::new();
    let text = place.with("a.csv", "key,value,flags\na,1,5\nb,2,6\n");
    load_quietly(&text, &place.path("a.redb")).unwrap();
    dump_to(
        &place.path("a.redb"),
        &place.path("a.ndjson"),
        Format::Ndjson,
        false,
        NOW,
        |_| {},
    )
    .unwrap();
    for name in ["a.csv", "a.ndjson", "a.redb"] {
        let store = MemoryStore::new(MemoryOptions::default(), foldhash::fast::FixedState::with_seed(1));
        let filled = fill(&store, &place.path(name), NOW, |_| {}).unwrap();
        assert_eq!(filled.entries, 2, "{name}");
        let look = |item: Option<refcached_store::item::Item<'_>>| {
            let item = item.expect("it was stored");
            assert!(item.attributes.cas <= filled.cas_ceiling);
            (
                refcached_store::store::Access::Ignore,
                (item.data.to_vec(), item.attributes.client_flags),
            )
        };
        assert_eq!(store.read(b"b", NOW, look).unwrap(), (b"2".to_vec(), 6), "{name}");
    }
    let store = MemoryStore::new(MemoryOptions::default(), foldhash::fast::FixedState::with_seed(1));
    let error = fill(&store, &place.with("b.txt", ""), NOW, |_| {}).expect_err("no such format");
    assert!(error.to_string().contains(".redb"), "{error}");
}

#[test]
fn a_file_that_is_no_dataset_is_not_dumped() {
    let place = Place::new();
    let text = place.with("a.redb", "no dataset");
    let error = dump_to(&text, &place.path("a.csv"), Format::Csv, false, NOW, |_| {}).expect_err("not a dataset");
    let TransferError::Open { error, .. } = error else {
        panic!("{error}");
    };
    assert!(matches!(error, OpenError::NotADatabase), "{error}");
    assert_eq!(place.names(), ["a.redb"]);
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let bytes = |most: usize| {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..most),
            "\\PC{0,20}".prop_map(String::into_bytes),
            "[ -~\r\n\t\"',]{0,20}".prop_map(String::into_bytes),
        ]
    };
    let exptime = prop_oneof![Just(0), NOW.unix_s() + 1..EXPTIME_MAX_S];
    (bytes(250), bytes(400), any::<u32>(), exptime).prop_map(|(mut key, value, flags, exptime_unix_s)| {
        key.truncate(KEY_BYTES_MAX);
        if key.is_empty() {
            key.push(b'k');
        }
        entry(&key, &value, flags, exptime_unix_s)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_dump_that_is_loaded_and_dumped_is_the_same(entries in prop::collection::vec(any_entry(), 0..40)) {
        let place = Place::new();
        let mut text = Vec::new();
        for entry in &entries {
            ndjson::write(entry, &mut text).unwrap();
        }
        prop_assert_eq!(&all(Format::Ndjson, &text).unwrap(), &entries);
        let mut from = place.with("0.ndjson", &text);
        let mut dumps = Vec::new();
        for (round, name) in ["1.csv", "2.ndjson", "3.csv", "4.ndjson"].into_iter().enumerate() {
            let dataset = place.path(&format!("{round}.redb"));
            load_quietly(&from, &dataset).unwrap();
            from = place.path(name);
            dump_to(&dataset, &from, Format::of(&from).unwrap(), false, NOW, |_| {}).unwrap();
            dumps.push(fs::read(&from).unwrap());
        }
        prop_assert_eq!(&dumps[0], &dumps[2]);
        prop_assert_eq!(&dumps[1], &dumps[3]);
        let last: std::collections::BTreeMap<_, _> = entries.iter().map(|entry| (&entry.key, entry)).collect();
        let expected: Vec<Entry> = last.into_values().cloned().collect();
        prop_assert_eq!(all(Format::Ndjson, &dumps[1]).unwrap(), expected);
    }
}
