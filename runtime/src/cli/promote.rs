//! `rookery promote`: gives everything to a version, or each version its share.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::Failure;
use super::remote::RemoteArgs;
use super::rollout::{self, Named};

const EXAMPLES: &str = "\
Examples:
  rookery promote chat@1.1.0                everything that asks chat for no version goes there
  rookery promote chat                      the canary is good enough
  rookery promote chat 1.0.0=90 1.1.0=10    as it is said, and nobody judges it";

/// Arguments of `promote`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A version of an app, chat@1.2.3; or an app, for its canary or the shares that follow
    app: String,
    /// Shares in percent that add up to 100: 1.2.3=90
    #[arg(value_name = "VERSION=PERCENT")]
    shares: Vec<String>,
    /// Leave open sessions where they are
    #[arg(long, requires = "shares")]
    keep_sessions: bool,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// Promotes it.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let named = Named::parse(&args.app)?;
    let sessions = args.keep_sessions.then(|| json!("keep"));
    let body = match args.shares.as_slice() {
        [] => rollout::body(&[("version", named.version.map(Value::from))]),
        _ if named.version.is_some() => {
            let message =
                "name a version or shares, not both: rookery promote chat 1.0.0=90 1.1.0=10";
            return Err(Failure::Usage(message.to_owned()));
        }
        shares => rollout::body(&[("weights", Some(weights(shares)?)), ("sessions", sessions)]),
    };
    let answer = rollout::change(&args.remote, &named.app, "promote", &body)?;
    rollout::print(&args.remote, &answer);
    Ok(ExitCode::SUCCESS)
}

fn weights(shares: &[String]) -> Result<Value, Failure> {
    let mut weights = json!({});
    for share in shares {
        let parsed = share.split_once('=').and_then(|(version, percent)| {
            let percent = percent.strip_suffix('%').unwrap_or(percent);
            Some((version, percent.parse::<f64>().ok()?))
        });
        let wrong = || {
            let message =
                format!("`{share}` is not a version and its percentage, such as 1.2.3=90");
            Failure::Usage(message)
        };
        let (version, percent) = parsed.ok_or_else(wrong)?;
        weights[version] = json!(percent);
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn shares_are_versions_with_percentages() {
        let read = |shares: &[&str]| {
            let shares: Vec<String> = shares.iter().map(ToString::to_string).collect();
            weights(&shares).ok()
        };
        let expected = json!({ "1.0.0": 90.0, "1.1.0": 10.0 });
        assert_eq!(read(&["1.0.0=90", "1.1.0=10%"]), Some(expected));
        assert_eq!((read(&["1.0.0"]), read(&["1.0.0=many"])), (None, None));
    }
}
