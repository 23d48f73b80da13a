//! One heavy dependency, one owner; and what a crate must never touch.

use crate::files::none;
use crate::metadata::{arrows, workspace};

/// Who may use what is heavy. The tests may use all of it: they are the other end of every wire.
const OWNERS: &[(&str, &[&str])] = &[
    ("wasmtime", &["rookery-isolate"]),
    ("wasmtime-wasi", &["rookery-isolate"]),
    ("wasmtime-wasi-http", &["rookery-isolate"]),
    // The sdk's side of the same interfaces.
    ("wasip2", &["rookery-sdk"]),
    ("wit-bindgen", &["rookery-sdk"]),
    // The chat's terminal client is the other end of the wire.
    ("tokio-tungstenite", &["rookery-gateway", "chat-client"]),
    // The binary watches sources while it develops (`rookery up`); the supervisor watches bundles.
    ("notify", &["rookery-supervisor", "rookery"]),
    // The server's side and the client's. The binary only names the body of a request that the gateway hands to the
    // admin's routes.
    ("hyper", &["rookery-gateway", "rookery-upstream", "rookery"]),
    ("hyper-util", &["rookery-gateway", "rookery-upstream"]),
    ("rustls-native-certs", &["rookery-upstream", "chat-client"]),
    ("rustls", &["rookery-upstream", "chat-client"]),
    ("tokio-rustls", &["rookery-upstream", "chat-client"]),
    ("sqlx", &["rookery-storage"]),
    ("argon2", &["rookery-host"]),
    ("landlock", &["rookery-subprocess"]),
    ("tar", &["rookery-bundle"]),
    ("zip", &["rookery-bundle"]),
    ("flate2", &["rookery-bundle"]),
    ("multer", &["rookery-admin"]),
    ("cap-std", &["rookery-admin"]),
    ("clap", &["rookery", "chat-client"]),
    // The chat's client draws a chat, the binary what an operator watches.
    ("ratatui", &["chat-client", "rookery"]),
    ("regex", &["rookery-proxy-rules"]),
    ("saphyr-parser", &["rookery-bundle"]),
    ("schemars", &["rookery-bundle"]),
];

const PROOF: &[&str] = &["rookery-tests", "rookery-sim"];

/// What pure crates do without: time, tasks and sockets.
const ASYNC: &[&str] = &[
    "tokio",
    "tokio-util",
    "tokio-stream",
    "futures-util",
    "hyper",
    "hyper-util",
];

/// Crates that decide, and leave doing to others.
const PURE: &[&str] = &[
    "rookery-contract",
    "rookery-proxy-rules",
    "rookery-bundle",
    "rookery-routing",
];

#[test]
fn a_heavy_dependency_has_one_owner() {
    let arrows = arrows(&workspace());
    let strangers = arrows.iter().filter_map(|arrow| {
        let (_, owners) = OWNERS.iter().find(|(heavy, _)| *heavy == arrow.to)?;
        let may =
            owners.contains(&&*arrow.from) || PROOF.contains(&&*arrow.from) || arrow.for_tests;
        (!may).then(|| {
            format!(
                "{} uses {}, which is of {}",
                arrow.from,
                arrow.to,
                owners.join(" and ")
            )
        })
    });
    none(
        &strangers.collect::<Vec<_>>(),
        "heavy dependencies in the wrong hands",
    );
}

#[test]
fn a_pure_crate_has_no_clock_no_task_and_no_socket() {
    let arrows = arrows(&workspace());
    let impure = arrows
        .iter()
        .filter(|arrow| {
            PURE.contains(&&*arrow.from) && ASYNC.contains(&&*arrow.to) && !arrow.for_tests
        })
        .map(|arrow| format!("{} uses {}", arrow.from, arrow.to));
    none(&impure.collect::<Vec<_>>(), "pure crates that are not");
}

#[test]
fn a_version_is_chosen_once_in_the_workspace() {
    let root = std::fs::read_to_string(crate::files::repository().join("Cargo.toml")).unwrap();
    let arrows = arrows(&workspace());
    // The sdk's manifest stands alone, so that a new bundle can lie beside a copy of it.
    let theirs = arrows.iter().filter(|arrow| arrow.from != "rookery-sdk");
    let missing = theirs
        .filter(|arrow| {
            !root
                .lines()
                .any(|line| line.starts_with(&format!("{} = ", arrow.to)))
        })
        .map(|arrow| format!("{} of {}", arrow.to, arrow.from));
    none(
        &missing.collect::<Vec<_>>(),
        "dependencies that [workspace.dependencies] does not name",
    );
}
