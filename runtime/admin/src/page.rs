//! A page for people: the questions, and the stream drawn as it comes.
//!
//! **Invariant:** the page brings all that it needs and asks only this server; what it shows goes in as text, never as
//! markup.
//! **Absent on purpose:** a framework.

use http::Response;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use rookery_pool::Body;

use crate::respond::{text, with};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const PAGE: &str = include_str!("page/page.html");
/// Where the page has a place for whoever is logged in.
const LOGOUT_PLACE: &str = "<!-- logout -->";
const LOGOUT: &str = "<form method=\"post\" action=\"logout\"><button>Log out</button></form>";

/// For whoever needs no login.
pub(crate) fn html() -> Response<Body> {
    page(PAGE)
}

/// For whoever does.
pub(crate) fn html_with_logout() -> Response<Body> {
    page(PAGE.replace(LOGOUT_PLACE, LOGOUT))
}

fn page(html: impl Into<bytes::Bytes>) -> Response<Body> {
    let page = with(
        text("text/html; charset=utf-8", html),
        CACHE_CONTROL,
        "no-cache",
    );
    with(page, CONTENT_SECURITY_POLICY, POLICY)
}

pub(crate) fn script() -> Response<Body> {
    part(
        "text/javascript; charset=utf-8",
        include_str!("page/page.js"),
    )
}

pub(crate) fn style() -> Response<Body> {
    part("text/css; charset=utf-8", include_str!("page/page.css"))
}

fn part(content_type: &'static str, content: &'static str) -> Response<Body> {
    with(text(content_type, content), CACHE_CONTROL, "no-cache")
}
