//! The control API: what whoever runs the server asks of it, over HTTP/1.1, on a listener of its own.
//!
//! `POST /api/v1/switchdb`, `GET /api/v1/status`, `GET /metrics`, `GET /healthz`. What is refused is answered with a problem
//! body (RFC 9457) that says what to do.
//!
//! # Layout
//! - `access`: who may ask: the bearer token, and no page of a browser.
//! - `switch`: the switch of the dataset, and how its field is read.
//! - `status`: how the server is, for people and for probes. `metrics`: the same for Prometheus.
//! - `problem`: every refusal there is.
//! - `serve`: connections, their limits, and stopping, on any network. `listen`: on tokio's sockets.
//!
//! It must not know what a dataset is, nor where it comes from: [`Administration`] does.

mod access;
mod listen;
mod metrics;
mod problem;
mod serve;
mod status;
mod switch;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use tokio::sync::Semaphore;

pub use self::access::{TOKEN_VARIABLE, Token, TokenError};
pub use self::listen::{ListenError, Sockets};
use self::problem::{Kind, Problem};
pub use self::serve::serve;
use crate::administration::Administration;

/// The port of the control API where none is given.
pub const DEFAULT_PORT: u16 = 8080;

/// What is held of the API's clients, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest body of a request, in bytes. A path has at most 4096, and three times that when each is escaped.
    pub body_bytes_max: usize,
    /// Until the head of the next request has arrived, on a connection that is new or idle.
    pub head_timeout: Duration,
    /// From the head of a request until its body has arrived.
    pub body_timeout: Duration,
    /// While a client takes nothing of an answer.
    pub write_timeout: Duration,
    /// Connections at a time; the next ones wait to be accepted.
    pub connections_max: usize,
    /// Switches that are under way or wait for their turn; the next ones are refused.
    pub switches_max: usize,
    /// From the order to stop until connections that are still busy are cut.
    pub stop_grace: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_bytes_max: 16 << 10,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            connections_max: 64,
            switches_max: 16,
            stop_grace: Duration::from_secs(1),
        }
    }
}

/// What the handlers share.
#[derive(Clone)]
struct App {
    administration: Arc<dyn Administration>,
    token: Option<Arc<Token>>,
    switches: Arc<Semaphore>,
    limits: Limits,
}

/// The API. With a token, only who brings it is answered, but for `/healthz` and the texts about problems.
pub fn router(administration: Arc<dyn Administration>, token: Option<Token>, limits: Limits) -> Router {
    let app = App {
        administration,
        token: token.map(Arc::new),
        switches: Arc::new(Semaphore::new(limits.switches_max)),
        limits,
    };
    Router::new()
        .route("/api/v1/switchdb", post(switch::switch))
        .route("/api/v1/status", get(status::status))
        .route("/metrics", get(metrics::metrics))
        .route("/healthz", get(status::healthz))
        .route("/problems/{name}", get(problem::explain))
        .fallback(|| async { Problem::new(Kind::RouteNotFound, "see CONTROL.md for what there is") })
        .method_not_allowed_fallback(|| async {
            Problem::new(
                Kind::MethodNotAllowed,
                "the methods that this address takes are in the header `Allow`",
            )
        })
        .layer(middleware::from_fn_with_state(app.clone(), access::guard))
        .layer(middleware::from_fn(keep_out_of_caches))
        .with_state(app)
}

async fn keep_out_of_caches(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
