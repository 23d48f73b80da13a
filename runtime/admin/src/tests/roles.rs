//! Several tokens, what each may do, and what becomes of them while the server runs.

use std::sync::Arc;

use http_body_util::BodyExt;
use rookery_pool::Body;

use super::{Answer, Server, key};
use crate::{Access, Keys, Role};

const READER: &str = "authorization: Bearer r3ad";
const DEPLOYER: &str = "authorization: Bearer d3ploy";
const BROWSER: [&str; 2] = ["host: rookery.example", "origin: http://rookery.example"];

fn keys() -> Keys {
    Keys::new(vec![
        key("grafana", Role::Read, "r3ad"),
        key("ci", Role::Deploy, "d3ploy"),
    ])
}

impl Server {
    async fn enter(&self, token: &str) -> String {
        let form = format!("token={token}");
        let answer = self.tell("POST /_/login", &BROWSER, form).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let cookie = answer.header("set-cookie").unwrap().split(';').next();
        format!("cookie: {}", cookie.unwrap())
    }

    /// Something that followers of the log hear first.
    fn say_something(&self) {
        let kept = rookery_telemetry::trace::keeping(Arc::clone(&self.known.log));
        tracing::subscriber::with_default(kept, || tracing::warn!("something"));
    }

    async fn make_dir(&self, header: &str) -> Answer {
        let headers = [BROWSER[0], BROWSER[1], header];
        let body = r#"{"path":"made"}"#;
        self.tell("POST /_/deployments/mkdir", &headers, body).await
    }
}

#[tokio::test]
async fn the_page_offers_changes_to_who_may_make_them() {
    let server = Server::new(Access::Keys(keys()));
    let role = "<meta name=\"role\" content=\"read\">";
    assert!(server.ask("GET /_/", &[READER]).await.body.contains(role));
    assert!(!server.ask("GET /_/", &[DEPLOYER]).await.body.contains(role));
    let open = Server::new(Access::Open);
    assert!(!open.ask("GET /_/", &[]).await.body.contains(role));
}

/// The first event of a stream, and the stream.
async fn watch(server: &Server, path: &str, header: &str) -> Body {
    let response = server
        .respond(&format!("GET {path}"), &[BROWSER[0], header])
        .await;
    assert_eq!(response.status(), 200, "{path}");
    let mut events = response.into_body();
    events.frame().await.unwrap().unwrap();
    events
}

const STREAMS: [&str; 3] = ["/_/sse", "/_/sse?view=dashboard", "/_/logs?follow"];

/// What remains of a stream ends.
async fn ends(mut events: Body) {
    while events.frame().await.is_some() {}
}

#[tokio::test(start_paused = true)]
async fn nobody_watches_longer_than_their_token_is_good() {
    let keys = keys();
    let server = Server::new(Access::Keys(keys.clone()));
    server.say_something();
    let login = server.enter("r3ad").await;
    let mut watched = Vec::new();
    for path in STREAMS {
        for header in [READER, &login] {
            watched.push(watch(&server, path, header).await);
        }
    }
    let mut other = watch(&server, "/_/sse", DEPLOYER).await;
    keys.replace(vec![
        key("grafana", Role::Read, "n3w"),
        key("ci", Role::Deploy, "d3ploy"),
    ]);
    for events in watched {
        ends(events).await;
    }
    assert!(other.frame().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn nobody_watches_longer_than_their_login() {
    let server = Server::new(Access::Keys(keys()));
    server.say_something();
    for path in STREAMS {
        let login = server.enter("r3ad").await;
        let events = watch(&server, path, &login).await;
        let mut other = watch(&server, path, READER).await;
        let headers = [BROWSER[0], BROWSER[1], &login];
        assert_eq!(server.ask("POST /_/logout", &headers).await.status, 303);
        ends(events).await;
        assert!(other.frame().await.is_some());
    }
}

#[tokio::test]
async fn who_may_only_read_changes_nothing_and_sees_no_files() {
    let server = Server::new(Access::Keys(keys()));
    for path in ["/_/", "/_/stats", "/_/metrics", "/_/deployments"] {
        let answer = server.ask(&format!("GET {path}"), &[READER]).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    for line in [
        "GET /_/deployments/list?path=",
        "GET /_/deployments/download?path=x",
        "POST /_/deployments/mkdir",
        "POST /_/deployments/upload",
        "DELETE /_/deployments/delete",
        "PUT /_/deployments/chat/1.0.0",
        "DELETE /_/deployments/chat/1.0.0",
    ] {
        let refused = server.tell(line, &[READER], r#"{"path":"x"}"#).await;
        assert_eq!(refused.outcome(), (403, "FORBIDDEN".into()), "{line}");
        let expected = "the token grafana is for read, and this needs one for deploy";
        assert_eq!(refused.json()["error"], expected);
        let answer = server.tell(line, &[DEPLOYER], r#"{"path":"x"}"#).await;
        assert_ne!(answer.status, 403, "{line}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_login_may_what_its_token_may() {
    let server = Server::new(Access::Keys(keys()));
    let (reader, deployer) = (server.enter("r3ad").await, server.enter("d3ploy").await);
    assert_eq!(server.ask("GET /_/stats", &[&reader]).await.status, 200);
    assert_eq!(server.make_dir(&reader).await.outcome().1, "FORBIDDEN");
    assert_eq!(server.make_dir(&deployer).await.status, 200);
    let left = [BROWSER[0], BROWSER[1], &reader];
    assert_eq!(server.ask("POST /_/logout", &left).await.status, 303);
    assert_eq!(server.ask("GET /_/stats", &[&reader]).await.status, 401);
}

#[tokio::test]
async fn a_token_that_is_replaced_ends_its_logins_and_no_others() {
    let keys = keys();
    let server = Server::new(Access::Keys(keys.clone()));
    let (reader, deployer) = (server.enter("r3ad").await, server.enter("d3ploy").await);
    keys.replace(vec![
        key("grafana", Role::Read, "n3w"),
        key("ci", Role::Deploy, "d3ploy"),
    ]);
    assert_eq!(server.ask("GET /_/stats", &[&reader]).await.status, 401);
    assert_eq!(server.ask("GET /_/stats", &[READER]).await.status, 401);
    let new = "authorization: Bearer n3w";
    assert_eq!(server.ask("GET /_/stats", &[new]).await.status, 200);
    assert_eq!(server.make_dir(&deployer).await.status, 200);
    keys.replace(vec![key("ci", Role::Read, "d3ploy")]);
    assert_eq!(server.make_dir(&deployer).await.outcome().1, "FORBIDDEN");
}

#[tokio::test]
async fn without_a_token_only_names_of_this_machine_are_answered() {
    let server = Server::new(Access::Open);
    for (host, status) in [
        ("host: 127.0.0.1:8080", 200),
        ("host: localhost:8080", 200),
        ("host: evil.example:8080", 403),
    ] {
        assert_eq!(
            server.ask("GET /_/stats", &[host]).await.status,
            status,
            "{host}"
        );
        assert_eq!(
            server.ask("GET /_/page.css", &[host]).await.status,
            status,
            "{host}"
        );
    }
}
