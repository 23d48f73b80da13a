//! The flags that `up` and `serve` share.
//!
//! **Absent on purpose:** types and bounds. A flag's text is judged with all the other sources, so that every error is
//! reported at once; and a flag for the admin token, which every user of the machine could read.

use std::path::{Path, PathBuf};

use super::Failure;
use crate::config::{ConfigErrors, Flag, Loaded, Mode, Sources, load};
use crate::style::{WARN, paint};

/// Settings of a server.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Settings (each also ROOKERY_…, and in rookery.toml)")]
pub struct ServerArgs {
    /// The file to read settings from [default: ./rookery.toml when it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder whose bundles are served [env: APPS_DIR] [default: apps]
    #[arg(long, value_name = "DIR")]
    apps_dir: Option<String>,
    /// The address to listen on [env: HOST] [default: 127.0.0.1]
    #[arg(long, value_name = "IP")]
    host: Option<String>,
    /// The port to listen on; 0 lets the system choose [env: PORT] [default: 8080]
    #[arg(long, value_name = "PORT")]
    port: Option<String>,
    /// Serve what is below /_/ here and nowhere else, on a thread of its own
    #[arg(long, value_name = "IP:PORT")]
    admin_addr: Option<String>,
    /// A file of named tokens for /_/, which may be changed while the server runs
    #[arg(long, value_name = "FILE")]
    admin_tokens_file: Option<String>,
    /// Workers that may live at once, over all apps [env: POOL_SIZE] [default: 500]
    #[arg(long, value_name = "COUNT")]
    pool_size: Option<String>,
    /// The app that answers / [env: APP_SHELL]
    #[arg(long, value_name = "APP[@SELECTOR]")]
    app_shell: Option<String>,
    /// What a selector that matches no version gets: highest or none [default: highest]
    #[arg(long, value_name = "WHICH")]
    version_fallback: Option<String>,
    /// Whether a manifest that does not parse is passed over: true or false [default: false]
    #[arg(long, value_name = "BOOL")]
    lenient_manifests: Option<String>,
    /// Where compiled components are kept [default: rookery in the user's cache folder]
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<String>,
    /// Where the apps' databases are kept [default: .rookery/data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// How long requests in flight may take after a signal [default: 30]
    #[arg(long, value_name = "SECONDS")]
    drain_grace_secs: Option<String>,
    /// What is logged: info, debug, warn,rookery_pool=trace … [env: RUST_LOG] [default: info]
    #[arg(long, value_name = "FILTER")]
    log_filter: Option<String>,
    /// How it is logged: auto, pretty, plain or json [default: auto]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl ServerArgs {
    /// The same for a bundle that is served alone, in place of an apps folder.
    pub fn for_bundle(self, dir: &Path) -> Result<ServerArgs, Failure> {
        if self.apps_dir.is_some() {
            return Err(Failure::Usage(
                "--apps-dir has no meaning here: one bundle is served; `rookery up` serves a folder of them".to_owned(),
            ));
        }
        Ok(ServerArgs {
            apps_dir: Some(dir.display().to_string()),
            ..self
        })
    }

    /// Gathers the configuration, and says what looks like a mistake in it.
    pub fn load(self, mode: Mode) -> Result<crate::config::ServerConfig, ConfigErrors> {
        let flags = [
            ("apps_dir", self.apps_dir),
            ("host", self.host),
            ("port", self.port),
            ("admin_addr", self.admin_addr),
            ("admin_tokens_file", self.admin_tokens_file),
            ("pool_size", self.pool_size),
            ("app_shell", self.app_shell),
            ("version_fallback", self.version_fallback),
            ("lenient_manifests", self.lenient_manifests),
            ("cache_dir", self.cache_dir),
            ("data_dir", self.data_dir),
            ("drain_grace_secs", self.drain_grace_secs),
            ("log.filter", self.log_filter),
            ("log.format", self.log_format),
        ];
        let given = flags
            .into_iter()
            .filter_map(|(key, value)| Some(Flag { key, value: value? }));
        let Loaded { config, warnings } =
            load(&Sources::from_process(self.config, given.collect()), mode)?;
        for warning in warnings {
            anstream::eprintln!("{} {warning}", paint(WARN, "warning:"));
        }
        Ok(config)
    }
}
