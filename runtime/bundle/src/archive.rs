//! Archives of bundles: taken apart into a folder, and made of one.
//!
//! **Invariant:** what is unpacked are files and folders below the given folder, and nothing else: a name that is
//! absolute or has `..` in it, a link, a device, a pipe or a sparse file refuses the archive.
//! **Invariant:** nothing is believed of what an archive says about its own sizes. Bytes are counted as they come, and
//! memory does not grow with what is in it.
//! **Absent on purpose:** encrypted archives, other compressions than deflate, owners, set-id bits, and taking away what
//! a refused archive left: whoever made the folder throws it away. And times: a bundle's digest tells two builds apart by
//! the times of their files, which a reproducible build has all set to the same.

mod ledger;

mod place;

mod tarball;

mod zipped;

mod pack;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use ledger::Ledger;

pub use ledger::Limits;
pub use pack::{Packed, pack};

/// How files are put together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// A tar archive, compressed with gzip.
    TarGz,
    /// A zip archive.
    Zip,
}

/// What was unpacked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Unpacked {
    /// How many files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Why an archive was refused. Names are those that the archive gives.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is of no format that is known.
    #[error("this is neither a .tar.gz nor a .zip")]
    Format,
    /// It ends early, or its bytes are not what they should be.
    #[error("the archive is damaged or ends early: {0}")]
    Damaged(String),
    /// A name would lead out of the folder, or cannot be a file's.
    #[error("`{name}` {reason}")]
    Name {
        /// As far as it can be shown.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Something that is neither a file nor a folder.
    #[error("`{name}` is {what}: only files and folders are taken")]
    Kind {
        /// As far as it can be shown.
        name: String,
        /// With its article.
        what: &'static str,
    },
    /// Two entries have one name, or one is below another that is a file.
    #[error("`{name}` is there twice")]
    Twice {
        /// As far as it can be shown.
        name: String,
    },
    /// It has too many entries.
    #[error("the archive has more than {max} entries")]
    Entries {
        /// The bound.
        max: usize,
    },
    /// A file in it is too large.
    #[error("`{name}` is larger than {max} bytes")]
    File {
        /// As far as it can be shown.
        name: String,
        /// The bound.
        max: u64,
    },
    /// It is too large when it is unpacked.
    #[error("the archive unpacks to more than {max} bytes")]
    Bytes {
        /// The bound.
        max: u64,
    },
    /// It is far larger unpacked than packed: no bundle is, a bomb is.
    #[error("the archive unpacks to more than {ratio} times its size")]
    Ratio {
        /// The bound.
        ratio: u64,
    },
    /// The disk is full, or does not want to.
    #[error("it cannot be written: {0}")]
    Write(#[source] io::Error),
    /// The archive itself, or a file to be packed, cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[source] io::Error),
}

impl Format {
    /// What a file says it is with its first bytes. Its name is not asked.
    pub fn of(archive: &mut File) -> Result<Format, ArchiveError> {
        let mut magic = Vec::with_capacity(4);
        archive.rewind().map_err(ArchiveError::Read)?;
        let start = archive.by_ref().take(4).read_to_end(&mut magic);
        start.map_err(ArchiveError::Read)?;
        match magic.as_slice() {
            [0x1f, 0x8b, ..] => Ok(Format::TarGz),
            // The second is what an archive of nothing begins with.
            b"PK\x03\x04" | b"PK\x05\x06" => Ok(Format::Zip),
            _ => Err(ArchiveError::Format),
        }
    }
}

/// Unpacks an archive into a folder that is there and empty, and that nobody else writes to. Blocks on the disk.
///
/// # Errors
/// Whatever is wrong with the archive; the folder then holds what came before it.
pub fn unpack(archive: &mut File, into: &Path, limits: &Limits) -> Result<Unpacked, ArchiveError> {
    let format = Format::of(archive)?;
    let packed = archive.seek(SeekFrom::End(0)).map_err(ArchiveError::Read)?;
    archive.rewind().map_err(ArchiveError::Read)?;
    let mut ledger = Ledger::new(limits, packed);
    match format {
        Format::TarGz => tarball::unpack(archive, into, &mut ledger)?,
        Format::Zip => zipped::unpack(archive, into, &mut ledger)?,
    }
    Ok(ledger.unpacked())
}

#[cfg(test)]
mod tests;
