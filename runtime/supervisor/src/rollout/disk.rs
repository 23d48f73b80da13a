//! The file of a rollout: `<apps directory>/<app>.rollout.json`, beside the app's bundles whatever their layout.
//!
//! **Invariant:** a reader sees the file before or the file after, never a part: it is written under another name, put on
//! the disk, and renamed.
//! **Invariant:** what somebody else wrote since it was last looked at is not overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rookery_bundle::AppName;

use super::file::FILE_BYTES_MAX;

/// What stands behind the app's name.
pub const SUFFIX: &str = ".rollout.json";

/// Why a file was not written.
#[derive(Debug)]
pub enum Unwritten {
    /// Somebody else did.
    ChangedMeanwhile,
    /// The disk did not want to.
    Disk(io::Error),
}

/// The name of an app's file, relative to the apps directory.
pub fn name_of(app: &AppName) -> String {
    format!("{app}{SUFFIX}")
}

/// Reads a file. `None` when there is none.
pub fn read(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let message = format!("is larger than {FILE_BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(Some(text))
}

/// Writes an app's file, if what is there is what is `expected`. Blocks on the disk.
pub fn write(
    root: &Path,
    app: &AppName,
    text: &str,
    expected: Option<&str>,
) -> Result<(), Unwritten> {
    let path = root.join(name_of(app));
    // One that cannot be read as text is nobody's last word.
    if let Ok(there) = read(&path)
        && there.as_deref() != expected
    {
        return Err(Unwritten::ChangedMeanwhile);
    }
    replace(&path, text).map_err(Unwritten::Disk)
}

/// Keeps a copy of a file that is whole beside it, under a name that is not looked at. Where it cannot, no older copy
/// stays, and nothing stops for it. Blocks on the disk.
pub fn keep(path: &Path, text: &str) {
    let Some(copy) = copy_of(path) else {
        return;
    };
    if fs::read(&copy).is_ok_and(|there| there == text.as_bytes()) {
        return;
    }
    if let Err(error) = replace(&copy, text) {
        tracing::debug!(%error, "no copy of a rollout's file can be kept");
        forget(path);
    }
}

/// The copy that was kept.
pub fn kept(path: &Path) -> Option<String> {
    read(&copy_of(path)?).ok()?
}

/// Keeps none any more.
pub fn forget(path: &Path) {
    if let Some(copy) = copy_of(path) {
        // There may be none.
        let _ = fs::remove_file(copy);
    }
}

fn copy_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    Some(path.with_file_name(format!(".{name}.good")))
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let staged = staged(path)?;
    let written = write_new(&staged, text).and_then(|()| fs::rename(&staged, path));
    if written.is_err() {
        let _ = fs::remove_file(&staged);
    }
    written?;
    let parent = path.parent().unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A name that nobody looks at, and nobody else takes.
fn staged(path: &Path) -> io::Result<PathBuf> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or(io::ErrorKind::InvalidFilename)?;
    let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    Ok(path.with_file_name(format!(".{name}.{process}-{count}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_leaves_nothing_beside_it() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("@team")).unwrap();
        for name in ["chat", "@team/chat"] {
            let app = AppName::parse(name).unwrap();
            let path = root.path().join(format!("{name}.rollout.json"));
            assert_eq!(read(&path).unwrap(), None);
            write(root.path(), &app, "one", None).unwrap();
            write(root.path(), &app, "two", Some("one")).unwrap();
            assert_eq!(read(&path).unwrap().as_deref(), Some("two"));
            let beside = fs::read_dir(path.parent().unwrap()).unwrap().count();
            assert_eq!(beside, if name == "chat" { 2 } else { 1 });
        }
    }

    #[test]
    fn what_somebody_else_wrote_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let app = AppName::parse("chat").unwrap();
        let path = root.path().join("chat.rollout.json");
        fs::write(&path, "by hand").unwrap();
        for expected in [None, Some("ours")] {
            let refused = write(root.path(), &app, "new", expected);
            assert!(matches!(refused, Err(Unwritten::ChangedMeanwhile)));
        }
        assert_eq!(fs::read_to_string(path).unwrap(), "by hand");
    }

    #[test]
    fn a_folder_that_is_gone_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let app = AppName::parse("chat").unwrap();
        let gone = root.path().join("gone");
        assert!(matches!(
            write(&gone, &app, "x", None),
            Err(Unwritten::Disk(_))
        ));
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("chat.rollout.json");
        fs::write(&path, vec![b' '; 70_000]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("65536"));
    }
}
