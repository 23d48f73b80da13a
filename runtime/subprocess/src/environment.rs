//! What a process finds in its environment.
//!
//! **Invariant:** of the server's own variables a process has those that its manifest was granted, and the few that name
//! no secret: where programs are, the language, the time zone. None begins with `ROOKERY_`.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use rookery_host::Guest;

use crate::folders::Folder;

/// Names and values.
pub(crate) type Environment = Vec<(OsString, OsString)>;

/// Taken over when the server has them.
const INHERITED: [&str; 4] = ["LANG", "LC_ALL", "LC_CTYPE", "TZ"];

/// What our own settings begin with.
const OURS: &str = "ROOKERY_";

/// What every process of a revision has. What it needs for its own start is added by whoever starts it, and wins.
pub(crate) fn environment(
    guest: &Guest,
    folder: &Folder,
    path: &OsStr,
    entrypoint: Option<&Path>,
) -> Environment {
    let bundle = guest.bundle();
    let mut environment = Vec::new();
    set(&mut environment, "PATH", path);
    set(&mut environment, "NODE_ENV", "production");
    for name in INHERITED {
        if let Some(value) = std::env::var_os(name) {
            set(&mut environment, name, value);
        }
    }
    set(&mut environment, "HOME", folder.home());
    set(&mut environment, "TMPDIR", folder.temporary());
    set(&mut environment, "APP_DIR", &bundle.dir);
    if let Some(entrypoint) = entrypoint {
        set(&mut environment, "ENTRYPOINT", entrypoint);
    }
    set(&mut environment, "WORKER_ID", worker_id(guest, folder));
    set(&mut environment, "BASE_PATH", base_path(guest));
    for (name, value) in guest.config() {
        if !name.starts_with(OURS) {
            set(&mut environment, name, value);
        }
    }
    environment
}

/// Sets a variable, in place of what it was.
pub(crate) fn set(environment: &mut Environment, name: &str, value: impl Into<OsString>) {
    environment.retain(|(known, _)| known != name);
    environment.push((name.into(), value.into()));
}

/// Where people find the app.
pub(crate) fn base_path(guest: &Guest) -> String {
    format!("/{}", guest.bundle().name)
}

/// Which of the workers it is.
pub(crate) fn worker_id(guest: &Guest, folder: &Folder) -> String {
    let number = folder.path().file_name().unwrap_or_default();
    format!("{}#{}", guest.bundle().label(), number.to_string_lossy())
}
