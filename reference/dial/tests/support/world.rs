//! A store in a temporary file, a clock that stands still, and an authenticator that counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use wtfdial::redb::Store;
use wtfdial::{
    Administration, Anonymous, Authenticated, Authenticator, Client, Clock, DialService, Error, Level, Name, Session,
    StorageFailure, Timestamp, Token, User, UserId,
};

/// A clock that stands still until it is set.
#[derive(Debug)]
pub(crate) struct FixedClock(Mutex<Timestamp>);

#[allow(dead_code)] // Not every test that includes this file needs all of it.
impl FixedClock {
    pub(crate) fn set(&self, time: &str) {
        *self.0.lock().unwrap() = time.parse().unwrap();
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Knows the tokens it was told, counts how often it is asked, and fails on demand.
#[derive(Debug, Default)]
pub(crate) struct MockAuthenticator {
    users: BTreeMap<String, User>,
    pub(crate) asked: AtomicUsize,
    pub(crate) failing: std::sync::atomic::AtomicBool,
}

impl MockAuthenticator {
    /// Knows each user by the name as a token.
    pub(crate) fn of(users: &[(u64, &str)]) -> MockAuthenticator {
        let user = |&(id, text): &(u64, &str)| {
            (
                text.to_owned(),
                User {
                    id: UserId(id),
                    name: name(text),
                },
            )
        };
        MockAuthenticator {
            users: users.iter().map(user).collect(),
            ..MockAuthenticator::default()
        }
    }
}

impl Authenticator for MockAuthenticator {
    fn authenticate(&self, token: &Token) -> Result<User, Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.failing.load(Ordering::SeqCst) {
            return Err(StorageFailure::new("reading a user", "no answer", "try again").into());
        }
        self.users.get(token.reveal()).cloned().ok_or(Error::Unauthenticated)
    }
}

/// A client of a store in a temporary file. The users `ada` (1) and `bob` (2) are known by their names as tokens. It is
/// 2026-01-02 03:04:05.678 until the clock is set.
#[allow(dead_code)] // Not every test that includes this file needs all of it.
pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) authenticator: Arc<MockAuthenticator>,
    pub(crate) service: Arc<dyn DialService>,
    pub(crate) directory: TempDir,
}

#[allow(dead_code)] // Not every test that includes this file needs all of it.
impl World {
    /// Over a store that knows the two users itself as well, so that a check of its file finds nothing missing.
    pub(crate) fn new() -> World {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path().join("dials.redb")).unwrap();
        for user in ["ada", "bob"] {
            store.add_user(&name(user)).unwrap();
        }
        World::over(Arc::new(store), directory)
    }

    pub(crate) fn over(service: Arc<dyn DialService>, directory: TempDir) -> World {
        let clock = Arc::new(FixedClock(Mutex::new("2026-01-02T03:04:05.678Z".parse().unwrap())));
        let authenticator = Arc::new(MockAuthenticator::of(&[(1, "ada"), (2, "bob")]));
        let client = Client::new(service.clone(), authenticator.clone(), clock.clone());
        World {
            client,
            clock,
            authenticator,
            service,
            directory,
        }
    }

    pub(crate) fn with_token(&self, text: &str) -> Session<Anonymous> {
        self.client.connect().with_token(token(text))
    }

    pub(crate) fn session(&self, user: &str) -> Session<Authenticated> {
        self.with_token(user).authenticate().unwrap()
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn level(level: f64) -> Level {
    Level::new(level).unwrap()
}

pub(crate) fn token(text: &str) -> Token {
    Token::new(text).unwrap()
}
