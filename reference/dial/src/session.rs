//! Client and session: who speaks, and at what time.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::clock::Clock;
use crate::dial::{Dial, DialId, Level, Name};
use crate::error::Error;
use crate::service::{Authenticator, DialService, Page, Stamp};
use crate::user::{Token, User};

/// Opens sessions on a service. Cloning gives another handle to the same service.
#[derive(Clone)]
pub struct Client {
    service: Arc<dyn DialService>,
    authenticator: Arc<dyn Authenticator>,
    clock: Arc<dyn Clock>,
}

impl Client {
    /// A client of this service, which knows users by this authenticator and the time by this clock.
    pub fn new(service: Arc<dyn DialService>, authenticator: Arc<dyn Authenticator>, clock: Arc<dyn Clock>) -> Client {
        Client {
            service,
            authenticator,
            clock,
        }
    }

    /// Opens a session at the time it is now: the one timestamp, to the millisecond, of all that it will do.
    #[must_use]
    pub fn connect(&self) -> Session<Anonymous> {
        Session {
            client: self.clone(),
            time: whole_milliseconds(self.clock.now()),
            state: Anonymous { token: None },
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Records keep milliseconds: what a session answers must equal what is read later.
fn whole_milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// A visit to the service. Anybody may read; to change something a session must be [`Authenticated`].
///
/// Who the user is, is part of the type, so that there is no user in an anonymous session to be left over: a new token
/// gives back an anonymous session.
///
/// ```compile_fail,E0599
/// # use wtfdial::{Anonymous, DialId, Level, Session};
/// fn set(session: Session<Anonymous>) {
///     session.set_level(DialId(1), Level::MAX);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Session<S> {
    client: Client,
    time: Timestamp,
    state: S,
}

/// The state of a session that has not authenticated. It may have a token.
#[derive(Clone, Debug)]
pub struct Anonymous {
    token: Option<Token>,
}

/// The state of a session whose user is known.
#[derive(Clone, Debug)]
pub struct Authenticated {
    user: User,
}

impl<S> Session<S> {
    /// The session's one timestamp.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The same visit with a new token. Whoever the user was is forgotten; nobody is asked about the token yet.
    #[must_use]
    pub fn with_token(self, token: Token) -> Session<Anonymous> {
        Session {
            client: self.client,
            time: self.time,
            state: Anonymous { token: Some(token) },
        }
    }

    /// As [`DialService::dial`].
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn dial(&self, id: DialId) -> Result<Option<Dial>, Error> {
        self.client.service.dial(id)
    }

    /// As [`DialService::dials`].
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn dials(&self, page: Page) -> Result<Vec<Dial>, Error> {
        self.client.service.dials(page)
    }
}

impl Session<Anonymous> {
    /// Asks who the token's user is: called where something is about to need to know, and never again, because the session
    /// that comes back knows.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if there is no token or it is nobody's; [`Error::Storage`].
    pub fn authenticate(self) -> Result<Session<Authenticated>, Error> {
        let token = self.state.token.ok_or(Error::Unauthenticated)?;
        let user = self.client.authenticator.authenticate(&token)?;
        Ok(Session {
            client: self.client,
            time: self.time,
            state: Authenticated { user },
        })
    }
}

impl Session<Authenticated> {
    /// Whose session it is.
    #[must_use]
    pub fn user(&self) -> &User {
        &self.state.user
    }

    /// Creates a dial that belongs to the session's user.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn create_dial(&self, name: &Name, level: Level) -> Result<Dial, Error> {
        self.client.service.create_dial(self.stamp(), name, level)
    }

    /// Sets the level of a dial of the session's user.
    ///
    /// # Errors
    /// As [`DialService::set_level`].
    pub fn set_level(&self, id: DialId, level: Level) -> Result<Dial, Error> {
        self.client.service.set_level(self.stamp(), id, level)
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            user_id: self.state.user.id,
            time: self.time,
        }
    }
}
