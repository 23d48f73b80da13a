//! From bytes on the wire to a bundle in the staging folder.

use std::sync::Arc;

use cap_std::fs::File;
use rookery_bundle::archive::{self, ArchiveError, Limits, Unpacked};
use rookery_bundle::{Bundle, BundleError, Expect};
use tokio::io::AsyncWriteExt;

use super::steps::{Step, Steps};
use super::{Label, kind_name};
use crate::body::{Incoming, Pieces};
use crate::folder::{Folder, Staged, blocking};
use crate::refusal::Refusal;

/// The largest archive, in bytes.
pub const ARCHIVE_BYTES_MAX: u64 = 512 << 20;

/// What the folder is called in the staging folder.
pub(super) const BUNDLE: &str = "bundle";
const ARCHIVE: &str = "archive";

/// A bundle that was taken and is not published.
pub(super) struct Taken {
    pub staged: Arc<Staged>,
    pub bundle: Arc<Bundle>,
    pub unpacked: Unpacked,
}

/// Takes an archive and opens what is in it.
pub(super) async fn take(
    folder: &Arc<Folder>,
    label: &Label,
    body: impl Incoming,
    steps: &Steps,
) -> Result<Taken, Refusal> {
    let folder = Arc::clone(folder);
    let (staged, file) = blocking(move || {
        let staged = folder.stage()?;
        let file = staged.create(ARCHIVE)?;
        Ok((staged, file))
    })
    .await?;
    let bytes = write(file, body).await?;
    steps.tell(&Step::Received { bytes });
    let (label, steps) = (label.clone(), steps.clone());
    blocking(move || open(staged, &label, &steps)).await
}

/// Writes it; its size.
async fn write(file: File, body: impl Incoming) -> Result<u64, Refusal> {
    let mut written = 0;
    let mut file = tokio::fs::File::from_std(file.into_std());
    let mut pieces = Pieces::new(body, ARCHIVE_BYTES_MAX);
    let fate = pieces.fate();
    loop {
        let failed = match pieces.next().await {
            Ok(Some(piece)) => {
                written += piece.len() as u64;
                file.write_all(&piece).await.err()
            }
            Ok(None) => {
                let flushed = file.flush().await;
                return flushed.map(|()| written).map_err(Refusal::of);
            }
            Err(_ended) => return Err(fate.or(Refusal::TooSlow)),
        };
        if let Some(error) = failed {
            // A client that still sends when the answer comes may never read it, and a full disk is worth knowing.
            while let Ok(Some(_)) = pieces.next().await {}
            return Err(Refusal::of(error));
        }
    }
}

fn open(staged: Staged, label: &Label, steps: &Steps) -> Result<Taken, Refusal> {
    let (_, path) = staged.create_dir(BUNDLE)?;
    let archive = staged.dir.open(ARCHIVE).map_err(Refusal::of)?;
    let mut archive = archive.into_std();
    let unpacked = archive::unpack(&mut archive, &path, &Limits::default()).map_err(refused)?;
    staged.dir.remove_file(ARCHIVE).map_err(Refusal::of)?;
    steps.tell(&Step::Unpacked {
        files: unpacked.files,
        bytes: unpacked.bytes,
    });
    let expect = Expect {
        name: label.app.clone(),
        version: Some(label.version.clone()),
    };
    let bundle =
        rookery_bundle::open(&path, expect).map_err(|error| refused_bundle(&error, steps))?;
    let warnings = bundle.warnings.clone();
    steps.tell(&Step::Manifest { warnings });
    let kind = kind_name(bundle.kind());
    steps.tell(&Step::Entrypoint { kind });
    Ok(Taken {
        staged: Arc::new(staged),
        bundle: Arc::new(bundle),
        unpacked,
    })
}

fn refused_bundle(error: &BundleError, steps: &Steps) -> Refusal {
    match error {
        BundleError::Invalid { file, faults } => {
            let faults = faults.iter().map(|fault| format!("{file}: {fault}"));
            return Refusal::Bundle(faults.collect());
        }
        // It is looked for when the manifest has said where.
        BundleError::NoEntrypoint { .. } => steps.tell(&Step::Manifest {
            warnings: Vec::new(),
        }),
        _ => {}
    }
    Refusal::Bundle(vec![error.to_string()])
}

fn refused(error: ArchiveError) -> Refusal {
    match error {
        ArchiveError::Write(error) | ArchiveError::Read(error) => Refusal::of(error),
        error => Refusal::Archive {
            name: "the archive".to_owned(),
            reason: error.to_string(),
        },
    }
}
