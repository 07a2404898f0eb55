//! The service on a simulated network, and a client of it.

use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use turmoil::net::{TcpListener, TcpStream};
use wtfdial::http::{self, Limits};
use wtfdial::redb::Store;
use wtfdial::{Client, Clock, Timestamp};

use super::powered_disk::PoweredDisk;

const PORT: u16 = 7070;

/// How long a client waits for an answer. The power goes without a word: this is how it notices.
const PATIENCE: Duration = Duration::from_secs(1);

/// The world's clock.
#[derive(Debug)]
struct SimulatedClock;

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let elapsed = turmoil::since_epoch().expect("asked on a simulated host");
        Timestamp::from_millisecond(elapsed.as_millis() as i64).unwrap()
    }
}

struct SimulatedListener(TcpListener);

impl Listener for SimulatedListener {
    type Io = TcpStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (TcpStream, Self::Addr) {
        self.0.accept().await.expect("a simulated listener does not fail")
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

/// Opens the store and serves it until the power fails.
pub(crate) async fn serve(disk: PoweredDisk) -> turmoil::Result {
    // The power may fail while the store is opened: then there is no service until it is back.
    let Ok(store) = Store::open_on(disk) else {
        return std::future::pending().await;
    };
    let store = Arc::new(store);
    let client = Client::new(store.clone(), store, Arc::new(SimulatedClock));
    let stop = CancellationToken::new();
    let routes = http::router(client, Limits::default(), stop.clone());
    let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
    http::serve(SimulatedListener(listener), routes, Limits::default(), stop).await;
    Ok(())
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Json(u16, Value),
    /// No answer, or half of one: it may have been done, or not.
    Nothing,
}

/// Sends a request on a connection of its own.
pub(crate) async fn call(method: &str, path: &str, token: &str, body: Option<&Value>) -> Answer {
    match tokio::time::timeout(PATIENCE, exchange(method, path, token, body)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => {
            // Refused, most often: the server is down.
            tokio::time::sleep(Duration::from_millis(20)).await;
            Answer::Nothing
        }
        Err(_) => Answer::Nothing,
    }
}

async fn exchange(method: &str, path: &str, token: &str, body: Option<&Value>) -> turmoil::Result<Answer> {
    let stream = TcpStream::connect(("server", PORT)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "server")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(body.map(Value::to_string).unwrap_or_default())?;
    let answer = sender.send_request(request).await?;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await?.to_bytes();
    drop(sender);
    connection.await??;
    Ok(Answer::Json(status, serde_json::from_slice(&body)?))
}
