//! A bundle: the files of one version of an app, described by the `worker.config.json` beside them.
//!
//! Read in this order: a folder is [`open`]ed, its manifest is parsed and checked as a whole, its entrypoint is
//! found, and a digest names what was found.
//!
//! **Invariant:** a [`Bundle`] that exists is valid: every value is within its bounds, every path lies inside the
//! bundle's folder with links followed. A bundle with faults is refused with all of them at once, and no message
//! names a path outside the bundle.
//! **Absent on purpose:** clocks, tasks and sockets; what the operator allows; running anything. Only `open`,
//! `entrypoint`, `migrations` and `digest` read files, and only [`archive`] writes any.

mod open;

mod manifest;

mod fields;

mod validate;

mod grants;

mod job;

mod cron;

mod name;

mod version;

mod entrypoint;

mod advice;

mod digest;

pub mod archive;

mod migrations;

mod schema;

mod object;

mod shape;

mod yaml;

mod values;

mod quantity;

mod error;

pub use cron::{Cron, Slot};
pub use digest::{Digest, is_code};
pub use entrypoint::{Entry, Kind};
pub use error::{BundleError, Fault};
pub use grants::{Grants, HostPattern, TopicGrant, TopicPattern};
pub use job::{Job, Schedule};
pub use manifest::{
    Database, Health, History, Isolation, KeysIn, Manifest, Queue, RuntimeKind, Sessions, TtlMode,
    Workers,
};
pub use migrations::{Migration, MigrationFault, read_migrations};
pub use name::{AppName, NameError, Namespace};
pub use open::{
    BrokenManifest, Bundle, Expect, MANIFEST_BYTES_MAX, MANIFEST_FILE, PACKAGE_FILE, YAML_FILE,
    open, open_as, read_manifest,
};
pub use quantity::{duration as parse_duration, show_duration};
pub use schema::schema;
pub use validate::{Parsed, parse_manifest};
pub use version::parse_version;
