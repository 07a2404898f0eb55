//! What whoever runs the service asks of it while it serves: HTTP over a Unix socket that its user alone may open.
//!
//! One process at a time has the store's file open, so that the serving process must do these things itself.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::routing::post;
use http_body_util::{BodyExt, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::{UnixListener, UnixStream};

use super::fields::{self, Fields};
use super::problem::{Kind, Problem};
use super::{blocking, with_problems};
use crate::dial::Name;
use crate::service::{Administration, Census};

/// The longest body of a request or an answer, in bytes: a path fits.
const BODY_BYTES_MAX: usize = 64 << 10;

/// An added user, with the token that nobody will see again.
#[derive(Debug, Serialize, Deserialize)]
struct AddedUser {
    id: u64,
    token: String,
}

/// A backup that was written.
#[derive(Debug, Serialize, Deserialize)]
struct WrittenBackup {
    users: u64,
    dials: u64,
}

/// The part of a problem that a person reads.
#[derive(Deserialize)]
struct Refusal {
    detail: String,
}

/// `POST /users` with `name`, `POST /backups` with `file`, an absolute path.
pub fn router(administration: Arc<dyn Administration>) -> Router {
    let routes = Router::new()
        .route("/users", post(add_user))
        .route("/backups", post(write_backup));
    with_problems(routes).with_state(administration)
}

type Administrator = State<Arc<dyn Administration>>;

async fn add_user(
    State(administration): Administrator,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<AddedUser>), Problem> {
    let mut fields = Fields::parse(&fields::body(&headers, body, BODY_BYTES_MAX).await?)?;
    let name = fields.name();
    let name = fields.finish(name)?;
    let (user, token) = blocking(|| administration.add_user(&name))?;
    let added = AddedUser {
        id: user.id.0,
        token: token.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(added)))
}

async fn write_backup(
    State(administration): Administrator,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<WrittenBackup>), Problem> {
    let mut fields = Fields::parse(&fields::body(&headers, body, BODY_BYTES_MAX).await?)?;
    let file: Option<PathBuf> = fields.required("file", "an absolute path");
    let file = fields.finish(file)?;
    if !file.is_absolute() {
        return Err(Problem::new(Kind::InvalidField, "`file` must be an absolute path"));
    }
    let Census { users, dials } = blocking(|| administration.backup(&file))?;
    Ok((StatusCode::CREATED, Json(WrittenBackup { users, dials })))
}

/// Opens the socket at `path` for this user alone. Whatever is there is taken for what an ended process left: call this
/// with the store open, which no two processes have.
///
/// # Errors
/// The path is longer than sockets may have (107 bytes on Linux), or cannot be written.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Asks a serving process, at its socket.
#[derive(Debug)]
pub struct Control {
    stream: UnixStream,
}

/// Why a serving process did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It says why.
    #[error("{0}")]
    Refused(String),
    /// The connection broke, or what came back is not an answer.
    #[error("asking the serving process failed: {0}; see whether it still runs, and what it says")]
    Broken(String),
}

fn broken(error: impl std::fmt::Display) -> ControlError {
    ControlError::Broken(error.to_string())
}

impl Control {
    /// Reaches the process that serves this socket; `None` if no process does.
    ///
    /// # Errors
    /// The socket is there and may not be opened.
    pub async fn reach(path: &Path) -> io::Result<Option<Control>> {
        match UnixStream::connect(path).await {
            Ok(stream) => Ok(Some(Control { stream })),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Adds a user. Answers with the token.
    ///
    /// # Errors
    /// As [`Administration::add_user`], in words; or the connection breaks.
    pub async fn add_user(self, name: &Name) -> Result<String, ControlError> {
        let added: AddedUser = self
            .ask("/users", &serde_json::json!({ "name": name.as_str() }))
            .await?;
        Ok(added.token)
    }

    /// Writes a backup to an absolute path.
    ///
    /// # Errors
    /// As [`Administration::backup`], in words; or the connection breaks.
    pub async fn backup(self, file: &Path) -> Result<Census, ControlError> {
        let file = file.to_str().ok_or_else(|| {
            ControlError::Refused(format!("{} is not UTF-8; name the backup otherwise", file.display()))
        })?;
        let WrittenBackup { users, dials } = self.ask("/backups", &serde_json::json!({ "file": file })).await?;
        Ok(Census { users, dials })
    }

    async fn ask<T: for<'a> Deserialize<'a>>(self, path: &str, body: &serde_json::Value) -> Result<T, ControlError> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(self.stream)).await.map_err(broken)?;
        // It ends when the sender is dropped; its errors are the sender's.
        tokio::spawn(connection);
        let request = Request::post(path)
            .header("host", "wtfdial")
            .header("content-type", "application/json")
            .body(body.to_string())
            .map_err(broken)?;
        let answer = sender.send_request(request).await.map_err(broken)?;
        let created = answer.status() == StatusCode::CREATED;
        let body = Limited::new(answer.into_body(), BODY_BYTES_MAX)
            .collect()
            .await
            .map_err(broken)?
            .to_bytes();
        if created {
            return serde_json::from_slice(&body).map_err(broken);
        }
        let Refusal { detail } = serde_json::from_slice(&body).map_err(broken)?;
        Err(ControlError::Refused(detail))
    }
}
