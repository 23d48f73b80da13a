//! Commands that ask a running server: where it is, what they may, and what it answers.
//!
//! **Invariant:** the token comes from the environment alone; every user of a machine can read the arguments of a process.

mod events;

use std::time::Duration;

use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use rookery_bundle::{AppName, parse_version};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_upstream::{Body, Target, Timeouts, UpstreamConfig, Upstreams, Verify};
use serde_json::Value;

use super::Failure;

pub use events::{Event, Events};

/// Where a server is that nobody said anything else of.
const USUAL: &str = "http://127.0.0.1:8080";
const TOKEN: &str = "ROOKERY_ADMIN_TOKEN";
/// The largest answer that is read: of 10,000 revisions.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A deploy is answered when the bundle was prepared and is live, and each has its own deadline; so long may the server
/// be at one step, too.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(10),
    answer: Duration::from_secs(200),
    idle: Duration::from_secs(200),
};

/// Answers as they come, an object a line.
const STEPS: &str = "application/x-ndjson";

/// Arguments of every such command.
#[derive(clap::Args, Debug)]
pub struct RemoteArgs {
    /// The server, such as `https://rookery.example`
    #[arg(long, env = "ROOKERY_URL", default_value = USUAL, value_name = "URL")]
    server: String,
    /// Print what the server answers as JSON
    #[arg(long)]
    pub json: bool,
}

/// A server that can be asked.
pub struct Remote {
    base: String,
    target: Target,
    token: Option<String>,
    upstreams: std::sync::Arc<Upstreams>,
}

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// How it went.
    pub status: StatusCode,
    /// What it says.
    pub body: Value,
}

/// Runs what asks a server, on a thread.
pub fn asking<T>(
    args: &RemoteArgs,
    work: impl AsyncFnOnce(Remote) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let target = target(&args.server)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("the runtime cannot start: {error}")))?;
    runtime.block_on(async {
        let (tasks, shutdown) = (Tasks::new(), Shutdown::new());
        let remote = Remote {
            base: args.server.trim_end_matches('/').to_owned(),
            target,
            token: std::env::var(TOKEN).ok().filter(|token| !token.is_empty()),
            upstreams: Upstreams::new(UpstreamConfig::default(), &tasks, &shutdown),
        };
        let done = work(remote).await;
        shutdown.request();
        done
    })
}

impl Remote {
    /// Where it is, as it was said.
    pub fn address(&self) -> String {
        self.base.clone()
    }

    /// Asks for something that has no body.
    pub async fn ask(&self, method: Method, path: &str) -> Result<Answer, Failure> {
        let nothing = Empty::new().map_err(|never| match never {}).boxed_unsync();
        self.send(method, path, 0, nothing).await
    }

    /// The address of an app on the server. The operator's routes may have a port of their own.
    pub fn app_address(&self, path: &str, port: Option<u16>) -> String {
        let base = port.and_then(|port| with_port(&self.base, port));
        format!("{}{path}", base.as_deref().unwrap_or(&self.base))
    }

    /// Sends `length` bytes.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        length: u64,
        body: Body,
    ) -> Result<Answer, Failure> {
        let request = Request::builder().method(method).uri(path);
        let answer = self.exchange(request, length, body).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await;
        let body = body.map_err(|error| broken_off(&*error))?;
        let body = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
        self.admitted(Answer { status, body })
    }

    /// The same, and hears of each step on the way to the answer, from a server that tells them.
    pub async fn send_told(
        &self,
        path: &str,
        length: u64,
        body: Body,
        mut hear: impl FnMut(Value),
    ) -> Result<Answer, Failure> {
        let request = Request::builder().method(Method::PUT).uri(path);
        let request = request.header(header::ACCEPT, STEPS);
        let answer = self.exchange(request, length, body).await?;
        let mut status = answer.status();
        let content_type = answer.headers().get(header::CONTENT_TYPE);
        let tells =
            content_type.is_some_and(|value| value.as_bytes().starts_with(STEPS.as_bytes()));
        let mut body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX);
        if !tells {
            let body = body.collect().await;
            let body = body.map_err(|error| broken_off(&*error))?;
            let body = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
            return self.admitted(Answer { status, body });
        }
        let (mut unread, mut last) = (Vec::new(), Value::Null);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken_off(&*error))?;
            let Ok(piece) = frame.into_data() else {
                continue;
            };
            unread.extend_from_slice(&piece);
            while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = unread.drain(..=end).collect();
                let line: Value = serde_json::from_slice(&line).unwrap_or_default();
                // The answer has a state; what comes before it are steps.
                if line["state"].is_string() {
                    last = line;
                } else {
                    hear(line);
                }
            }
        }
        if last.is_null() {
            return Err(broken_off("it ended in the middle of the steps"));
        }
        if let Some(told) = last["status"].as_u64() {
            let told = u16::try_from(told).ok();
            status = told
                .and_then(|told| StatusCode::from_u16(told).ok())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        }
        Ok(Answer { status, body: last })
    }

    async fn exchange(
        &self,
        mut request: http::request::Builder,
        length: u64,
        body: Body,
    ) -> Result<http::Response<Body>, Failure> {
        if length > 0 {
            request = request.header(header::CONTENT_LENGTH, length);
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(body);
        let request = request.map_err(|error| Failure::Usage(format!("{TOKEN}: {error}")))?;
        let answer = self.upstreams.send(&self.target, request, TIMEOUTS).await;
        answer.map_err(|unanswered| {
            let (base, error) = (&self.base, unanswered.error);
            Failure::Failed(format!(
                "{error}\n  is a server running at {base}? --server names another"
            ))
        })
    }

    /// The answer to somebody who may ask.
    fn admitted(&self, answer: Answer) -> Result<Answer, Failure> {
        match answer.status {
            StatusCode::UNAUTHORIZED if self.token.is_none() => Err(Failure::Failed(format!(
                "the server wants its admin token: set {TOKEN}"
            ))),
            StatusCode::UNAUTHORIZED => Err(Failure::Failed(format!(
                "{TOKEN} is not the server's admin token"
            ))),
            _ => Ok(answer),
        }
    }
}

fn broken_off(reason: impl std::fmt::Display) -> Failure {
    Failure::Failed(format!("the answer broke off: {reason}"))
}

/// The same server at another port.
fn with_port(base: &str, port: u16) -> Option<String> {
    let uri: Uri = base.parse().ok()?;
    let (scheme, host) = (uri.scheme_str()?, uri.host()?);
    Some(match (scheme, port) {
        ("http", 80) | ("https", 443) => format!("{scheme}://{host}"),
        _ => format!("{scheme}://{host}:{port}"),
    })
}

impl Answer {
    /// The answer, if it says that it was done.
    pub fn done(self) -> Result<Value, Failure> {
        if self.status.is_success() {
            Ok(self.body)
        } else {
            Err(Failure::Failed(self.reasons().join("\n  ")))
        }
    }

    /// Why it was not.
    pub fn reasons(&self) -> Vec<String> {
        let reasons = self.body["reasons"].as_array();
        let reasons = reasons.into_iter().flatten().filter_map(Value::as_str);
        let mut reasons: Vec<String> = reasons.map(str::to_owned).collect();
        if reasons.is_empty() {
            let error = self.body["error"].as_str();
            reasons.push(error.map_or_else(
                || format!("the server answered {}", self.status),
                str::to_owned,
            ));
        }
        reasons
    }
}

/// Reads `chat@1.2.3` or `@team/chat@1.2.3` into the path of that version.
pub fn version_path(label: &str) -> Result<String, Failure> {
    let parsed = label
        .rsplit_once('@')
        .and_then(|(app, version)| Some((AppName::parse(app).ok()?, parse_version(version)?)));
    let (app, version) = parsed.ok_or_else(|| {
        Failure::Usage(format!(
            "`{label}` is not a version of an app, such as chat@1.2.3"
        ))
    })?;
    Ok(format!("/_/deployments/{app}/{version}"))
}

fn target(server: &str) -> Result<Target, Failure> {
    let wrong = || Failure::Usage(format!("`{server}` is not a server, such as {USUAL}"));
    let uri: Uri = server.parse().map_err(|_| wrong())?;
    let host = uri.host().ok_or_else(wrong)?;
    let host = host.trim_start_matches('[').trim_end_matches(']').into();
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(wrong());
    }
    match uri.scheme_str() {
        Some("http") => Ok(Target::Tcp {
            host,
            port: uri.port_u16().unwrap_or(80),
        }),
        Some("https") => Ok(Target::Tls {
            host,
            port: uri.port_u16().unwrap_or(443),
            verify: Verify::Roots,
        }),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_server_is_a_scheme_a_host_and_perhaps_a_port() {
        for (server, expected) in [
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("http://rookery.example/", Some("http://rookery.example")),
            (
                "https://rookery.example:8443",
                Some("https://rookery.example:8443"),
            ),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("127.0.0.1:8080", None),
            ("ftp://rookery.example", None),
            ("http://rookery.example/apps", None),
            ("", None),
        ] {
            let shown = target(server).ok().map(|target| target.to_string());
            assert_eq!(shown.as_deref(), expected, "{server}");
        }
    }

    #[test]
    fn an_app_may_be_at_another_port_of_the_server() {
        for (base, expected) in [
            ("http://127.0.0.1:9090", "http://127.0.0.1:8080"),
            ("http://[::1]:9090", "http://[::1]:8080"),
            ("https://rookery.example", "https://rookery.example:8080"),
        ] {
            assert_eq!(with_port(base, 8080).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_label_is_an_app_and_a_version() {
        let path = |label| version_path(label).ok();
        assert_eq!(path("chat@1.2.3").unwrap(), "/_/deployments/chat/1.2.3");
        assert_eq!(
            path("@team/chat@v1.0.0").unwrap(),
            "/_/deployments/@team/chat/1.0.0"
        );
        assert_eq!(
            (path("chat"), path("chat@1"), path("../x@1.0.0")),
            (None, None, None)
        );
    }
}
