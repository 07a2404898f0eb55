//! `GET /api/v1/status` and `GET /healthz`: how the server is, for people and for probes.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::App;
use super::problem::Problem;
use crate::administration::{Status, SwitchError};

/// What is answered about the server.
#[derive(Serialize)]
pub(super) struct Answer {
    version: &'static str,
    backend: String,
    policy: String,
    /// `null` for a memory that started empty.
    filename: Option<String>,
    generation: u64,
    keys: u64,
    connections: u64,
    uptime_s: u64,
    read_only: bool,
    switching: u64,
    draining: u64,
    stopping: bool,
}

impl From<Status> for Answer {
    fn from(status: Status) -> Answer {
        Answer {
            version: env!("CARGO_PKG_VERSION"),
            backend: status.backend,
            policy: status.policy,
            filename: status.filename,
            generation: status.generation,
            keys: status.keys,
            connections: status.connections,
            uptime_s: status.uptime.as_secs(),
            read_only: status.read_only,
            switching: status.switching,
            draining: status.draining,
            stopping: status.stopping,
        }
    }
}

pub(super) async fn status(State(app): State<App>) -> Json<Answer> {
    Json(app.administration.status().into())
}

/// Whether clients may be sent here.
pub(super) async fn healthz(State(app): State<App>) -> Result<&'static str, Problem> {
    if app.administration.status().stopping {
        return Err(SwitchError::Stopping.into());
    }
    Ok("ok\n")
}
