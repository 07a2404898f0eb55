//! What only the inside of the store can show: what lies in the tables.

use std::path::Path;

use super::tables::{DIALS, LAST_IDS, TOKENS, USERS};
use super::*;
use crate::service::{Administration, Authenticator, DialService, Page, Stamp};
use crate::{DialId, Level, Name, Timestamp, UserId};
use ::redb::{ReadableDatabase, ReadableTable};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn stamp() -> Stamp {
    Stamp {
        user_id: UserId(1),
        time: Timestamp::UNIX_EPOCH,
    }
}

/// Changes a closed store behind its back.
fn tamper(path: &Path, work: impl FnOnce(&WriteTransaction)) {
    let database = Database::open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    work(&transaction);
    transaction.commit().unwrap();
}

fn put_dial(transaction: &WriteTransaction, id: u64, record: &[u8]) {
    transaction
        .open_table(DIALS)
        .unwrap()
        .insert(id.to_be_bytes(), record)
        .unwrap();
}

/// A sound store with a user and two dials, closed.
fn closed_store(directory: &tempfile::TempDir) -> std::path::PathBuf {
    let path = directory.path().join("dials.redb");
    let store = Store::open(&path).unwrap();
    store.add_user(&name("ada")).unwrap();
    store.create_dial(stamp(), &name("one"), Level::MIN).unwrap();
    store.create_dial(stamp(), &name("two"), Level::MAX).unwrap();
    path
}

#[test]
fn keys_are_big_endian_so_that_key_order_is_id_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = closed_store(&directory);
    tamper(&path, |transaction| {
        transaction.open_table(LAST_IDS).unwrap().insert("dial", 254).unwrap();
    });
    let store = Store::open(&path).unwrap();
    for _ in 0..3 {
        store.create_dial(stamp(), &name("more"), Level::MIN).unwrap();
    }
    let page = Page {
        after: Some(DialId(1)),
        limit: 10,
    };
    let ids: Vec<u64> = store.dials(page).unwrap().iter().map(|dial| dial.id.0).collect();
    assert_eq!(ids, [2, 255, 256, 257]);
    drop(store);
    let database = Database::open(&path).unwrap();
    let dials = database.begin_read().unwrap().open_table(DIALS).unwrap();
    assert!(dials.get([0, 0, 0, 0, 0, 0, 1, 0]).unwrap().is_some());
}

#[test]
fn only_the_hash_of_a_token_is_stored() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dials.redb");
    let store = Store::open(&path).unwrap();
    let (user, token) = store.add_user(&name("ada")).unwrap();
    assert_eq!(store.authenticate(&token), Ok(user));
    drop(store);
    let bytes = std::fs::read(&path).unwrap();
    let secret = token.reveal().trim_start_matches("wtfdial_");
    assert_eq!(secret.len(), 64);
    for needle in [secret.as_bytes(), &secret.as_bytes()[..16]] {
        assert!(!bytes.windows(needle.len()).any(|window| window == needle));
    }
    let database = Database::open(&path).unwrap();
    let tokens = database.begin_read().unwrap().open_table(TOKENS).unwrap();
    let expected: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(token.reveal()).into();
    assert!(tokens.get(expected).unwrap().is_some());
}

#[test]
fn a_refused_change_gives_out_no_id_and_leaves_nothing_behind() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path().join("dials.redb")).unwrap();
    store.add_user(&name("ada")).unwrap();
    assert_eq!(store.add_user(&name("ada")), Err(Error::UserExists(name("ada"))));
    let failed: Result<(), Error> = store.write("testing", |transaction| {
        tables::next_id(transaction, tables::DIAL_IDS)?;
        transaction.open_table(DIALS)?.insert([9; 8], b"half".as_slice())?;
        Err(Error::Unauthorized.into())
    });
    assert_eq!(failed, Err(Error::Unauthorized));
    assert_eq!(store.add_user(&name("bob")).unwrap().0.id, UserId(2));
    assert_eq!(
        store.create_dial(stamp(), &name("one"), Level::MIN).unwrap().id,
        DialId(1)
    );
    let everything = Page {
        after: None,
        limit: usize::MAX,
    };
    assert_eq!(store.dials(everything).unwrap().len(), 1);
}

#[test]
fn a_newer_record_that_is_changed_in_the_store_keeps_its_new_fields() {
    let directory = tempfile::tempdir().unwrap();
    let path = closed_store(&directory);
    let key = 1_u64.to_be_bytes();
    tamper(&path, |transaction| {
        let mut dials = transaction.open_table(DIALS).unwrap();
        let newer = [dials.get(key).unwrap().unwrap().value(), b"\x3a\x04blue"].concat();
        dials.insert(key, newer.as_slice()).unwrap();
    });
    let store = Store::open(&path).unwrap();
    store.set_level(stamp(), DialId(1), Level::MAX).unwrap();
    drop(store);
    let database = Database::open(&path).unwrap();
    let dials = database.begin_read().unwrap().open_table(DIALS).unwrap();
    assert!(dials.get(key).unwrap().unwrap().value().ends_with(b"\x3a\x04blue"));
}

#[test]
fn check_names_what_does_not_fit_together() {
    type Damage = fn(&WriteTransaction);
    let cases: [(Damage, &str); 6] = [
        (|t| put_dial(t, 2, b"\x08"), "dial 2: not a record"),
        (
            |t| put_dial(t, 1, b"\x08\x07"),
            "dial 1: the record has no field `user_id`",
        ),
        (
            |t| drop(t.open_table(LAST_IDS).unwrap().insert("dial", 1).unwrap()),
            "dial 2: no id above 1 has been given out",
        ),
        (
            |t| drop(t.open_table(USERS).unwrap().remove(1_u64.to_be_bytes()).unwrap()),
            "there are 1 names of users and 0 users (and 3 more such findings)",
        ),
        (
            |t| drop(t.open_table(tables::USER_NAMES).unwrap().remove("ada").unwrap()),
            "user 1: not found by its name (and 1 more such findings)",
        ),
        (
            |t| {
                let user = 9_u64.to_be_bytes();
                t.open_table(TOKENS).unwrap().insert([7; 32], user).unwrap();
            },
            "there is a token of user 9, and no such user",
        ),
    ];
    for (damage, finding) in cases {
        let directory = tempfile::tempdir().unwrap();
        let path = closed_store(&directory);
        tamper(&path, damage);
        let before = std::fs::read(&path).unwrap();
        for failure in [check(&path).unwrap_err(), Store::open(&path).unwrap_err()] {
            let line = failure.to_string();
            assert!(line.contains(finding), "{line}");
            assert!(line.ends_with("; put it aside and restore a backup"), "{line}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[test]
fn files_of_others_and_of_later_versions_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let refusal = |file: &str, damage: &dyn Fn(&WriteTransaction)| {
        let path = directory.path().join(file);
        drop(Database::create(&path).unwrap());
        tamper(&path, damage);
        let line = Store::open(&path).unwrap_err().to_string();
        line.strip_prefix(&format!("checking {} failed: ", path.display()))
            .unwrap()
            .to_owned()
    };
    let other = ::redb::TableDefinition::<&str, u64>::new("notes");
    let mark = ::redb::TableDefinition::<&str, u64>::new("wtfdial");
    assert_eq!(
        refusal("other.redb", &|t| drop(t.open_table(other).unwrap())),
        "it is the redb file of another program; name another file"
    );
    assert_eq!(
        refusal("later.redb", &|t| drop(
            t.open_table(mark).unwrap().insert("format", 2).unwrap()
        )),
        "its format is 2, and this wtfdial knows format 1; name another file"
    );
    let path = closed_store(&directory);
    tamper(&path, |t| drop(t.open_table(other).unwrap()));
    assert!(
        Store::open(&path)
            .unwrap_err()
            .to_string()
            .contains("a table `notes` that this wtfdial does not know")
    );
}
