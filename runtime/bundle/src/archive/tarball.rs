//! Takes a `.tar.gz` apart.
//!
//! POSIX `ustar` and `pax` (IEEE Std 1003.1, pax: "Extended Header"), and GNU's long names.
//!
//! **Invariant:** the headers that describe the next one are read here and bounded: the crate would read them whole,
//! however long they say they are.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use tar::{Archive, Entry, EntryType, PaxExtensions};

use super::ArchiveError;
use super::ledger::Ledger;
use super::place::{self, Runs, shown};

/// The longest description of one entry, in bytes.
const DESCRIPTION_BYTES_MAX: u64 = 64 << 10;

/// The archive, and how much of it was read.
struct Metered<'a> {
    archive: &'a mut File,
    read: Rc<Cell<u64>>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.archive.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}

/// The decompressed stream, which ends with an error where the bounds are.
struct Bounded<'a> {
    stream: MultiGzDecoder<BufReader<Metered<'a>>>,
    left: u64,
    is_spent: &'a Cell<bool>,
}

impl Read for Bounded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => {
                self.left = left;
                Ok(read)
            }
            None => {
                self.is_spent.set(true);
                Err(io::Error::other("it unpacks to too much"))
            }
        }
    }
}

pub(super) fn unpack(
    archive: &mut File,
    into: &Path,
    ledger: &mut Ledger,
) -> Result<(), ArchiveError> {
    let is_spent = Cell::new(false);
    let stream_bytes_max = ledger.stream_bytes_max();
    let archive = Metered {
        archive,
        read: ledger.meter(),
    };
    let stream = Bounded {
        stream: MultiGzDecoder::new(BufReader::new(archive)),
        left: stream_bytes_max,
        is_spent: &is_spent,
    };
    let mut tar = Archive::new(stream);
    let outcome = entries(&mut tar, into, ledger).and_then(|()| {
        // To the end: what tells a whole archive from the first half of one stands there.
        io::copy(&mut tar.into_inner(), &mut io::sink()).map_err(damaged)?;
        Ok(())
    });
    match outcome {
        // The crate shows the error of the stream as one of its own.
        Err(ArchiveError::Damaged(_)) if is_spent.get() => {
            Err(ledger.check(u64::MAX).err().unwrap_or(ArchiveError::Bytes {
                max: stream_bytes_max,
            }))
        }
        outcome => outcome,
    }
}

fn entries(
    tar: &mut Archive<Bounded<'_>>,
    into: &Path,
    ledger: &mut Ledger,
) -> Result<(), ArchiveError> {
    let mut described = None;
    for entry in tar.entries().map_err(damaged)?.raw(true) {
        let mut entry = entry.map_err(damaged)?;
        ledger.entry()?;
        match entry.header().entry_type() {
            EntryType::GNULongName => {
                let mut name = description(&mut entry)?;
                while name.last() == Some(&0) {
                    name.pop();
                }
                described = Some(name);
            }
            EntryType::XHeader => {
                let records = description(&mut entry)?;
                described = path_of(&records)?.or(described);
            }
            // What holds for all entries: the commit that `git archive` made it of.
            EntryType::XGlobalHeader => {
                description(&mut entry)?;
            }
            _ => {
                let name = described
                    .take()
                    .unwrap_or_else(|| entry.path_bytes().into_owned());
                one(entry, &name, into, ledger)?;
            }
        }
    }
    Ok(())
}

/// A file or a folder.
fn one<R: Read>(
    mut entry: Entry<'_, R>,
    name: &[u8],
    into: &Path,
    ledger: &mut Ledger,
) -> Result<(), ArchiveError> {
    let kind = entry.header().entry_type();
    // Before POSIX, a folder was a file whose name ends in a slash.
    let is_folder = kind.is_dir() || (kind.is_file() && name.ends_with(b"/"));
    if !is_folder && !matches!(kind, EntryType::Regular | EntryType::Continuous) {
        return Err(ArchiveError::Kind {
            name: shown(name),
            what: what(kind),
        });
    }
    let Some(path) = place::place(into, name)? else {
        return Ok(());
    };
    if is_folder {
        return place::make_folder(&path, name);
    }
    let runs = Runs::of_mode(entry.header().mode().unwrap_or_default());
    let size = entry.size();
    let file = place::write_file(&path, name, &mut entry, runs, ledger)?;
    if file.metadata().map_err(ArchiveError::Write)?.len() != size {
        return Err(ArchiveError::Damaged(format!(
            "`{}` is cut short",
            shown(name)
        )));
    }
    Ok(())
}

fn what(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Symlink => "a symbolic link",
        EntryType::Link => "a hard link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        EntryType::GNUSparse => "a sparse file",
        EntryType::GNULongLink => "a link with a long name",
        _ => "of an unknown kind",
    }
}

fn description<R: Read>(entry: &mut Entry<'_, R>) -> Result<Vec<u8>, ArchiveError> {
    if entry.size() > DESCRIPTION_BYTES_MAX {
        return Err(ArchiveError::Damaged("a header is too long".to_owned()));
    }
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).map_err(damaged)?;
    Ok(bytes)
}

/// The name in the records of a pax header, if it has one.
fn path_of(records: &[u8]) -> Result<Option<Vec<u8>>, ArchiveError> {
    let mut path = None;
    for record in PaxExtensions::new(records) {
        let record = record.map_err(damaged)?;
        match record.key_bytes() {
            b"path" => path = Some(record.value_bytes().to_vec()),
            // Both say how long the next entry really is, so that two programs would read two archives.
            b"size" => {
                return Err(ArchiveError::Damaged(
                    "a size of more than 8 GiB".to_owned(),
                ));
            }
            key if key.starts_with(b"GNU.sparse.") => {
                return Err(ArchiveError::Kind {
                    name: String::new(),
                    what: "a sparse file",
                });
            }
            _ => {}
        }
    }
    Ok(path)
}

fn damaged(error: io::Error) -> ArchiveError {
    ArchiveError::Damaged(error.to_string())
}
