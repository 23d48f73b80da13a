//! Files of a bundle, served by the host without a worker in the way.
//!
//! A request passes, in this order: `path` (what was asked), `locate`, `cache` and `asset` (what is there), `negotiate`,
//! `html` and `representation` (which form of it), `conditional` and `range` (how much of it), `serve` (the response), `body` (its bytes).
//!
//! **Invariant:** nothing outside the root is opened, whatever the path or a symbolic link says; and a file has an
//! allowed name both as it was asked for and as it was found.
//! **Absent on purpose:** routing, workers and error pages. [`Found::Missing`] leaves the answer to the caller.

mod path;

mod locate;

mod cache;

mod asset;

mod content_type;

mod negotiate;

mod html;

mod representation;

mod pieces;

mod conditional;

mod range;

mod serve;

mod body;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Response, header};
use rookery_pool::Body;

use cache::Reader;

pub use cache::FileCache;

/// The files below one directory, as one revision serves them.
pub struct StaticFiles {
    root: Arc<PathBuf>,
    options: Arc<StaticOptions>,
    cache: Arc<FileCache>,
    reader: Reader,
}

/// How a bundle wants its files served.
#[derive(Clone, Debug, Default)]
pub struct StaticOptions {
    /// The entry page, relative to the root. `None` is `index.html`.
    pub index: Option<String>,
    /// What a navigation to a path without a file gets.
    pub spa_fallback: SpaFallback,
    /// Whether pages are told where they live.
    pub inject_base: BaseInjection,
    /// Set on every response, over what this module would say. Those that frame a message are ignored.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Files that are never served: the worker's own code. Relative to the root, or absolute.
    pub private: Vec<PathBuf>,
}

/// What a navigation gets when there is no file for its path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpaFallback {
    /// The entry page, so that the page's own router decides.
    #[default]
    On,
    /// Nothing.
    Off,
}

/// Whether `<base href="…">` is put into HTML.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BaseInjection {
    /// After the first `<head>`, unless the page brings a base of its own.
    #[default]
    On,
    /// Pages go out as they are.
    Off,
}

/// What came of a request.
#[derive(Debug)]
pub enum Found {
    /// The answer.
    Response(Response<Body>),
    /// No such file: the next handler's turn.
    Missing,
}

impl StaticFiles {
    /// The files below `root`. The directory is looked at when requests come, not now.
    pub fn new(root: PathBuf, mut options: StaticOptions, cache: Arc<FileCache>) -> StaticFiles {
        options.headers.retain(|(name, _)| !frames_a_message(name));
        StaticFiles {
            root: Arc::new(root),
            options: Arc::new(options),
            reader: cache.reader(),
            cache,
        }
    }
}

/// A wrong length or coding from a manifest would cut responses short, or glue two into one.
pub(crate) fn frames_a_message(name: &HeaderName) -> bool {
    [
        header::CONNECTION,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::CONTENT_RANGE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ]
    .contains(name)
}
