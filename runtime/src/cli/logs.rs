//! `rookery logs`: the last lines of a running server's log, and those that come.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use http::Method;
use rookery_lifecycle::Backoff;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::remote::{Remote, RemoteArgs, asking};
use super::{Failure, safe};
use crate::style::{BAD, DIM, KEY, WARN, paint};

const EXAMPLES: &str = "\
Examples:
  rookery logs                        the last lines
  rookery logs -f --app chat          what the chat says from now on
  rookery logs --level warn -n 1000   what may need a look
  rookery logs --json | jq -r .message";

/// How long a server that went away is waited for, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// Arguments of `logs`.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    remote: RemoteArgs,
    /// Go on with the lines that come, also when the server comes back
    #[arg(short, long)]
    follow: bool,
    /// Only of an app, or of one version of it
    #[arg(long, value_name = "APP[@VERSION]")]
    app: Option<String>,
    /// Only from this level on: trace, debug, info, warn or error
    #[arg(long, value_name = "LEVEL")]
    level: Option<String>,
    /// Only what has this in it
    #[arg(long, value_name = "TEXT")]
    grep: Option<String>,
    /// How many lines to begin with
    #[arg(short = 'n', long, default_value_t = 100, value_name = "COUNT")]
    lines: usize,
}

/// How a line is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// For people.
    Text,
    /// As the server has it, one a line.
    Json,
}

/// Prints them.
pub fn execute(args: Args) -> Result<ExitCode, Failure> {
    let form = if args.remote.json {
        Form::Json
    } else {
        Form::Text
    };
    asking(&args.remote, async |remote| {
        if args.follow {
            return follow(&remote, &args, form).await;
        }
        let answer = remote.ask(Method::GET, &path(&args, None)).await?.done()?;
        let lines = answer["lines"].as_array();
        for line in lines.into_iter().flatten() {
            if print(line, form).is_err() {
                break;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn path(args: &Args, after: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("lines", &args.lines.to_string());
    let given = [
        ("app", args.app.as_deref()),
        ("level", args.level.as_deref()),
        ("text", args.grep.as_deref()),
        ("after", after),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    format!("/_/logs?{}", query.finish())
}

/// Prints what comes, until nobody reads it any more. The first try must succeed; later ones are made again and again.
async fn follow(remote: &Remote, args: &Args, form: Form) -> Result<ExitCode, Failure> {
    let mut backoff = Backoff::new(AGAIN.0, AGAIN.1);
    let mut events = remote.events(&path(args, None)).await?;
    let mut last = None;
    loop {
        match events.next().await {
            Ok(Some(event)) if event.name == "lost" => {
                anstream::eprintln!(
                    "{}",
                    paint(WARN, "… lines were forgotten before they were sent")
                );
            }
            Ok(Some(event)) => {
                let line = serde_json::from_str(&event.data).unwrap_or_default();
                if print(&line, form).is_err() {
                    return Ok(ExitCode::SUCCESS);
                }
                last = event.id.or(last);
            }
            Ok(None) | Err(_) => {
                anstream::eprintln!("{}", paint(DIM, "… the server went away; waiting for it"));
                events = loop {
                    tokio::time::sleep(backoff.next_delay()).await;
                    if let Ok(events) = remote.events(&path(args, last.as_deref())).await {
                        break events;
                    }
                };
                backoff.reset();
            }
        }
    }
}

fn print(line: &Value, form: Form) -> io::Result<()> {
    let mut out = anstream::stdout().lock();
    match form {
        Form::Json => writeln!(out, "{line}")?,
        Form::Text => writeln!(out, "{}", shown(line))?,
    }
    // Whoever reads along sees a line as soon as it is there.
    out.flush()
}

fn shown(line: &Value) -> String {
    let text = |name: &str| line[name].as_str().unwrap_or_default();
    let at = line["at"].as_i64().unwrap_or_default();
    let at = OffsetDateTime::from_unix_timestamp(at / 1000).ok();
    let at = at
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default();
    let style = match text("level") {
        "error" => BAD,
        "warn" => WARN,
        _ => DIM,
    };
    let mut shown = format!(
        "{} {}",
        paint(DIM, at),
        paint(style, format!("{:5}", text("level")))
    );
    if !text("app").is_empty() {
        let label = match text("version") {
            "" => text("app").to_owned(),
            version => format!("{}@{version}", text("app")),
        };
        shown.push_str(&format!(" {}", paint(KEY, safe::line(&label))));
    }
    shown.push_str(&format!(" {}", safe::lines(text("message"))));
    if !text("fields").is_empty() {
        shown.push_str(&format!(" {}", paint(DIM, safe::line(text("fields")))));
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_has_its_time_its_level_and_whose_it_is() {
        let line = json!({
            "number": 1, "at": 1_000, "level": "warn", "target": "guest", "app": "chat", "version": "1.0.0",
            "message": "\u{1b}[2Jpanicked", "fields": "pid=7",
        });
        let plain = anstream::adapter::strip_str(&shown(&line)).to_string();
        assert_eq!(
            plain,
            "1970-01-01T00:00:01Z warn  chat@1.0.0 \u{fffd}[2Jpanicked pid=7"
        );
    }
}
