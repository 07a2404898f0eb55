//! `POST /api/v1/switchdb`: the switch of the dataset, and how its field is read.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::{Deserialize, Serialize};

use super::App;
use super::problem::{Kind, Problem};
use crate::administration::{SwitchError, Switched};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// What is answered about a switch.
#[derive(Serialize)]
pub(super) struct Answer {
    filename: String,
    generation: u64,
    keys: u64,
    load_ms: f64,
    publish_ms: f64,
    drain_ms: f64,
    drained: bool,
}

impl From<Switched> for Answer {
    fn from(switched: Switched) -> Answer {
        Answer {
            filename: switched.filename,
            generation: switched.generation,
            keys: switched.keys,
            load_ms: milliseconds(switched.load),
            publish_ms: milliseconds(switched.publish),
            drain_ms: milliseconds(switched.drain),
            drained: switched.drained,
        }
    }
}

/// With three decimals: to the microsecond.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

pub(super) async fn switch(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Json<Answer>, Problem> {
    let reading = read(&headers, body, app.limits.body_bytes_max);
    let filename = tokio::time::timeout(app.limits.body_timeout, reading)
        .await
        .map_err(|_| Problem::new(Kind::RequestTimeout, "send the whole request at once"))??;
    let place = Arc::clone(&app.switches)
        .try_acquire_owned()
        .map_err(|_| SwitchError::Busy {
            waiting: app.limits.switches_max,
        })?;
    let switching = Arc::clone(&app.administration).switch(filename.clone());
    // In a task of its own: a client that no longer waits for the answer must not leave a switch half done.
    let task = tokio::spawn(async move {
        let outcome = switching.await;
        drop(place);
        outcome
    });
    let switched = task.await.map_err(|error| {
        tracing::error!(filename, %error, "a switch ended without an outcome");
        Problem::new(
            Kind::Internal,
            "the switch broke off; ask for the status, and see the server's log",
        )
    })??;
    Ok(Json(switched.into()))
}

/// The field `filename` of a body, which is a form or JSON.
async fn read(headers: &HeaderMap, body: Body, bytes_max: usize) -> Result<String, Problem> {
    let announced = headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or(""));
    let essence = announced.and_then(|value| value.split(';').next()).map(str::trim);
    let body = match Limited::new(body, bytes_max).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let detail = format!("a body may have at most {bytes_max} bytes");
            return Err(Problem::new(Kind::BodyTooLarge, detail));
        }
        Err(_) => {
            return Err(Problem::new(Kind::MalformedBody, "the body broke off; send it whole"));
        }
    };
    let filename = match essence {
        Some(essence) if essence.eq_ignore_ascii_case(FORM) => of_form(&body)?,
        Some(essence) if essence.eq_ignore_ascii_case(JSON) => of_json(&body)?,
        // `curl -X POST` without data sends neither a type nor a body.
        None if body.is_empty() => None,
        _ => {
            let detail = format!("send the body as `{FORM}` or as `{JSON}`");
            return Err(Problem::new(Kind::UnsupportedMediaType, detail));
        }
    };
    filename.filter(|name| !name.is_empty()).ok_or_else(|| {
        Problem::new(
            Kind::InvalidField,
            "`filename` is missing: name a file in the data directory",
        )
    })
}

fn of_form(body: &Bytes) -> Result<Option<String>, Problem> {
    let mut filename = None;
    for (name, value) in form_urlencoded::parse(body) {
        if name != "filename" || filename.is_some() {
            let detail = format!("`{name}` is not a field of this request, or is there twice");
            return Err(Problem::new(Kind::InvalidField, detail));
        }
        filename = Some(value.into_owned());
    }
    Ok(filename)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    filename: Option<String>,
}

fn of_json(body: &Bytes) -> Result<Option<String>, Problem> {
    if body.is_empty() {
        return Ok(None);
    }
    // Else serde takes a list for the fields in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::new(Kind::MalformedBody, "not a JSON object"));
    }
    match serde_json::from_slice::<Order>(body) {
        Ok(order) => Ok(order.filename),
        Err(error) if error.is_data() => Err(Problem::new(Kind::InvalidField, error.to_string())),
        Err(error) => Err(Problem::new(Kind::MalformedBody, format!("not a JSON object: {error}"))),
    }
}
