//! Where a rule sends its requests.
//!
//! **Invariant:** a [`Target`] can be dialled as it stands, and its base can be put in front of any normal path.
//! **Absent on purpose:** a user and a password in the URL: they would be sent to whoever reads the log, and there are
//! `headers` for that.

use http::uri::{Authority, PathAndQuery};
use http::{HeaderValue, Uri};

use crate::path;
use crate::template::Template;

/// The server behind a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Whether it is spoken to in TLS.
    pub scheme: Scheme,
    /// A name or an address; an IPv6 address is in brackets.
    pub host: String,
    /// The port to dial.
    pub port: u16,
    /// `host`, or `host:port` where the port is not the scheme's own.
    pub authority: Authority,
    /// What every path begins with: empty, or `/…` without a `/` at its end.
    pub base: String,
    /// What every query begins with.
    pub query: Option<String>,
}

/// How a target is spoken to. For a WebSocket it is the same connection, upgraded.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scheme {
    /// `http` and `ws`.
    Http,
    /// `https` and `wss`.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Target {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let uri: Uri = text.parse().map_err(|_| "is not a URL")?;
        let scheme = match uri.scheme_str() {
            Some("http" | "ws") => Scheme::Http,
            Some("https" | "wss") => Scheme::Https,
            _ => return Err("must be an http, https, ws or wss URL, or contain ${NAME}"),
        };
        let given = uri.authority().ok_or("names no host")?;
        if given.as_str().contains('@') {
            return Err("must not hold a user or a password; send an authorization header instead");
        }
        let host = given.host().to_ascii_lowercase();
        if host.is_empty() {
            return Err("names no host");
        }
        // The URI parser keeps a port that no socket has; `port_u16()` is None for it.
        let port = match given.port_u16() {
            None if given.as_str().len() > host.len() => {
                return Err("has a port that is not a number up to 65535");
            }
            Some(0) => return Err("has port 0, which nothing listens on"),
            None => scheme.default_port(),
            Some(port) => port,
        };
        let authority = if port == scheme.default_port() {
            host.parse()
        } else {
            format!("{host}:{port}").parse()
        };
        let base = path::normal(uri.path());
        Ok(Self {
            scheme,
            port,
            authority: authority.map_err(|_| "names no host")?,
            base: base.trim_end_matches('/').to_owned(),
            query: uri
                .query()
                .filter(|query| !query.is_empty())
                .map(|query| path::encoded(query, path::is_query).into_owned()),
            host,
        })
    }

    /// `scheme://authority`, which is the target's `Origin`.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme.as_str(), self.authority)
    }

    pub(crate) fn origin_header(&self) -> HeaderValue {
        HeaderValue::try_from(self.origin()).expect("an authority is ASCII")
    }

    pub(crate) fn host_header(&self) -> HeaderValue {
        HeaderValue::from_str(self.authority.as_str()).expect("an authority is ASCII")
    }

    /// The whole URL of a path and query on this target.
    pub(crate) fn uri(&self, path_and_query: PathAndQuery) -> Uri {
        Uri::builder()
            .scheme(self.scheme.as_str())
            .authority(self.authority.clone())
            .path_and_query(path_and_query)
            .build()
            .expect("a scheme, an authority and a path are a URL")
    }
}

/// Whether the target can be dialled, as far as its text tells before its variables are filled in.
pub(crate) fn check(target: &Template) -> Result<(), &'static str> {
    if target.as_str().is_empty() {
        return Err("must not be empty");
    }
    if target.variables().next().is_some() {
        return Ok(());
    }
    Target::parse(target.as_str()).map(drop)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[track_caller]
    fn check_target(text: &str, expected: Result<(), &str>) {
        let outcome = check(&Template::parse(text).unwrap());
        match expected {
            Ok(()) => assert_eq!(outcome, Ok(()), "{text}"),
            Err(part) => assert!(
                outcome.is_err_and(|reason| reason.contains(part)),
                "{text}: {outcome:?}"
            ),
        }
    }

    #[test]
    fn a_target_is_a_url_or_names_variables() {
        for good in [
            "http://b",
            "https://b:3000/base/",
            "ws://127.0.0.1:1",
            "wss://[::1]:8080/x?y",
            "${API}",
            "${A}:x",
        ] {
            check_target(good, Ok(()));
        }
        check_target("", Err("empty"));
        check_target("backend:3000", Err("http"));
        check_target("/path", Err("http"));
        check_target("ftp://b", Err("http"));
        check_target("http://", Err("URL"));
        check_target("http:///x", Err("URL"));
        check_target("http://b:99999", Err("port"));
        check_target("http://b:", Err("port"));
        check_target("http://b:0", Err("port"));
        check_target("http://u:p@b", Err("authorization"));
        check_target("http://b c", Err("URL"));
    }

    #[track_caller]
    fn check_parts(
        text: &str,
        origin: &str,
        dialled: (&str, u16),
        base: &str,
        query: Option<&str>,
    ) {
        let target = Target::parse(text).unwrap();
        assert_eq!(target.origin(), origin, "{text}");
        assert_eq!((target.host.as_str(), target.port), dialled, "{text}");
        assert_eq!(
            (target.base.as_str(), target.query.as_deref()),
            (base, query),
            "{text}"
        );
    }

    #[test]
    fn a_target_has_the_parts_of_its_url() {
        check_parts("http://B", "http://b", ("b", 80), "", None);
        check_parts("http://b:80/", "http://b", ("b", 80), "", None);
        check_parts("wss://b/", "https://b", ("b", 443), "", None);
        check_parts(
            "https://b:80/x/y/?k=1",
            "https://b:80",
            ("b", 80),
            "/x/y",
            Some("k=1"),
        );
        check_parts(
            "ws://[::1]:81/../x#f",
            "http://[::1]:81",
            ("[::1]", 81),
            "/x",
            None,
        );
    }
}
