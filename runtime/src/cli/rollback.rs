//! `rookery rollback`: takes a canary's share away, or goes back to what was before the last change.

use std::process::ExitCode;

use serde_json::json;

use super::Failure;
use super::remote::RemoteArgs;
use super::rollout::{self, Named};

const EXAMPLES: &str = "\
Examples:
  rookery rollback chat    twice is back where it was";

/// Arguments of `rollback`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The app
    app: String,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// Goes back.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let named = Named::parse(&args.app)?;
    if named.version.is_some() {
        let app = named.app;
        let message = format!(
            "name the app alone: rookery rollback {app}\n  to go to a version: rookery promote {}",
            args.app
        );
        return Err(Failure::Usage(message));
    }
    let answer = rollout::change(&args.remote, &named.app, "rollback", &json!({}))?;
    rollout::print(&args.remote, &answer);
    Ok(ExitCode::SUCCESS)
}
