//! What an archive has used of what it may.
//!
//! **Invariant:** bytes are counted before they are written.
//! **Invariant:** how far the unpacked may exceed the packed is judged on the way: a bomb of 10 GB is known for one when
//! its first 16 MiB are there.

use std::cell::Cell;
use std::rc::Rc;

use super::{ArchiveError, Unpacked};

/// What an archive may be at most when it is unpacked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Files and folders together.
    pub entries_max: usize,
    /// One file, in bytes.
    pub file_bytes_max: u64,
    /// All files together, in bytes.
    pub bytes_max: u64,
    /// All files together, in sizes of what was read of the archive for them. What is below 16 MiB is never too much.
    pub ratio_max: u64,
}

/// Up to so many bytes nobody asks how well they were packed: an empty page of 1 MiB is no bomb.
pub const RATIO_FREE_BYTES: u64 = 16 << 20;

impl Default for Limits {
    /// 20,000 entries, 256 MiB a file, 1 GiB in all, 100 times the archive's size.
    fn default() -> Limits {
        Limits {
            entries_max: 20_000,
            file_bytes_max: 256 << 20,
            bytes_max: 1 << 30,
            ratio_max: 100,
        }
    }
}

/// An account of one archive.
pub(super) struct Ledger {
    limits: Limits,
    packed_bytes: u64,
    /// How much of the archive was read.
    read_bytes: Rc<Cell<u64>>,
    entries: usize,
    files: usize,
    bytes: u64,
}

impl Ledger {
    pub fn new(limits: &Limits, packed_bytes: u64) -> Ledger {
        Ledger {
            limits: *limits,
            packed_bytes,
            read_bytes: Rc::default(),
            entries: 0,
            files: 0,
            bytes: 0,
        }
    }

    /// Where whoever reads the archive notes how much of it that was.
    pub fn meter(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.read_bytes)
    }

    /// What the ratio allows of an archive of so many bytes.
    fn ratio_bytes(&self, packed: u64) -> u64 {
        let bytes = packed.saturating_mul(self.limits.ratio_max);
        bytes.max(RATIO_FREE_BYTES)
    }

    /// One more entry, of any kind.
    pub fn entry(&mut self) -> Result<(), ArchiveError> {
        self.entries += 1;
        if self.entries > self.limits.entries_max {
            let max = self.limits.entries_max;
            return Err(ArchiveError::Entries { max });
        }
        Ok(())
    }

    /// One more file.
    pub fn file(&mut self) {
        self.files += 1;
    }

    /// `more` bytes of a file that had `before` of them.
    pub fn bytes(&mut self, name: &str, before: u64, more: u64) -> Result<(), ArchiveError> {
        if before.saturating_add(more) > self.limits.file_bytes_max {
            return Err(ArchiveError::File {
                name: name.to_owned(),
                max: self.limits.file_bytes_max,
            });
        }
        self.bytes = self.bytes.saturating_add(more);
        self.check(self.bytes)
    }

    /// Whether so many bytes are within the bounds.
    pub fn check(&self, bytes: u64) -> Result<(), ArchiveError> {
        if bytes > self.limits.bytes_max {
            let max = self.limits.bytes_max;
            return Err(ArchiveError::Bytes { max });
        }
        let read = self.read_bytes.get().min(self.packed_bytes);
        if bytes > self.ratio_bytes(read) {
            let ratio = self.limits.ratio_max;
            return Err(ArchiveError::Ratio { ratio });
        }
        Ok(())
    }

    /// The most that may come out of a stream that holds headers and padding beside the files.
    pub fn stream_bytes_max(&self) -> u64 {
        let headers = self.limits.entries_max as u64 * HEADER_BYTES_MAX;
        let ratio_bytes = self.ratio_bytes(self.packed_bytes);
        self.limits.bytes_max.min(ratio_bytes) + headers.min(RATIO_FREE_BYTES)
    }

    pub fn unpacked(&self) -> Unpacked {
        Unpacked {
            files: self.files,
            bytes: self.bytes,
        }
    }
}

/// A tar entry with a long name: three headers, the name, and the padding of both contents.
const HEADER_BYTES_MAX: u64 = 6 * 512;
