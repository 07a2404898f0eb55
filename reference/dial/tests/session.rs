//! The domain over the store: sessions, owners, and random histories against a map.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

#[path = "support/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use wtfdial::redb::{Store, check};
use wtfdial::{Census, Dial, DialId, Error, Page, UserId};

use crate::world::{World, level, name, token};

const EVERYTHING: Page = Page {
    after: None,
    limit: usize::MAX,
};

#[test]
fn a_created_dial_is_read_as_it_was_created() {
    let world = World::new();
    let created = world.session("ada").create_dial(&name("mood"), level(12.5)).unwrap();
    let expected = Dial {
        id: DialId(1),
        user_id: UserId(1),
        name: name("mood"),
        level: level(12.5),
        mod_time: "2026-01-02T03:04:05.678Z".parse().unwrap(),
    };
    assert_eq!(created, expected);
    assert_eq!(world.client.connect().dial(DialId(1)), Ok(Some(expected)));
}

#[test]
fn a_created_dial_outlives_the_process() {
    let world = World::new();
    let created = world.session("ada").create_dial(&name("mood"), level(1.0)).unwrap();
    let path = world.directory.path().join("dials.redb");
    let World { directory, .. } = { world };
    let again = World::over(std::sync::Arc::new(Store::open(path).unwrap()), directory);
    assert_eq!(again.client.connect().dial(created.id), Ok(Some(created)));
}

#[test]
fn a_missing_dial_is_none_when_read_and_an_error_when_changed() {
    let world = World::new();
    assert_eq!(world.client.connect().dial(DialId(7)), Ok(None));
    assert_eq!(
        world.session("ada").set_level(DialId(7), level(1.0)),
        Err(Error::DialNotFound(DialId(7)))
    );
}

#[test]
fn setting_the_levels_of_two_dials_changes_each_alone() {
    let world = World::new();
    let session = world.session("ada");
    let one = session.create_dial(&name("one"), level(0.0)).unwrap();
    let two = session.create_dial(&name("two"), level(0.0)).unwrap();
    world.clock.set("2026-01-02T03:05:00Z");
    let later = world.session("ada");
    let one = Dial {
        level: level(10.0),
        mod_time: later.time(),
        ..one
    };
    let two = Dial {
        level: level(20.0),
        mod_time: later.time(),
        ..two
    };
    assert_eq!(later.set_level(one.id, level(10.0)), Ok(one.clone()));
    assert_eq!(later.set_level(two.id, level(20.0)), Ok(two.clone()));
    assert_eq!(later.dials(EVERYTHING), Ok(vec![one, two]));
}

#[test]
fn another_users_dial_is_read_and_not_changed() {
    let world = World::new();
    let dial = world.session("ada").create_dial(&name("hers"), level(50.0)).unwrap();
    let bob = world.session("bob");
    assert_eq!(bob.set_level(dial.id, level(0.0)), Err(Error::Unauthorized));
    assert_eq!(bob.dial(dial.id), Ok(Some(dial)));
}

#[test]
fn nobody_is_asked_who_the_user_is_until_it_matters_and_then_once() {
    let world = World::new();
    let session = world.with_token("ada");
    assert_eq!(session.dials(EVERYTHING), Ok(vec![]));
    assert_eq!(world.authenticator.asked.load(Ordering::SeqCst), 0);
    let session = session.authenticate().unwrap();
    for _ in 0..3 {
        session.create_dial(&name("mood"), level(0.0)).unwrap();
    }
    assert_eq!(world.authenticator.asked.load(Ordering::SeqCst), 1);
}

#[test]
fn a_new_token_clears_the_old_user() {
    let world = World::new();
    let ada = world.session("ada");
    let dial = ada.create_dial(&name("hers"), level(0.0)).unwrap();
    let bob = ada.clone().with_token(token("bob")).authenticate().unwrap();
    assert_eq!(bob.user().id, UserId(2));
    assert_eq!(bob.set_level(dial.id, level(1.0)), Err(Error::Unauthorized));
    // With a token of nobody there is no session to go on with, under the old user least of all.
    assert_eq!(
        ada.with_token(token("mallory")).authenticate().map(|_| ()),
        Err(Error::Unauthenticated)
    );
}

#[test]
fn without_a_token_nobody_is_asked() {
    let world = World::new();
    assert_eq!(
        world.client.connect().authenticate().map(|_| ()),
        Err(Error::Unauthenticated)
    );
    assert_eq!(world.authenticator.asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_failing_authenticator_is_a_failure_and_not_a_stranger() {
    let world = World::new();
    world.authenticator.failing.store(true, Ordering::SeqCst);
    let error = world.with_token("ada").authenticate().unwrap_err();
    assert!(matches!(error, Error::Storage(_)), "{error:?}");
    assert_eq!(world.client.connect().dials(EVERYTHING), Ok(vec![]));
}

#[test]
fn a_session_has_one_time_the_one_at_which_it_connected() {
    let world = World::new();
    world.clock.set("2026-05-05T00:00:00.123456789Z");
    let session = world.session("ada");
    world.clock.set("2027-01-01T00:00:00Z");
    let dial = session.create_dial(&name("mood"), level(0.0)).unwrap();
    assert_eq!(dial.mod_time, "2026-05-05T00:00:00.123Z".parse().unwrap());
    assert_eq!(session.dial(dial.id), Ok(Some(dial)));
}

#[test]
fn a_list_is_read_page_by_page_without_a_gap() {
    let world = World::new();
    let session = world.session("ada");
    for _ in 0..7 {
        session.create_dial(&name("mood"), level(0.0)).unwrap();
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = session.dials(Page { after, limit: 3 }).unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 3);
        after = Some(last.id);
        seen.extend(page.iter().map(|dial| dial.id.0));
    }
    assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7]);
}

#[derive(Clone, Debug)]
enum Step {
    Create(usize, String, f64),
    Set(usize, u64, f64),
    Read(u64),
    List(Option<u64>, usize),
    Reopen,
    Backup,
}

fn step() -> impl Strategy<Value = Step> {
    let level = || prop_oneof![Just(0.0), Just(100.0), 0.0..=100.0_f64];
    prop_oneof![
        4 => (0..3_usize, "\\PC{1,100}", level()).prop_map(|(user, name, level)| Step::Create(user, name, level)),
        6 => (0..3_usize, 0..12_u64, level()).prop_map(|(user, id, level)| Step::Set(user, id, level)),
        3 => (0..12_u64).prop_map(Step::Read),
        2 => (proptest::option::of(0..12_u64), 0..5_usize).prop_map(|(after, limit)| Step::List(after, limit)),
        1 => Just(Step::Reopen),
        1 => Just(Step::Backup),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Three users, one of whom is not known, do things at random; a map does the same.
    #[test]
    fn a_random_history_of_several_users_agrees_with_a_map(steps in proptest::collection::vec(step(), 1..40)) {
        const USERS: [&str; 3] = ["ada", "bob", "mallory"];
        let mut world = World::new();
        let mut map: BTreeMap<u64, Dial> = BTreeMap::new();
        for (index, step) in steps.into_iter().enumerate() {
            world.clock.set(&format!("2026-01-01T00:00:{index:02}Z"));
            let anonymous = world.client.connect();
            match step {
                Step::Create(user, text, number) => {
                    let created = anonymous.with_token(token(USERS[user])).authenticate()
                        .and_then(|session| Ok((session.create_dial(&name(&text), level(number))?, session)));
                    if user == 2 {
                        prop_assert_eq!(created.map(|(dial, _)| dial), Err(Error::Unauthenticated));
                    } else {
                        let (dial, session) = created.unwrap();
                        let id = map.len() as u64 + 1;
                        let expected = Dial {
                            id: DialId(id),
                            user_id: UserId(user as u64 + 1),
                            name: name(&text),
                            level: level(number),
                            mod_time: session.time(),
                        };
                        prop_assert_eq!(&dial, &expected);
                        map.insert(id, expected);
                    }
                }
                Step::Set(user, id, number) => {
                    let set = anonymous.with_token(token(USERS[user])).authenticate()
                        .and_then(|session| Ok((session.set_level(DialId(id), level(number))?, session.time())));
                    let expected = match map.get_mut(&id) {
                        _ if user == 2 => Err(Error::Unauthenticated),
                        None => Err(Error::DialNotFound(DialId(id))),
                        Some(dial) if dial.user_id != UserId(user as u64 + 1) => Err(Error::Unauthorized),
                        Some(dial) => {
                            dial.level = level(number);
                            dial.mod_time = world.client.connect().time();
                            Ok((dial.clone(), dial.mod_time))
                        }
                    };
                    prop_assert_eq!(set, expected);
                }
                Step::Read(id) => prop_assert_eq!(anonymous.dial(DialId(id)), Ok(map.get(&id).cloned())),
                Step::List(after, limit) => {
                    let expected = map.values().filter(|dial| after.is_none_or(|after| dial.id.0 > after));
                    let expected: Vec<Dial> = expected.take(limit).cloned().collect();
                    prop_assert_eq!(anonymous.dials(Page { after: after.map(DialId), limit }), Ok(expected));
                }
                Step::Reopen => {
                    drop(anonymous);
                    world = reopened(world);
                }
                Step::Backup => {
                    drop(anonymous);
                    world = from_backup(world, map.len() as u64);
                }
            }
        }
        prop_assert_eq!(world.client.connect().dials(EVERYTHING), Ok(map.into_values().collect()));
    }
}

fn reopened(world: World) -> World {
    let World {
        directory,
        client,
        service,
        ..
    } = world;
    drop((client, service));
    let store = Store::open(directory.path().join("dials.redb")).unwrap();
    World::over(std::sync::Arc::new(store), directory)
}

/// The same world, over a backup of its store.
fn from_backup(world: World, dials: u64) -> World {
    use wtfdial::Administration;
    let World {
        directory,
        client,
        service,
        ..
    } = world;
    drop((client, service));
    let store = Store::open(directory.path().join("dials.redb")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let backup = elsewhere.path().join("dials.redb");
    assert_eq!(store.backup(&backup), Ok(Census { users: 2, dials }));
    assert_eq!(check(&backup).unwrap(), Census { users: 2, dials });
    World::over(std::sync::Arc::new(Store::open(backup).unwrap()), elsewhere)
}
