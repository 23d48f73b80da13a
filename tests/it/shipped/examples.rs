//! The examples: each is built, checked and served as it lies in the repository.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use rookery_tests::{Apps, Bundle, Connect, Server, Ws, build_bundles, repository, rookery, until};
use serde_json::json;

const EXAMPLES: [&str; 5] = ["echo", "hello", "proxy", "room", "static-site"];

fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build_bundles("examples"))
}

async fn server() -> Server {
    let apps = Apps::new();
    for name in EXAMPLES {
        apps.publish(name, &Bundle::of_folder(&built().join(name)));
    }
    Server::start(apps).await
}

#[tokio::test]
async fn every_example_is_accepted_as_it_was_built() {
    let server = server().await;
    let check = Command::new(rookery())
        .arg("check")
        .arg(built())
        .output()
        .unwrap();
    assert!(
        check.status.success(),
        "{}",
        String::from_utf8_lossy(&check.stdout)
    );
    let deployments = server.get("/_/deployments").await.json();
    let apps = deployments["apps"].as_array().unwrap();
    let live: Vec<&str> = apps
        .iter()
        .filter(|app| app["unpinned"] == "1.0.0")
        .map(|app| app["name"].as_str().unwrap())
        .collect();
    assert_eq!(live, EXAMPLES);
    assert_eq!(deployments["reports"], json!([]));
}

#[tokio::test]
async fn hello_greets_by_name() {
    let server = server().await;
    assert_eq!(server.get("/hello/").await.text(), "Hello!\n");
    assert_eq!(
        server.get("/hello@1/Ada%20L").await.text(),
        "Hello, Ada L!\n"
    );
}

#[tokio::test]
async fn the_static_site_works_under_every_selector() {
    let server = server().await;
    for prefix in ["/static-site", "/static-site@1.0.0"] {
        let page = server.get(&format!("{prefix}/")).await;
        assert!(
            page.text().contains(&format!("<base href=\"{prefix}/\"")),
            "{}",
            page.text()
        );
        for file in ["more.html", "style.css"] {
            assert!(page.text().contains(file));
            assert_eq!(
                server.get(&format!("{prefix}/{file}")).await.status,
                200,
                "{file}"
            );
        }
    }
    assert_eq!(
        server.get("/static-site/worker.config.json").await.status,
        404
    );
}

#[tokio::test]
async fn echo_sends_every_message_back_as_it_came() {
    let server = server().await;
    let mut ws = Ws::open(&server, "/echo/ws").await;
    assert_eq!(ws.ask("hello").await, "hello");
    ws.send(vec![0, 159, 146, 150].into()).await;
    assert_eq!(ws.next().await, vec![0, 159, 146, 150].into());
    let (mut elsewhere, _) = Connect::to(&server, "/echo/elsewhere").open().await;
    assert_eq!(elsewhere.closed().await, 4404);
}

#[tokio::test]
async fn everybody_in_the_room_hears_who_said_what() {
    let server = server().await;
    let mut people = Vec::new();
    for name in ["ada", "bob", "cleo"] {
        people.push(Ws::open(&server, &format!("/room/ws?name={name}")).await);
    }
    // A session is in the room once it hears itself.
    for (index, name) in ["ada", "bob", "cleo"].into_iter().enumerate() {
        people[index].say_json(json!({ "text": "here" })).await;
        while people[index].hear_json().await != json!({ "name": name, "text": "here" }) {}
    }
    people[0].say_json(json!({ "text": "hello" })).await;
    for person in &mut people {
        while person.hear_json().await != json!({ "name": "ada", "text": "hello" }) {}
    }
}

#[tokio::test]
async fn the_proxys_rules_lead_to_its_neighbours() {
    let server = server().await;
    let manifest = repository().join("examples/proxy/worker.config.json");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    assert!(manifest.contains("127.0.0.1:8080"), "{manifest}");
    // The example's port is the one that a server has by itself.
    let manifest = manifest.replace("127.0.0.1:8080", &server.address().to_string());
    let here = Bundle::default().file("worker.config.json", manifest);
    server.apps().publish("here", &here);
    until("the rules are live", async || {
        let greeted = server.get("/here/greet/ada").await;
        (greeted.text() == "Hello, ada!\n").then_some(())
    })
    .await;
    let page = server.get("/here/page/more.html").await;
    let original = server.get("/static-site/more.html").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.text(), original.text());
    assert_eq!(server.get("/here/elsewhere").await.status, 404);
    let mut ws = Ws::open(&server, "/here/ws").await;
    assert_eq!(ws.ask("through two doors").await, "through two doors");
}
