//! The server's side of a script, in JavaScript: what lies in a worker's folder before it starts.
//!
//! `shim/PROTOCOL.md` says what the two sides owe each other.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::folders::Folder;

/// The file that a runtime is started with.
const MAIN: &str = "main.mjs";

/// What `main.mjs` reads first.
const START: &str = "start.json";

/// Names and contents.
const FILES: &[(&str, &str)] = &[
    (MAIN, include_str!("shim/main.mjs")),
    ("app.mjs", include_str!("shim/app.mjs")),
    ("control.mjs", include_str!("shim/control.mjs")),
    ("explain.mjs", include_str!("shim/explain.mjs")),
    ("life.mjs", include_str!("shim/life.mjs")),
    ("node-request.mjs", include_str!("shim/node-request.mjs")),
    ("node-response.mjs", include_str!("shim/node-response.mjs")),
    ("pattern.mjs", include_str!("shim/pattern.mjs")),
    ("public-url.mjs", include_str!("shim/public-url.mjs")),
    ("routes.mjs", include_str!("shim/routes.mjs")),
    ("serve-bun.mjs", include_str!("shim/serve-bun.mjs")),
    ("serve-deno.mjs", include_str!("shim/serve-deno.mjs")),
    ("serve-node.mjs", include_str!("shim/serve-node.mjs")),
];

/// What a script's process is told of itself.
pub(crate) struct Start<'a> {
    pub app_dir: &'a Path,
    pub entrypoint: &'a Path,
    pub worker_id: &'a str,
    pub base_path: &'a str,
    pub terminate_ms: u128,
}

/// Writes the files into the folder; the one to start.
pub(crate) fn write(folder: &Folder, start: &Start<'_>) -> io::Result<PathBuf> {
    for (name, text) in FILES {
        std::fs::write(folder.path().join(name), text)?;
    }
    // A path that is not text would not come through JSON; JavaScript could not name its files either.
    let text = |path: &Path| {
        path.to_str()
            .map(str::to_owned)
            .ok_or(io::ErrorKind::InvalidFilename)
    };
    let start = json!({
        "appDir": text(start.app_dir)?,
        "entrypoint": text(start.entrypoint)?,
        "http": text(&folder.http_socket())?,
        "control": text(&folder.control_socket())?,
        "workerId": start.worker_id,
        "basePath": start.base_path,
        "terminateMs": start.terminate_ms,
    });
    std::fs::write(folder.path().join(START), start.to_string())?;
    Ok(folder.path().join(MAIN))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_file_of_the_shim_is_written() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/shim");
        let found = std::fs::read_dir(here).unwrap();
        let names = found.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut there: Vec<_> = names.filter(|name| name.ends_with(".mjs")).collect();
        let mut listed: Vec<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        there.sort();
        listed.sort();
        assert_eq!(listed, there);
    }
}
