//! A request as a handler sees it.
//!
//! **Invariant:** headers, body and authority are fetched from the host when they are first asked for; an app that needs only the
//! path pays for nothing else.

use std::cell::OnceCell;
use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;

use crate::stream::{BodyReader, Source};
use crate::{Error, Headers, Query};

/// The most that [`Request::bytes`] and its relatives read.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A request method.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "RFC 9110 says what they mean")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    Other(String),
}

impl Method {
    /// The method as it is written in a request.
    pub fn as_str(&self) -> &str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
            Method::Other(name) => name,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the host knows of a request and hands over on demand.
pub(crate) trait Incoming {
    fn headers(&self) -> Headers;
    /// Whom the client asked.
    fn authority(&self) -> String;
    /// The body, the first time; None after that.
    fn body(&mut self) -> Option<Box<dyn Source>>;
}

/// A request.
pub struct Request {
    method: Method,
    path: String,
    query: String,
    pub(crate) params: Vec<(&'static str, String)>,
    headers: OnceCell<Headers>,
    authority: OnceCell<String>,
    incoming: Box<dyn Incoming>,
}

impl Request {
    pub(crate) fn new(method: Method, target: &str, incoming: Box<dyn Incoming>) -> Request {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = if path.is_empty() { "/" } else { path };
        Request {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            params: Vec::new(),
            headers: OnceCell::new(),
            authority: OnceCell::new(),
            incoming,
        }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path below the app, percent-encoding kept.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A parameter of the route, decoded; empty when the route has none of that name.
    pub fn param(&self, name: &str) -> &str {
        self.params
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, value)| value)
    }

    /// A parameter of the route as a `T`; 400 naming it when it is none.
    pub fn param_as<T: FromStr>(&self, name: &str) -> Result<T, Error> {
        self.param(name)
            .parse()
            .map_err(|_| Error::bad_request(format!("Invalid value for '{name}'")))
    }

    /// The query as it was sent, without its `?`.
    pub fn raw_query(&self) -> &str {
        &self.query
    }

    /// The query's pairs.
    pub fn query(&self) -> Query {
        Query::parse_str(&self.query)
    }

    /// Whom the client asked, as `host` or `host:port` (RFC 9110, 7.2); `localhost` when it did not say. It is what the
    /// client says, so an app that makes links of it compares it with the names that it knows.
    ///
    /// It stands in for the header `host`, which a component is not shown.
    pub fn authority(&self) -> &str {
        self.authority.get_or_init(|| self.incoming.authority())
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        self.headers.get_or_init(|| self.incoming.headers())
    }

    /// The first value of a header, if it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)
    }

    /// The body as a stream. The first call has it; a later one has an empty stream.
    pub fn body(&mut self) -> BodyReader {
        BodyReader::new(self.incoming.body())
    }

    /// The whole body, up to 2 MiB; 413 when it is larger.
    pub fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        self.bytes_within(BODY_BYTES_MAX)
    }

    /// The whole body, up to `bytes_max`; 413 when it is larger.
    pub fn bytes_within(&mut self, bytes_max: usize) -> Result<Vec<u8>, Error> {
        let mut body = self.body();
        let mut all = Vec::new();
        while let Some(chunk) = body.chunk()? {
            if all.len() + chunk.len() > bytes_max {
                return Err(Error::too_large());
            }
            if all.is_empty() {
                all = chunk;
            } else {
                all.extend_from_slice(&chunk);
            }
        }
        Ok(all)
    }

    /// The whole body as text; 400 when it is not UTF-8.
    pub fn text(&mut self) -> Result<String, Error> {
        String::from_utf8(self.bytes()?)
            .map_err(|_| Error::bad_request("The body is not valid UTF-8"))
    }

    /// The whole body as JSON; 400 when it is not JSON, 422 when it is not a `T`.
    ///
    /// The answer names the place and never repeats what was sent, which may be a password.
    pub fn json<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        let bytes = self.bytes()?;
        serde_json::from_slice(&bytes).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            if error.is_data() {
                Error::invalid(format!(
                    "The body does not have the expected shape ({place})"
                ))
            } else {
                Error::bad_request(format!("The body is not valid JSON ({place})"))
            }
        })
    }

    /// The whole body as a form.
    pub fn form(&mut self) -> Result<Query, Error> {
        self.text().map(|text| Query::parse_str(&text))
    }
}
