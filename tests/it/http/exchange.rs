//! One request and its answer: ids, traces, methods, headers.

use rookery_tests::{Apps, Bundle, Server, kitchen};
use serde_json::json;

async fn server() -> Server {
    Server::start(Apps::new().with("kitchen/1.0.0", Bundle::component(kitchen()))).await
}

#[tokio::test]
async fn a_sane_request_id_is_kept_and_the_app_sees_it() {
    let server = server().await;
    let answer = server
        .call("GET", "/kitchen/headers")
        .header("x-request-id", "client-7.a_b")
        .send()
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("x-request-id"), "client-7.a_b");
    assert_eq!(answer.json()["x-request-id"], "client-7.a_b");
}

#[tokio::test]
async fn a_request_without_a_sane_id_gets_one_of_its_own() {
    let server = server().await;
    let long = "x".repeat(129);
    let mut seen = std::collections::HashSet::new();
    for claimed in [
        None,
        None,
        Some("two words"),
        Some(""),
        Some(long.as_str()),
        Some("a\"b"),
    ] {
        let mut call = server.call("GET", "/kitchen/headers");
        if let Some(claimed) = claimed {
            call = call.header("x-request-id", claimed);
        }
        let answer = call.send().await;
        let id = answer.header("x-request-id");
        assert!(
            id.len() >= 16
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
            "{id:?}"
        );
        assert_eq!(answer.json()["x-request-id"], id);
        assert!(seen.insert(id.to_owned()), "{id} twice");
    }
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let server = server().await;
    for path in [
        "/",
        "/health",
        "/ready",
        "/_/metrics",
        "/nobody/",
        "/kitchen/hello",
        "/kitchen/panic",
    ] {
        assert!(
            !server.get(path).await.header("x-request-id").is_empty(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_trace_is_continued_with_a_span_of_its_own() {
    let server = server().await;
    let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let call = server.call("GET", "/kitchen/headers");
    let answer = call
        .header("traceparent", &format!("00-{trace}-{span}-01"))
        .send()
        .await;
    let headers = answer.json();
    let parts: Vec<&str> = headers["traceparent"]
        .as_str()
        .unwrap()
        .split('-')
        .collect();
    assert_eq!((parts[0], parts[1], parts[3]), ("00", trace, "01"));
    assert_ne!(parts[2], span);
    let answer = server
        .call("GET", "/kitchen/headers")
        .header("traceparent", "nonsense")
        .send()
        .await;
    assert_ne!(answer.json()["traceparent"], "nonsense");
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let server = server().await;
    let (get, head) = (
        server.get("/kitchen/hello").await,
        server.call("HEAD", "/kitchen/hello").send().await,
    );
    assert_eq!(head.status, 200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("content-length"), get.body.len().to_string());
    assert_eq!(head.header("content-type"), get.header("content-type"));
}

/// Buntime 38.
#[tokio::test]
async fn method_query_type_and_body_reach_the_app_as_they_were_sent() {
    let server = server().await;
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let call = server.call(method, "/kitchen@1/request?a=1&a=%202&b");
        let call = call.header("content-type", "text/x-own; a=\"b\"");
        let answer = call.body("a \u{2615} body").send().await;
        let expected = json!({
            "method": method,
            "path": "/request",
            "query": "a=1&a=%202&b",
            "type": "text/x-own; a=\"b\"",
            "body": "a \u{2615} body",
        });
        assert_eq!(answer.json(), expected);
    }
}

/// Buntime 41.
#[tokio::test]
async fn what_an_app_does_not_have_is_404_and_what_it_does_not_do_405() {
    let server = server().await;
    let missing = server.get("/kitchen/nothing").await;
    assert_eq!(
        (missing.status.as_u16(), &missing.json()["code"]),
        (404, &"NOT_FOUND".into())
    );
    assert_eq!(
        missing.header("x-rookery-version"),
        "1.0.0",
        "it is the app that has no such thing"
    );
    let wrong = server.call("DELETE", "/kitchen/hello").send().await;
    assert_eq!(
        (wrong.status.as_u16(), &wrong.json()["code"]),
        (405, &"METHOD_NOT_ALLOWED".into())
    );
    assert_eq!(wrong.header("allow"), "GET, HEAD");
}

/// Buntime 35.
#[tokio::test]
async fn both_of_two_cookies_reach_the_client() {
    let server = server().await;
    let answer = server.get("/kitchen/setcookies").await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1; Path=/", "b=2; Path=/"]);
}

/// What a client is told before an answer is the server's to tell, and after 101 it would speak something else.
#[tokio::test]
async fn an_app_that_answers_with_what_is_no_answer_has_failed() {
    let server = server().await;
    for status in [100, 101, 103] {
        let answer = server.get(&format!("/kitchen/status?code={status}")).await;
        assert_eq!(answer.status, 500, "{status}");
        assert_eq!(answer.json()["code"], "WORKER_FAULT", "{status}");
    }
}

#[tokio::test]
async fn an_answers_status_is_the_apps() {
    let server = server().await;
    for status in [200, 201, 204, 302, 304, 404, 418, 500, 503] {
        let answer = server.get(&format!("/kitchen/status?code={status}")).await;
        assert_eq!(answer.status.as_u16(), status);
        assert!(answer.body.is_empty(), "{status}");
    }
}

/// Buntime 34. An empty type is none (RFC 9110, 8.3 knows no such media type), and a browser would guess at one.
#[tokio::test]
async fn an_answer_without_a_type_is_text_unless_it_has_no_body() {
    let server = server().await;
    let text = "text/plain; charset=utf-8";
    for (query, content_type) in [
        ("", text),
        ("?type=", text),
        ("?type=application/json", "application/json"),
    ] {
        let untyped = server.get(&format!("/kitchen/untyped{query}")).await;
        let types: Vec<_> = untyped.headers.get_all("content-type").iter().collect();
        assert_eq!(untyped.text(), "untyped");
        assert_eq!(types, [content_type], "{query}");
    }
    for status in [204, 304] {
        let answer = server.get(&format!("/kitchen/status?code={status}")).await;
        assert_eq!(answer.header("content-type"), "", "{status}");
    }
}

#[tokio::test]
async fn an_upgrade_on_an_app_without_sessions_is_not_made() {
    let apps = Apps::new().with("site/1.0.0", Bundle::site("one"));
    let server = Server::start(apps).await;
    let status = rookery_tests::Connect::to(&server, "/site/ws")
        .refused()
        .await;
    assert!(
        status.is_client_error() || status.is_server_error(),
        "{status}"
    );
}

#[tokio::test]
async fn the_servers_own_routes_answer_for_the_server() {
    let server = server().await;
    for path in ["/health", "/ready"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    assert_eq!(server.call("HEAD", "/health").send().await.body.len(), 0);
}
