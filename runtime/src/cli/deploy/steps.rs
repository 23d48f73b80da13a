//! The gate's steps, in words for whoever deploys.

use serde_json::Value;

/// What a step found, in a few words; `None` for one that this program does not know.
pub fn words(step: &Value) -> Option<String> {
    let name = step["step"].as_str()?;
    let words = match name {
        "received" => format!("received    {}", size(&step["bytes"])),
        "unpacked" => {
            let files = step["files"].as_u64().unwrap_or_default();
            format!("unpacked    {files} files, {}", size(&step["bytes"]))
        }
        "manifest" => format!("manifest    {}", warnings(&step["warnings"])),
        "entrypoint" => format!("entrypoint  {}", text(&step["kind"])),
        "compiled" => format!("compiled    {}", time(&step["ms"])),
        "world" => format!("world       {}", list(&step["serves"])),
        "migrations" => format!("migrations  {}", list(&step["ran"])),
        "health" => format!("health      {}", health(step)),
        _ => return None,
    };
    Some(words)
}

/// What the server does after a step, as far as that is known.
pub fn next(step: &Value) -> &'static str {
    match step["step"].as_str().unwrap_or_default() {
        "received" => "is unpacked",
        "unpacked" | "manifest" => "is looked at",
        "entrypoint" => "is prepared",
        "compiled" => "is linked",
        "world" => "is migrated",
        "migrations" => "is asked whether it is well",
        _ => "is published",
    }
}

fn health(step: &Value) -> String {
    let took = time(&step["ms"]);
    match (step["path"].as_str(), step["status"].as_u64()) {
        (Some(path), Some(status)) => format!("GET {path} is {status}, {took}"),
        _ => format!("a worker started, {took}"),
    }
}

fn warnings(warnings: &Value) -> String {
    match warnings.as_array().map_or(0, Vec::len) {
        0 => "ok".to_owned(),
        1 => "ok, with a warning".to_owned(),
        count => format!("ok, with {count} warnings"),
    }
}

fn list(list: &Value) -> String {
    let words = list.as_array().into_iter().flatten().map(text);
    let words: Vec<String> = words.collect();
    if words.is_empty() {
        return "none".to_owned();
    }
    words.join(", ")
}

/// Without what would move a terminal's cursor: it comes from bundles.
fn text(value: &Value) -> String {
    let text = value.as_str().unwrap_or_default();
    text.replace(char::is_control, "\u{fffd}")
}

fn time(ms: &Value) -> String {
    match ms.as_f64().unwrap_or_default() {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1e3),
    }
}

fn size(bytes: &Value) -> String {
    indicatif::HumanBytes(bytes.as_u64().unwrap_or_default()).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_step_has_words() {
        for (step, expected) in [
            (
                json!({"step": "received", "bytes": 2048}),
                "received    2.00 KiB",
            ),
            (
                json!({"step": "unpacked", "files": 3, "bytes": 10}),
                "unpacked    3 files, 10 B",
            ),
            (
                json!({"step": "manifest", "warnings": []}),
                "manifest    ok",
            ),
            (
                json!({"step": "manifest", "warnings": ["x"]}),
                "manifest    ok, with a warning",
            ),
            (
                json!({"step": "entrypoint", "kind": "wasm"}),
                "entrypoint  wasm",
            ),
            (
                json!({"step": "compiled", "ms": 812.4}),
                "compiled    812 ms",
            ),
            (
                json!({"step": "world", "serves": ["http", "sessions"]}),
                "world       http, sessions",
            ),
            (
                json!({"step": "migrations", "ran": ["0001_\u{1b}[2J"]}),
                "migrations  0001_\u{fffd}[2J",
            ),
            (json!({"step": "migrations", "ran": []}), "migrations  none"),
            (
                json!({"step": "health", "path": "/health", "status": 404, "ms": 1.25}),
                "health      GET /health is 404, 1.2 ms",
            ),
            (
                json!({"step": "health", "path": null, "status": null, "ms": 1500}),
                "health      a worker started, 1.5 s",
            ),
        ] {
            assert_eq!(words(&step).as_deref(), Some(expected));
        }
        assert_eq!(words(&json!({"step": "blessed"})), None);
    }
}
