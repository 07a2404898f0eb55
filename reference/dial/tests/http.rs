//! The API over a store in a temporary file: every answer and every refusal, as a snapshot.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

#[path = "support/world.rs"]
mod world;

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::{Request, Response};
use insta::assert_snapshot;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use wtfdial::http::{Limits, control, router};
use wtfdial::redb::Store;
use wtfdial::{Dial, DialId, DialService, Error, Level, Name, Page, Stamp, StorageFailure};

use crate::world::{World, level, name};

/// The API of a world.
struct Api {
    world: World,
    routes: Router,
    stop: CancellationToken,
}

impl Api {
    fn new() -> Api {
        Api::with(World::new(), Limits::default())
    }

    fn with(world: World, limits: Limits) -> Api {
        let stop = CancellationToken::new();
        let routes = router(world.client.clone(), limits, stop.clone());
        Api { world, routes, stop }
    }

    /// With two dials of ada's and one of bob's.
    fn with_dials() -> Api {
        let api = Api::new();
        let (ada, bob) = (api.world.session("ada"), api.world.session("bob"));
        ada.create_dial(&name("Deploys"), level(12.5)).unwrap();
        bob.create_dial(&name("Coffee \"au lait\""), level(100.0)).unwrap();
        ada.create_dial(&name("Sleep"), level(0.0)).unwrap();
        api
    }

    async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.routes.clone().oneshot(request).await.unwrap()
    }

    /// Sends a request as whoever has the token; answers with all of the answer.
    async fn answer(&self, method: &str, uri: &str, token: &str, body: &str) -> String {
        let mut request = Request::builder().method(method).uri(uri);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        in_full(self.send(request.body(Body::from(body.to_owned())).unwrap()).await).await
    }
}

/// Status, headers, body.
async fn in_full(answer: Response<Body>) -> String {
    let mut text = format!("{}\n", answer.status());
    for (header, value) in answer.headers() {
        writeln!(text, "{header}: {}", value.to_str().unwrap()).unwrap();
    }
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    match serde_json::from_slice::<serde_json::Value>(&body) {
        // Members in the order of their names: what is sent keeps the order of the schema.
        Ok(json) => writeln!(text, "\n{}", serde_json::to_string_pretty(&json).unwrap()).unwrap(),
        Err(_) => writeln!(text, "\n{}", String::from_utf8_lossy(&body)).unwrap(),
    }
    text
}

#[tokio::test]
async fn answers_of_the_api() {
    let api = Api::with_dials();
    assert_snapshot!("list", api.answer("GET", "/dials", "", "").await);
    assert_snapshot!("list_page", api.answer("GET", "/dials?after=1&limit=1", "", "").await);
    assert_snapshot!(
        "list_last_page",
        api.answer("GET", "/dials?after=2&limit=1", "", "").await
    );
    assert_snapshot!("read", api.answer("GET", "/dials/2", "", "").await);
    assert_snapshot!("me", api.answer("GET", "/me", "bob", "").await);
    api.world.clock.set("2026-07-08T09:10:11.5Z");
    assert_snapshot!("create", api.answer("POST", "/dials", "bob", r#"{"name":"New"}"#).await);
    let body = r#"{"level": 33.25, "name": "With a level"}"#;
    assert_snapshot!("create_with_level", api.answer("POST", "/dials", "bob", body).await);
    assert_snapshot!(
        "set_level",
        api.answer("PUT", "/dials/1/level", "ada", r#"{"level":1e1}"#).await
    );
    assert_snapshot!(
        "set_level_minus_zero",
        api.answer("PUT", "/dials/1/level", "ada", r#"{"level":-0}"#).await
    );
    assert_snapshot!("list_empty", Api::new().answer("GET", "/dials", "", "").await);
}

#[tokio::test]
async fn refusals_of_who_asks() {
    let api = Api::with_dials();
    let level = r#"{"level":1}"#;
    assert_snapshot!("no_token", api.answer("PUT", "/dials/1/level", "", level).await);
    assert_snapshot!(
        "unknown_token",
        api.answer("PUT", "/dials/1/level", "mallory", level).await
    );
    assert_snapshot!("impossible_token", api.answer("GET", "/me", &"x".repeat(257), "").await);
    assert_snapshot!("not_owner", api.answer("PUT", "/dials/1/level", "bob", level).await);
    let basic = Request::get("/me")
        .header("authorization", "Basic YWRhOmFkYQ==")
        .body(Body::empty())
        .unwrap();
    assert_snapshot!("not_bearer", in_full(api.send(basic).await).await);
    api.world.authenticator.failing.store(true, Ordering::SeqCst);
    assert_snapshot!("failing_authenticator", api.answer("GET", "/me", "ada", "").await);
    assert_eq!(
        api.world.client.connect().dial(DialId(1)).unwrap().unwrap().level,
        world::level(12.5)
    );
}

#[tokio::test]
async fn refusals_of_what_is_asked() {
    let api = Api::with_dials();
    let put = |body: &'static str| api.answer("PUT", "/dials/1/level", "ada", body);
    let post = |body: String| async move { api_post(&body).await };
    assert_snapshot!("level_missing", put("{}").await);
    assert_snapshot!("level_not_a_number", put(r#"{"level":"12"}"#).await);
    assert_snapshot!("level_too_high", put(r#"{"level":100.5}"#).await);
    assert_snapshot!("level_negative", put(r#"{"level":-1}"#).await);
    assert_snapshot!("level_overflows", put(r#"{"level":1e400}"#).await);
    assert_snapshot!("level_twice", put(r#"{"level":1,"level":2}"#).await);
    assert_snapshot!("level_nan_is_no_json", put(r#"{"level":NaN}"#).await);
    assert_snapshot!("not_an_object", put("[1]").await);
    assert_snapshot!("more_than_an_object", put(r#"{"level":1} {}"#).await);
    assert_snapshot!(
        "name_missing_level_wrong_field_unknown",
        post(r#"{"level":null,"a/b~c":1}"#.into()).await
    );
    assert_snapshot!("name_empty", post(r#"{"name":""}"#.into()).await);
    assert_snapshot!(
        "name_too_long",
        post(format!(r#"{{"name":"{}"}}"#, "x".repeat(101))).await
    );
    assert_snapshot!("name_control_character", post(r#"{"name":"a\u0007b"}"#.into()).await);
    assert_snapshot!(
        "body_too_large",
        post(format!(r#"{{"name":"{}"}}"#, "x".repeat(20_000))).await
    );
    assert_snapshot!("dial_not_found_read", api.answer("GET", "/dials/77", "", "").await);
    assert_snapshot!(
        "dial_not_found_set",
        api.answer("PUT", "/dials/77/level", "ada", r#"{"level":1}"#).await
    );
    assert_snapshot!(
        "dial_not_found_events",
        api.answer("GET", "/dials/77/events", "", "").await
    );
    assert_snapshot!("id_not_a_number", api.answer("GET", "/dials/first", "", "").await);
    assert_snapshot!(
        "limit_out_of_range",
        api.answer("GET", "/dials?limit=1001", "", "").await
    );
    assert_snapshot!("after_not_an_id", api.answer("GET", "/dials?after=-1", "", "").await);
    assert_snapshot!("query_twice", api.answer("GET", "/dials?after=1&after=2", "", "").await);
    assert_snapshot!("no_such_route", api.answer("GET", "/dial", "", "").await);
    assert_snapshot!("no_such_method", api.answer("DELETE", "/dials/1", "ada", "").await);
    let form = Request::post("/dials")
        .header("authorization", "Bearer ada")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("name=x"))
        .unwrap();
    assert_snapshot!("not_announced_as_json", in_full(api.send(form).await).await);
    assert_eq!(
        api.world
            .client
            .connect()
            .dials(Page { after: None, limit: 10 })
            .unwrap()
            .len(),
        3
    );
}

async fn api_post(body: &str) -> String {
    Api::new().answer("POST", "/dials", "ada", body).await
}

#[tokio::test]
async fn what_is_refused_is_explained_at_its_address() {
    let api = Api::new();
    assert_snapshot!(
        "problem_text",
        api.answer("GET", "/problems/invalid-field", "", "").await
    );
    assert_snapshot!(
        "problem_text_unknown",
        api.answer("GET", "/problems/nothing", "", "").await
    );
    let refusal = api.answer("GET", "/me", "", "").await;
    let address = refusal.split("\"type\": \"").nth(1).unwrap().split('"').next().unwrap();
    assert!(api.answer("GET", address, "", "").await.starts_with("200 OK"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_waited_for_so_long_and_no_longer() {
    let api = Api::new();
    let never = Body::from_stream(futures_util::stream::pending::<Result<&'static str, std::io::Error>>());
    let request = Request::post("/dials")
        .header("authorization", "Bearer ada")
        .header("content-type", "application/json");
    let begun = tokio::time::Instant::now();
    let answer = in_full(api.send(request.body(never).unwrap()).await).await;
    assert_eq!(begun.elapsed().as_secs(), Limits::default().request_timeout.as_secs());
    assert_snapshot!("request_timeout", answer);
}

/// A service whose disk does not answer, or whose code hits on something impossible.
#[derive(Debug)]
struct Failing {
    panics: bool,
}

impl Failing {
    fn fail<T>(&self) -> Result<T, Error> {
        assert!(!self.panics, "this panic is part of the test");
        Err(StorageFailure::new("reading dial 1", "the disk is gone", "bring it back").into())
    }
}

impl DialService for Failing {
    fn dial(&self, _: DialId) -> Result<Option<Dial>, Error> {
        self.fail()
    }

    fn dials(&self, _: Page) -> Result<Vec<Dial>, Error> {
        self.fail()
    }

    fn create_dial(&self, _: Stamp, _: &Name, _: Level) -> Result<Dial, Error> {
        self.fail()
    }

    fn set_level(&self, _: Stamp, _: DialId, _: Level) -> Result<Dial, Error> {
        self.fail()
    }
}

#[tokio::test]
async fn a_failing_store_is_a_503_that_says_why() {
    let over = |panics| {
        Api::with(
            World::over(Arc::new(Failing { panics }), tempfile::tempdir().unwrap()),
            Limits::default(),
        )
    };
    assert_snapshot!("store_fails", over(false).answer("GET", "/dials/1", "", "").await);
    assert_snapshot!(
        "store_panics",
        over(true).answer("POST", "/dials", "ada", r#"{"name":"x"}"#).await
    );
}

/// Reads the events of a stream one by one.
struct Events {
    body: axum::body::BodyDataStream,
}

impl Events {
    async fn of(api: &Api, uri: &str) -> Events {
        let answer = api.send(Request::get(uri).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Events {
            body: answer.into_body().into_data_stream(),
        }
    }

    /// The next event or sign of life; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        Some(String::from_utf8(self.body.next().await?.unwrap().to_vec()).unwrap())
    }
}

fn event(id: u64, user_id: u64, name: &str, level: &str, time: &str) -> Option<String> {
    let dial = format!(r#"{{"id":{id},"user_id":{user_id},"name":"{name}","level":{level},"mod_time":"{time}"}}"#);
    Some(format!("event: dial\ndata: {dial}\n\n"))
}

const THEN: &str = "2026-01-02T03:04:05.678Z";
const LATER: &str = "2026-01-02T03:04:06.000Z";

#[tokio::test(start_paused = true)]
async fn events_of_a_dial_come_when_its_level_changes_and_only_then() {
    let api = Api::with_dials();
    let mut events = Events::of(&api, "/dials/1/events").await;
    assert_eq!(events.next().await, event(1, 1, "Deploys", "12.5", THEN));
    api.world.clock.set(LATER);
    for (uri, user, expected) in [
        ("/dials/3/level", "ada", "200 OK"),
        ("/dials/1/level", "bob", "403 Forbidden"),
        ("/dials/1/level", "ada", "200 OK"),
    ] {
        assert!(
            api.answer("PUT", uri, user, r#"{"level":7}"#)
                .await
                .starts_with(expected)
        );
    }
    assert_eq!(events.next().await, event(1, 1, "Deploys", "7.0", LATER));
    // Nothing more: what comes next is a sign of life.
    assert_eq!(events.next().await.as_deref(), Some(":\n\n"));
}

#[tokio::test(start_paused = true)]
async fn events_of_all_dials_begin_with_all_and_go_on_with_changes_and_new_ones() {
    let api = Api::with_dials();
    let mut events = Events::of(&api, "/dials/events").await;
    assert_eq!(events.next().await, event(1, 1, "Deploys", "12.5", THEN));
    assert_eq!(
        events.next().await,
        event(2, 2, "Coffee \\\"au lait\\\"", "100.0", THEN)
    );
    assert_eq!(events.next().await, event(3, 1, "Sleep", "0.0", THEN));
    api.world.clock.set(LATER);
    api.answer("PUT", "/dials/3/level", "ada", r#"{"level":8}"#).await;
    api.answer("POST", "/dials", "bob", r#"{"name":"New"}"#).await;
    assert_eq!(events.next().await, event(3, 1, "Sleep", "8.0", LATER));
    assert_eq!(events.next().await, event(4, 2, "New", "0.0", LATER));
}

#[tokio::test]
async fn a_client_that_reads_slowly_ends_with_what_is_true() {
    let api = Api::with_dials();
    let mut one = Events::of(&api, "/dials/1/events").await;
    let mut all = Events::of(&api, "/dials/events").await;
    assert!(
        api.answer("PUT", "/dials/1/level", "ada", r#"{"level":99}"#)
            .await
            .starts_with("200")
    );
    // More changes of another dial than a stream may be behind.
    for _ in 0..300 {
        assert!(
            api.answer("PUT", "/dials/3/level", "ada", r#"{"level":98}"#)
                .await
                .starts_with("200")
        );
    }
    let truth = event(1, 1, "Deploys", "99.0", THEN);
    assert_eq!(one.next().await, event(1, 1, "Deploys", "12.5", THEN));
    assert_eq!(one.next().await, truth);
    assert_eq!(all.next().await, truth);
}

#[tokio::test]
async fn only_so_many_streams_are_open_at_a_time_and_a_place_is_given_back() {
    let limits = Limits {
        streams_max: 1,
        ..Limits::default()
    };
    let api = Api::with(World::new(), limits);
    let stream = Events::of(&api, "/dials/events").await;
    assert_snapshot!("too_many_streams", api.answer("GET", "/dials/events", "", "").await);
    drop(stream);
    let _again = Events::of(&api, "/dials/events").await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_the_service_stops() {
    let api = Api::with_dials();
    let mut events = Events::of(&api, "/dials/1/events").await;
    assert!(events.next().await.is_some());
    api.stop.cancel();
    let end = tokio::time::timeout(Duration::from_secs(1), events.next()).await;
    assert_eq!(end, Ok(None));
}

#[tokio::test]
async fn answers_at_the_control_socket() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(directory.path().join("dials.redb")).unwrap());
    let routes = control::router(store);
    let post = async |uri: &str, body: String| {
        let request = Request::post(uri)
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap();
        in_full(routes.clone().oneshot(request).await.unwrap()).await
    };
    let added = post("/users", r#"{"name":"ada"}"#.into()).await;
    assert!(
        added.starts_with("201 Created") && added.contains("\"token\": \"wtfdial_"),
        "{added}"
    );
    assert_snapshot!("control_user_exists", post("/users", r#"{"name":"ada"}"#.into()).await);
    assert_snapshot!(
        "control_user_name_wrong",
        post("/users", r#"{"name":"\n"}"#.into()).await
    );
    assert_snapshot!(
        "control_backup_relative",
        post("/backups", r#"{"file":"here"}"#.into()).await
    );
    let file = serde_json::json!({ "file": directory.path().join("copy.redb") }).to_string();
    assert_snapshot!("control_backup", post("/backups", file.clone()).await);
    let refused = post("/backups", file)
        .await
        .replace(directory.path().to_str().unwrap(), "DIRECTORY");
    assert_snapshot!("control_backup_there_already", refused);
    assert_snapshot!("control_no_such_route", post("/dials", "{}".into()).await);
}
