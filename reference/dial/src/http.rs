//! The service on a network: JSON over HTTP/1.1, changes as server-sent events, and a page.
//!
//! A request is a session. What is refused is answered with a problem body (RFC 9457) that says what to do.
//!
//! # Layout
//! - `dials`, `fields`: the API, and how the fields of its bodies are read.
//! - `events`: server-sent events.
//! - `page`: the page at `/` and what it is made of.
//! - `problem`: every refusal there is.
//! - `control`: what whoever runs the service asks of it, over a Unix socket; also the asking side.
//! - `serve`: connections, their limits, and stopping, on any network.

pub mod control;
mod dials;
mod events;
mod fields;
mod page;
mod problem;
mod serve;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::events::Feed;
use self::problem::{Kind, Problem};
pub use self::serve::serve;
use crate::error::{Error, StorageFailure};
use crate::session::{Anonymous, Client, Session};
use crate::user::Token;

/// What is held of the service's clients, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest body of a request, in bytes.
    pub body_bytes_max: usize,
    /// Until the head of the next request has arrived, on a connection that is new or idle.
    pub head_timeout: Duration,
    /// From the head of a request to its answer; an event stream has answered when it begins.
    pub request_timeout: Duration,
    /// Connections at a time; the next ones wait to be accepted.
    pub connections_max: usize,
    /// Event streams at a time; the next ones are refused.
    pub streams_max: usize,
    /// Between signs of life on an event stream without events.
    pub stream_keep_alive: Duration,
    /// From the order to stop until connections that are still busy are cut.
    pub stop_grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_bytes_max: 16 << 10,
            head_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(10),
            connections_max: 1024,
            streams_max: 512,
            stream_keep_alive: Duration::from_secs(15),
            stop_grace: Duration::from_secs(10),
        }
    }
}

/// What the handlers share.
#[derive(Clone, Debug)]
struct App {
    client: Client,
    feed: Feed,
    streams: Arc<Semaphore>,
    limits: Limits,
    stop: CancellationToken,
}

/// The API and the page. Event streams end when `stop` is given.
pub fn router(client: Client, limits: Limits, stop: CancellationToken) -> Router {
    let app = App {
        client,
        feed: Feed::default(),
        streams: Arc::new(Semaphore::new(limits.streams_max)),
        limits,
        stop,
    };
    let api = Router::new()
        .route("/dials", get(dials::list).post(dials::create))
        .route("/dials/events", get(events::all))
        .route("/dials/{id}", get(dials::read))
        .route("/dials/{id}/level", put(dials::set_level))
        .route("/dials/{id}/events", get(events::one))
        .route("/me", get(dials::me));
    with_problems(api.merge(page::routes()))
        .layer(middleware::from_fn_with_state(app.clone(), answer_in_time))
        .with_state(app)
}

/// Answers what no route takes with problems too, and keeps every answer out of caches that has no own rule for them.
fn with_problems<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .route("/problems/{name}", get(problem::explain))
        .fallback(|| async { Problem::new(Kind::RouteNotFound, "see the README for what there is") })
        .method_not_allowed_fallback(|| async {
            Problem::new(
                Kind::MethodNotAllowed,
                "the methods that this address takes are in the header `Allow`",
            )
        })
        .layer(middleware::map_response(|mut response: Response| async {
            let headers = response.headers_mut();
            headers
                .entry(CACHE_CONTROL)
                .or_insert(HeaderValue::from_static("no-store"));
            response
        }))
}

async fn answer_in_time(State(app): State<App>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(app.limits.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Kind::RequestTimeout, "send the whole request at once").into_response(),
    }
}

impl App {
    /// The session of a request: with the token that it brings, about which nobody has been asked yet.
    fn session(&self, headers: &HeaderMap) -> Result<Session<Anonymous>, Problem> {
        let session = self.client.connect();
        let Some(credentials) = headers.get(AUTHORIZATION) else {
            return Ok(session);
        };
        let not_bearer = || Problem::new(Kind::Unauthenticated, "send `Authorization: Bearer TOKEN`");
        let (scheme, token) = credentials
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .ok_or_else(not_bearer)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(not_bearer());
        }
        match Token::new(token.trim_matches(' ')) {
            Ok(token) => Ok(session.with_token(token)),
            Err(invalid) => Err(Problem::new(Kind::Unauthenticated, invalid.to_string())),
        }
    }
}

/// Does work that waits for the disk. Where the runtime has threads to spare, other requests go on meanwhile; on one
/// thread (a simulation's, say) it is done in its turn.
fn blocking<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let guarded = || {
        // redb panics over some damages of its file; nothing of this program's is left half done by that.
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
            let remedy = "stop the service and run `wtfdial check` on its file";
            Err(StorageFailure::new("the store's work", "it came upon something impossible", remedy).into())
        })
    };
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::CurrentThread => guarded(),
        _ => tokio::task::block_in_place(guarded),
    }
}
