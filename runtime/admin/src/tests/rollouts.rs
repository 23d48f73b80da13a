//! Changing how requests are spread, by whoever may.

use serde_json::json;

use super::{Server, key};
use crate::{Access, Keys, Role};

#[tokio::test]
async fn a_rollout_is_changed_and_shown() {
    let server = Server::new(Access::Open);
    let shown = server.ask("GET /_/deployments/chat/rollout", &[]).await;
    assert_eq!(shown.status, 200);
    let expected = |version: &str| json!({ version: 100.0 });
    assert_eq!(shown.json()["rollout"]["weights"], expected("1.0.0"));
    let body = r#"{"version": "1.1.0"}"#;
    let changed = server
        .tell("POST /_/deployments/chat/promote", &[], body)
        .await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.json()["app"], "chat");
    assert_eq!(changed.json()["rollout"]["weights"], expected("1.1.0"));
    let none = server.ask("GET /_/deployments/other/rollout", &[]).await;
    assert_eq!(none.json(), json!({ "app": "other", "rollout": null }));
}

#[tokio::test]
async fn what_is_not_done_says_why_and_in_what_words() {
    let server = Server::new(Access::Open);
    let refused = server.tell("POST /_/deployments/chat/rollback", &[], "").await;
    assert_eq!(refused.status, 409);
    assert_eq!(refused.json()["code"], "NOTHING_BEFORE");
    let reason = "chat has nothing to go back to; promote a version instead";
    assert_eq!(refused.json()["reasons"], json!([reason]));
    for (body, code) in [("{", 400), (r#"{"steps": [5]}"#, 400), ("[]", 400)] {
        let refused = server
            .tell("POST /_/deployments/chat/promote", &[], body)
            .await;
        assert_eq!(refused.status, code, "{body}: {}", refused.body);
    }
    let asked = server.ask("GET /_/deployments/chat/promote", &[]).await;
    assert_eq!((asked.status.as_u16(), asked.header("allow")), (405, "POST"));
}

#[tokio::test]
async fn only_a_token_for_deploys_changes_anything_and_no_other_sites_page() {
    let keys = vec![
        key("ops", Role::Deploy, "secret-of-operators"),
        key("wall", Role::Read, "secret-of-the-screen"),
    ];
    let server = Server::new(Access::Keys(Keys::new(keys)));
    let status = async |headers: &[&str], line: &str| {
        let body = r#"{"version": "1.1.0"}"#;
        server.tell(line, headers, body).await.status.as_u16()
    };
    let promote = "POST /_/deployments/chat/promote";
    let (ops, wall) = (
        "authorization: Bearer secret-of-operators",
        "authorization: Bearer secret-of-the-screen",
    );
    assert_eq!(status(&[], promote).await, 401);
    assert_eq!(status(&[wall], promote).await, 403);
    assert_eq!(status(&[ops], promote).await, 200);
    assert_eq!(status(&[wall], "GET /_/deployments/chat/rollout").await, 200);
    let open = Server::new(Access::Open);
    let foreign = ["host: localhost", "origin: https://evil.example"];
    let refused = open.tell(promote, &foreign, "{}").await;
    assert_eq!(refused.status, 403, "{}", refused.body);
}
