//! One connection: sends what is due, one request after the other, and notes what came of each.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::plan::Plan;

/// How long a connection may take to be made, or an answer to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Target {
    authority: String,
    path: Uri,
}

/// What came of one request.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// From when it was due to the last byte of its answer.
    pub latency: Duration,
    /// The answer's status; `None` when there was none.
    pub status: Option<u16>,
}

impl Target {
    /// An `http://` address with a host and a port.
    pub fn parse(url: &str) -> Result<Target, &'static str> {
        let uri: Uri = url.parse().map_err(|_| "is no URL")?;
        if uri.scheme_str() != Some("http") {
            return Err("must begin with http://");
        }
        let authority = uri.authority().ok_or("names no host")?;
        let port = authority.port_u16().unwrap_or(80);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Target {
            authority: format!("{}:{port}", authority.host()),
            path: path.parse().map_err(|_| "has no valid path")?,
        })
    }

    fn request(&self) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = self.path.clone();
        // It was part of a URL, so it is a valid value.
        if let Ok(host) = HeaderValue::from_str(&self.authority) {
            request.headers_mut().insert(header::HOST, host);
        }
        request
    }

    async fn connect(&self) -> Option<SendRequest<Empty<Bytes>>> {
        let stream = TcpStream::connect(&self.authority).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        Some(sender)
    }
}

/// Sends all that the `nth` connection has to send.
pub async fn run(target: &Target, plan: &Plan, nth: u32, begin: Instant) -> Vec<Outcome> {
    let mut sender = None;
    let mut outcomes = Vec::new();
    for due in plan.due(nth) {
        let due = begin + due;
        tokio::time::sleep_until(due).await;
        let status = tokio::time::timeout(PATIENCE, ask(target, &mut sender)).await;
        let status = status.ok().flatten();
        if status.is_none() {
            sender = None;
        }
        outcomes.push(Outcome {
            latency: due.elapsed(),
            status,
        });
    }
    outcomes
}

async fn ask(target: &Target, sender: &mut Option<SendRequest<Empty<Bytes>>>) -> Option<u16> {
    if sender.as_ref().is_none_or(SendRequest::is_closed) {
        *sender = target.connect().await;
    }
    let sender = sender.as_mut()?;
    sender.ready().await.ok()?;
    let response = sender.send_request(target.request()).await.ok()?;
    let status = response.status().as_u16();
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        frame.ok()?;
    }
    Some(status)
}
