//! A request to an app under test, and what came back.

use std::collections::VecDeque;
use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::request::Incoming;
use crate::response::Body;
use crate::stream::{BodyWriter, Sink, Source};
use crate::{Headers, Method, Response};

/// A request to send with [`Host::request`](super::Host::request).
pub struct Request {
    pub(super) method: Method,
    pub(super) target: String,
    headers: Headers,
    authority: String,
    body: VecDeque<Vec<u8>>,
}

impl Request {
    /// A request with this method, for a path with or without a query.
    pub fn new(method: Method, target: &str) -> Request {
        Request {
            method,
            target: target.to_owned(),
            headers: Headers::new(),
            authority: "localhost".to_owned(),
            body: VecDeque::new(),
        }
    }

    /// A `GET`.
    pub fn get(target: &str) -> Request {
        Request::new(Method::Get, target)
    }

    /// A `POST` without a body yet.
    pub fn post(target: &str) -> Request {
        Request::new(Method::Post, target)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers.append(name, value);
        self
    }

    /// Asks this host, such as `example.com:8080`; `localhost` unless it is said.
    #[must_use]
    pub fn authority(mut self, authority: &str) -> Request {
        authority.clone_into(&mut self.authority);
        self
    }

    /// Adds a piece to the body. The app receives pieces as they were added.
    #[must_use]
    pub fn chunk(mut self, bytes: impl Into<Vec<u8>>) -> Request {
        self.body.push_back(bytes.into());
        self
    }

    /// A JSON body.
    ///
    /// # Panics
    ///
    /// When the value does not serialise.
    #[must_use]
    pub fn json(self, value: &impl Serialize) -> Request {
        let bytes = serde_json::to_vec(value).expect("the value serialises");
        self.header("content-type", "application/json").chunk(bytes)
    }

    pub(super) fn into_incoming(self) -> (Method, String, Box<dyn Incoming>) {
        let incoming = Scripted {
            headers: self.headers,
            authority: self.authority,
            body: Some(self.body),
        };
        (self.method, self.target, Box::new(incoming))
    }
}

struct Scripted {
    headers: Headers,
    authority: String,
    body: Option<VecDeque<Vec<u8>>>,
}

impl Incoming for Scripted {
    fn headers(&self) -> Headers {
        self.headers.clone()
    }

    fn authority(&self) -> String {
        self.authority.clone()
    }

    fn body(&mut self) -> Option<Box<dyn Source>> {
        Some(Box::new(Chunks(self.body.take()?)))
    }
}

struct Chunks(VecDeque<Vec<u8>>);

impl Source for Chunks {
    fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.pop_front())
    }
}

/// What an app answered.
#[derive(Debug)]
pub struct Answer {
    status: u16,
    headers: Headers,
    chunks: Vec<Vec<u8>>,
    cut_short: Option<io::Error>,
}

impl Answer {
    /// Runs the body to its end.
    pub(super) fn collect(mut response: Response) -> Answer {
        let headers = std::mem::take(response.headers_mut());
        let status = response.status();
        let mut chunks = Collected(Vec::new());
        let cut_short = match response.body {
            Body::Whole(bytes) if bytes.is_empty() => None,
            Body::Whole(bytes) => chunks.send(&bytes).err(),
            Body::Streamed(write) => write(&mut BodyWriter::new(&mut chunks)).err(),
        };
        Answer {
            status,
            headers,
            chunks: chunks.0,
            cut_short,
        }
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The body in the pieces that the app sent.
    pub fn chunks(&self) -> &[Vec<u8>] {
        &self.chunks
    }

    /// The whole body.
    pub fn bytes(&self) -> Vec<u8> {
        self.chunks.concat()
    }

    /// The whole body as text, what is not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// The whole body as JSON.
    ///
    /// # Panics
    ///
    /// When it is not a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.bytes()).expect("the body is JSON of this shape")
    }

    /// Why a streamed body ended early, if it did.
    pub fn cut_short(&self) -> Option<&io::Error> {
        self.cut_short.as_ref()
    }
}

struct Collected(Vec<Vec<u8>>);

impl Sink for Collected {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.push(bytes.to_vec());
        Ok(())
    }
}
