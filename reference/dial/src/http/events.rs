//! Server-sent events: dials as they are, whenever they change.
//!
//! What is announced inside is only *that* a dial has changed. A stream then reads the dial and sends what it finds, so
//! that two changes that are announced in the wrong order still end with the last one, and a client that reads slowly
//! is spared what is past.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::{OwnedSemaphorePermit, TryAcquireError};

use super::dials::{DialBody, Id};
use super::problem::{Kind, Problem};
use super::{App, blocking};
use crate::dial::{Dial, DialId};
use crate::error::Error;
use crate::service::Page;

/// Changes that a stream may be behind before it reads everything anew.
const BACKLOG: usize = 256;

/// Dials that are read at a time.
const READ_LIMIT: usize = 100;

/// Announces that dials have changed.
#[derive(Clone, Debug)]
pub(super) struct Feed {
    changes: broadcast::Sender<DialId>,
}

impl Default for Feed {
    fn default() -> Feed {
        Feed {
            changes: broadcast::Sender::new(BACKLOG),
        }
    }
}

impl Feed {
    /// To be called when the change has been committed.
    pub(super) fn changed(&self, id: DialId) {
        // It fails when nobody listens, which is nobody's loss.
        let _ = self.changes.send(id);
    }
}

/// `GET /dials/{id}/events`: the dial as it is, then again whenever it has changed.
pub(super) async fn one(State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    let mut watch = Watch::begin(app, Some(id))?;
    let dial = blocking(|| watch.app.client.connect().dial(id))?.ok_or(Error::DialNotFound(id))?;
    watch.ready.push_back(dial);
    Ok(watch.into_response())
}

/// `GET /dials/events`: every dial as it is, then each that is created or changes.
pub(super) async fn all(State(app): State<App>) -> Result<Response, Problem> {
    let mut watch = Watch::begin(app, None)?;
    watch.unread = Unread::From(None);
    Ok(watch.into_response())
}

/// One event stream.
struct Watch {
    app: App,
    changes: broadcast::Receiver<DialId>,
    /// The dial that is watched; all of them if `None`.
    only: Option<DialId>,
    /// Read and not sent.
    ready: VecDeque<Dial>,
    /// Not read.
    unread: Unread,
    /// The stream's place among those that may be open.
    _place: OwnedSemaphorePermit,
}

/// What is still to be read from the list of all dials.
enum Unread {
    Nothing,
    /// What comes after this id.
    From(Option<DialId>),
}

impl Watch {
    /// Listens from here on; what is read later can miss no change.
    fn begin(app: App, only: Option<DialId>) -> Result<Watch, Problem> {
        let place = Arc::clone(&app.streams)
            .try_acquire_owned()
            .map_err(|error| match error {
                TryAcquireError::NoPermits | TryAcquireError::Closed => Problem::new(
                    Kind::TooManyStreams,
                    "as many event streams are open as may be; try again later",
                ),
            })?;
        Ok(Watch {
            changes: app.feed.changes.subscribe(),
            app,
            only,
            ready: VecDeque::new(),
            unread: Unread::Nothing,
            _place: place,
        })
    }

    fn into_response(self) -> Response {
        let keep_alive = KeepAlive::new().interval(self.app.limits.stream_keep_alive);
        let stop = self.app.stop.clone();
        let events = stream::unfold(self, |mut watch| async {
            let event = watch.next().await?;
            Some((Ok::<Event, Infallible>(event), watch))
        });
        Sse::new(events.take_until(stop.cancelled_owned()))
            .keep_alive(keep_alive)
            .into_response()
    }

    /// The next event; `None` if the store failed, upon which the client comes again.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(dial) = self.ready.pop_front() {
                return Event::default().event("dial").json_data(DialBody::from(&dial)).ok();
            }
            if let Err(error) = self.read().await {
                tracing::error!("an event stream ends: {error}");
                return None;
            }
        }
    }

    /// Reads what is not read, or waits for a change and reads that.
    async fn read(&mut self) -> Result<(), Error> {
        if let Unread::From(after) = self.unread {
            return self.read_list(after);
        }
        match self.changes.recv().await {
            Ok(id) if self.only.is_none_or(|only| only == id) => self.read_dial(id),
            Ok(_) => Ok(()),
            Err(RecvError::Lagged(_)) => match self.only {
                Some(id) => self.read_dial(id),
                None => {
                    self.unread = Unread::From(None);
                    Ok(())
                }
            },
            // The feed lives as long as the service: this is its end.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }

    fn read_dial(&mut self, id: DialId) -> Result<(), Error> {
        let dial = blocking(|| self.app.client.connect().dial(id))?;
        self.ready.extend(dial);
        Ok(())
    }

    fn read_list(&mut self, after: Option<DialId>) -> Result<(), Error> {
        let page = Page {
            after,
            limit: READ_LIMIT,
        };
        self.ready.extend(blocking(|| self.app.client.connect().dials(page))?);
        self.unread = match self.ready.back() {
            Some(last) if self.ready.len() == READ_LIMIT => Unread::From(Some(last.id)),
            _ => Unread::Nothing,
        };
        Ok(())
    }
}
