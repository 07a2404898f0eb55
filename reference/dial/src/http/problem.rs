//! Every refusal there is, as a problem body of RFC 9457.

use axum::Json;
use axum::extract::Path;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::Error;

/// A kind of refusal. Its `type` is the address of a text about it, relative to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    MalformedBody,
    InvalidField,
    InvalidParameter,
    Unauthenticated,
    NotOwner,
    DialNotFound,
    RouteNotFound,
    MethodNotAllowed,
    RequestTimeout,
    UserExists,
    BodyTooLarge,
    UnsupportedMediaType,
    StorageUnavailable,
    TooManyStreams,
}

/// Name, status, title, and what is said about it at its address.
struct Text(Kind, &'static str, StatusCode, &'static str, &'static str);

const TEXTS: [Text; 14] = [
    Text(
        Kind::MalformedBody,
        "malformed-body",
        StatusCode::BAD_REQUEST,
        "The body is not a JSON object",
        "`detail` has the line and the column. Nothing was changed.",
    ),
    Text(
        Kind::InvalidField,
        "invalid-field",
        StatusCode::UNPROCESSABLE_ENTITY,
        "A field is not valid",
        "`errors` names every field that is missing, unknown or out of its bounds. A name has 1 to 100 characters, none of \
         them a control character; a level is a finite number from 0 to 100. Nothing was changed.",
    ),
    Text(
        Kind::InvalidParameter,
        "invalid-parameter",
        StatusCode::BAD_REQUEST,
        "A part of the address is not valid",
        "`errors` names the part of the path or the query.",
    ),
    Text(
        Kind::Unauthenticated,
        "unauthenticated",
        StatusCode::UNAUTHORIZED,
        "A known user's token is needed",
        "Send `Authorization: Bearer TOKEN` with the token that `wtfdial user add NAME` printed.",
    ),
    Text(
        Kind::NotOwner,
        "not-owner",
        StatusCode::FORBIDDEN,
        "The dial is somebody else's",
        "Only its owner changes a dial.",
    ),
    Text(
        Kind::DialNotFound,
        "dial-not-found",
        StatusCode::NOT_FOUND,
        "There is no such dial",
        "`GET /dials` lists those that there are.",
    ),
    Text(
        Kind::RouteNotFound,
        "route-not-found",
        StatusCode::NOT_FOUND,
        "There is nothing at this address",
        "The README lists the addresses.",
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
        "`detail` says what to do. Nothing was changed.",
    ),
    Text(
        Kind::UserExists,
        "user-exists",
        StatusCode::CONFLICT,
        "There is a user of this name",
        "Names of users are unique.",
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
        "The body is not announced as JSON",
        "Send `Content-Type: application/json`.",
    ),
    Text(
        Kind::StorageUnavailable,
        "storage-unavailable",
        StatusCode::SERVICE_UNAVAILABLE,
        "The store cannot do this now",
        "The disk is full or failing, or the file is damaged: `detail` says which. What was there before is still there. A \
         change that failed was not acknowledged: read before you try again.",
    ),
    Text(
        Kind::TooManyStreams,
        "too-many-streams",
        StatusCode::SERVICE_UNAVAILABLE,
        "Too many event streams are open",
        "Try again when another has ended.",
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
    errors: Vec<Fault>,
}

/// What is wrong with one field.
#[derive(Debug, Serialize)]
pub(super) struct Fault {
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) detail: String,
}

/// Where a field is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Place {
    /// In the body: a JSON pointer (RFC 6901) as a URI fragment.
    Pointer(String),
    /// In the address: a name in the path or the query.
    Parameter(String),
}

/// The body of RFC 9457, section 3.
#[derive(Serialize)]
struct Body<'p> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'p str,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'p [Fault],
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// A refusal of fields. There is at least one.
    pub(super) fn of_fields(kind: Kind, errors: Vec<Fault>) -> Problem {
        let in_words = |fault: &Fault| {
            let (Place::Pointer(name) | Place::Parameter(name)) = &fault.place;
            let name = name.trim_start_matches("#/").replace("~1", "/").replace("~0", "~");
            format!("`{name}` {}", fault.detail)
        };
        let detail = errors.iter().map(in_words).collect::<Vec<_>>().join("; ");
        Problem { kind, detail, errors }
    }

    /// A refusal of a part of the address.
    pub(super) fn of_parameter(name: &str, detail: impl Into<String>) -> Problem {
        let fault = Fault {
            place: Place::Parameter(name.to_owned()),
            detail: detail.into(),
        };
        Problem::of_fields(Kind::InvalidParameter, vec![fault])
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Problem {
        let kind = match error {
            Error::Unauthenticated => Kind::Unauthenticated,
            Error::Unauthorized => Kind::NotOwner,
            Error::DialNotFound(_) => Kind::DialNotFound,
            Error::UserExists(_) => Kind::UserExists,
            Error::Storage(_) => Kind::StorageUnavailable,
        };
        if kind == Kind::StorageUnavailable {
            tracing::error!("{error}");
        }
        Problem::new(kind, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Text(_, name, status, title, _) = *self.kind.text();
        let body = Body {
            r#type: format!("/problems/{name}"),
            title,
            status: status.as_u16(),
            detail: &self.detail,
            errors: &self.errors,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"wtfdial\""));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("10"));
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
        assert_eq!(Kind::TooManyStreams as usize + 1, TEXTS.len());
        let names: BTreeSet<_> = TEXTS.iter().map(|text| text.1).collect();
        assert_eq!(names.len(), TEXTS.len());
    }
}
