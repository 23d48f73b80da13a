//! `rookery tag`: calls a version something that paths can ask for.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::Failure;
use super::remote::RemoteArgs;
use super::rollout::{self, Named};
use crate::style::{GOOD, paint};

const EXAMPLES: &str = "\
Examples:
  rookery tag chat@1.1.0 next      /chat@next leads to 1.1.0
  rookery tag chat --remove next   and to nothing any more";

/// Arguments of `tag`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A version of an app, chat@1.2.3; to remove a tag, the app
    app: String,
    /// What it is called
    #[arg(required_unless_present = "remove", conflicts_with = "remove")]
    name: Option<String>,
    /// Call nothing that any more
    #[arg(long, value_name = "NAME")]
    remove: Option<String>,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// Tags it.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let named = Named::parse(&args.app)?;
    let app = &named.app;
    let (body, said) = match (&args.name, &args.remove) {
        (Some(name), _) => {
            let version = named.version()?;
            let said = format!("/{app}@{name} leads to {version}");
            (json!({ "name": name, "version": version }), said)
        }
        (None, Some(name)) if named.version.is_none() => {
            let said = format!("{app} has no tag {name} any more");
            (json!({ "name": name, "version": Value::Null }), said)
        }
        _ => {
            let message =
                format!("to remove a tag, name the app alone: rookery tag {app} --remove NAME");
            return Err(Failure::Usage(message));
        }
    };
    let answer = rollout::change(&args.remote, app, "tag", &body)?;
    if args.remote.json {
        super::print_json(&answer);
    } else {
        anstream::println!("{} {said}", paint(GOOD, "✓"));
    }
    Ok(ExitCode::SUCCESS)
}
