//! What a rollout needs of requests: a lot that the client keeps, and a count of how they were answered.
//!
//! The lot is in a cookie for the app's own path. It is one of 65,536, so it tells nobody apart, and it says nothing of the
//! version: that is looked up, so that a client whose version is reversed is elsewhere with its next request.
//!
//! **Invariant:** where a rollout does not decide, nothing here is done.

use std::time::Instant;

use http::header::{COOKIE, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use rookery_pool::{AcquireError, Body, Fault, InvokeError};
use rookery_routing::{Address, By, Lot};
use rookery_supervisor::rollout::{Answered, Tally};
use rookery_telemetry::random_u64;

use crate::error::RequestError;

/// The cookie's name.
const LOT: &str = "rookery-lot";

/// A lot, and whether the client has it already.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn {
    pub lot: Lot,
    is_new: bool,
}

/// A request whose version a rollout decided.
pub(crate) struct Sent {
    begun: Instant,
    by: By,
    /// The cookie that the client has to be told.
    cookie: Option<HeaderValue>,
}

impl Drawn {
    /// That of the cookie, else a new one.
    pub fn of(headers: &HeaderMap) -> Drawn {
        let cookies = headers.get_all(COOKIE).iter();
        let mut pairs = cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'));
        let known = pairs.find_map(|pair| {
            let value = pair.trim().strip_prefix(LOT)?.strip_prefix('=')?;
            Lot::parse(value)
        });
        Drawn {
            lot: known.unwrap_or_else(|| Lot::drawn(random_u64())),
            is_new: known.is_none(),
        }
    }
}

impl Sent {
    /// `None` where no rollout decided. A lot that did is put into the request, for whoever makes a session of it.
    pub fn of<B>(
        by: By,
        drawn: Option<Drawn>,
        address: &Address,
        request: &mut Request<B>,
    ) -> Option<Sent> {
        if by == By::Selector {
            return None;
        }
        let cookie = drawn.filter(|drawn| drawn.is_new).and_then(|drawn| {
            // The root is served by an app, too, and the client knows only the root.
            let path = match request.uri().path().starts_with(address.prefix()) {
                true => address.prefix(),
                false => "/",
            };
            let cookie = format!("{LOT}={}; Path={path}; HttpOnly; SameSite=Lax", drawn.lot);
            HeaderValue::try_from(cookie).ok()
        });
        if let Some(drawn) = drawn {
            request.extensions_mut().insert(drawn.lot);
        }
        Some(Sent {
            begun: Instant::now(),
            by,
            cookie,
        })
    }

    /// Counts the answer, and tells the client its lot and caches that there is one.
    pub fn finish(self, tally: &Tally, blame: Blame, response: &mut Response<Body>) {
        let status = response.status();
        // A session lasts: how it does is counted by its events, and it keeps the lot itself.
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return;
        }
        let how = match blame {
            Blame::Guest => Answered::ByFault,
            Blame::Nobody if status.is_server_error() => Answered::Badly,
            Blame::Nobody => Answered::Well,
        };
        tally.answered(how, self.begun.elapsed());
        if self.by != By::Lot {
            return;
        }
        let headers = response.headers_mut();
        headers.append(VARY, HeaderValue::from_static("cookie"));
        if let Some(cookie) = self.cookie {
            headers.append(SET_COOKIE, cookie);
        }
    }
}

/// Whose failure an answer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Blame {
    /// The guest's: it faulted, or could not start.
    Guest,
    /// Not the guest's, as far as the server knows.
    Nobody,
}

impl Blame {
    /// Looks at what came of a request.
    pub fn of<T>(answered: &Result<T, RequestError>) -> Blame {
        let fault = match answered {
            Err(RequestError::Invoke(InvokeError::Fault { fault, .. })) => fault,
            Err(RequestError::Invoke(InvokeError::Acquire(AcquireError::Spawn { .. }))) => {
                return Blame::Guest;
            }
            _ => return Blame::Nobody,
        };
        match fault {
            Fault::Lost | Fault::Cancelled | Fault::Unsupported(_) => Blame::Nobody,
            Fault::Trap(_)
            | Fault::Timeout(_)
            | Fault::Memory(_)
            | Fault::Gone(_)
            | Fault::NoAnswer => Blame::Guest,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use http_body_util::{BodyExt, Empty};
    use rookery_routing::Address;

    use super::*;

    fn drawn(cookies: &[&str]) -> Drawn {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, HeaderValue::from_str(cookie).unwrap());
        }
        Drawn::of(&headers)
    }

    #[test]
    fn a_lot_is_found_among_other_cookies_or_drawn() {
        for cookies in [
            &["rookery-lot=00ff"][..],
            &["a=b; rookery-lot=00ff; c=d"],
            &["a=b", "x; rookery-lot=zz; rookery-lot=00ff"],
        ] {
            let drawn = drawn(cookies);
            assert_eq!(
                (drawn.lot.to_string(), drawn.is_new),
                ("00ff".into(), false)
            );
        }
        for cookies in [
            &[][..],
            &["rookery-lot="],
            &["not-rookery-lot=00ff"],
            &["rookery-lot"],
        ] {
            assert!(drawn(cookies).is_new, "{cookies:?}");
        }
    }

    fn answered(by: By, path: &str, cookie: &str, status: StatusCode) -> Vec<String> {
        let mut request = Request::builder().uri(path).body(()).unwrap();
        let address = Address::parse(if path == "/" { "/shell/" } else { path }).unwrap();
        let drawn = drawn(&[cookie]);
        let sent = Sent::of(by, Some(drawn), &address, &mut request);
        let body = Empty::new().map_err(|never| match never {}).boxed_unsync();
        let mut response = Response::new(body);
        *response.status_mut() = status;
        if let Some(sent) = sent {
            assert_eq!(request.extensions().get(), Some(&drawn.lot));
            sent.finish(&Tally::default(), Blame::Nobody, &mut response);
        }
        let headers = response.headers().iter();
        let mut lines: Vec<String> = headers
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        for line in &mut lines {
            *line = line.replace(&drawn.lot.to_string(), "LOT");
        }
        lines
    }

    #[test]
    fn who_has_no_lot_is_given_one_for_the_path_that_he_knows() {
        let cookie =
            |path| format!("set-cookie: rookery-lot=LOT; Path={path}; HttpOnly; SameSite=Lax");
        for (path, expected) in [
            ("/chat/page", "/chat"),
            ("/chat@%5E1.2/", "/chat@%5E1.2"),
            ("/@team/chat/", "/@team/chat"),
            ("/", "/"),
        ] {
            let lines = answered(By::Lot, path, "", StatusCode::OK);
            assert_eq!(lines, ["vary: cookie".to_owned(), cookie(expected)]);
        }
        let known = answered(By::Lot, "/chat/", "rookery-lot=0001", StatusCode::OK);
        assert_eq!(known, ["vary: cookie"]);
    }

    #[test]
    fn where_there_is_no_choice_nothing_is_said_and_a_session_keeps_its_lot_itself() {
        for by in [By::Selector, By::Rollout] {
            assert!(answered(by, "/chat/", "", StatusCode::OK).is_empty());
        }
        let session = answered(By::Lot, "/chat/", "", StatusCode::SWITCHING_PROTOCOLS);
        assert!(session.is_empty());
    }
}
