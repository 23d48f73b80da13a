//! What goes into a script and what comes out, the same under each runtime.

use std::process::Command;

use rookery_tests::{Apps, Bundle, Options, Server, Versions, installed, until};
use serde_json::json;

use super::stage::{RUNTIMES, every_runtime, file, pid, script_with};

/// Buntime 41.
#[tokio::test]
async fn routes_come_before_fetch_and_know_parameters_and_methods() {
    let server = every_runtime().await;
    for app in RUNTIMES {
        for (method, path, expected) in [
            ("GET", "/routes/fixed", "fixed"),
            ("GET", "/routes/fixed", "fixed"),
            ("POST", "/routes/any", "any POST"),
            ("GET", "/routes/7", "read 7"),
            ("GET", "/routes/a%20b%2Fc?x=1", "read a b/c"),
            ("PUT", "/routes/7", "wrote 7: a body"),
            ("GET", "/below/7/deep/down", "below 7"),
            ("GET", "/below/7", "below 7"),
            ("GET", "/numbers/42", "number 42"),
            ("GET", "/numbers/x", "nothing at /numbers/x"),
            ("GET", "/maybe", "maybe not"),
            ("GET", "/maybe/so", "maybe so"),
        ] {
            let call = server.call(method, &format!("/{app}{path}"));
            let call = if method == "PUT" {
                call.body("a body")
            } else {
                call
            };
            assert_eq!(call.send().await.text(), expected, "{app} {method} {path}");
        }
        let refused = server
            .call("DELETE", &format!("/{app}/routes/7"))
            .send()
            .await;
        assert_eq!(
            (refused.status.as_u16(), refused.header("allow")),
            (405, "GET, PUT, HEAD"),
            "{app}"
        );
    }
}

/// Buntime 41. Nothing but routes: what fits none is 404.
#[tokio::test]
async fn an_app_of_routes_alone_answers_404_to_what_fits_none() {
    let source = r#"export default { routes: { "/only": () => new Response("this") } }"#;
    let apps = RUNTIMES.iter().fold(Apps::new(), |apps, runtime| {
        installed(runtime);
        let manifest = json!({ "runtime": runtime, "ttl": 600 });
        apps.with(
            &format!("{runtime}/1.0.0"),
            file("index.mjs", source, manifest),
        )
    });
    let server = Server::start(apps).await;
    for app in RUNTIMES {
        assert_eq!(server.get(&format!("/{app}/only")).await.text(), "this");
        let other = server.get(&format!("/{app}/other")).await;
        assert_eq!(
            (other.status.as_u16(), other.text()),
            (404, "404 Not Found"),
            "{app}"
        );
    }
}

/// Buntime 34, 35.
#[tokio::test]
async fn types_and_cookies_arrive_as_the_app_gave_them() {
    let server = every_runtime().await;
    for app in RUNTIMES {
        let bytes = server.get(&format!("/{app}/bytes")).await;
        assert_eq!(&*bytes.body, [0, 159, 146, 150], "{app}");
        let untyped = server.get(&format!("/{app}/untyped")).await;
        assert_eq!(
            (untyped.header("content-type"), untyped.text()),
            ("text/plain; charset=utf-8", "no type"),
            "{app}"
        );
        let typed = server.get(&format!("/{app}/typed")).await;
        assert_eq!(typed.header("content-type"), "text/html", "{app}");
        let nothing = server.get(&format!("/{app}/nothing")).await;
        assert_eq!(
            (nothing.status.as_u16(), nothing.header("content-type")),
            (204, ""),
            "{app}"
        );
        let cookies = server.get(&format!("/{app}/cookies")).await;
        let cookies: Vec<_> = cookies.headers.get_all("set-cookie").iter().collect();
        assert_eq!(
            cookies,
            ["a=1; Path=/", "b=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT"],
            "{app}"
        );
    }
}

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let server = every_runtime().await;
    for app in RUNTIMES {
        for (path, length) in [("/routes/7", "6"), ("/bytes", "4")] {
            let head = server.call("HEAD", &format!("/{app}{path}")).send().await;
            assert_eq!(
                (
                    head.status.as_u16(),
                    head.header("content-length"),
                    head.text()
                ),
                (200, length, ""),
                "{app} {path}"
            );
        }
    }
}

/// Buntime 38.
#[tokio::test]
async fn method_headers_query_and_body_reach_the_app() {
    let server = every_runtime().await;
    for app in RUNTIMES {
        let echo = server
            .call("PATCH", &format!("/{app}/echo"))
            .header("x-said", "hello")
            .body("a body")
            .send()
            .await;
        assert_eq!(
            echo.json(),
            json!({ "method": "PATCH", "said": "hello", "body": "a body" }),
            "{app}"
        );
        let headers = server
            .call("GET", &format!("/{app}@1/headers"))
            .header("x-app-name", "forged")
            .header("x-base", "/forged")
            .header("x-two", "a")
            .header("x-two", "b")
            .send()
            .await
            .json();
        for expected in [
            json!(["x-app-name", app]),
            json!(["x-base", format!("/{app}@1")]),
            json!(["x-two", "a, b"]),
        ] {
            assert!(
                headers.as_array().unwrap().contains(&expected),
                "{app}: {headers}"
            );
        }
    }
}

/// Buntime 11, 15.
#[tokio::test]
async fn the_url_has_the_clients_host_and_the_path_below_the_app() {
    let server = every_runtime().await;
    let host = server.address();
    for app in RUNTIMES {
        let url = server
            .get(&format!("/{app}@1.0.0/url?q=%20a&q=%E2%82%AC"))
            .await;
        assert_eq!(
            url.text(),
            format!("http://{host}/url?q=%20a&q=%E2%82%AC"),
            "{app}"
        );
        let call = server.call("GET", &format!("/{app}/url"));
        let url = call.version(Versions::Http2).send().await;
        assert_eq!(url.text(), format!("http://{host}/url"), "{app}");
        let call = server.call("GET", &format!("/{app}/url"));
        let url = call.header("x-forwarded-proto", "https").send().await;
        assert_eq!(url.text(), format!("https://{host}/url"), "{app}");
        let odd = server.get(&format!("/{app}//evil.example/x")).await;
        assert_eq!(odd.text(), "nothing at //evil.example/x", "{app}");
    }
}

/// What a client says of itself stays; the last entry is the server's own.
#[tokio::test]
async fn an_app_learns_who_its_client_is() {
    let server = every_runtime().await;
    let host = server.address();
    for app in RUNTIMES {
        let call = server.call("GET", &format!("/{app}/headers"));
        let headers = call.header("x-forwarded-for", "10.9.8.7").send().await;
        let headers = headers.json();
        for expected in [
            json!(["x-forwarded-for", "10.9.8.7, 127.0.0.1"]),
            json!(["x-forwarded-proto", "http"]),
            json!(["x-forwarded-host", host.to_string()]),
        ] {
            let headers = headers.as_array().unwrap();
            assert!(headers.contains(&expected), "{app}: {headers:?}");
        }
    }
    assert_eq!(server.get("/bun/client").await.text(), "127.0.0.1");
}

/// Buntime 40.
#[tokio::test]
async fn a_handler_that_throws_is_500_and_only_the_log_says_why() {
    let server = every_runtime().await;
    for app in RUNTIMES {
        let before = pid(&server, app).await;
        for path in ["/throw", "/reject", "/undefined"] {
            let id = format!("{app}-{}", &path[1..]);
            let answer = server
                .call("GET", &format!("/{app}{path}"))
                .header("x-request-id", &id)
                .send()
                .await;
            assert_eq!(answer.status, 500, "{app} {path}");
            assert_eq!(
                answer.json(),
                json!({ "error": "The app failed", "code": "INTERNAL_SERVER_ERROR", "requestId": id }),
                "{app} {path}"
            );
            until(&format!("the log speaks of {id}"), async || {
                server.log().contains(&id).then_some(())
            })
            .await;
        }
        assert_eq!(pid(&server, app).await, before, "{app} lives on");
    }
    until("the log has the secret", async || {
        let log = server.log();
        (log.matches("Error: a secret of the app").count() >= 2 * RUNTIMES.len()).then_some(())
    })
    .await;
}

/// Buntime 40. What a developer sees.
#[tokio::test]
async fn a_handler_that_throws_says_why_where_the_environment_is_none_of_production() {
    let grants = json!({ "grants": { "env": ["NODE_ENV"] } });
    let apps = Apps::new().with("bun/1.0.0", script_with("bun", grants));
    let options = Options::new().set("NODE_ENV", "development");
    let server = Server::start_with(apps, options).await;
    let answer = server.get("/bun/throw").await.json();
    assert_eq!(answer["error"], "a secret of the app");
}

/// Buntime 39.
#[tokio::test]
async fn health_is_the_servers_unless_the_app_wants_it() {
    let source = r#"export default { fetch: () => new Response("my own") }"#;
    installed("bun");
    let of = |more| {
        let mut manifest = json!({ "runtime": "bun", "ttl": 600 });
        if let Some(health) = more {
            manifest["health"] = health;
        }
        file("index.js", source, manifest)
    };
    let apps = Apps::new()
        .with("host/1.0.0", of(None))
        .with("own/1.0.0", of(Some(json!(false))));
    let server = Server::start(apps).await;
    let host = server.get("/host/health").await;
    assert_eq!((host.status.as_u16(), host.text().trim()), (200, "OK"));
    assert_eq!(server.get("/own/health").await.text(), "my own");
}

/// Buntime 25.
#[tokio::test]
async fn typescript_goes_before_javascript_and_js_before_mjs() {
    installed("bun");
    let says = |name: &str| {
        format!("export default {{ fetch(): Response {{ return new Response('{name}') }} }}")
    };
    let plain = |name: &str| says(name).replace(": Response", "");
    let manifest = json!({ "runtime": "bun", "ttl": 600 });
    let mjs = file("index.mjs", &plain("index.mjs"), manifest);
    let js = mjs.clone().file("index.js", plain("index.js"));
    let ts = js.clone().file("index.ts", says("index.ts"));
    let apps = Apps::new()
        .with("mjs/1.0.0", mjs)
        .with("js/1.0.0", js)
        .with("ts/1.0.0", ts);
    let server = Server::start(apps).await;
    for app in ["mjs", "js", "ts"] {
        assert_eq!(
            server.get(&format!("/{app}/")).await.text(),
            format!("index.{app}")
        );
    }
}

/// What to install is nobody's secret, and what the server finds itself is: strangers read the one and not the other.
#[tokio::test]
async fn without_a_runtime_it_is_said_what_to_install() {
    let nobody = tempfile::tempdir().unwrap();
    let source = "export default { fetch: () => new Response() }";
    let script = |manifest| file("index.mjs", source, manifest);
    for environment in ["development", "production"] {
        let apps = Apps::new()
            .with("any/1.0.0", script(json!({})))
            .with("deno/1.0.0", script(json!({ "runtime": "deno" })))
            .with(
                "other/1.0.0",
                Bundle::empty().manifest(json!({ "command": "no-such-program" })),
            );
        let options = Options::new()
            .set("ROOKERY_ENV", environment)
            .set("PATH", nobody.path().display());
        let server = Server::start_with(apps, options).await;
        let three: &[&str] = &["https://bun.sh", "https://deno.com", "https://nodejs.org"];
        let deno: &[&str] = &["deno", "https://deno.com"];
        let other: &[&str] = match environment {
            "production" => &["The app could not start"],
            _ => &["cannot run no-such-program"],
        };
        for (app, wanted) in [("any", three), ("deno", deno), ("other", other)] {
            let answer = server.get(&format!("/{app}/")).await;
            let body = answer.json();
            assert_eq!(
                (answer.status.as_u16(), &body["code"]),
                (502, &"WORKER_START_FAILED".into()),
                "{app}"
            );
            let error = body["error"].as_str().unwrap();
            assert!(
                wanted.iter().all(|word| error.contains(word)),
                "{app} in {environment}: {error}"
            );
            let hidden = environment == "production";
            assert_eq!(error.contains("could not start:"), !hidden, "{error}");
        }
        // What comes later is started before it serves, and stays away.
        server.apps().publish("late/1.0.0", &script(json!({})));
        let late = until("the late one is refused", async || {
            Some(server.get("/late/").await).filter(|answer| answer.status != 404)
        });
        let late = late.await;
        assert_eq!(late.status, 502);
        let error = late.json()["error"].as_str().unwrap().to_owned();
        assert!(
            three.iter().all(|word| error.contains(word)),
            "{environment}: {error}"
        );
    }
}

/// A Node that knows no types says so and what to do; one that does runs it.
#[tokio::test]
async fn typescript_runs_where_the_runtime_has_it() {
    let source = "export default { fetch(_: Request): Response { return new Response('typed') } }";
    let apps = RUNTIMES.iter().fold(Apps::new(), |apps, runtime| {
        installed(runtime);
        let manifest = json!({ "runtime": runtime, "ttl": 600 });
        apps.with(
            &format!("{runtime}/1.0.0"),
            file("index.ts", source, manifest),
        )
    });
    let server = Server::start(apps).await;
    for app in ["bun", "deno"] {
        assert_eq!(server.get(&format!("/{app}/")).await.text(), "typed");
    }
    let version = Command::new(installed("node"))
        .arg("--version")
        .output()
        .unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let numbers: Vec<u32> = version
        .trim_start_matches('v')
        .split('.')
        .map_while(|number| number.parse().ok())
        .collect();
    let answer = server.get("/node/").await;
    if (numbers[0], numbers[1]) >= (22, 6) {
        assert_eq!(answer.text(), "typed");
    } else {
        assert_eq!(answer.status, 502);
        until("the log says what is the matter", async || {
            server.log().contains("TypeScript").then_some(())
        })
        .await;
    }
}
