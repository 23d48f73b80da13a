//! Files that were read, kept in memory: a hot file costs no trip to the blocking threads.
//!
//! **Invariant:** what is kept never weighs more than the bound; the least recently asked for goes first.
//! **Invariant:** nobody is given what another one read: a bundle that takes another's place has its paths, and not its files.
//! **Absent on purpose:** the file system. `asset` reads and compares; and absence is not remembered, so a client that
//! asks for names that do not exist pushes nothing out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lru::LruCache;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::asset::Asset;

/// What a server keeps unless it says otherwise.
const BYTES_MAX: u64 = 32 * 1024 * 1024;

/// How long a file is believed to be unchanged.
const BELIEVED: Duration = Duration::from_millis(200);

/// What an entry weighs besides the contents and the path: the structures around them.
const OVERHEAD_BYTES: u64 = 512;

/// The files in memory, of all bundles of a server.
pub struct FileCache {
    kept: Mutex<Kept>,
    bytes_max: u64,
    readers: AtomicU64,
}

/// One who reads files through the cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reader(u64);

struct Kept {
    entries: LruCache<PathBuf, Entry>,
    bytes: u64,
}

struct Entry {
    asset: Arc<Asset>,
    reader: Reader,
    checked: Instant,
}

/// What the cache knows of a file.
pub(super) enum Known {
    /// This, and it is recent enough.
    Fresh(Arc<Asset>),
    /// This, and whoever is told so compares it with the disk; others are served it meanwhile.
    Due(Arc<Asset>),
    /// Nothing.
    No,
}

impl Default for FileCache {
    fn default() -> FileCache {
        FileCache::new(BYTES_MAX)
    }
}

impl FileCache {
    /// A cache of at most `bytes_max` bytes.
    pub fn new(bytes_max: u64) -> FileCache {
        let kept = Kept {
            entries: LruCache::unbounded(),
            bytes: 0,
        };
        FileCache {
            kept: Mutex::new(kept),
            bytes_max,
            readers: AtomicU64::new(0),
        }
    }

    /// One more who reads.
    pub(super) fn reader(&self) -> Reader {
        Reader(self.readers.fetch_add(1, Ordering::Relaxed))
    }

    pub(super) fn get(&self, reader: Reader, path: &Path) -> Known {
        let mut kept = self.kept.lock();
        let entry = kept.entries.get_mut(path);
        let Some(entry) = entry.filter(|entry| entry.reader == reader) else {
            return Known::No;
        };
        let now = Instant::now();
        let asset = entry.asset.clone();
        if now.duration_since(entry.checked) < BELIEVED {
            return Known::Fresh(asset);
        }
        entry.checked = now;
        Known::Due(asset)
    }

    pub(super) fn put(&self, reader: Reader, path: PathBuf, asset: Arc<Asset>) {
        let bytes = weight(&path, &asset);
        if bytes > self.bytes_max {
            return self.forget(&path);
        }
        let mut kept = self.kept.lock();
        kept.bytes += bytes;
        let entry = Entry {
            asset,
            reader,
            checked: Instant::now(),
        };
        // `push` hands back what it displaced: the same path's older state, since there is no bound on the number.
        if let Some((path, old)) = kept.entries.push(path, entry) {
            kept.bytes -= weight(&path, &old.asset);
        }
        while kept.bytes > self.bytes_max
            && let Some((path, old)) = kept.entries.pop_lru()
        {
            kept.bytes -= weight(&path, &old.asset);
        }
    }

    pub(super) fn forget(&self, path: &Path) {
        let mut kept = self.kept.lock();
        if let Some((path, old)) = kept.entries.pop_entry(path) {
            kept.bytes -= weight(&path, &old.asset);
        }
    }
}

fn weight(path: &Path, asset: &Asset) -> u64 {
    asset.memory_bytes() + path.as_os_str().len() as u64 + OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asset(len: usize) -> Arc<Asset> {
        Arc::new(Asset::in_memory(vec![0; len]))
    }

    const READER: Reader = Reader(0);

    fn knows(cache: &FileCache, path: &str) -> bool {
        !matches!(cache.get(READER, Path::new(path)), Known::No)
    }

    #[tokio::test(start_paused = true)]
    async fn the_least_recently_asked_for_goes_first() {
        let cache = FileCache::new(3 * 2_000);
        for name in ["a", "b", "c"] {
            cache.put(READER, name.into(), asset(1_000));
        }
        assert!(knows(&cache, "a"));
        cache.put(READER, "d".into(), asset(1_000));
        assert!(knows(&cache, "a") && knows(&cache, "c") && knows(&cache, "d"));
        cache.put(READER, "e".into(), asset(1_000));
        assert!(!knows(&cache, "b") && !knows(&cache, "a"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_weight_is_what_is_kept() {
        let cache = FileCache::new(10_000);
        for len in [100, 3_000, 200] {
            cache.put(READER, "same".into(), asset(len));
        }
        cache.put(READER, "other".into(), asset(50));
        cache.put(READER, "too large".into(), asset(10_000));
        assert_eq!(cache.kept.lock().bytes, (200 + 4 + 512) + (50 + 5 + 512));
        cache.forget(Path::new("same"));
        cache.forget(Path::new("other"));
        cache.forget(Path::new("never there"));
        assert_eq!(cache.kept.lock().bytes, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_of_many_is_told_to_compare() {
        let cache = FileCache::default();
        cache.put(READER, "a".into(), asset(1));
        assert!(matches!(cache.get(READER, Path::new("a")), Known::Fresh(_)));
        tokio::time::advance(BELIEVED).await;
        assert!(matches!(cache.get(READER, Path::new("a")), Known::Due(_)));
        assert!(matches!(cache.get(READER, Path::new("a")), Known::Fresh(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_anothers_place_is_not_given_its_files() {
        let cache = FileCache::default();
        let (old, new) = (cache.reader(), cache.reader());
        let path = Path::new("page");
        cache.put(old, path.into(), asset(3));
        assert!(matches!(cache.get(new, path), Known::No));
        cache.put(new, path.into(), asset(4));
        assert!(matches!(cache.get(old, path), Known::No));
        assert!(matches!(cache.get(new, path), Known::Fresh(_)));
        assert_eq!(cache.kept.lock().bytes, 4 + 4 + 512, "one of the two");
    }
}
