//! Why a write, or a look at the files, was not done: in words for the client, with the code that programs read.
//!
//! **Invariant:** nothing here names an absolute path. What the system said goes into the log.

use std::io;

use http::StatusCode;
use rookery_supervisor::rollout::RolloutError;

use crate::keys::Role;

/// Why not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// A path that is none, or leads out.
    #[error("{0}")]
    Path(&'static str),
    /// A link on the way leads out of the apps directory.
    #[error("the path leads out of the apps directory")]
    Escape,
    /// A field that has to be there.
    #[error("{1}")]
    Missing(&'static str, &'static str),
    /// A request that cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// Nothing is there.
    #[error("nothing is at `{0}`")]
    NotFound(String),
    /// Something is there that is in the way.
    #[error("{0}")]
    Conflict(String),
    /// The same version with other content.
    #[error("{0} is deployed with other content; say replace to put this in its place")]
    Deployed(String),
    /// A version that is in use.
    #[error("{label} is in use: {}; say force to remove it", .reasons.join(", "))]
    InUse {
        /// `name@version`.
        label: String,
        /// What it is used for.
        reasons: Vec<String>,
    },
    /// A bundle that would not be served.
    #[error("the bundle is refused: {}", .0.join("; "))]
    Bundle(Vec<String>),
    /// An archive that is not taken apart.
    #[error("{name}: {reason}")]
    Archive {
        /// Whose.
        name: String,
        /// Why.
        reason: String,
    },
    /// More than may be sent.
    #[error("the request is larger than {0} bytes")]
    TooLarge(u64),
    /// The client stopped sending.
    #[error("the request did not come within its time")]
    TooSlow,
    /// The connection broke.
    #[error("the request broke off: {0}")]
    BrokenOff(String),
    /// Somebody else's page sent it.
    #[error("this was sent by another site's page")]
    CrossOrigin,
    /// Who asks may something else.
    #[error("the token {name} is for {}, and this needs one for {}", .has.name(), .needed.name())]
    Role {
        /// The token's.
        name: String,
        /// What it is for.
        has: Role,
        /// What would do.
        needed: Role,
    },
    /// A rollout that stays as it is.
    #[error(transparent)]
    Rollout(RolloutError),
    /// As many as may are at it.
    #[error("too many are uploading")]
    Busy,
    /// There is no room.
    #[error("the disk is full")]
    Full,
    /// The server may not write there.
    #[error("the server may not write to the apps directory")]
    NotWritable,
    /// The disk did not want to.
    #[error("it failed; the server's log says why")]
    Disk(#[source] io::Error),
}

impl Refusal {
    /// What went wrong on disk, told apart.
    pub fn of(error: io::Error) -> Refusal {
        match error.kind() {
            // Whoever keeps paths in their folder says it with an error of its own, which has no number.
            io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => Refusal::Escape,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Refusal::NotWritable
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Refusal::Full,
            _ => Refusal::Disk(error),
        }
    }

    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Path(_) => "INVALID_PATH",
            Refusal::Escape => "PATH_OUTSIDE",
            Refusal::Missing(code, _) => code,
            Refusal::Malformed(_) => "BAD_REQUEST",
            Refusal::NotFound(_) => "FILE_NOT_FOUND",
            Refusal::Conflict(_) => "ALREADY_EXISTS",
            Refusal::Deployed(_) => "VERSION_EXISTS",
            Refusal::InUse { .. } => "VERSION_IN_USE",
            Refusal::Bundle(_) => "BUNDLE_REFUSED",
            Refusal::Archive { .. } => "ARCHIVE_REFUSED",
            Refusal::TooLarge(_) => "TOO_LARGE",
            Refusal::TooSlow => "REQUEST_TIMEOUT",
            Refusal::BrokenOff(_) => "BROKEN_OFF",
            Refusal::CrossOrigin => "CROSS_ORIGIN",
            Refusal::Role { .. } => "FORBIDDEN",
            Refusal::Rollout(error) => rollout(error).0,
            Refusal::Busy => "BUSY",
            Refusal::Full => "DISK_FULL",
            Refusal::NotWritable => "NOT_WRITABLE",
            Refusal::Disk(_) => "INTERNAL_SERVER_ERROR",
        }
    }

    /// For browsers.
    pub fn status(&self) -> StatusCode {
        match self {
            Refusal::Path(_)
            | Refusal::Missing(..)
            | Refusal::Malformed(_)
            | Refusal::BrokenOff(_) => StatusCode::BAD_REQUEST,
            Refusal::Escape | Refusal::CrossOrigin | Refusal::Role { .. } => StatusCode::FORBIDDEN,
            Refusal::NotFound(_) => StatusCode::NOT_FOUND,
            Refusal::Conflict(_) | Refusal::Deployed(_) | Refusal::InUse { .. } => {
                StatusCode::CONFLICT
            }
            Refusal::Bundle(_) | Refusal::Archive { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Refusal::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Refusal::Rollout(error) => rollout(error).1,
            Refusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Full => StatusCode::INSUFFICIENT_STORAGE,
            Refusal::NotWritable | Refusal::Disk(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Everything that is wrong, one by one.
    pub fn reasons(&self) -> Vec<String> {
        match self {
            Refusal::Bundle(reasons) | Refusal::InUse { reasons, .. } => reasons.clone(),
            other => vec![other.to_string()],
        }
    }
}

fn rollout(error: &RolloutError) -> (&'static str, StatusCode) {
    match error {
        RolloutError::NoSuchApp { .. } => ("NO_SUCH_APP", StatusCode::NOT_FOUND),
        RolloutError::NoSuchVersion { .. } => ("NO_SUCH_VERSION", StatusCode::NOT_FOUND),
        RolloutError::NoSuchTag { .. } => ("NO_SUCH_TAG", StatusCode::NOT_FOUND),
        RolloutError::NothingToPromote { .. } => ("NOTHING_TO_PROMOTE", StatusCode::CONFLICT),
        RolloutError::NothingBefore { .. } => ("NOTHING_BEFORE", StatusCode::CONFLICT),
        RolloutError::NoStable { .. } => ("NO_STABLE", StatusCode::CONFLICT),
        RolloutError::CanaryRuns { .. } => ("CANARY_RUNS", StatusCode::CONFLICT),
        RolloutError::ChangedMeanwhile { .. } => ("CHANGED_MEANWHILE", StatusCode::CONFLICT),
        RolloutError::NoPlace => ("NO_APPS_DIRECTORY", StatusCode::CONFLICT),
        RolloutError::TagName { .. } | RolloutError::Invalid { .. } | RolloutError::Weights(_) => {
            ("BAD_REQUEST", StatusCode::BAD_REQUEST)
        }
        RolloutError::NotWritten { .. } => ("NOT_WRITTEN", StatusCode::INTERNAL_SERVER_ERROR),
        RolloutError::Busy | RolloutError::Stopped => ("BUSY", StatusCode::SERVICE_UNAVAILABLE),
    }
}
