//! Files out of a form, with archives unpacked on the way.
//!
//! **Invariant:** nothing is in its place before the whole form was read and every archive in it unpacked. Then each
//! thing comes by a rename, a folder as a whole where none was.

use std::io;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;
use http::Request;
use http::header::CONTENT_TYPE;
use multer::{Constraints, Field, Multipart, SizeLimit};
use rookery_bundle::archive;
use tokio::io::AsyncWriteExt;

use super::list::is_absent;
use crate::audit::Audit;
use crate::body::{Incoming, Pieces};
use crate::folder::{Folder, Staged, blocking, move_new, sync};
use crate::place::Place;
use crate::refusal::Refusal;

/// The largest form, in bytes.
pub(crate) const UPLOAD_BYTES_MAX: u64 = 512 << 20;
/// How many files a form may have.
const FILES_MAX: usize = 1_000;
/// The longest `path`.
const TEXT_BYTES_MAX: u64 = 4 << 10;

/// A file of the form, as it lies in the staging folder.
struct Part {
    /// What it is called there.
    staged: String,
    /// What the client calls it.
    name: Place,
}

/// Takes a form.
pub(super) async fn upload<B: Incoming>(
    folder: Arc<Folder>,
    request: Request<B>,
    audit: &Audit,
) -> Result<(), Refusal> {
    let content_type = request.headers().get(CONTENT_TYPE);
    let boundary = content_type.and_then(|value| multer::parse_boundary(value.to_str().ok()?).ok());
    let boundary =
        boundary.ok_or_else(|| Refusal::Malformed("a multipart form is expected".into()))?;
    let pieces = Pieces::new(request.into_body(), UPLOAD_BYTES_MAX);
    let fate = pieces.fate();
    let limits = SizeLimit::new()
        .whole_stream(u64::MAX)
        .for_field("path", TEXT_BYTES_MAX);
    let constraints = Constraints::new().size_limit(limits);
    let mut form = Multipart::with_constraints(pieces.into_stream(), boundary, constraints);

    let staging = Arc::clone(&folder);
    let staged = Arc::new(blocking(move || staging.stage()).await?);
    let (target, parts) = read(&mut form, &staged)
        .await
        .map_err(|refusal| fate.or(refusal))?;
    audit.about(format_args!("{} files into `{target}`", parts.len()));
    if parts.is_empty() {
        return Err(Refusal::Missing("NO_FILES_PROVIDED", "no files were sent"));
    }
    blocking(move || publish(&folder, &staged, &target, &parts)).await
}

async fn read(
    form: &mut Multipart<'_>,
    staged: &Arc<Staged>,
) -> Result<(Place, Vec<Part>), Refusal> {
    let (mut target, mut parts) = (Place::root(), Vec::new());
    while let Some(field) = form.next_field().await.map_err(malformed)? {
        match field.name() {
            Some("path") => target = Place::parse(&field.text().await.map_err(malformed)?)?,
            Some("files" | "file") => {
                // A browser sends a file input that nothing was chosen in as a file without a name.
                let Some(name) = field.file_name().filter(|name| !name.is_empty()) else {
                    continue;
                };
                if parts.len() == FILES_MAX {
                    let message = format!("more than {FILES_MAX} files in one form");
                    return Err(Refusal::Malformed(message));
                }
                let name = Place::parse(name)?;
                if name.is_root() {
                    return Err(Refusal::Path("a file has no name"));
                }
                let part = Part {
                    staged: format!("file-{}", parts.len()),
                    name,
                };
                write(field, staged, &part.staged).await?;
                parts.push(part);
            }
            _ => {}
        }
    }
    Ok((target, parts))
}

async fn write(mut field: Field<'_>, staged: &Arc<Staged>, name: &str) -> Result<(), Refusal> {
    let (staged, name) = (Arc::clone(staged), name.to_owned());
    let file = blocking(move || staged.create(&name)).await?;
    let mut file = tokio::fs::File::from_std(file.into_std());
    while let Some(piece) = field.chunk().await.map_err(malformed)? {
        file.write_all(&piece).await.map_err(Refusal::of)?;
    }
    file.flush().await.map_err(Refusal::of)
}

fn malformed(error: multer::Error) -> Refusal {
    Refusal::Malformed(format!("the form cannot be read: {error}"))
}

/// Puts everything in its place.
fn publish(
    folder: &Folder,
    staged: &Staged,
    target: &Place,
    parts: &[Part],
) -> Result<(), Refusal> {
    let (whole, path) = staged.create_dir("whole")?;
    for part in parts {
        let name = part.name.as_str();
        if is_archive(name) {
            unpack(staged, part, &path)?;
        } else {
            if let Some((parent, _)) = part.name.split() {
                whole
                    .create_dir_all(parent.as_path())
                    .map_err(Refusal::of)?;
            }
            let moved = staged.dir.rename(&part.staged, &whole, name);
            moved.map_err(Refusal::of)?;
        }
    }
    // An archive may bring hidden names into an app, but none beside the apps: there they are the server's.
    if target.is_root() {
        for entry in whole.entries().map_err(Refusal::of)? {
            let name = entry.map_err(Refusal::of)?.file_name();
            if name.as_encoded_bytes().starts_with(b".") {
                return Err(Refusal::Path("names that begin with a dot are hidden here"));
            }
        }
    }
    sync(&whole).map_err(Refusal::of)?;
    let into = match folder.dir().create_dir_all(target.as_path()) {
        // Something is there: a folder, or what opening it tells.
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => folder.dir().open_dir(target.as_path()),
    };
    let into = into.map_err(|error| {
        if is_absent(&error) {
            Refusal::Conflict(format!("a file is at `{target}`"))
        } else {
            Refusal::of(error)
        }
    })?;
    // Before anything is moved, so that a clash leaves everything as it is.
    check(&whole, &into)?;
    merge(&whole, &into)
}

/// Buntime's: by the name, whatever the client says of the type.
fn is_archive(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".zip", ".tar.gz", ".tgz"]
        .iter()
        .any(|suffix| name.ends_with(suffix))
}

/// Archives are unpacked one by one into folders of their own and then brought together, because each may have what
/// another one has.
fn unpack(staged: &Staged, part: &Part, whole: &Path) -> Result<(), Refusal> {
    let refuse = |error: archive::ArchiveError| match error {
        archive::ArchiveError::Write(error) | archive::ArchiveError::Read(error) => {
            Refusal::of(error)
        }
        error => Refusal::Archive {
            name: part.name.to_string(),
            reason: error.to_string(),
        },
    };
    let (unpacked, path) = staged.create_dir(&format!("{}-unpacked", part.staged))?;
    let file = staged.dir.open(&part.staged).map_err(Refusal::of)?;
    let limits = archive::Limits::default();
    archive::unpack(&mut file.into_std(), &path, &limits).map_err(refuse)?;
    let into = match part.name.split() {
        Some((parent, _)) if !parent.is_root() => whole.join(parent.as_path()),
        _ => whole.to_owned(),
    };
    std::fs::create_dir_all(&into).map_err(Refusal::of)?;
    let into = Dir::open_ambient_dir(&into, cap_std::ambient_authority()).map_err(Refusal::of)?;
    merge(&unpacked, &into)
}

/// Refuses what would put a file in the place of a folder, or the other way round.
fn check(from: &Dir, into: &Dir) -> Result<(), Refusal> {
    for entry in from.entries().map_err(Refusal::of)? {
        let entry = entry.map_err(Refusal::of)?;
        let name = entry.file_name();
        let Ok(there) = into.symlink_metadata(&name) else {
            continue;
        };
        let is_dir = entry.file_type().map_err(Refusal::of)?.is_dir();
        if is_dir && there.is_dir() {
            let (from, into) = (from.open_dir(&name), into.open_dir(&name));
            check(&from.map_err(Refusal::of)?, &into.map_err(Refusal::of)?)?;
        } else if is_dir || there.is_dir() {
            let message = format!("`{}` is a file and a folder", name.display());
            return Err(Refusal::Conflict(message));
        }
    }
    Ok(())
}

/// Moves what is in one folder into another: a file in the place of a file, a folder as a whole where none is.
fn merge(from: &Dir, into: &Dir) -> Result<(), Refusal> {
    for entry in from.entries().map_err(Refusal::of)? {
        let entry = entry.map_err(Refusal::of)?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(Refusal::Path("a name is not UTF-8"));
        };
        let is_dir = entry.file_type().map_err(Refusal::of)?.is_dir();
        if move_new(from, name, into, name).map_err(Refusal::of)? {
            continue;
        }
        let there = into.symlink_metadata(name).map_err(Refusal::of)?;
        if is_dir && there.is_dir() {
            let (from, into) = (from.open_dir(name), into.open_dir(name));
            merge(&from.map_err(Refusal::of)?, &into.map_err(Refusal::of)?)?;
        } else if is_dir || there.is_dir() {
            let message = format!("`{name}` is a file and a folder");
            return Err(Refusal::Conflict(message));
        } else {
            from.rename(name, into, name).map_err(Refusal::of)?;
        }
    }
    Ok(())
}
