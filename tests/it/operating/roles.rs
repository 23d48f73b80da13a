//! Several tokens with roles, of a file that is changed while the server runs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rookery_tests::{Answer, Apps, Bundle, Options, Server, rookery, until};

/// Of `d3ploy-d3ploy-d3ploy`.
const DEPLOYER_SHA256: &str = "1311aec8fc33fbe1e24d38a7c7e01256df27f1aa19cb2bc7696f524221ec6d95";
const DEPLOYER: &str = "d3ploy-d3ploy-d3ploy";
const READER: &str = "r3ad-r3ad-r3ad-r3ad";
const ADMIN: &str = "a-long-enough-secret";

fn tokens(reader: &str) -> String {
    format!(
        "[grafana]\nrole = \"read\"\ntoken = \"{reader}\"\n\n[ci]\nrole = \"deploy\"\nsha256 = \"{DEPLOYER_SHA256}\"\n"
    )
}

/// A server with a file of tokens, beside the token of the settings.
async fn server() -> (Server, PathBuf) {
    let apps = Apps::new().with("site/1.0.0", Bundle::site("x"));
    let file = apps.outside().join("tokens.toml");
    fs::write(&file, tokens(READER)).unwrap();
    let options = Options::new()
        .set("ROOKERY_ADMIN_TOKENS_FILE", "tokens.toml")
        .set("ROOKERY_ADMIN_TOKEN", ADMIN);
    (Server::start_with(apps, options).await, file)
}

async fn ask(server: &Server, line: &str, token: &str) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    let call = server.call(method, path);
    let call = call.header("authorization", &format!("Bearer {token}"));
    call.body(r#"{"path":"made"}"#).send().await
}

async fn status(server: &Server, line: &str, token: &str) -> u16 {
    ask(server, line, token).await.status.as_u16()
}

#[tokio::test]
async fn a_token_may_what_its_role_says_and_the_log_has_its_name() {
    let (server, _) = server().await;
    for token in [READER, DEPLOYER, ADMIN] {
        assert_eq!(status(&server, "GET /_/stats", token).await, 200);
    }
    let mkdir = "POST /_/deployments/mkdir";
    let refused = ask(&server, mkdir, READER).await;
    assert_eq!(refused.json()["code"], "FORBIDDEN", "{}", refused.text());
    assert!(!server.apps().path("made").exists());
    let list = "GET /_/deployments/list?path=";
    assert_eq!(status(&server, list, READER).await, 403);
    assert_eq!(status(&server, list, DEPLOYER).await, 200);
    assert_eq!(status(&server, mkdir, DEPLOYER).await, 200);
    assert_eq!(status(&server, mkdir, ADMIN).await, 200);
    for expected in ["grafana token", "ci token", "admin token"] {
        until("it is in the log", async || {
            let log = server.log();
            let mut lines = log.lines().filter(|line| line.contains(" audit: "));
            let who = format!("who=\"{expected}\"");
            lines.find(|line| line.contains(&who)).map(|_| ())
        })
        .await;
    }
    let log = server.log();
    for secret in [READER, DEPLOYER, ADMIN, DEPLOYER_SHA256] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn tokens_are_changed_without_a_restart_and_a_broken_file_changes_nothing() {
    let (server, file) = server().await;
    let login = server.call("POST", "/_/login");
    let login = login.header("origin", &format!("http://{}", server.address()));
    let entered = login.body(format!("token={READER}")).send().await;
    let cookie = entered.header("set-cookie").split(';').next().unwrap();
    let seen = async || {
        let call = server.call("GET", "/_/stats").header("cookie", cookie);
        call.send().await.status.as_u16()
    };
    assert_eq!(seen().await, 200);

    fs::write(&file, "[grafana]\nrole = \"root\"\n").unwrap();
    until("the log says what is wrong", async || {
        let log = server.log();
        let whole = [
            "the admin tokens stay as they were",
            "grafana: role must be",
        ];
        whole.iter().all(|part| log.contains(part)).then_some(())
    })
    .await;
    assert_eq!(status(&server, "GET /_/stats", READER).await, 200);

    // By a rename, as secret stores do.
    let next = file.with_extension("next");
    fs::write(&next, tokens("n3w-n3w-n3w-n3w-n3w")).unwrap();
    fs::rename(next, file).unwrap();
    // Asking for that with the token would use its tries up.
    until("the login of the old token is over", async || {
        (seen().await == 401).then_some(())
    })
    .await;
    assert_eq!(status(&server, "GET /_/stats", READER).await, 401);
    assert_eq!(
        status(&server, "GET /_/stats", "n3w-n3w-n3w-n3w-n3w").await,
        200
    );
    assert_eq!(status(&server, "GET /_/stats", DEPLOYER).await, 200);
}

/// Before anything is sent: an answer in the middle of an upload is easily lost.
#[tokio::test]
async fn who_may_only_read_is_told_so_when_he_deploys() {
    let (server, _) = server().await;
    let sources = Apps::new().with("new/1.0.0", Bundle::site("x"));
    let mut deploy = Command::new(rookery());
    deploy
        .args([
            "deploy",
            "--server",
            &format!("http://{}", server.address()),
        ])
        .arg(sources.path("new/1.0.0"))
        .env("ROOKERY_ADMIN_TOKEN", READER);
    let output = tokio::task::spawn_blocking(move || deploy.output().unwrap());
    let output = output.await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert!(said.contains("the token grafana is for read"), "{said}");
    assert_eq!(server.get("/new/").await.status, 404);
}

#[test]
fn a_broken_file_of_tokens_is_an_error_of_the_settings() {
    let apps = Apps::new();
    fs::write(
        apps.outside().join("tokens.toml"),
        "[ci]\nrole = \"deploy\"\n",
    )
    .unwrap();
    let output = Command::new(rookery())
        .args([
            "serve",
            "--port",
            "many",
            "--admin-tokens-file",
            "tokens.toml",
        ])
        .current_dir(apps.outside())
        .env_remove("ROOKERY_ADMIN_TOKEN")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("tokens.toml: ci: must have either token or sha256"),
        "{said}"
    );
    assert!(said.contains("many"), "{said}");
}
