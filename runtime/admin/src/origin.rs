//! From which page a request was sent, and under which name the server was reached.
//!
//! A browser says with each request that may change something which site's page sent it (`Origin`, RFC 6454 section 7;
//! `Sec-Fetch-Site`, <https://www.w3.org/TR/fetch-metadata/>). Programs say nothing.
//!
//! **Invariant:** a write that another site's page sent is refused, whoever's login the browser put on it.

use std::net::IpAddr;

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Uri};

use crate::audit::Who;
use crate::refusal::Refusal;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// How the browser reached us, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS, ended here or by a proxy in front.
    Https,
}

/// Refuses what another site's page sent.
pub(crate) fn check(who: &Who, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
    let site = headers.get(SEC_FETCH_SITE).map(|value| value.as_bytes());
    let origin = headers.get(ORIGIN);
    let is_ours = match (site, origin) {
        (Some(b"same-origin" | b"none") | None, Some(origin)) => origin
            .to_str()
            .ok()
            .and_then(authority_of)
            .is_some_and(|theirs| {
                reached_as(uri, headers).is_some_and(|ours| ours.eq_ignore_ascii_case(theirs))
            }),
        (Some(b"same-origin" | b"none"), None) => true,
        // A cookie comes from a browser, and a browser says where from.
        (None, None) => !matches!(who, Who::Login(..)),
        (Some(_), _) => false,
    };
    if is_ours {
        Ok(())
    } else {
        Err(Refusal::CrossOrigin)
    }
}

/// How the page was reached that sent this.
pub(crate) fn scheme(headers: &HeaderMap) -> Scheme {
    let origin = headers.get(ORIGIN).map(|value| value.as_bytes());
    match origin {
        Some(origin) if origin.starts_with(b"https://") => Scheme::Https,
        _ => Scheme::Http,
    }
}

/// Whether the server was reached by a name of this machine. Another site can have its name lead to 127.0.0.1, and its
/// pages are then of the same origin as we are.
pub(crate) fn names_this_machine(uri: &Uri, headers: &HeaderMap) -> bool {
    let Some(authority) = reached_as(uri, headers) else {
        // Only programs speak a version of HTTP in which that can be left out.
        return true;
    };
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
}

fn reached_as<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let host = || headers.get(HOST)?.to_str().ok();
    uri.authority()
        .map(http::uri::Authority::as_str)
        .or_else(host)
}

fn authority_of(origin: &str) -> Option<&str> {
    let rest = origin.strip_prefix("https://");
    rest.or_else(|| origin.strip_prefix("http://"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::keys::Role;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn what_another_sites_page_sends_is_refused() {
        let host = ("host", "rookery.example:8080");
        let ours = ("origin", "https://rookery.example:8080");
        let same = ("sec-fetch-site", "same-origin");
        for (pairs, by_program, by_login) in [
            (&[host][..], true, false),
            (&[host, ours], true, true),
            (&[host, ours, same], true, true),
            (&[host, same], true, true),
            (
                &[host, ("origin", "http://ROOKERY.example:8080")],
                true,
                true,
            ),
            (&[host, ("origin", "https://rookery.example")], false, false),
            (&[host, ("origin", "https://evil.example")], false, false),
            (&[host, ("origin", "null")], false, false),
            (
                &[host, ours, ("sec-fetch-site", "cross-site")],
                false,
                false,
            ),
            (&[host, ours, ("sec-fetch-site", "same-site")], false, false),
            (&[host, ("sec-fetch-site", "cross-site")], false, false),
            (&[ours], false, false),
        ] {
            let headers = headers(pairs);
            let uri = Uri::from_static("/_/deployments/mkdir");
            let token = Who::Token("ada".into(), Role::Deploy);
            let login = Who::Login("ada".into(), Role::Deploy);
            assert_eq!(
                check(&token, &uri, &headers).is_ok(),
                by_program,
                "{pairs:?}"
            );
            assert_eq!(check(&login, &uri, &headers).is_ok(), by_login, "{pairs:?}");
        }
        let of_http2 = Uri::from_static("http://rookery.example/_/");
        let origin = headers(&[("origin", "http://rookery.example")]);
        let login = Who::Login("ada".into(), Role::Deploy);
        assert!(check(&login, &of_http2, &origin).is_ok());
    }

    #[test]
    fn a_name_of_this_machine_is_told_from_others() {
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST:8080", true),
            ("app.localhost", true),
            ("127.0.0.1:8080", true),
            ("127.8.8.8", true),
            ("[::1]:8080", true),
            ("[::ffff:127.0.0.1]", true),
            ("evil.example:8080", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("10.0.0.1", false),
            ("localhost:x@evil.example", false),
            ("", false),
        ] {
            let is = names_this_machine(&Uri::from_static("/_/"), &headers(&[("host", host)]));
            assert_eq!(is, expected, "{host}");
        }
    }
}
