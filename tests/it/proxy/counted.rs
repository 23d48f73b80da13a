//! What an operator sees of rules.

use rookery_tests::{Server, Ws, until};
use serde_json::json;

use super::stage::{nobody, recorder, server};

async fn metrics(server: &Server) -> String {
    server.get("/_/metrics.prom").await.text().to_owned()
}

#[tokio::test]
async fn each_rule_is_counted_with_its_answers_its_time_and_its_tunnels() {
    let (address, _told) = super::sockets::echo().await;
    let (recorder, _recorded) = recorder().await;
    let down = nobody().await;
    let server = server(json!([
        { "pattern": "^/up", "target": format!("http://{recorder}") },
        { "pattern": "^/down", "target": format!("http://{down}") },
        { "pattern": "^/ws", "target": format!("http://{address}") },
        { "pattern": "^/never", "target": "http://never.example" },
    ]))
    .await;
    assert!(
        !metrics(&server).await.contains("rookery_proxy_"),
        "nothing was asked"
    );
    for _ in 0..3 {
        assert_eq!(server.get("/px/up").await.status, 200);
    }
    assert_eq!(server.get("/px/down").await.status, 502);
    let mut ws = Ws::open(&server, "/px/ws").await;
    assert_eq!(ws.ask("hello").await, "hello");
    let text = metrics(&server).await;
    for line in [
        r#"rookery_proxy_requests_total{app="px",version="1.0.0",rule="0",status="2xx"} 3"#,
        r#"rookery_proxy_requests_total{app="px",version="1.0.0",rule="1",status="5xx"} 1"#,
        r#"rookery_proxy_requests_total{app="px",version="1.0.0",rule="2",status="1xx"} 1"#,
        r#"rookery_proxy_tunnels{app="px",version="1.0.0",rule="2"} 1"#,
        r#"rookery_proxy_answer_seconds_count{app="px",version="1.0.0",rule="0"} 3"#,
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains(r#"rule="3""#), "{text}");
    let stats = server.get("/_/stats").await.json();
    let proxies = stats["proxies"].as_array().unwrap();
    assert_eq!(proxies.len(), 3);
    assert_eq!(
        (&proxies[0]["requests"], &proxies[0]["pattern"]),
        (&json!(3), &json!("^/up"))
    );
    assert_eq!(proxies[1]["statuses"], json!([0, 0, 0, 0, 1]));
    assert_eq!(proxies[2]["tunnels"], 1);
    ws.close(1000, "").await;
    until("the tunnel is gone", async || {
        let line = r#"rookery_proxy_tunnels{app="px",version="1.0.0",rule="2"} 0"#;
        metrics(&server)
            .await
            .lines()
            .any(|found| found == line)
            .then_some(())
    })
    .await;
}
