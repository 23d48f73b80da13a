//! What the commands about rollouts have in common: what they name, how they ask, and how a rollout looks.
//!
//! **Absent on purpose:** checking rates and steps. The server does that, and says what is wrong.

use http::Method;
use http_body_util::{BodyExt, Full};
use rookery_bundle::{AppName, parse_version};
use serde_json::{Value, json};

use super::Failure;
use super::remote::{Answer, Remote, RemoteArgs, asking};
use super::safe;
use crate::style::{BOLD, DIM, GOOD, WARN, paint};

/// An app, and perhaps one of its versions: `chat`, `@team/chat@1.2.0`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// The app.
    pub app: AppName,
    /// The version, as it is sent.
    pub version: Option<String>,
}

impl Named {
    /// Reads it.
    pub fn parse(text: &str) -> Result<Named, Failure> {
        let wrong = || {
            Failure::Usage(format!(
                "`{text}` is not an app or a version of one, such as chat or chat@1.2.3"
            ))
        };
        // A scope begins with the same sign.
        let (app, version) = match text.rfind('@').filter(|at| *at > 0) {
            None => (text, None),
            Some(at) => {
                let version = parse_version(&text[at + 1..]).ok_or_else(wrong)?;
                (&text[..at], Some(version.to_string()))
            }
        };
        let app = AppName::parse(app).map_err(|_| wrong())?;
        Ok(Named { app, version })
    }

    /// The version, where there has to be one.
    pub fn version(&self) -> Result<&str, Failure> {
        self.version.as_deref().ok_or_else(|| {
            let app = &self.app;
            Failure::Usage(format!("name a version, such as {app}@1.2.3"))
        })
    }
}

/// Asks a server for a change. What its rollout is after it.
pub fn change(args: &RemoteArgs, app: &AppName, act: &str, body: &Value) -> Result<Value, Failure> {
    asking(args, async |remote| post(&remote, app, act, body).await)
}

/// The same of a server that is known.
pub async fn post(
    remote: &Remote,
    app: &AppName,
    act: &str,
    body: &Value,
) -> Result<Value, Failure> {
    let body = body.to_string();
    let length = body.len() as u64;
    let body = Full::from(body).map_err(|never| match never {});
    let path = format!("/_/deployments/{app}/{act}");
    let answer = remote.send(Method::POST, &path, length, body.boxed_unsync());
    done(app, answer.await?)
}

/// What it is now.
pub async fn look(remote: &Remote, app: &AppName) -> Result<Value, Failure> {
    let path = format!("/_/deployments/{app}/rollout");
    done(app, remote.ask(Method::GET, &path).await?)
}

fn done(app: &AppName, answer: Answer) -> Result<Value, Failure> {
    let next = next_step(app, answer.body["code"].as_str().unwrap_or_default());
    answer.done().map_err(|failure| match next {
        None => failure,
        Some(next) => Failure::Failed(format!("{failure}\n  {next}")),
    })
}

/// What somebody can do about a refusal.
fn next_step(app: &AppName, code: &str) -> Option<String> {
    Some(match code {
        "NO_SUCH_APP" => "`rookery list` shows what is deployed".to_owned(),
        "NO_SUCH_VERSION" => "`rookery deploy DIR` puts a version up".to_owned(),
        "NO_STABLE" => "deploy another version, or promote this one".to_owned(),
        "NOTHING_TO_PROMOTE" => format!("such as: rookery promote {app}@1.2.3"),
        "NOTHING_BEFORE" => format!("such as: rookery promote {app}@1.2.3"),
        "CANARY_RUNS" => {
            format!("`rookery promote {app}` or `rookery rollback {app}` ends it")
        }
        "CHANGED_MEANWHILE" => format!("`rookery list` shows what {app} has now"),
        _ => return None,
    })
}

/// Prints what an app's rollout is: as it came, or for people.
pub fn print(args: &RemoteArgs, answer: &Value) {
    if args.json {
        super::print_json(answer);
        return;
    }
    let app = safe::line(answer["app"].as_str().unwrap_or_default());
    anstream::println!("{} {}", paint(GOOD, "✓"), paint(BOLD, &app));
    for line in lines(&answer["rollout"]) {
        anstream::println!("  {line}");
    }
}

/// Who has which share, a line each; then how the canary does, or how the last one ended.
fn lines(rollout: &Value) -> Vec<String> {
    let weights = rollout["weights"].as_object().into_iter().flatten();
    let mut weights: Vec<(&str, f64)> = weights
        .map(|(version, share)| (version.as_str(), share.as_f64().unwrap_or_default()))
        .collect();
    weights.sort_by(|a, b| b.1.total_cmp(&a.1));
    let width = weights.iter().map(|(version, _)| version.len()).max();
    let canary = &rollout["canary"];
    let lines = weights.iter().map(|(version, share)| {
        let version = safe::line(version);
        let width = width.unwrap_or_default();
        let is_canary = canary["version"].as_str() == Some(&version);
        let mark = match is_canary {
            true => paint(WARN, format!("  {}", course(canary))).to_string(),
            false => String::new(),
        };
        format!("{version:<width$}  {share:>6} %{mark}")
    });
    let mut lines: Vec<String> = lines.collect();
    if let (true, Some(how)) = (canary.is_null(), rollout["last"]["how"].as_str()) {
        let last = &rollout["last"];
        let text = |field: &str| safe::line(last[field].as_str().unwrap_or_default());
        let (version, reason) = (text("version"), text("reason"));
        let how = ended(how);
        lines.push(paint(DIM, format!("the last canary, {version}, {how}: {reason}")).to_string());
    }
    if let Some(fault) = rollout["fault"].as_str() {
        let fault = safe::line(fault);
        lines.push(paint(WARN, format!("its file is not in force: {fault}")).to_string());
    }
    lines
}

/// What became of a canary, in words.
pub fn ended(how: &str) -> &str {
    match how {
        "promoted" => "was promoted",
        "reversed" => "was reversed",
        "rolledBack" => "was rolled back",
        "replaced" => "gave way to other weights",
        other => other,
    }
}

/// Where a canary is on its way.
pub fn course(canary: &Value) -> String {
    let step = canary["step"].as_u64().unwrap_or_default() + 1;
    let steps = canary["steps"].as_array().map_or(0, Vec::len);
    let left = canary["leftMs"].as_u64().unwrap_or_default() / 1000;
    let held = canary["held"].as_str().map(|held| format!("held: {held}"));
    match held.as_deref().or(canary["waits"].as_str()) {
        Some(waits) => format!("canary, step {step} of {steps}, {}", safe::line(waits)),
        None => format!("canary, step {step} of {steps}, {left} s left"),
    }
}

/// A body with these fields, those left out that nobody said.
pub fn body(fields: &[(&str, Option<Value>)]) -> Value {
    let mut body = json!({});
    for (name, value) in fields {
        if let Some(value) = value {
            body[*name] = value.clone();
        }
    }
    body
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_app_is_named_with_or_without_a_version() {
        let named = |text: &str| {
            let named = Named::parse(text).ok()?;
            Some((named.app.to_string(), named.version.unwrap_or_default()))
        };
        for (text, expected) in [
            ("chat", Some(("chat", ""))),
            ("chat@1.2.3", Some(("chat", "1.2.3"))),
            ("chat@v1.2.3", Some(("chat", "1.2.3"))),
            ("@team/chat", Some(("@team/chat", ""))),
            ("@team/chat@2.0.0-rc.1", Some(("@team/chat", "2.0.0-rc.1"))),
            ("chat@1", None),
            ("chat@", None),
            ("@1.2.3", None),
            ("../chat", None),
            ("", None),
        ] {
            let expected = expected.map(|(app, version)| (app.to_owned(), version.to_owned()));
            assert_eq!(named(text), expected, "{text}");
        }
    }

    fn plain(rollout: &Value) -> Vec<String> {
        let lines = lines(rollout).into_iter();
        lines
            .map(|line| anstream::adapter::strip_str(&line).to_string())
            .collect()
    }

    #[test]
    fn a_rollout_is_a_line_for_each_version_and_one_for_its_canary() {
        let running = json!({
            "weights": { "1.0.0": 95.0, "1.10.0": 5.0 },
            "canary": { "version": "1.10.0", "step": 0, "steps": [5, 100], "leftMs": 59_400, "waits": null },
            "last": { "version": "0.9.0", "how": "reversed", "reason": "long ago" },
        });
        assert_eq!(
            plain(&running),
            [
                "1.0.0       95 %",
                "1.10.0       5 %  canary, step 1 of 2, 59 s left"
            ]
        );
        let ended = json!({
            "weights": { "1.0.0": 100.0 }, "canary": null, "fault": "x\u{1b}[2J",
            "last": { "version": "1.1.0", "how": "reversed", "reason": "faults: 5 of 9" },
        });
        assert_eq!(
            plain(&ended),
            [
                "1.0.0     100 %",
                "the last canary, 1.1.0, was reversed: faults: 5 of 9",
                "its file is not in force: x\u{fffd}[2J"
            ]
        );
        assert!(plain(&Value::Null).is_empty());
    }
}
