//! Browsers that log in, and those who try.

use std::time::Duration;

use tokio::time::advance;

use super::{Answer, Server, locked};
use crate::attempts::BURST;
use crate::login::{LIFE, LOGINS_MAX};

const BROWSER: &str = "accept: text/html,application/xhtml+xml";
const HOST: &str = "host: rookery.example";
const OURS: &str = "origin: http://rookery.example";

fn server() -> Server {
    Server::new(locked("s3cret"))
}

impl Server {
    async fn log_in(&self, form: &str) -> Answer {
        self.tell("POST /_/login", &[HOST, OURS], form.to_owned())
            .await
    }

    /// The cookie of a login that works, as a browser sends it back.
    async fn cookie(&self) -> String {
        let answer = self.log_in("token=s3cret").await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let cookie = answer.header("set-cookie").unwrap();
        format!("cookie: theme=dark; {}", cookie.split(';').next().unwrap())
    }

    async fn is_in(&self, cookie: &str) -> bool {
        self.ask("GET /_/stats", &[cookie]).await.status == 200
    }
}

#[tokio::test]
async fn a_browser_is_shown_the_form_and_a_program_the_error() {
    let server = server();
    let page = server.ask("GET /_/", &[BROWSER]).await;
    assert_eq!(page.status, 401);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert!(
        !page.body.contains("<script") && !page.body.contains("<style"),
        "{}",
        page.body
    );
    assert!(page.body.contains("action=\"/_/login\""), "{}", page.body);
    assert_eq!(server.ask("GET /_/page.css", &[]).await.status, 200);
    assert_eq!(
        server.ask("GET /_/", &[]).await.json()["code"],
        "UNAUTHORIZED"
    );
    let stats = server.ask("GET /_/stats", &[BROWSER]).await;
    assert_eq!(stats.json()["code"], "UNAUTHORIZED");
}

#[tokio::test]
async fn the_token_buys_a_cookie_that_is_not_the_token() {
    let server = server();
    let answer = server.log_in("token=s3cret").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, Some("/_/"))
    );
    let cookie = answer.header("set-cookie").unwrap();
    for attribute in [
        "; Path=/_/",
        "; Max-Age=43200",
        "; HttpOnly",
        "; SameSite=Strict",
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(
        !cookie.contains("Secure") && !cookie.contains("s3cret"),
        "{cookie}"
    );
    let again = server.log_in("token=s3cret").await;
    assert_ne!(again.header("set-cookie"), Some(cookie));

    let cookie = format!("cookie: {}", cookie.split(';').next().unwrap());
    let page = server.ask("GET /_/", &[BROWSER, &cookie]).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Log out"), "{}", page.body);
    assert!(server.is_in(&cookie).await);
    assert!(!server.is_in("cookie: rookery_login=s3cret").await);
    assert!(!server.is_in("cookie: rookery_login=").await);
    let with_token = server
        .ask("GET /_/stats", &["authorization: Bearer s3cret"])
        .await;
    assert_eq!(with_token.status, 200);
}

#[tokio::test]
async fn a_page_that_was_reached_over_tls_gets_a_secure_cookie() {
    let secure = ["host: rookery.example", "origin: https://rookery.example"];
    let answer = server()
        .tell("POST /_/login", &secure, "token=s3cret")
        .await;
    assert!(answer.header("set-cookie").unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn whoever_is_wrong_is_told_so_and_then_not_listened_to() {
    let server = server();
    for _ in 0..BURST {
        let answer = server.log_in("token=guess").await;
        assert_eq!(answer.status, 401);
        assert!(
            answer.body.contains("not the admin token"),
            "{}",
            answer.body
        );
        assert_eq!(answer.header("set-cookie"), None);
    }
    // Right or wrong: an answer would tell which.
    let answer = server.log_in("token=s3cret").await;
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").is_some() && answer.header("set-cookie").is_none());
    let bearer = server
        .ask("GET /_/stats", &["authorization: Bearer s3cret"])
        .await;
    assert_eq!(bearer.status, 429);
    assert_eq!(server.log_in("").await.status, 401, "nothing was guessed");
}

#[tokio::test]
async fn a_login_outlives_the_guesses_of_others() {
    let server = server();
    let cookie = server.cookie().await;
    for _ in 0..BURST {
        server.log_in("token=guess").await;
    }
    assert!(server.is_in(&cookie).await);
}

#[tokio::test]
async fn a_login_ends_when_its_owner_says_so() {
    let server = server();
    let (mine, other) = (server.cookie().await, server.cookie().await);
    let answer = server.ask("POST /_/logout", &[HOST, OURS, &mine]).await;
    assert_eq!(answer.status, 303);
    assert!(
        answer
            .header("set-cookie")
            .unwrap()
            .contains("rookery_login=; Path=/_/; Max-Age=0")
    );
    assert!(!server.is_in(&mine).await && server.is_in(&other).await);
}

#[tokio::test(start_paused = true)]
async fn a_login_ends_by_itself() {
    let server = server();
    let cookie = server.cookie().await;
    advance(LIFE - Duration::from_secs(1)).await;
    assert!(server.is_in(&cookie).await);
    advance(Duration::from_secs(1)).await;
    assert!(!server.is_in(&cookie).await);
}

#[tokio::test(start_paused = true)]
async fn too_many_logins_end_the_oldest() {
    let server = server();
    let first = server.cookie().await;
    advance(Duration::from_secs(1)).await;
    let second = server.cookie().await;
    for _ in 2..LOGINS_MAX {
        server.cookie().await;
    }
    assert!(server.is_in(&first).await);
    server.cookie().await;
    assert!(!server.is_in(&first).await && server.is_in(&second).await);
}

#[tokio::test]
async fn another_sites_page_can_neither_log_in_nor_write() {
    let server = server();
    let cookie = server.cookie().await;
    let evil = "origin: https://evil.example";
    let answer = server
        .tell("POST /_/login", &[HOST, evil], "token=s3cret")
        .await;
    assert_eq!(answer.outcome(), (403, "CROSS_ORIGIN".into()));
    for headers in [
        &[HOST, evil, &cookie][..],
        &[HOST, "origin: null", &cookie],
        &[HOST, &cookie],
    ] {
        let mkdir = server
            .tell("POST /_/deployments/mkdir", headers, r#"{"path":"x"}"#)
            .await;
        assert_eq!(mkdir.outcome(), (403, "CROSS_ORIGIN".into()), "{headers:?}");
    }
    let ours = [HOST, OURS, &cookie];
    let mkdir = server.tell("POST /_/deployments/mkdir", &ours, r#"{"path":"x"}"#);
    assert_eq!(mkdir.await.status, 200);
    assert!(server.path("x").is_dir());
}

/// Whether tokens are needed or not: a browser on the operator's own machine has pages of others open, too.
#[tokio::test]
async fn every_write_asks_which_page_it_comes_from() {
    let evil = ["host: localhost", "origin: https://evil.example"];
    for line in [
        "PUT /_/deployments/chat/1.0.0",
        "DELETE /_/deployments/chat/1.0.0",
        "POST /_/deployments/chat/promote",
        "POST /_/deployments/chat/canary",
        "POST /_/deployments/chat/rollback",
        "POST /_/deployments/chat/tag",
        "POST /_/deployments/mkdir",
        "POST /_/deployments/rename",
        "POST /_/deployments/upload",
        "DELETE /_/deployments/delete",
        "POST /_/login",
        "POST /_/logout",
    ] {
        let open = Server::new(crate::Access::Open);
        let refused = open.tell(line, &evil, "{}").await;
        assert_eq!(refused.outcome(), (403, "CROSS_ORIGIN".into()), "{line}");
        let locked = server();
        let cookie = locked.cookie().await;
        let headers = [evil[0], evil[1], &cookie];
        let refused = locked.tell(line, &headers, "{}").await;
        assert_eq!(refused.outcome(), (403, "CROSS_ORIGIN".into()), "{line}");
    }
}

#[tokio::test]
async fn a_form_that_is_too_long_is_not_read() {
    let answer = server().log_in(&"x".repeat(1 << 20)).await;
    assert_eq!(answer.outcome(), (413, "TOO_LARGE".into()));
}
