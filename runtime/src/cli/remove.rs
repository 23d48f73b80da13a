//! `rookery remove`: takes a version down on a running server.

use std::process::ExitCode;

use http::Method;

use super::Failure;
use super::remote::{RemoteArgs, asking, version_path};
use crate::style::{GOOD, paint};

const EXAMPLES: &str = "\
Examples:
  rookery remove chat@1.0.0
  rookery remove chat@1.0.0 --force    though it is in use; what it began, it finishes";

/// Arguments of `remove`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A version of an app: chat@1.2.3
    version: String,
    /// Remove it though it is in use
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// Removes it.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let path = version_path(&args.version)?;
    let query = if args.force { "?force=true" } else { "" };
    let told = asking(&args.remote, async |remote| {
        let answer = remote
            .ask(Method::DELETE, &format!("{path}{query}"))
            .await?;
        if answer.body["code"] == "VERSION_IN_USE" {
            let reasons = answer.reasons().join("\n  ");
            let message = format!(
                "{} is in use:\n  {reasons}\n  --force removes it",
                args.version
            );
            return Err(Failure::Failed(message));
        }
        answer.done()
    })?;
    if args.remote.json {
        super::print_json(&told);
    } else {
        anstream::println!("{} {} is removed", paint(GOOD, "✓"), args.version);
    }
    Ok(ExitCode::SUCCESS)
}
