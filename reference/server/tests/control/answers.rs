//! Each request and its answer, without a network.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use refcached::control::{Limits, Token, router};
use tower::ServiceExt;

use crate::fake::Fake;

const SWITCH: &str = "/api/v1/switchdb";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");

struct Api {
    fake: Arc<Fake>,
    routes: Router,
    transcript: String,
}

impl Api {
    fn new() -> Api {
        Api::of(Fake::default(), None)
    }

    fn with_token(text: &str) -> Api {
        Api::of(Fake::default(), Some(Token::new(text, "a test").unwrap()))
    }

    fn of(fake: Fake, token: Option<Token>) -> Api {
        let fake = Arc::new(fake);
        let routes = router(fake.clone(), token, Limits::default());
        let transcript = String::new();
        Api {
            fake,
            routes,
            transcript,
        }
    }

    async fn answer(&self, request: Request<Body>) -> Response<Body> {
        self.routes.clone().oneshot(request).await.unwrap()
    }

    /// Asks, and writes down what was asked and answered.
    async fn ask(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) {
        let mut request = Request::builder().method(method.clone()).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.answer(request.body(body.into()).unwrap()).await;
        let text = &mut self.transcript;
        writeln!(text, "> {method} {path}").unwrap();
        writeln!(text, "{}", answer.status()).unwrap();
        for (name, value) in answer.headers() {
            // The same on every answer: a test of its own looks at them.
            if !["cache-control", "x-content-type-options", "content-length"].contains(&name.as_str()) {
                writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
            }
        }
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body = std::str::from_utf8(&body).unwrap();
        writeln!(text, "{}\n", body.trim_end()).unwrap();
    }

    async fn post(&mut self, headers: &[(&str, &str)], body: impl Into<Body>) {
        self.ask(Method::POST, SWITCH, headers, body).await;
    }

    async fn read(&mut self, path: &str) {
        self.ask(Method::GET, path, &[], Body::empty()).await;
    }

    fn asked(&self) -> Vec<String> {
        self.fake.asked.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_switch_takes_a_form_or_json_and_answers_what_it_did() {
    let mut api = Api::new();
    api.post(&[FORM], "filename=ok.redb").await;
    api.post(&[JSON], r#"{"filename": "ok.redb"}"#).await;
    api.post(&[FORM], "filename=a%20b%2Fc+d%26%C3%A9.redb").await;
    assert_eq!(api.asked(), ["ok.redb", "ok.redb", "a b/c d&\u{e9}.redb"]);
    insta::assert_snapshot!(api.transcript);
}

#[tokio::test]
async fn every_reason_why_a_dataset_is_not_replaced_has_its_answer() {
    let mut api = Api::new();
    for (name, _) in Fake::errors() {
        api.post(&[FORM], format!("filename={name}")).await;
    }
    insta::assert_snapshot!(api.transcript);
}

#[tokio::test]
async fn a_request_that_cannot_be_understood_asks_for_no_switch() {
    let mut api = Api::new();
    api.post(&[], "").await;
    api.post(&[FORM], "").await;
    api.post(&[FORM], "filename=").await;
    api.post(&[FORM], "file=x").await;
    api.post(&[FORM], "filename=x&filename=y").await;
    api.post(&[JSON], "").await;
    api.post(&[JSON], "{}").await;
    api.post(&[JSON], r#"{"filename": null}"#).await;
    api.post(&[JSON], r#"{"filename": 7}"#).await;
    api.post(&[JSON], r#"{"filename": "x", "filename": "y"}"#).await;
    api.post(&[JSON], r#"{"filename": "x", "force": true}"#).await;
    api.post(&[JSON], r#"{"filename""#).await;
    api.post(&[JSON], "\"x\"").await;
    api.post(&[JSON], "[\"x\"]").await;
    api.post(&[], "filename=x").await;
    api.post(&[("content-type", "multipart/form-data; boundary=b")], "--b--")
        .await;
    api.post(&[("content-type", "text/plain")], "").await;
    api.post(&[FORM], format!("filename={}", "x".repeat(16 << 10))).await;
    assert_eq!(api.asked(), [""; 0]);
    insta::assert_snapshot!(api.transcript);
}

#[tokio::test]
async fn each_address_takes_its_methods_and_nothing_else_is_there() {
    let mut api = Api::new();
    for path in [SWITCH, "/api/v1/status", "/metrics", "/healthz"] {
        api.ask(Method::DELETE, path, &[], Body::empty()).await;
    }
    api.read(SWITCH).await;
    api.read("/api/v2/status").await;
    api.read("/problems/none").await;
    api.ask(Method::HEAD, "/healthz", &[], Body::empty()).await;
    insta::assert_snapshot!(api.transcript);
}

#[tokio::test]
async fn the_server_tells_how_it_is() {
    let mut api = Api::new();
    api.read("/api/v1/status").await;
    api.read("/healthz").await;
    api.read("/metrics").await;
    api.read("/problems/dataset-damaged").await;
    insta::assert_snapshot!(api.transcript);
}

#[tokio::test]
async fn a_server_that_stops_says_so_to_probes() {
    let fake = Fake {
        stopping: true,
        ..Fake::default()
    };
    let mut api = Api::of(fake, None);
    api.read("/healthz").await;
    insta::assert_snapshot!(api.transcript);
}

#[tokio::test]
async fn with_a_token_only_who_brings_it_is_answered() {
    let mut api = Api::with_token("s3cret");
    api.read("/api/v1/status").await;
    for wrong in [
        "Bearer s3cre",
        "Bearer s3cret2",
        "Bearer",
        "s3cret",
        "Basic czNjcmV0",
        "",
    ] {
        api.ask(
            Method::POST,
            SWITCH,
            &[FORM, ("authorization", wrong)],
            "filename=ok.redb",
        )
        .await;
    }
    api.read("/metrics").await;
    api.read("/nothing").await;
    api.read("/healthz").await;
    api.read("/problems/unauthenticated").await;
    assert_eq!(api.asked(), [""; 0]);
    for right in ["Bearer s3cret", "bearer   s3cret"] {
        api.ask(
            Method::POST,
            SWITCH,
            &[FORM, ("authorization", right)],
            "filename=ok.redb",
        )
        .await;
    }
    assert_eq!(api.asked(), ["ok.redb"; 2]);
    assert!(!api.transcript.contains("s3cret"), "{}", api.transcript);
    insta::assert_snapshot!(api.transcript);
}

#[tokio::test]
async fn a_form_that_a_page_sends_is_refused_before_anything_else() {
    let mut api = Api::new();
    let page = [FORM, ("origin", "http://127.0.0.1:8080")];
    api.ask(Method::POST, SWITCH, &page, "filename=ok.redb").await;
    assert_eq!(api.asked(), [""; 0]);
    insta::assert_snapshot!(api.transcript);
}

#[tokio::test]
async fn no_answer_is_kept_or_taken_for_something_else() {
    let api = Api::new();
    for path in ["/healthz", "/metrics", "/api/v1/status", "/nothing", SWITCH] {
        let answer = api.answer(Request::get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
    }
}

fn order(name: &str) -> Request<Body> {
    let request = Request::post(SWITCH).header(FORM.0, FORM.1);
    request.body(Body::from(format!("filename={name}"))).unwrap()
}

#[tokio::test]
async fn a_switch_goes_on_when_nobody_waits_for_its_answer() {
    let api = Api::new();
    let waiting = tokio::spawn(api.routes.clone().oneshot(order("slow.redb")));
    while api.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    api.fake.finish();
    while api.fake.switches_done.load(SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_panic_in_a_switch_is_an_answer() {
    let mut api = Api::new();
    api.post(&[FORM], "filename=panic").await;
    api.read("/healthz").await;
    insta::assert_snapshot!(api.transcript);
}

#[tokio::test]
async fn only_so_many_switches_wait() {
    let api = Api::new();
    let most = Limits::default().switches_max;
    let mut waiting = Vec::new();
    for _ in 0..most {
        waiting.push(tokio::spawn(api.routes.clone().oneshot(order("slow.redb"))));
    }
    while api.asked().len() < most {
        tokio::task::yield_now().await;
    }
    let refused = api.answer(order("ok.redb")).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "10");
    assert_eq!(api.asked().len(), most);
    for one in waiting {
        api.fake.finish();
        assert_eq!(one.await.unwrap().unwrap().status(), StatusCode::OK);
    }
    assert_eq!(api.answer(order("ok.redb")).await.status(), StatusCode::OK);
}
