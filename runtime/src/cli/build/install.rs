//! Puts a component where the manifest expects it.
//!
//! **Invariant:** whoever looks sees the old component or the new one, never a part: it is written under another name and
//! renamed.
//! **Invariant:** a component that did not change is not touched, so that nothing is deployed anew.

use std::fs;
use std::io;
use std::path::Path;

use super::End;

/// Copies `component` to `entry` when it differs.
pub fn install(component: &Path, entry: &Path) -> Result<End, String> {
    copy(component, entry).map_err(|error| format!("the component cannot be put in place: {error}"))
}

fn copy(component: &Path, entry: &Path) -> io::Result<End> {
    let bytes = fs::read(component)?;
    if fs::read(entry).is_ok_and(|there| there == bytes) {
        return Ok(End::UpToDate);
    }
    let folder = entry.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // The name starts with a dot, which the catalog passes over, and has our process in it: `up` and `build` may run at
    // the same time.
    let name = entry.file_name().unwrap_or_default().to_string_lossy();
    let staged = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let renamed = fs::write(&staged, bytes).and_then(|()| fs::rename(&staged, entry));
    if renamed.is_err() {
        // What could not be renamed is of no use; that it cannot be removed either is not worth a second error.
        let _ = fs::remove_file(&staged);
    }
    renamed.map(|()| End::Built)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_component_is_replaced_only_when_it_changed() {
        let dir = tempfile::tempdir().unwrap();
        let (made, entry) = (
            dir.path().join("made.wasm"),
            dir.path().join("bundle/app.wasm"),
        );
        fs::write(&made, "one").unwrap();
        assert_eq!(install(&made, &entry), Ok(End::Built));
        let before = fs::metadata(&entry).unwrap().modified().unwrap();
        assert_eq!(install(&made, &entry), Ok(End::UpToDate));
        assert_eq!(fs::metadata(&entry).unwrap().modified().unwrap(), before);
        fs::write(&made, "two").unwrap();
        assert_eq!(install(&made, &entry), Ok(End::Built));
        assert_eq!(fs::read(&entry).unwrap(), b"two");
        assert_eq!(
            fs::read_dir(entry.parent().unwrap()).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(install(&dir.path().join("none.wasm"), &dir.path().join("app.wasm")).is_err());
    }
}
