//! Checks where a rule sends its requests.
//!
//! **Absent on purpose:** the URL after its variables are filled in; only the operator's environment knows it.

use http::Uri;

use crate::template::Template;

const SCHEMES: [&str; 4] = ["http", "https", "ws", "wss"];

/// Whether the target can be dialled, as far as its text tells.
pub(crate) fn check(target: &Template) -> Result<(), &'static str> {
    if target.as_str().is_empty() {
        return Err("must not be empty");
    }
    if target.variables().next().is_some() {
        return Ok(());
    }
    let uri: Uri = target.as_str().parse().map_err(|_| "is not a URL")?;
    if !uri
        .scheme_str()
        .is_some_and(|scheme| SCHEMES.contains(&scheme))
    {
        return Err("must be an http, https, ws or wss URL, or contain ${NAME}");
    }
    let authority = uri.authority().ok_or("names no host")?;
    if authority.host().is_empty() {
        return Err("names no host");
    }
    // The URI parser keeps a port that no socket has; `port()` is None for it.
    let bare = authority
        .as_str()
        .rsplit_once('@')
        .map_or(authority.as_str(), |(_, bare)| bare);
    if bare.len() > authority.host().len() && authority.port_u16().is_none() {
        return Err("has a port that is not a number up to 65535");
    }
    Ok(())
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
        check_target("http://u:p@b", Ok(()));
        check_target("http://b c", Err("URL"));
    }
}
