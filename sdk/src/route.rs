//! Which handler a method and a path lead to.
//!
//! **Invariant:** the most specific pattern wins, whatever the order of registration: segment by segment, a literal
//! goes before a parameter and a parameter before a rest.
//! **Absent on purpose:** a tree, and patterns parsed in advance. An app may live for one request, so what a table costs
//! to build counts as much as what it costs to ask.

use std::borrow::Cow;

use crate::{Error, Method, Request, Response, percent};

pub(crate) type Handler = Box<dyn Fn(&mut Request) -> Result<Response, Error>>;
type Params = Vec<(&'static str, String)>;

struct Route {
    method: Method,
    /// `/literal/:parameter/*rest`
    pattern: &'static str,
    handler: Handler,
}

/// The app's routes.
#[derive(Default)]
pub(crate) struct Routes(Vec<Route>);

impl Routes {
    pub(crate) fn add(&mut self, method: Method, pattern: &'static str, handler: Handler) {
        self.0.push(Route {
            method,
            pattern,
            handler,
        });
    }

    /// The handler and its parameters; None when no pattern matches the path; 400 or 405 when that is the answer.
    pub(crate) fn find(
        &self,
        method: &Method,
        path: &str,
    ) -> Result<Option<(&Handler, Params)>, Error> {
        let segments = split(path)
            .map(percent::decode)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Error::bad_request("The path is not encoded properly"))?;
        let matching: Vec<(u64, &Route)> = self
            .0
            .iter()
            .filter_map(|route| Some((rank(route.pattern, &segments)?, route)))
            .collect();
        if matching.is_empty() {
            return Ok(None);
        }
        // HEAD is GET without the body, unless the app has its own idea of it.
        let wanted = [
            Some(method),
            (*method == Method::Head).then_some(&Method::Get),
        ];
        for method in wanted.into_iter().flatten() {
            let best = matching
                .iter()
                .filter(|(_, route)| route.method == *method)
                .reduce(|best, next| if next.0 > best.0 { next } else { best });
            if let Some((_, route)) = best {
                return Ok(Some((&route.handler, params(route.pattern, &segments))));
            }
        }
        Err(Error::method_not_allowed(allow(&matching)))
    }
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

/// How specific the pattern is for these segments, two bits a segment; None when it does not match.
fn rank(pattern: &str, segments: &[Cow<'_, str>]) -> Option<u64> {
    const LITERAL: u64 = 2;
    const PARAMETER: u64 = 1;
    let mut rank = 0;
    let mut rest = segments;
    for part in split(pattern) {
        let here = if part.starts_with('*') {
            // A rest matches what is left, at least one segment, and nothing ranks below it.
            return (!rest.is_empty()).then(|| shift(rank, rest.len()));
        } else {
            let (segment, tail) = rest.split_first()?;
            rest = tail;
            match part.strip_prefix(':') {
                Some(_) if segment.is_empty() => return None,
                Some(_) => PARAMETER,
                None if part == segment => LITERAL,
                None => return None,
            }
        };
        rank = shift(rank, 1) | here;
    }
    rest.is_empty().then_some(rank)
}

/// Beyond 32 segments the first ones no longer count, which no route table will notice.
fn shift(rank: u64, segments: usize) -> u64 {
    u32::try_from(segments * 2)
        .ok()
        .and_then(|bits| rank.checked_shl(bits))
        .unwrap_or(0)
}

fn params(pattern: &'static str, segments: &[Cow<'_, str>]) -> Params {
    let mut params = Params::new();
    for (at, part) in split(pattern).enumerate() {
        if let Some(name) = part.strip_prefix(':') {
            params.push((name, segments[at].to_string()));
        } else if let Some(name) = part.strip_prefix('*') {
            params.push((name, segments[at..].join("/")));
        }
    }
    params
}

fn allow(matching: &[(u64, &Route)]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (_, route) in matching {
        let with_head = (route.method == Method::Get).then_some("HEAD");
        for name in [Some(route.method.as_str()), with_head]
            .into_iter()
            .flatten()
        {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(patterns: &[(Method, &'static str)]) -> Routes {
        let mut routes = Routes::default();
        for (method, pattern) in patterns {
            let handler: Handler = Box::new(|_| Ok(Response::new(204)));
            routes.add(method.clone(), pattern, handler);
        }
        routes
    }

    fn chosen(patterns: &[(Method, &'static str)], method: Method, path: &str) -> String {
        match routes(patterns).find(&method, path) {
            Ok(None) => "404".into(),
            Ok(Some((_, params))) => format!("{params:?}"),
            Err(error) => format!("{} {}", error.status(), error.allow().unwrap_or_default()),
        }
    }

    #[test]
    fn parameters_and_rests_are_decoded() {
        let patterns = [
            (Method::Get, "/"),
            (Method::Get, "/a/:id/b"),
            (Method::Get, "/files/*path"),
        ];
        for (path, expected) in [
            ("/", "[]"),
            ("/a/x%20y/b", r#"[("id", "x y")]"#),
            ("/a//b", "404"),
            ("/a/x/b/", "404"),
            ("/files/one/two%2Fthree", r#"[("path", "one/two/three")]"#),
            ("/files", "404"),
            ("/a/%ff/b", "400 "),
        ] {
            assert_eq!(chosen(&patterns, Method::Get, path), expected, "{path}");
        }
    }

    #[test]
    fn the_most_specific_pattern_wins_in_any_order() {
        let patterns = [
            (Method::Get, "/*rest"),
            (Method::Get, "/rooms/:id"),
            (Method::Get, "/rooms/new"),
            (Method::Get, "/:kind/new"),
        ];
        assert_eq!(chosen(&patterns, Method::Get, "/rooms/new"), "[]");
        assert_eq!(
            chosen(&patterns, Method::Get, "/rooms/7"),
            r#"[("id", "7")]"#
        );
        assert_eq!(
            chosen(&patterns, Method::Get, "/users/new"),
            r#"[("kind", "users")]"#
        );
        assert_eq!(
            chosen(&patterns, Method::Get, "/x/y/z"),
            r#"[("rest", "x/y/z")]"#
        );
    }

    #[test]
    fn another_method_is_told_what_is_allowed() {
        let patterns = [
            (Method::Get, "/things"),
            (Method::Post, "/things"),
            (Method::Delete, "/:any"),
        ];
        assert_eq!(
            chosen(&patterns, Method::Put, "/things"),
            "405 GET, HEAD, POST, DELETE"
        );
        assert_eq!(chosen(&patterns, Method::Head, "/things"), "[]");
        assert_eq!(chosen(&patterns, Method::Head, "/other"), "405 DELETE");
    }
}
