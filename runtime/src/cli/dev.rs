//! `rookery dev DIR`: build, serve, watch, rebuild one bundle, wherever it lies.
//!
//! **Invariant:** nothing but the bundle is listed, watched or served: its folder may lie in a home directory.

use std::path::PathBuf;
use std::process::ExitCode;

use super::discover::{Found, discover};
use super::server_args::ServerArgs;
use super::{Failure, up};
use crate::config::Mode;

const EXAMPLES: &str = "\
Examples:
  rookery dev apps/chat/1.1.0       one version of an app, at /chat/ and /chat@1.1.0/
  rookery dev ~/hello --port 0      a bundle outside of any apps folder, at /hello/";

/// Arguments of `dev`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES, mut_arg("apps_dir", |arg| arg.hide(true)))]
pub struct Args {
    /// The bundle: a folder with a manifest
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    #[command(flatten)]
    server: ServerArgs,
}

/// Serves until a signal.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let bundle = one(args.dir)?;
    let Some(expect) = bundle.expect.clone() else {
        return Err(Failure::Usage(format!(
            "{} cannot be an app: its folder's name has to begin with a letter or digit, and to have letters, digits, \
             \".\", \"_\" and \"-\"",
            bundle.dir.display()
        )));
    };
    // Settings look for the apps folder; here the bundle is all there is.
    let server = args.server.for_bundle(&bundle.dir)?;
    let mut config = server.load(Mode::Development)?;
    config.bundle = Some((bundle.dir, expect));
    up::serve_and_watch(config)
}

/// The one bundle that a folder is.
fn one(dir: PathBuf) -> Result<Found, Failure> {
    let given = dir.display().to_string();
    let mut found = discover(&[dir])?;
    match (found.pop(), found.is_empty()) {
        (Some(bundle), true) => Ok(bundle),
        _ => Err(Failure::Usage(format!(
            "there are several bundles in {given}: name one of them, or use `rookery up --apps-dir {given}`"
        ))),
    }
}
