//! The API: dials in JSON.

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::fields::{self, Fields};
use super::problem::Problem;
use super::{App, blocking};
use crate::dial::{Dial, DialId};
use crate::error::Error;
use crate::service::Page;

/// Dials in one answer of the list, unless the request says how many; and at most.
const LIST_LIMIT: usize = 100;
const LIST_LIMIT_MAX: usize = 1000;

/// A dial in JSON.
#[derive(Serialize)]
pub(super) struct DialBody<'d> {
    id: u64,
    user_id: u64,
    name: &'d str,
    level: f64,
    /// RFC 3339, to the millisecond.
    mod_time: String,
}

impl<'d> From<&'d Dial> for DialBody<'d> {
    fn from(dial: &'d Dial) -> DialBody<'d> {
        DialBody {
            id: dial.id.0,
            user_id: dial.user_id.0,
            name: dial.name.as_str(),
            level: dial.level.value(),
            mod_time: format!("{:.3}", dial.mod_time),
        }
    }
}

#[derive(Serialize)]
struct ListBody<'d> {
    dials: Vec<DialBody<'d>>,
    /// Where the list goes on, if it does.
    next: Option<String>,
}

#[derive(Serialize)]
struct UserBody<'u> {
    id: u64,
    name: &'u str,
}

/// The `{id}` of a path.
pub(super) struct Id(pub(super) DialId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Id, Problem> {
        let id = Path::<u64>::from_request_parts(parts, state).await;
        let Path(id) = id.map_err(|_| Problem::of_parameter("id", "must be a whole number"))?;
        Ok(Id(DialId(id)))
    }
}

/// The query of the list.
#[derive(Deserialize)]
pub(super) struct ListQuery {
    after: Option<String>,
    limit: Option<String>,
}

impl ListQuery {
    fn page(&self) -> Result<Page, Problem> {
        let after = match &self.after {
            None => None,
            Some(text) => Some(
                text.parse()
                    .map_err(|_| Problem::of_parameter("after", "must be a dial's id"))?,
            ),
        };
        let limit = match &self.limit {
            None => LIST_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=LIST_LIMIT_MAX).contains(limit))
                .ok_or_else(|| Problem::of_parameter("limit", format!("must be from 1 to {LIST_LIMIT_MAX}")))?,
        };
        Ok(Page {
            after: after.map(DialId),
            limit,
        })
    }
}

/// `GET /dials?after=ID&limit=N`
pub(super) async fn list(
    State(app): State<App>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let query = query.map_err(|_| Problem::of_parameter("query", "must have `after` and `limit` once each at most"))?;
    let page = query.page()?;
    // One more than was asked for tells whether there are more.
    let one_more = Page {
        limit: page.limit + 1,
        ..page
    };
    let mut dials = blocking(|| app.client.connect().dials(one_more))?;
    let more = dials.len() > page.limit;
    dials.truncate(page.limit);
    let next = dials
        .last()
        .filter(|_| more)
        .map(|last| format!("/dials?after={}&limit={}", last.id, page.limit));
    let dials = dials.iter().map(DialBody::from).collect();
    Ok(Json(ListBody { dials, next }).into_response())
}

/// `GET /dials/{id}`
pub(super) async fn read(State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    let dial = blocking(|| app.client.connect().dial(id))?.ok_or(Error::DialNotFound(id))?;
    Ok(Json(DialBody::from(&dial)).into_response())
}

/// `POST /dials` with `name` and, if it is not to begin at 0, `level`.
pub(super) async fn create(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    let session = app.session(&headers)?;
    let session = blocking(|| session.authenticate())?;
    let mut fields = Fields::parse(&fields::body(&headers, body, app.limits.body_bytes_max).await?)?;
    let (name, level) = (fields.name(), fields.level_or_min());
    let (name, level) = fields.finish(name.zip(level))?;
    let dial = blocking(|| session.create_dial(&name, level))?;
    app.feed.changed(dial.id);
    let location = [(LOCATION, format!("/dials/{}", dial.id))];
    Ok((StatusCode::CREATED, location, Json(DialBody::from(&dial))).into_response())
}

/// `PUT /dials/{id}/level` with `level`.
pub(super) async fn set_level(
    State(app): State<App>,
    Id(id): Id,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let session = app.session(&headers)?;
    let session = blocking(|| session.authenticate())?;
    let mut fields = Fields::parse(&fields::body(&headers, body, app.limits.body_bytes_max).await?)?;
    let level = fields.level();
    let level = fields.finish(level)?;
    let dial = blocking(|| session.set_level(id, level))?;
    app.feed.changed(id);
    Ok(Json(DialBody::from(&dial)).into_response())
}

/// `GET /me`: whose token this is.
pub(super) async fn me(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    let session = app.session(&headers)?;
    let session = blocking(|| session.authenticate())?;
    let user = session.user();
    let body = UserBody {
        id: user.id.0,
        name: user.name.as_str(),
    };
    Ok(Json(body).into_response())
}
