//! Browsers in front of a server that wants a token.

use rookery_tests::{Answer, Apps, Bundle, Options, Server};

async fn server() -> Server {
    let apps = Apps::new().with("site/1.0.0", Bundle::site("x"));
    let options = Options::new().set("ROOKERY_ADMIN_TOKEN", "a-long-enough-secret");
    Server::start_with(apps, options).await
}

async fn log_in(server: &Server, token: &str) -> Answer {
    let call = server.call("POST", "/_/login");
    let call = call.header("origin", &format!("http://{}", server.address()));
    call.body(format!("token={token}")).send().await
}

#[tokio::test]
async fn a_browser_logs_in_reads_writes_and_logs_out() {
    let server = server().await;
    let origin = format!("http://{}", server.address());
    let form = server
        .call("GET", "/_/")
        .header("accept", "text/html,*/*")
        .send()
        .await;
    assert_eq!(form.status, 401);
    assert!(
        form.text()
            .contains("<form method=\"post\" action=\"/_/login\">"),
        "{}",
        form.text()
    );
    assert_eq!(log_in(&server, "wrong").await.status, 401);

    let entered = log_in(&server, "a-long-enough-secret").await;
    assert_eq!(
        (entered.status.as_u16(), entered.header("location")),
        (303, "/_/")
    );
    let cookie = entered
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let with = |method: &str, path: &str| {
        let call = server.call(method, path).header("cookie", &cookie);
        call.header("origin", &origin)
    };
    assert!(with("GET", "/_/").send().await.text().contains("Log out"));
    assert_eq!(with("GET", "/_/stats").send().await.status, 200);
    let made = with("POST", "/_/deployments/mkdir").body(r#"{"path":"new"}"#);
    assert_eq!(made.send().await.status, 200);

    assert_eq!(with("POST", "/_/logout").send().await.status, 303);
    assert_eq!(with("GET", "/_/stats").send().await.status, 401);
    let log = server.log();
    assert!(log.contains("who=\"admin login\""), "{log}");
    assert!(
        !log.contains("a-long-enough-secret") && !log.contains(cookie.split('=').nth(1).unwrap())
    );
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let server = server().await;
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(log_in(&server, "guess").await.status.as_u16());
    }
    assert_eq!(statuses[0], 401);
    assert!(statuses.contains(&429), "{statuses:?}");
}
