//! What an operator sets, as plain data, gathered from flags, the environment and a file.
//!
//! The strongest source that has a setting wins: flags, then `ROOKERY_…`, then a name that other programs use too
//! (`PORT`), then `rookery.toml`, then the default. `setting` is the table of all of them.
//!
//! **Invariant:** a [`ServerConfig`] that exists is valid. [`load()`] gives one, or every error that it found.
//! **Absent on purpose:** what an author sets; that is the manifest's (`rookery-bundle`).

mod source;

mod value;

mod file;

pub mod tokens;

mod nearest;

mod setting;

mod load;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use rookery_admin::Key;
use rookery_bundle::Expect;
use rookery_hub::HubConfig;
use rookery_storage::SqlLimits;
use rookery_telemetry::trace::TraceConfig;

pub use load::{ConfigErrors, Loaded, apps_dir, data_dir, load};
pub use source::{Flag, Sources};

/// Everything that a server is told from outside.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// For whom errors are written.
    pub mode: Mode,
    /// The folder whose bundles are served. Default: `./apps`.
    pub apps_dir: PathBuf,
    /// The bundle that is served in place of that folder. No setting: `rookery dev` is told it.
    pub bundle: Option<(PathBuf, Expect)>,
    /// Where to listen. Default: 127.0.0.1. Anything but loopback needs an admin token.
    pub host: IpAddr,
    /// The port to listen on; 0 lets the system choose. Default: 8080.
    pub port: u16,
    /// Workers that may live at once, over all apps. 1 to 20,000, default 500.
    pub pool_size: u32,
    /// What the server itself may use of memory, in bytes, before it recycles idle workers. At least 64 MiB; none by
    /// default, and then only what the system says counts.
    pub memory_bytes_max: Option<u64>,
    /// The app that answers `/`, with a selector when it has one: `chat`, `chat@1`.
    pub app_shell: Option<String>,
    /// Where the internal routes are served, and nowhere else, on a thread of their own. None: with the apps.
    pub admin_addr: Option<SocketAddr>,
    /// Who may use the internal routes. None, and no tokens below: everybody, on loopback.
    pub admin_token: Option<AdminToken>,
    /// The file of the tokens below, which is followed while the server runs.
    pub admin_tokens_file: Option<PathBuf>,
    /// Who else may use the internal routes, and for what.
    pub admin_tokens: Vec<Key>,
    /// What a selector that matches nothing gets. Default: the highest version.
    pub version_fallback: VersionFallback,
    /// Whether a path without a selector may get a prerelease that is higher than every stable version.
    pub prefer_prerelease: bool,
    /// Whether a manifest that is not even JSON is passed over for the next source, as Buntime does, instead of refusing
    /// its bundle.
    pub lenient_manifests: bool,
    /// Where compiled components are kept. Default: `rookery` in the user's cache folder, else `./.rookery/cache`.
    pub cache_dir: PathBuf,
    /// Where the apps' databases are kept, a folder for each namespace. Default: `./.rookery/data`.
    pub data_dir: PathBuf,
    /// What is logged, and how.
    pub log: TraceConfig,
    /// How long requests in flight may take after a signal. 0 to 3,600 s, default 30 s.
    pub drain_grace: Duration,
    /// How long a revision that is out of use is kept for sessions that have nowhere else to go. 0 to 86,400 s, default
    /// 300 s.
    pub session_keep: Duration,
    /// How long a revision is tried on the sessions that it takes over. 0 to 3,600 s, default 10 s; 0 is no trial.
    pub session_trial: Duration,
    /// How long a client may take to send its request's headers. 1 to 3,600 s, default 10 s.
    pub header_timeout: Duration,
    /// The largest head of a request, in bytes. 8 KiB to 1 MiB, default 64 KiB.
    pub header_bytes_max: usize,
    /// What the sessions and topics of a namespace may take.
    pub hub: HubConfig,
    /// How large the database of a namespace may grow, in bytes. 1 MiB to 16 TiB, default 1 GiB.
    pub database_bytes_max: u64,
}

/// For whom errors are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// For the author, who sees what went wrong inside. What `rookery up` runs in.
    Development,
    /// For a stranger, who sees a code and a request id. What `rookery serve` runs in.
    Production,
}

/// What a selector that matches no version gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VersionFallback {
    /// The app's highest version, marked as such.
    Highest,
    /// 404.
    None,
}

/// The secret that the internal routes ask for. Never shown, not even by `{:?}`.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminToken(String);

impl ServerConfig {
    /// The defaults, below every source.
    pub fn defaults(mode: Mode, cache_dir: PathBuf) -> ServerConfig {
        ServerConfig {
            mode,
            apps_dir: PathBuf::from("apps"),
            bundle: None,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8080,
            pool_size: 500,
            memory_bytes_max: None,
            app_shell: None,
            admin_addr: None,
            admin_token: None,
            admin_tokens_file: None,
            admin_tokens: Vec::new(),
            version_fallback: VersionFallback::Highest,
            prefer_prerelease: false,
            lenient_manifests: false,
            cache_dir,
            data_dir: PathBuf::from(".rookery/data"),
            log: TraceConfig::default(),
            drain_grace: Duration::from_secs(30),
            session_keep: Duration::from_mins(5),
            session_trial: Duration::from_secs(10),
            header_timeout: Duration::from_secs(10),
            header_bytes_max: 64 * 1024,
            hub: HubConfig::default(),
            database_bytes_max: SqlLimits::default().database_bytes_max,
        }
    }

    /// Whether only this machine can reach the internal routes.
    pub fn is_loopback(&self) -> bool {
        let host = self.admin_addr.map_or(self.host, |address| address.ip());
        host.to_canonical().is_loopback()
    }
}

impl AdminToken {
    /// Takes a token that fits into an `Authorization` header: visible ASCII without spaces.
    pub fn parse(text: &str) -> Option<AdminToken> {
        let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| AdminToken(text.to_owned()))
    }

    /// The secret itself, to compare with.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(…)")
    }
}
