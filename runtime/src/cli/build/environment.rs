//! The environment that cargo is started in.
//!
//! **Invariant:** what an outer cargo (`cargo run -- up`) said about its own package does not reach the inner one.
//! **Invariant:** flags that the user set stay in force; ours are added to them.

use std::ffi::OsString;
use std::io;
use std::process::Command;

/// A fresh isolate costs as much as the memory that has to be cleared for it; Rust's own default stack is 1 MiB.
const SMALL_STACK: [&str; 2] = ["-C", "link-arg=-zstack-size=65536"];

/// A user who sets the stack's size knows better.
const STACK_SIZE: &str = "stack-size";

const ENCODED: &str = "CARGO_ENCODED_RUSTFLAGS";
const ALL_TARGETS: &str = "RUSTFLAGS";
const OUR_TARGET: &str = "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS";

/// Variables by which cargo describes a package to its build script, its tests and to what `cargo run` starts. A build
/// script that looks at one of them would be run again and again.
const DESCRIPTIONS: [&str; 9] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CFG_",
    "CARGO_FEATURE_",
    "CARGO_CRATE_NAME",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_MAKEFLAGS",
    "CARGO_TARGET_TMPDIR",
];

/// Gives a command the environment for building a component.
pub fn apply(command: &mut Command) {
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_description))
    {
        command.env_remove(name);
    }
    if let Some((name, value)) = flags(|name| std::env::var(name).ok()) {
        command.env(name, value);
    }
}

/// Why a tool could not be started, and what to do about it.
pub fn not_started(tool: &str, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("{tool} was not found; install Rust from https://rustup.rs")
        }
        _ => format!("{tool} could not be started: {error}"),
    }
}

fn is_description(name: &str) -> bool {
    DESCRIPTIONS
        .iter()
        .any(|description| name.starts_with(description))
}

/// Which variable carries our flags. Cargo looks at one alone, in this order, so ours must stand beside the user's.
fn flags(var: impl Fn(&str) -> Option<String>) -> Option<(&'static str, OsString)> {
    let set = |name| var(name).filter(|value| !value.trim().is_empty());
    let (name, theirs, separator) = match (set(ENCODED), set(ALL_TARGETS)) {
        (Some(theirs), _) => (ENCODED, theirs, "\x1f"),
        (None, Some(theirs)) => (ALL_TARGETS, theirs, " "),
        (None, None) => (OUR_TARGET, set(OUR_TARGET).unwrap_or_default(), " "),
    };
    if theirs.contains(STACK_SIZE) {
        return None;
    }
    let ours = SMALL_STACK.join(separator);
    Some((
        name,
        if theirs.is_empty() {
            ours
        } else {
            [theirs, ours].join(separator)
        }
        .into(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_flags_stand_beside_the_users() {
        let check = |vars: &[(&str, &str)], expected: Option<(&'static str, &str)>| {
            let var = |name: &str| {
                vars.iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(
                flags(var),
                expected.map(|(name, value)| (name, value.into())),
                "{vars:?}"
            );
        };
        check(&[], Some((OUR_TARGET, "-C link-arg=-zstack-size=65536")));
        check(
            &[(ALL_TARGETS, " ")],
            Some((OUR_TARGET, "-C link-arg=-zstack-size=65536")),
        );
        check(
            &[(OUR_TARGET, "-g")],
            Some((OUR_TARGET, "-g -C link-arg=-zstack-size=65536")),
        );
        check(
            &[(ALL_TARGETS, "-g"), (OUR_TARGET, "-O")],
            Some((ALL_TARGETS, "-g -C link-arg=-zstack-size=65536")),
        );
        check(
            &[(ENCODED, "-g")],
            Some((ENCODED, "-g\x1f-C\x1flink-arg=-zstack-size=65536")),
        );
        check(&[(ALL_TARGETS, "-C link-arg=-zstack-size=1048576")], None);
    }

    #[test]
    fn what_the_outer_cargo_said_of_itself_is_forgotten() {
        for name in [
            "CARGO_PKG_NAME",
            "CARGO_MANIFEST_DIR",
            "CARGO_BIN_NAME",
            "CARGO_CRATE_NAME",
            "CARGO_MAKEFLAGS",
        ] {
            assert!(is_description(name), "{name}");
        }
        for name in [
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "CARGO_NET_OFFLINE",
            "RUSTUP_TOOLCHAIN",
            "CARGO_BUILD_JOBS",
        ] {
            assert!(!is_description(name), "{name}");
        }
    }
}
