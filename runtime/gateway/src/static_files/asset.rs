//! One file of a bundle as it was found on disk. Everything here blocks and runs on the blocking threads.
//!
//! **Invariant:** a file is looked at through its canonical path, which lies below the canonical root. Whoever can
//! swap a directory for a link between that look and the opening can write into the bundle, and needs no such trick.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderValue;
use sha2::{Digest, Sha256};

use super::negotiate::Coding;
use super::path::is_private;
use super::{conditional, content_type, html};

/// Files up to this size are kept in memory.
pub(super) const MEMORY_BYTES_MAX: u64 = 256 * 1024;

/// How much of a page is searched for its head when the page is not kept in memory.
const HEAD_BYTES_MAX: u64 = 64 * 1024;

/// A file.
#[derive(Debug)]
pub(super) struct Asset {
    /// Its canonical path.
    pub(super) path: PathBuf,
    /// The state in which it was read.
    pub(super) stamp: Stamp,
    /// Its bytes, unless they are too many.
    pub(super) memory: Option<Bytes>,
    /// Its type.
    pub(super) content_type: HeaderValue,
    /// Its entity tag, without quotes.
    pub(super) tag: String,
    /// When it changed last, if a header can say it.
    pub(super) modified: Option<SystemTime>,
    /// Where a base goes, if it is a page that can take one.
    pub(super) base_place: Option<u64>,
}

/// What tells that a file changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Its length in bytes.
    pub(super) len: u64,
    modified: Option<SystemTime>,
    /// A file that was replaced by renaming may have the length and the time of the old one, but never its inode.
    inode: u64,
    /// Which codings lie beside it.
    codings: [bool; Coding::ALL.len()],
}

/// What is at a path.
#[derive(Debug)]
pub(super) enum OnDisk {
    /// A file that may be served.
    File(Arc<Asset>),
    /// A directory with a page of its own.
    Directory,
    /// Nothing that may be served.
    Nothing,
}

/// Looks up `asked`, a path below `root`.
pub(super) fn look_up(root: &Path, asked: &Path, private: &[PathBuf]) -> io::Result<OnDisk> {
    // What cannot be resolved is not there: a client makes up names at will, so that is no failure of ours.
    let (Ok(root), Ok(path)) = (root.canonicalize(), asked.canonicalize()) else {
        return Ok(OnDisk::Nothing);
    };
    let hidden = |file: &PathBuf| {
        let file = root.join(file);
        file == path || file.canonicalize().is_ok_and(|file| file == path)
    };
    match path.strip_prefix(&root) {
        Ok(below) if !is_private(below) && !private.iter().any(hidden) => {}
        _ => return Ok(OnDisk::Nothing),
    }
    // Asked before the opening, because opening a pipe waits for its other end.
    if path.is_dir() && path.join("index.html").is_file() {
        return Ok(OnDisk::Directory);
    }
    if !path.is_file() {
        return Ok(OnDisk::Nothing);
    }
    match read(asked, path) {
        Ok(asset) => Ok(OnDisk::File(Arc::new(asset))),
        Err(error) if is_out_of_reach(&error) => Ok(OnDisk::Nothing),
        Err(error) => Err(error),
    }
}

/// Whether the file is gone or not ours to read, rather than that reading failed.
fn is_out_of_reach(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
    )
}

fn read(asked: &Path, path: PathBuf) -> io::Result<Asset> {
    let mut file = File::open(&path)?;
    let stamp = Stamp::new(asked, &file.metadata()?);
    let kept = stamp.len <= MEMORY_BYTES_MAX;
    let content_type = content_type::of(asked);
    let is_page = content_type == content_type::HTML;
    let mut bytes = Vec::new();
    if kept || is_page {
        let wanted = if kept { stamp.len } else { HEAD_BYTES_MAX };
        // The capacity makes the one read enough; the limit holds if the file grows meanwhile.
        bytes.reserve_exact(wanted as usize);
        (&mut file).take(wanted).read_to_end(&mut bytes)?;
    }
    let base_place = is_page.then(|| html::base_place(&bytes)).flatten();
    let tag = if kept {
        tag_of_content(&bytes)
    } else {
        tag_of_state(&path, &stamp)
    };
    Ok(Asset {
        path,
        tag,
        memory: kept.then(|| Bytes::from(bytes)),
        content_type,
        modified: stamp.modified.and_then(conditional::header_time),
        base_place: base_place.map(|place| place as u64),
        stamp,
    })
}

impl Stamp {
    /// The state of the file at `path`, now.
    pub(super) fn of(path: &Path) -> io::Result<Stamp> {
        Ok(Stamp::new(path, &fs::metadata(path)?))
    }

    fn new(path: &Path, metadata: &Metadata) -> Stamp {
        Stamp {
            len: metadata.len(),
            modified: metadata.modified().ok(),
            inode: inode(metadata),
            codings: Coding::ALL.map(|coding| sibling(path, coding).is_file()),
        }
    }

    /// Whether `metadata` is of a file in this state.
    fn fits(&self, metadata: &Metadata) -> bool {
        self.len == metadata.len()
            && self.modified == metadata.modified().ok()
            && self.inode == inode(metadata)
    }
}

impl Asset {
    /// What it takes of a cache.
    pub(super) fn memory_bytes(&self) -> u64 {
        self.memory.as_ref().map_or(0, |bytes| bytes.len() as u64)
    }

    /// Whether a coding of it lies beside it.
    pub(super) fn comes_as(&self, coding: Coding) -> bool {
        let mut codings = Coding::ALL.into_iter().zip(self.stamp.codings);
        codings.any(|(one, there)| there && one == coding)
    }

    /// Whether any does.
    pub(super) fn comes_coded(&self) -> bool {
        self.stamp.codings.contains(&true)
    }

    /// Opens it for streaming. `None` when it is not what it was any more.
    pub(super) fn open(&self) -> io::Result<Option<File>> {
        let file = match File::open(&self.path) {
            Err(error) if is_out_of_reach(&error) => return Ok(None),
            file => file?,
        };
        Ok(self.stamp.fits(&file.metadata()?).then_some(file))
    }

    /// A file that was never on a disk.
    #[cfg(test)]
    pub(super) fn in_memory(bytes: Vec<u8>) -> Asset {
        Asset {
            path: PathBuf::new(),
            stamp: Stamp {
                len: bytes.len() as u64,
                modified: None,
                inode: 0,
                codings: [false; 2],
            },
            tag: tag_of_content(&bytes),
            memory: Some(Bytes::from(bytes)),
            content_type: HeaderValue::from_static(content_type::HTML),
            modified: None,
            base_place: None,
        }
    }
}

/// The path of a coding beside a file.
pub(super) fn sibling(path: &Path, coding: Coding) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(coding.suffix());
    PathBuf::from(name)
}

/// Of the content, not of the time: archives and reproducible builds give all files of all versions one time, and
/// `/chat/` is another version tomorrow.
fn tag_of_content(bytes: &[u8]) -> String {
    short(Sha256::new_with_prefix(bytes))
}

/// A large file is not read for its tag. Its path stands for the version.
fn tag_of_state(path: &Path, stamp: &Stamp) -> String {
    let mut digest = Sha256::new_with_prefix(path.as_os_str().as_encoded_bytes());
    digest.update(stamp.len.to_le_bytes());
    digest.update(format!("{:?}", stamp.modified));
    short(digest)
}

/// The tag of an asset with something put into it.
pub(super) fn tag_with(tag: &str, inserted: &str) -> String {
    let digest = short(Sha256::new_with_prefix(inserted));
    format!("{tag}-{}", &digest[..8])
}

fn short(digest: Sha256) -> String {
    digest.finalize()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}
