//! `rookery check --explain`: which proxy rule a path is for.

use std::process::{Command, Output};

use rookery_tests::{Apps, Bundle, rookery};
use serde_json::{Value, json};

fn shop() -> Apps {
    let manifest = json!({
        "proxy": {
            "^/api/v(\\d+)/(.*)$": {
                "target": "${SHOP_API}", "rewrite": "/version/$1/$2", "changeOrigin": true, "secure": false
            },
            "^/(?!private)": {"target": "http://b"}
        },
        "grants": {"env": ["SHOP_API"]}
    });
    Apps::new().with("shop/1.0.0", Bundle::site("x").manifest(manifest))
}

fn explain(apps: &Apps, arguments: &[&str], api: Option<&str>) -> Output {
    let mut command = Command::new(rookery());
    command
        .current_dir(apps.outside())
        .arg("check")
        .args(arguments)
        .arg("apps")
        .env_remove("SHOP_API");
    if let Some(api) = api {
        command.env("SHOP_API", api);
    }
    command.output().unwrap()
}

fn verdict(output: &Output) -> Value {
    let verdicts: Value = serde_json::from_slice(&output.stdout).unwrap();
    verdicts[0].clone()
}

const API: Option<&str> = Some("https://b:8443/base");

#[test]
fn a_path_is_explained_for_scripts() {
    let apps = shop();
    let asked = ["--json", "--explain", "/api/v2/users?q=1"];
    let output = explain(&apps, &asked, API);
    assert!(output.status.success(), "{output:?}");
    let explained = &verdict(&output)["explained"];
    let rule = &explained["rule"];
    assert_eq!(
        (&rule["index"], &rule["engine"]),
        (&json!(0), &json!("linear"))
    );
    assert_eq!(rule["url"], "https://b:8443/base/version/2/users?q=1");
    assert_eq!(rule["host"], "b:8443");
    assert_eq!(rule["verifiesCertificate"], false);

    let other = verdict(&explain(&apps, &["--json", "--explain", "/x"], API));
    assert_eq!(other["explained"]["rule"]["engine"], "bounded");
    let none = verdict(&explain(&apps, &["--json", "--explain", "/private"], API));
    assert_eq!(none["explained"]["rule"], Value::Null);
    let unasked = verdict(&explain(&apps, &["--json"], API));
    assert!(unasked.get("explained").is_none(), "{unasked}");
}

#[test]
fn a_path_is_explained_for_people_without_colours_in_a_pipe() {
    let output = explain(&shop(), &["--explain", "/api/v2/users"], API);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("proxy rule 1 of 2"), "{said}");
    assert!(
        said.contains("https://b:8443/base/version/2/users"),
        "{said}"
    );
    assert!(!said.contains('\u{1b}'), "{said}");
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let apps = shop();
    let missing = "${SHOP_API}, which is not set";
    let checked = explain(&apps, &["--json"], None);
    assert!(checked.status.success(), "{checked:?}");
    let verdict_of_check = verdict(&checked);
    assert!(
        verdict_of_check["warnings"].to_string().contains(missing),
        "{verdict_of_check}"
    );
    let explained = explain(&apps, &["--json", "--explain", "/x"], None);
    assert!(!explained.status.success(), "{explained:?}");
    let verdict = verdict(&explained);
    assert!(verdict["errors"].to_string().contains(missing), "{verdict}");
}

#[test]
fn the_servers_own_settings_are_no_variables() {
    let manifest = json!({
        "proxy": {"^/": {"target": "http://b/${ROOKERY_ADMIN_TOKEN}"}},
        "grants": {"env": ["ROOKERY_ADMIN_TOKEN"]}
    });
    let apps = Apps::new().with("shop/1.0.0", Bundle::site("x").manifest(manifest));
    let mut command = Command::new(rookery());
    command
        .current_dir(apps.outside())
        .args(["check", "--json", "--explain", "/x", "apps"])
        .env("ROOKERY_ADMIN_TOKEN", "s3cret");
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("s3cret"));
}

#[test]
fn a_rule_that_needs_the_engine_that_counts_is_marked() {
    let verdict = verdict(&explain(&shop(), &["--json"], API));
    let warnings = verdict["warnings"].to_string();
    assert!(warnings.contains("(?!private)"), "{verdict}");
    assert!(!warnings.contains("/api/"), "{verdict}");
}
