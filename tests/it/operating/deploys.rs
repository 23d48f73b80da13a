//! `rookery deploy`, `list` and `remove` against a running server.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rookery_tests::{Apps, Bundle, Options, Server, Ws, kitchen, rookery, until};
use serde_json::{Value, json};

const TOKEN: &str = "a-long-enough-secret";

/// A server, and a folder of bundles that it does not know yet.
struct Stage {
    server: Server,
    sources: Apps,
}

async fn stage() -> Stage {
    let options = Options::new().set("ROOKERY_ADMIN_TOKEN", TOKEN);
    Stage {
        server: Server::start_with(Apps::new(), options).await,
        sources: Apps::new(),
    }
}

impl Stage {
    fn source(&self, place: &str, bundle: &Bundle) -> PathBuf {
        self.sources.publish(place, bundle);
        self.sources.path(place)
    }

    /// Runs the binary with the token, beside the server.
    async fn run(&self, args: &[&str]) -> Output {
        self.run_with(Some(TOKEN), args).await
    }

    async fn run_with(&self, token: Option<&str>, args: &[&str]) -> Output {
        let mut command = Command::new(rookery());
        command
            .args(args)
            .args(["--server", &format!("http://{}", self.server.address())])
            .current_dir(self.sources.outside())
            .env_remove("ROOKERY_ADMIN_TOKEN");
        if let Some(token) = token {
            command.env("ROOKERY_ADMIN_TOKEN", token);
        }
        tokio::task::spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    async fn deploy(&self, dir: &Path, more: &[&str]) -> Vec<Value> {
        let mut args = vec!["deploy", "--json", dir.to_str().unwrap()];
        args.extend(more);
        let output = self.run(&args).await;
        let outcomes: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {output:?}"));
        outcomes.as_array().unwrap().clone()
    }

    fn staged(&self) -> usize {
        let staging = self.server.apps().path(".rookery-staging");
        std::fs::read_dir(staging).map_or(0, Iterator::count)
    }
}

#[tokio::test]
async fn a_bundle_is_live_when_the_command_is_done() {
    let stage = stage().await;
    let dir = stage.source("kitchen/1.0.0", &Bundle::component(kitchen()));
    let output = stage.run(&["deploy", dir.to_str().unwrap()]).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let address = format!("http://{}/kitchen@1.0.0/", stage.server.address());
    assert!(
        said.contains("kitchen@1.0.0 live at") && said.contains(&address),
        "{said}"
    );
    assert_eq!(stage.server.get("/kitchen@1.0.0/hello").await.status, 200);

    let listed = stage.run(&["list"]).await;
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(
        listed
            .lines()
            .any(|line| line.starts_with("kitchen  1.0.0 *  live")),
        "{listed}"
    );

    let used = stage.run(&["remove", "kitchen@1.0.0"]).await;
    let reason = String::from_utf8(used.stderr).unwrap();
    assert!(
        !used.status.success() && reason.contains("/kitchen leads to it"),
        "{reason}"
    );
    let removed = stage.run(&["remove", "kitchen@1.0.0", "--force"]).await;
    assert!(removed.status.success(), "{removed:?}");
    assert_eq!(stage.server.get("/kitchen/hello").await.status, 404);
    assert!(!stage.server.apps().path("kitchen").exists());
    until("nothing is left", async || {
        (stage.staged() == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn another_build_of_a_version_has_to_be_wanted() {
    let stage = stage().await;
    let dir = stage.source("site/1.0.0", &Bundle::site("one"));
    assert_eq!(stage.deploy(&dir, &[]).await[0]["state"], "live");
    assert_eq!(stage.deploy(&dir, &[]).await[0]["state"], "unchanged");
    let dir = stage.source("site/1.0.0", &Bundle::site("two"));
    let refused = &stage.deploy(&dir, &[]).await[0];
    assert!(
        refused["reasons"][0]
            .as_str()
            .unwrap()
            .contains("--replace"),
        "{refused}"
    );
    assert_eq!(stage.server.get("/site/").await.text(), "one");
    assert_eq!(stage.deploy(&dir, &["--replace"]).await[0]["state"], "live");
    assert_eq!(stage.server.get("/site/").await.text(), "two");
    assert!(stage.run(&["remove", "site@1.0.0"]).await.status.code() == Some(1));
    let statuses = until("each attempt is a line", async || {
        let log = stage.server.log();
        let lines = log.lines().filter(|line| line.contains(" audit: "));
        let lines: Vec<_> = lines.map(str::to_owned).collect();
        (lines.len() == 5).then_some(lines)
    })
    .await;
    for (line, (action, status)) in statuses.iter().zip([
        ("PUT /_/deployments/site/1.0.0", 201),
        ("PUT /_/deployments/site/1.0.0", 200),
        ("PUT /_/deployments/site/1.0.0", 409),
        ("PUT /_/deployments/site/1.0.0", 201),
        ("DELETE /_/deployments/site/1.0.0", 409),
    ]) {
        let (action, status) = (format!("action=\"{action}\""), format!("status={status}"));
        assert!(line.contains(&action) && line.contains(&status), "{line}");
    }
}

/// The gate is the supervisor's own: what could not be prepared is not published.
#[tokio::test]
async fn a_component_that_could_not_run_is_refused_and_what_serves_goes_on() {
    let stage = stage().await;
    let good = stage.source("site/1.0.0", &Bundle::site("good"));
    assert_eq!(stage.deploy(&good, &[]).await[0]["state"], "live");
    let bad = Bundle::empty().file("app.wasm", "this is no component");
    let dir = stage.source("site/1.0.0", &bad);
    let refused = &stage.deploy(&dir, &["--replace"]).await[0];
    assert_eq!(refused["state"], "refused", "{refused}");
    assert!(
        !refused
            .to_string()
            .contains(stage.server.apps().outside().to_str().unwrap()),
        "{refused}"
    );
    assert_eq!(stage.server.get("/site/").await.text(), "good");
    let dir = stage.source("new/1.0.0", &bad);
    assert_eq!(stage.deploy(&dir, &[]).await[0]["state"], "refused");
    assert!(!stage.server.apps().path("new").exists());
    let faulty = Bundle::site("x").manifest(json!({ "ttll": 1, "timeout": "soon" }));
    let dir = stage.source("faulty/1.0.0", &faulty);
    let refused = stage.deploy(&dir, &[]).await[0].to_string();
    assert!(
        refused.contains("ttll") && refused.contains("timeout"),
        "{refused}"
    );
    until("nothing is left", async || {
        (stage.staged() == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn of_deploys_of_one_version_at_once_one_is_served_whole() {
    let stage = stage().await;
    let pages = ["one", "two", "three"];
    let archives = pages.map(|page| {
        let dir = stage.source(&format!("{page}/site/1.0.0"), &Bundle::site(page));
        let packed = Command::new("tar")
            .arg("czf")
            .arg("-")
            .arg("-C")
            .arg(dir)
            .arg(".")
            .output();
        packed.unwrap().stdout
    });
    let put = |archive: &Vec<u8>| {
        let call = stage.server.call("PUT", "/_/deployments/site/1.0.0");
        let call = call.header("authorization", &format!("Bearer {TOKEN}"));
        call.body(archive.clone()).send()
    };
    let (a, b, c) = tokio::join!(put(&archives[0]), put(&archives[1]), put(&archives[2]));
    let mut statuses = [&a, &b, &c].map(|answer| answer.status.as_u16());
    let winner = statuses.iter().position(|status| *status == 201).unwrap();
    assert_eq!(stage.server.get("/site/").await.text(), pages[winner]);
    statuses.sort_unstable();
    assert_eq!(
        statuses,
        [201, 409, 409],
        "{} {} {}",
        a.text(),
        b.text(),
        c.text()
    );
}

#[tokio::test]
async fn a_version_with_sessions_is_not_removed_by_mistake() {
    let stage = stage().await;
    for version in ["1.0.0", "2.0.0"] {
        let dir = stage.source(&format!("kitchen/{version}"), &Bundle::component(kitchen()));
        assert_eq!(stage.deploy(&dir, &[]).await[0]["state"], "live");
    }
    let mut ws = Ws::open(&stage.server, "/kitchen@1.0.0/ws").await;
    assert_eq!(ws.ask("join room").await, "joined room");
    let used = stage.run(&["remove", "kitchen@1.0.0"]).await;
    let reason = String::from_utf8(used.stderr).unwrap();
    assert!(reason.contains("1 sessions are attached"), "{reason}");
    drop(ws);
    until("it can be removed", async || {
        let removed = stage.run(&["remove", "kitchen@1.0.0"]).await;
        removed.status.success().then_some(())
    })
    .await;
}

/// Whoever removes a version all the same takes it from nobody who is being served.
#[tokio::test]
async fn a_version_that_is_removed_by_force_finishes_what_it_began() {
    let stage = stage().await;
    for version in ["1.0.0", "2.0.0"] {
        let dir = stage.source(&format!("kitchen/{version}"), &Bundle::component(kitchen()));
        assert_eq!(stage.deploy(&dir, &[]).await[0]["state"], "live");
    }
    let (mut upload, call) = stage.server.call("POST", "/kitchen@1.0.0/echo").upload();
    assert!(upload.send("before, ").await);
    let mut answer = call.open().await;
    assert_eq!(answer.chunk().await.unwrap(), "before, ");
    let used = stage.run(&["remove", "kitchen@1.0.0"]).await;
    let reason = String::from_utf8(used.stderr).unwrap();
    assert!(reason.contains("1 requests are under way"), "{reason}");

    let removed = stage.run(&["remove", "kitchen@1.0.0", "--force"]).await;
    assert!(removed.status.success(), "{removed:?}");
    let new = stage.server.get("/kitchen@1.0.0/hello").await;
    assert_eq!(new.header("x-rookery-version"), "2.0.0");
    assert!(upload.send("and after").await);
    drop(upload);
    assert_eq!(answer.rest().await, b"and after");
}

#[tokio::test]
async fn without_the_token_nothing_is_deployed_and_the_command_says_what_to_do() {
    let stage = stage().await;
    let dir = stage.source("site/1.0.0", &Bundle::site("x"));
    for (token, hint) in [
        (None, "set ROOKERY_ADMIN_TOKEN"),
        (Some("wrong"), "is not the server's"),
    ] {
        let output = stage
            .run_with(token, &["deploy", dir.to_str().unwrap()])
            .await;
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(hint), "{said}");
    }
    assert_eq!(stage.server.get("/site/").await.status, 404);
    let nobody = Command::new(rookery())
        .args(["list", "--server", "http://127.0.0.1:1"])
        .output()
        .unwrap();
    let said = String::from_utf8(nobody.stderr).unwrap();
    assert!(
        said.contains("is a server running at http://127.0.0.1:1?"),
        "{said}"
    );
}

/// Killed in the middle of an upload: nothing of it is served, and the next server throws it away.
#[tokio::test]
async fn a_server_that_is_killed_leaves_nothing_to_the_next_one() {
    let mut stage = stage().await;
    let call = stage.server.call("PUT", "/_/deployments/site/1.0.0");
    let call = call.header("authorization", &format!("Bearer {TOKEN}"));
    let (mut upload, call) = call.upload();
    let sending = tokio::spawn(async move { drop(call.try_send().await) });
    assert!(upload.send(&b"\x1f\x8b half an archive"[..]).await);
    until("it is being written", async || {
        (stage.staged() > 0).then_some(())
    })
    .await;
    stage.server.signal("KILL");
    stage.server.exited().await;
    drop(upload);
    sending.await.unwrap();
    assert!(stage.staged() > 0, "the dead server left it");
    let output = Command::new(rookery())
        .args(["serve", "--port", "0", "--apps-dir"])
        .arg(stage.server.apps().dir())
        .env_remove("ROOKERY_ADMIN_TOKEN")
        .current_dir(stage.server.apps().outside())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut next = output.unwrap();
    until("it is thrown away", async || {
        (stage.staged() == 0).then_some(())
    })
    .await;
    next.kill().unwrap();
    next.wait().unwrap();
    assert!(!stage.server.apps().path("site").exists());
}
