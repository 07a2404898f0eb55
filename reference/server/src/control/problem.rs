//! Every refusal there is, as a problem body of RFC 9457.

use axum::Json;
use axum::extract::Path;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::administration::SwitchError;

/// A kind of refusal. Its `type` is the address of a text about it, relative to the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    MalformedBody,
    InvalidField,
    Unauthenticated,
    FromAPage,
    OutsideDataDirectory,
    DatasetForbidden,
    RouteNotFound,
    DatasetNotFound,
    MethodNotAllowed,
    RequestTimeout,
    DatasetServed,
    DatasetLocked,
    NoDataDirectory,
    BodyTooLarge,
    UnsupportedMediaType,
    NotADataset,
    DatasetDamaged,
    DatasetTooLarge,
    Internal,
    StorageFailed,
    TooManySwitches,
    Stopping,
}

/// Name, status, title, and what is said about it at its address.
struct Text(Kind, &'static str, StatusCode, &'static str, &'static str);

const TEXTS: [Text; 22] = [
    Text(
        Kind::MalformedBody,
        "malformed-body",
        StatusCode::BAD_REQUEST,
        "The body cannot be read",
        "It broke off, or it is announced as JSON and is none. `detail` has the line and the column.",
    ),
    Text(
        Kind::InvalidField,
        "invalid-field",
        StatusCode::BAD_REQUEST,
        "A field is missing or not valid",
        "Send `filename`, and nothing else: the name of a file in the data directory.",
    ),
    Text(
        Kind::Unauthenticated,
        "unauthenticated",
        StatusCode::UNAUTHORIZED,
        "The control token is needed",
        "Send `Authorization: Bearer TOKEN` with the token that the server was given by --control-token-file or \
         REFCACHED_CONTROL_TOKEN.",
    ),
    Text(
        Kind::FromAPage,
        "from-a-page",
        StatusCode::FORBIDDEN,
        "The request comes from a page in a browser",
        "A browser lets any page send forms to this machine. No page has business here: what has a header `Origin` is refused.",
    ),
    Text(
        Kind::OutsideDataDirectory,
        "outside-data-directory",
        StatusCode::FORBIDDEN,
        "The name leads out of the data directory",
        "Only what lies in the directory given with --data-dir is served: no absolute path, no `..`, and no link that leads out \
         of it.",
    ),
    Text(
        Kind::DatasetForbidden,
        "dataset-forbidden",
        StatusCode::FORBIDDEN,
        "The server may not open the file",
        "Its user needs the permission to read the file, and to write it unless it serves with --readonly.",
    ),
    Text(
        Kind::RouteNotFound,
        "route-not-found",
        StatusCode::NOT_FOUND,
        "There is nothing at this address",
        "CONTROL.md lists the addresses.",
    ),
    Text(
        Kind::DatasetNotFound,
        "dataset-not-found",
        StatusCode::NOT_FOUND,
        "There is no such file",
        "Names are relative to the directory given with --data-dir.",
    ),
    Text(
        Kind::MethodNotAllowed,
        "method-not-allowed",
        StatusCode::METHOD_NOT_ALLOWED,
        "This address does not take this method",
        "The header `Allow` lists those that it takes.",
    ),
    Text(
        Kind::RequestTimeout,
        "request-timeout",
        StatusCode::REQUEST_TIMEOUT,
        "The request took too long",
        "Its body did not arrive in time. Nothing was changed.",
    ),
    Text(
        Kind::DatasetServed,
        "dataset-served",
        StatusCode::CONFLICT,
        "The file is being served already",
        "A file that is served cannot take its own place: write the new dataset beside it, under another name.",
    ),
    Text(
        Kind::DatasetLocked,
        "dataset-locked",
        StatusCode::CONFLICT,
        "The file is open in another process",
        "Or in this one, if it was replaced and is not closed yet: `draining` in the status says so.",
    ),
    Text(
        Kind::NoDataDirectory,
        "no-data-directory",
        StatusCode::CONFLICT,
        "The server has no data directory",
        "Start it with --data-dir: there it finds the datasets to switch to.",
    ),
    Text(
        Kind::BodyTooLarge,
        "body-too-large",
        StatusCode::PAYLOAD_TOO_LARGE,
        "The body is too long",
        "`detail` has the limit.",
    ),
    Text(
        Kind::UnsupportedMediaType,
        "unsupported-media-type",
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "The body is neither a form nor JSON",
        "Send `Content-Type: application/x-www-form-urlencoded` or `Content-Type: application/json`.",
    ),
    Text(
        Kind::NotADataset,
        "not-a-dataset",
        StatusCode::UNPROCESSABLE_ENTITY,
        "The file is not a dataset",
        "Make one with `refcached load`. What was served before is served still.",
    ),
    Text(
        Kind::DatasetDamaged,
        "dataset-damaged",
        StatusCode::UNPROCESSABLE_ENTITY,
        "The dataset is damaged",
        "It did not pass the check that each dataset is put to before it is served. What was served before is served still.",
    ),
    Text(
        Kind::DatasetTooLarge,
        "dataset-too-large",
        StatusCode::INSUFFICIENT_STORAGE,
        "The dataset does not fit into memory",
        "`detail` has the numbers. What was served before is served still.",
    ),
    Text(
        Kind::Internal,
        "internal",
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something failed that should not",
        "The server's log has more.",
    ),
    Text(
        Kind::StorageFailed,
        "storage-failed",
        StatusCode::INTERNAL_SERVER_ERROR,
        "The dataset cannot be read",
        "The disk is full or failing: `detail` has what the system said. What was served before is served still.",
    ),
    Text(
        Kind::TooManySwitches,
        "too-many-switches",
        StatusCode::SERVICE_UNAVAILABLE,
        "Too many switches are waiting for their turn",
        "Switches are served one after another. Try again when those before have been answered.",
    ),
    Text(
        Kind::Stopping,
        "stopping",
        StatusCode::SERVICE_UNAVAILABLE,
        "The server is stopping",
        "It answers what it has begun, and switches no more.",
    ),
];

impl Kind {
    fn text(self) -> &'static Text {
        TEXTS
            .iter()
            .find(|text| text.0 == self)
            // Every kind has its text; a test goes through them.
            .unwrap_or(&TEXTS[0])
    }
}

/// A refusal, ready to be sent.
#[derive(Debug)]
pub(super) struct Problem {
    kind: Kind,
    detail: String,
}

/// The body of RFC 9457, section 3.
#[derive(Serialize)]
struct Body<'p> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'p str,
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        let detail = detail.into();
        Problem { kind, detail }
    }
}

impl From<SwitchError> for Problem {
    fn from(error: SwitchError) -> Problem {
        let kind = match &error {
            SwitchError::BadName { .. } => Kind::InvalidField,
            SwitchError::Outside { .. } => Kind::OutsideDataDirectory,
            SwitchError::NotFound { .. } => Kind::DatasetNotFound,
            SwitchError::Same { .. } => Kind::DatasetServed,
            SwitchError::Locked { .. } => Kind::DatasetLocked,
            SwitchError::Forbidden { .. } => Kind::DatasetForbidden,
            SwitchError::NotADatabase { .. } => Kind::NotADataset,
            SwitchError::Damaged { .. } => Kind::DatasetDamaged,
            SwitchError::DoesNotFit { .. } => Kind::DatasetTooLarge,
            SwitchError::NoDataDirectory => Kind::NoDataDirectory,
            SwitchError::Busy { .. } => Kind::TooManySwitches,
            SwitchError::Stopping => Kind::Stopping,
            SwitchError::Io { .. } => Kind::StorageFailed,
        };
        Problem::new(kind, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Text(_, name, status, title, _) = *self.kind.text();
        tracing::debug!(problem = name, detail = self.detail, "a request is refused");
        let body = Body {
            r#type: format!("/problems/{name}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.kind {
            Kind::Unauthenticated => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"refcached\""));
            }
            Kind::TooManySwitches => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("10"));
            }
            _ => {}
        }
        response
    }
}

/// The text about a kind of problem.
pub(super) async fn explain(Path(name): Path<String>) -> Response {
    match TEXTS.iter().find(|text| text.1 == name) {
        Some(Text(_, _, status, title, text)) => format!("{title} ({status})\n\n{text}\n").into_response(),
        None => Problem::new(Kind::RouteNotFound, format!("there is no problem named {name:?}")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_of_problem_has_one_text_and_a_name_of_its_own() {
        for (index, text) in TEXTS.iter().enumerate() {
            assert_eq!(text.0 as usize, index);
            assert_eq!(text.0.text().1, text.1);
        }
        assert_eq!(Kind::Stopping as usize + 1, TEXTS.len());
        let names: BTreeSet<_> = TEXTS.iter().map(|text| text.1).collect();
        assert_eq!(names.len(), TEXTS.len());
    }
}
