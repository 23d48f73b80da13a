//! `rookery canary`: tries a version out, and waits for what comes of it where that is wished.

use std::process::ExitCode;
use std::time::Duration;

use rookery_bundle::AppName;
use serde_json::{Value, json};

use super::remote::{Remote, RemoteArgs, asking};
use super::rollout::{self, Named, course, ended};
use super::{Failure, safe};
use crate::style::{DIM, GOOD, paint};

const EXAMPLES: &str = "\
Examples:
  rookery canary chat@1.1.0                       5, 25, 50 and 100 %, a minute each
  rookery canary chat@1.1.0 --wait                and fail when it is reversed
  rookery canary chat@1.1.0 --steps 1,10,100 --window 15m --max-error-rate 0.5%

It is reversed by itself when it goes beyond a limit, or does worse than the stable version. It is held where it is when
it was asked too little for ten windows, or it or the stable version did not serve, and goes on when that changes.
Exit codes with --wait: 0 promoted, 1 anything else, to be held among it.";

/// How often a canary that is waited for is asked after.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Arguments of `canary`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A version of an app: chat@1.2.3
    version: String,
    /// Its shares in percent, growing: 5,25,50,100
    #[arg(long, value_delimiter = ',', value_name = "PERCENT")]
    steps: Option<Vec<String>>,
    /// How long each lasts at least: 60s
    #[arg(long, value_name = "TIME")]
    window: Option<String>,
    /// The least requests and session events in each step, 0 for none: 20
    #[arg(long, value_name = "NUMBER")]
    min_requests: Option<u64>,
    /// The most answers with a 5xx: 1%
    #[arg(long, value_name = "PERCENT")]
    max_error_rate: Option<String>,
    /// The most faults, of requests and session events: 0.1%
    #[arg(long, value_name = "PERCENT")]
    max_fault_rate: Option<String>,
    /// The largest p99, in times of the stable version's: 1.5
    #[arg(long, value_name = "TIMES")]
    max_p99_ratio: Option<String>,
    /// What becomes of open sessions: they follow in the same shares, or are kept where they are
    #[arg(long, value_parser = ["follow", "keep"], default_value = "follow")]
    sessions: String,
    /// Wait until it is promoted, reversed or held
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    remote: RemoteArgs,
}

/// Begins it.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let named = Named::parse(&args.version)?;
    let body = body(&args, named.version()?);
    let answer = asking(&args.remote, async |remote| {
        let answer = rollout::post(&remote, &named.app, "canary", &body).await?;
        if !args.wait {
            return Ok(answer);
        }
        if !args.remote.json {
            rollout::print(&args.remote, &answer);
        }
        watch(&remote, &named.app, answer, &args.remote).await
    })?;
    if !args.wait {
        rollout::print(&args.remote, &answer);
        return Ok(ExitCode::SUCCESS);
    }
    judged(&args, &answer)
}

fn body(args: &Args, version: &str) -> Value {
    let text = |text: &Option<String>| text.clone().map(Value::from);
    let steps = args.steps.as_ref().map(|steps| json!(steps));
    rollout::body(&[
        ("version", Some(json!(version))),
        ("steps", steps),
        ("window", text(&args.window)),
        ("minRequests", args.min_requests.map(Value::from)),
        ("maxErrorRate", text(&args.max_error_rate)),
        ("maxFaultRate", text(&args.max_fault_rate)),
        ("maxP99Ratio", text(&args.max_p99_ratio)),
        ("sessions", Some(json!(args.sessions))),
    ])
}

/// Looks until this canary is over. The last thing that was said of it.
async fn watch(
    remote: &Remote,
    app: &AppName,
    mut answer: Value,
    args: &RemoteArgs,
) -> Result<Value, Failure> {
    let began = answer["rollout"]["canary"]["began"].clone();
    let mut step = answer["rollout"]["canary"]["step"].clone();
    loop {
        let canary = &answer["rollout"]["canary"];
        if canary.is_null() || canary["began"] != began {
            answer["began"] = began;
            return Ok(answer);
        }
        if canary["held"].is_string() {
            return Ok(answer);
        }
        if canary["step"] != step {
            step = canary["step"].clone();
            if !args.json {
                let share = canary["share"].as_f64().unwrap_or_default();
                let line = format!("{share} %  {}", course(canary));
                anstream::eprintln!("  {}", paint(DIM, line));
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
        answer = rollout::look(remote, app).await?;
    }
}

/// How it ended, or that it is held, as an exit code.
fn judged(args: &Args, answer: &Value) -> Result<ExitCode, Failure> {
    let last = &answer["rollout"]["last"];
    let is_this = last["began"] == answer["began"];
    let how = last["how"].as_str().filter(|_| is_this);
    if args.remote.json {
        super::print_json(&json!({ "app": answer["app"], "rollout": answer["rollout"] }));
    }
    if let Some(held) = answer["rollout"]["canary"]["held"].as_str() {
        let (version, held) = (&args.version, safe::line(held));
        let app = version.rsplit_once('@').map_or(&**version, |(app, _)| app);
        return Err(Failure::Failed(format!(
            "{version} is held: {held}\n  it goes on when that changes; `rookery promote {app}` or `rookery rollback \
             {app}` ends it"
        )));
    }
    let reason = last["reason"].as_str().unwrap_or_default();
    match how {
        Some("promoted") => {
            if !args.remote.json {
                anstream::println!(
                    "{} {} was promoted: {reason}",
                    paint(GOOD, "✓"),
                    args.version
                );
            }
            Ok(ExitCode::SUCCESS)
        }
        Some(how) => {
            let how = ended(how);
            Err(Failure::Failed(format!("{} {how}: {reason}", args.version)))
        }
        None => Err(Failure::Failed(format!(
            "{} is no canary any more, and nothing is known of how it ended; `rookery list` shows what serves",
            args.version
        ))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parsed(line: &str) -> Args {
        let words = std::iter::once("canary").chain(line.split_whitespace());
        Line::try_parse_from(words).unwrap().args
    }

    #[test]
    fn what_nobody_said_is_left_to_the_server() {
        let usual = body(&parsed("chat@1.1.0"), "1.1.0");
        assert_eq!(usual, json!({ "version": "1.1.0", "sessions": "follow" }));
        let line = "chat@1.1.0 --steps 5,25 --window 60s --max-error-rate 1% --max-fault-rate 0.1% \
                    --max-p99-ratio 1.5 --min-requests 0 --sessions keep --wait";
        let all = json!({
            "version": "1.1.0", "steps": ["5", "25"], "window": "60s", "maxErrorRate": "1%",
            "maxFaultRate": "0.1%", "maxP99Ratio": "1.5", "minRequests": 0, "sessions": "keep",
        });
        assert_eq!(body(&parsed(line), "1.1.0"), all);
    }

    #[test]
    fn a_canary_that_is_waited_for_is_judged_by_its_own_end() {
        let ended = |how: &str, began: u64| {
            let last = json!({ "how": how, "began": began, "reason": "why" });
            let answer = json!({ "app": "chat", "began": 5, "rollout": { "last": last } });
            judged(&parsed("chat@1.1.0 --json"), &answer).map_err(|error| error.to_string())
        };
        assert!(ended("promoted", 5).is_ok());
        assert_eq!(
            ended("reversed", 5).unwrap_err(),
            "chat@1.1.0 was reversed: why"
        );
        assert!(
            ended("promoted", 4)
                .unwrap_err()
                .contains("nothing is known")
        );
        let held = json!({ "rollout": { "canary": { "held": "nobody came" } } });
        let held = judged(&parsed("@team/chat@1.1.0 --json"), &held).unwrap_err();
        let expected = "@team/chat@1.1.0 is held: nobody came\n  it goes on when that changes; \
                        `rookery promote @team/chat` or `rookery rollback @team/chat` ends it";
        assert_eq!(held.to_string(), expected);
    }
}
