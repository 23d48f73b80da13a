//! What the dashboard is told, over real sockets. What it does with that, browsers show.

use rookery_tests::{Apps, Bundle, Events, Server, kitchen, until};
use serde_json::Value;

async fn server() -> Server {
    let kept = Bundle::component(kitchen()).manifest(serde_json::json!({ "ttl": 600 }));
    Server::start(Apps::new().with("kitchen/1.0.0", kept)).await
}

async fn watch(server: &Server) -> Events {
    let call = server.call("GET", "/_/sse?view=dashboard&interval=100ms");
    Events::of(call.open().await)
}

async fn next(events: &mut Events) -> Value {
    serde_json::from_str(&events.next().await.unwrap()).unwrap()
}

/// Reads on until an event tells of this.
async fn told<T>(events: &mut Events, what: &str, mut find: impl FnMut(&Value) -> Option<T>) -> T {
    let told = async {
        loop {
            let event = next(events).await;
            if let Some(found) = find(&event) {
                return found;
            }
        }
    };
    rookery_tests::within(what, told).await
}

#[tokio::test]
async fn who_comes_is_told_of_apps_of_the_past_and_of_now() {
    let server = server().await;
    let mut events = watch(&server).await;
    let apps = next(&mut events).await;
    assert_eq!(
        (&apps["whole"], &apps["apps"][0]["name"]),
        (&true.into(), &"kitchen".into())
    );
    let history = next(&mut events).await;
    assert_eq!(history["columns"][0], "at");
    told(&mut events, "the log", |event| {
        let lines = event["lines"].as_array()?;
        lines
            .iter()
            .any(|line| line["message"] == "live")
            .then_some(())
    })
    .await;
    let tick = told(&mut events, "a tick", |event| {
        event["whole"].is_boolean().then(|| event.clone())
    })
    .await;
    assert_eq!(tick["revisions"][0]["app"], "kitchen");
}

#[tokio::test]
async fn a_version_that_comes_appears_and_only_what_changed_is_told() {
    let server = server().await;
    let mut events = watch(&server).await;
    told(&mut events, "the first tick", |event| {
        event["pool"].is_object().then_some(())
    })
    .await;
    server.apps().publish("site/1.0.0", &Bundle::site("x"));
    let apps = told(&mut events, "the new app is live", |event| {
        let apps = event["apps"].as_array()?;
        let live = |app: &Value| app["name"] == "site" && app["revisions"][0]["state"] == "live";
        apps.iter().any(live).then(|| event.clone())
    })
    .await;
    assert_eq!(apps["whole"], false);
    assert!(
        apps["apps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|app| app["name"] == "site"),
        "{apps}"
    );
    server.apps().remove("site/1.0.0");
    told(&mut events, "it is gone", |event| {
        event["gone"]
            .as_array()?
            .iter()
            .any(|gone| *gone == "site")
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn requests_are_told_as_what_happens_now() {
    let server = server().await;
    let mut events = watch(&server).await;
    told(&mut events, "the first tick", |event| {
        event["pool"].is_object().then_some(())
    })
    .await;
    for _ in 0..20 {
        assert_eq!(server.get("/kitchen/hello").await.status, 200);
    }
    let revision = told(&mut events, "they are told", |event| {
        let revision = &event["revisions"].as_array()?.first()?;
        (revision["requests"] == 20 && revision["recent"]["requestsPerSecond"].as_f64()? > 0.0)
            .then(|| (*revision).clone())
    })
    .await;
    assert!(
        revision["recent"]["responseTimeMs"]["p99"]
            .as_f64()
            .unwrap()
            > 0.0,
        "{revision}"
    );
    assert!(revision["oldestWorkerSince"].is_u64(), "{revision}");
    let stats = server.get("/_/stats").await.json();
    assert_eq!(stats["revisions"][0]["requests"], 20);
}

#[tokio::test]
async fn a_fault_is_told_once_with_its_count_and_its_guests_message() {
    let server = server().await;
    for _ in 0..3 {
        assert_eq!(server.get("/kitchen/panic").await.status, 500);
    }
    let fault = until("the faults are told", async || {
        let stats = server.get("/_/stats").await.json();
        let faults = stats["faults"].as_array()?.clone();
        (faults.first()?["count"] == 3).then_some(faults)
    })
    .await;
    assert_eq!(fault.len(), 1, "{fault:?}");
    assert_eq!(
        (&fault[0]["app"], &fault[0]["version"]),
        (&"kitchen".into(), &"1.0.0".into())
    );
    let said = fault[0]["said"].to_string();
    assert!(said.contains("a guest that was asked to panic"), "{said}");
}

#[tokio::test]
async fn the_page_loads_nothing_that_is_not_there() {
    let server = server().await;
    let page = server.get("/_/").await;
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let mut asked = vec![
        "page.css".to_owned(),
        "page/icon.svg".to_owned(),
        "page/main.js".to_owned(),
    ];
    let mut at = 0;
    while let Some(path) = asked.get(at).cloned() {
        let part = server.get(&format!("/_/{path}")).await;
        assert_eq!(part.status, 200, "{path}");
        let text = part.text();
        let names = text
            .lines()
            .filter_map(|line| line.split("\"./").nth(1)?.split('"').next());
        for name in names.map(|name| format!("page/{name}")) {
            if !asked.contains(&name) {
                asked.push(name);
            }
        }
        at += 1;
    }
    assert!(asked.len() > 10, "{asked:?}");
}
