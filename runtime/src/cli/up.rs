//! `rookery up`: build, serve, watch, rebuild. What an author has running all day.
//!
//! **Invariant:** a bundle that does not build stops nothing: the others are served, and so is its own last component.

mod compiling;

mod banner;

mod watch;

use std::process::ExitCode;

use super::discover::discover;
use super::server_args::ServerArgs;
use super::{Failure, build, serve};
use crate::config::{Mode, ServerConfig};
use crate::progress::Progress;
use crate::style::{WARN, paint};

const EXAMPLES: &str = "\
Examples:
  rookery up                        ./apps on 127.0.0.1:8080
  rookery up --port 0               on a port that is free
  rookery up --apps-dir bundles --log-filter debug";

/// Arguments of `up`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    server: ServerArgs,
}

/// Serves until a signal.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    serve_and_watch(args.server.load(Mode::Development)?)
}

/// Builds what lies in the apps folder, serves it, and builds again what changes, until a signal.
pub fn serve_and_watch(config: ServerConfig) -> Result<ExitCode, Failure> {
    let outcomes = match discover(std::slice::from_ref(&config.apps_dir)) {
        Ok(found) => build::build(&found, &Progress::auto()),
        Err(nothing) => {
            // An empty folder is a good place to begin: what is put there is served.
            anstream::eprintln!("{} {nothing}", paint(WARN, "warning:"));
            Vec::new()
        }
    };
    serve::start_logging(&config)?;
    let watching = watch::start(config.apps_dir.clone(), outcomes);
    let apps_dir = config.apps_dir.clone();
    let code = serve::run(config, compiling::show, move |addresses| {
        banner::print(&apps_dir, addresses);
    });
    drop(watching);
    code
}
