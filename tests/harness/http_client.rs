//! An HTTP client that does as it is told: one connection a request, no redirects, no normalising.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Version};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;

use crate::{Upload, within};

pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 with prior knowledge.
    Http2,
}

/// A request that is not made yet.
pub struct Call {
    address: SocketAddr,
    version: Versions,
    request: Request<Body>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// The version of its protocol.
    pub version: Version,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// An answer whose body is still coming. Dropping it closes the connection.
pub struct Reading {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    body: Incoming,
    /// Held so that the connection lives as long as the answer.
    _connection: Connection,
}

/// A connection's task, which ends with this.
struct Connection(tokio::task::JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl Call {
    pub(crate) fn new(address: SocketAddr, method: &str, path: &str) -> Call {
        let request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(path)
            .header(http::header::HOST, address.to_string())
            .body(Empty::new().boxed_unsync());
        Call {
            address,
            version: Versions::Http1,
            request: request.unwrap(),
        }
    }

    /// Speaks this version.
    #[must_use]
    pub fn version(mut self, version: Versions) -> Call {
        self.version = version;
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Call {
        self.request
            .headers_mut()
            .append(name, value.parse().unwrap());
        self
    }

    /// Sends a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Call {
        *self.request.body_mut() = Full::new(body.into()).boxed_unsync();
        self
    }

    /// Sends a body piece by piece, of no declared length.
    #[must_use]
    pub fn upload(mut self) -> (Upload, Call) {
        let (upload, body) = Upload::new();
        *self.request.body_mut() = body;
        (upload, self)
    }

    /// Makes the request and takes the whole answer.
    pub async fn send(self) -> Answer {
        let what = format!("{} {}", self.request.method(), self.request.uri());
        self.try_send()
            .await
            .unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// The same where it may fail.
    pub async fn try_send(self) -> Result<Answer, Failed> {
        let what = format!("{} {}", self.request.method(), self.request.uri());
        within(&what, async {
            let (response, _connection) = self.exchange().await?;
            let (head, body) = response.into_parts();
            Ok(Answer {
                status: head.status,
                version: head.version,
                headers: head.headers,
                body: body.collect().await?.to_bytes(),
            })
        })
        .await
    }

    /// Makes the request and takes the answer's head.
    pub async fn open(self) -> Reading {
        self.try_open().await.unwrap()
    }

    /// The same where it may fail.
    pub async fn try_open(self) -> Result<Reading, Failed> {
        let what = format!(
            "the head of {} {}",
            self.request.method(),
            self.request.uri()
        );
        let (response, connection) = within(&what, self.exchange()).await?;
        let (head, body) = response.into_parts();
        Ok(Reading {
            status: head.status,
            headers: head.headers,
            body,
            _connection: connection,
        })
    }

    async fn exchange(self) -> Result<(http::Response<Incoming>, Connection), Failed> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let io = TokioIo::new(stream);
        // An error of the connection is seen by the request on it, too.
        match self.version {
            Versions::Http1 => {
                let (mut sender, connection) = http1::handshake(io).await?;
                let connection = Connection(tokio::spawn(async { drop(connection.await) }));
                Ok((sender.send_request(self.request).await?, connection))
            }
            Versions::Http2 => {
                let handshake = http2::handshake(TokioExecutor::new(), io);
                let (mut sender, connection) = handshake.await?;
                let connection = Connection(tokio::spawn(async { drop(connection.await) }));
                let mut request = self.request;
                *request.version_mut() = Version::HTTP_2;
                *request.uri_mut() = format!("http://{}{}", self.address, request.uri()).parse()?;
                request.headers_mut().remove(http::header::HOST);
                Ok((sender.send_request(request).await?, connection))
            }
        }
    }
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The first value of a header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

impl Reading {
    /// The next piece of the body; None at its end.
    pub async fn chunk(&mut self) -> Option<Bytes> {
        self.try_chunk().await.map(Result::unwrap)
    }

    /// The same where the body may break off.
    pub async fn try_chunk(&mut self) -> Option<Result<Bytes, hyper::Error>> {
        loop {
            let frame = within("a piece of the body", self.body.frame()).await?;
            match frame.map(|frame| frame.into_data()) {
                Ok(Ok(data)) => return Some(Ok(data)),
                // Trailers are no piece of the body.
                Ok(Err(_)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// What is left of the body.
    pub async fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        while let Some(chunk) = self.chunk().await {
            rest.extend_from_slice(&chunk);
        }
        rest
    }
}
