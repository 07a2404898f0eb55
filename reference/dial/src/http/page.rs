//! The page, which loads nothing from anywhere else.

use axum::Router;
use axum::http::HeaderName;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::routing::get;

const INDEX: &str = include_str!("../../page/index.html");
const STYLE: &str = include_str!("../../page/page.css");
const SCRIPT: &str = include_str!("../../page/page.js");

/// What the page may do: its own style and script, and requests to this service.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page and what it is made of.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(|| async { (headers("text/html; charset=utf-8"), INDEX) }))
        .route(
            "/page.css",
            get(|| async { (headers("text/css; charset=utf-8"), STYLE) }),
        )
        .route(
            "/page.js",
            get(|| async { (headers("text/javascript; charset=utf-8"), SCRIPT) }),
        )
}

fn headers(content_type: &'static str) -> [(HeaderName, &'static str); 5] {
    [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // A new build may have another page: ask each time.
        (CACHE_CONTROL, "no-cache"),
    ]
}
