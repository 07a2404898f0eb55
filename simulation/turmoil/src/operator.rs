//! Whoever switches the dataset, over the control API.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use turmoil::net::TcpStream;

use crate::history::{Answer, History, What};
use crate::host::{CONTROL_PORT, SERVER};
use crate::plan::{Backend, Order};
use crate::random::Random;
use crate::shelf::named;

/// Gives orders, one after the other, and now and then asks how the server is.
pub async fn work(
    history: History,
    backend: Backend,
    orders: Vec<(u32, Order)>,
    mut random: Random,
    patience: Duration,
) {
    for (number, Order { pause, stem }) in orders {
        let filename = named(stem, backend);
        tokio::time::sleep(pause).await;
        history.note(What::Ordered {
            order: number,
            filename: filename.clone(),
        });
        let (kind, body) = if random.percent(50) {
            let escaped = filename.replace('/', "%2F");
            ("application/x-www-form-urlencoded", format!("filename={escaped}"))
        } else {
            ("application/json", json!({ "filename": filename }).to_string())
        };
        let request = Request::post("/api/v1/switchdb")
            .header("content-type", kind)
            .body(body);
        let answer = match call(request, patience).await {
            Ok((status, body)) => understood(status, &body),
            Err(cause) => Answer::Nothing(cause),
        };
        let lost = matches!(answer, Answer::Nothing(_));
        history.note(What::Obeyed { order: number, answer });
        if lost {
            tokio::time::sleep(Duration::from_millis(20)).await;
        } else if random.percent(30) {
            ask_for_status(&history, patience).await;
        }
    }
}

async fn ask_for_status(history: &History, patience: Duration) {
    let asked = history.place();
    let request = Request::get("/api/v1/status").body(String::new());
    if let Ok((200, body)) = call(request, patience).await
        && let (Some(generation), Some(filename)) = (body["generation"].as_u64(), body["filename"].as_str())
    {
        history.note(What::Status {
            asked,
            generation,
            filename: filename.to_owned(),
        });
    }
}

/// What an answer says. One that says something else than it should is told as a refusal without a cause.
fn understood(status: u16, body: &Value) -> Answer {
    let switched = || {
        Some(Answer::Switched {
            generation: body["generation"].as_u64()?,
            filename: body["filename"].as_str()?.to_owned(),
            keys: body["keys"].as_u64()?,
            drained: body["drained"].as_bool()?,
        })
    };
    let refused = Answer::Refused {
        status,
        explained: body["detail"].as_str().is_some_and(|detail| !detail.is_empty()),
    };
    if status == 200 {
        switched().unwrap_or(refused)
    } else {
        refused
    }
}

/// Sends a request on a connection of its own. What went wrong is told without what differs from run to run.
async fn call(request: hyper::http::Result<Request<String>>, patience: Duration) -> Result<(u16, Value), String> {
    let exchange = async {
        let request = request.map_err(|error| error.to_string())?;
        let stream = TcpStream::connect((SERVER, CONTROL_PORT)).await;
        let stream = stream.map_err(|error| error.kind().to_string())?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(told)?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(told)?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(told)?.to_bytes();
        drop(sender);
        // The answer is there, whatever becomes of the connection.
        let _ = connection.await;
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    };
    tokio::time::timeout(patience, exchange)
        .await
        .unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

#[allow(clippy::needless_pass_by_value, reason = "it is given to `map_err`")]
fn told(error: hyper::Error) -> String {
    error.to_string()
}
