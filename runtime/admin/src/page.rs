//! A page for people: what an operator does all day, drawn as the stream tells it.
//!
//! **Invariant:** the page brings all that it needs and asks only this server; what it shows goes in as text, never as
//! markup.
//! **Invariant:** all of it together is less than [`BYTES_MAX`].
//! **Absent on purpose:** a framework, and a build: the browser reads the modules as they lie in `dashboard/`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use rookery_pool::Body;
use sha2::{Digest, Sha256};

use crate::keys::Role;
use crate::respond::{nothing, text, with};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const PAGE: &str = include_str!("dashboard/page.html");
/// Where the page has a place for whoever is logged in.
const LOGOUT_PLACE: &str = "<!-- logout -->";
/// And for what it has to know of who opens it.
const ABOUT_PLACE: &str = "<!-- about -->";
const LOGOUT: &str =
    "<form class=\"logout\" method=\"post\" action=\"logout\"><button>Log out</button></form>";

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What a browser may load at most, all parts together.
#[cfg(test)]
const BYTES_MAX: usize = 100_000;

/// One file that the page loads.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Part {
    name: &'static str,
    content_type: &'static str,
    content: &'static str,
}

macro_rules! part {
    ($name:literal, $content_type:expr) => {
        Part {
            name: $name,
            content_type: $content_type,
            content: include_str!(concat!("dashboard/", $name)),
        }
    };
}

static STYLE: Part = part!("page.css", "text/css; charset=utf-8");

static PARTS: [Part; 13] = [
    part!("main.js", SCRIPT),
    part!("dom.js", SCRIPT),
    part!("words.js", SCRIPT),
    part!("model.js", SCRIPT),
    part!("stream.js", SCRIPT),
    part!("charts.js", SCRIPT),
    part!("apps.js", SCRIPT),
    part!("traffic.js", SCRIPT),
    part!("weights.js", SCRIPT),
    part!("panels.js", SCRIPT),
    part!("workers.js", SCRIPT),
    part!("deploy.js", SCRIPT),
    part!("icon.svg", "image/svg+xml"),
];

/// What tells one content of a part from another.
static TAGS: LazyLock<BTreeMap<&'static str, HeaderValue>> = LazyLock::new(|| {
    let parts = PARTS.iter().chain([&STYLE]);
    let tags = parts.map(|part| {
        let digest = Sha256::digest(part.content);
        let digits: String = digest[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let tag = HeaderValue::try_from(format!("\"{digits}\""));
        (part.name, tag.expect("hex digits are printable"))
    });
    tags.collect()
});

impl Part {
    /// By its file's name.
    pub(crate) fn named(name: &str) -> Option<&'static Part> {
        PARTS.iter().find(|part| part.name == name)
    }
}

/// Whether somebody can end their login.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Logout {
    /// There is a button for it.
    Offered,
    /// Nobody had to log in.
    NotNeeded,
}

/// For whom the page is.
#[derive(Debug)]
pub(crate) struct Opened {
    pub logout: Logout,
    /// Who may only read is offered no changes; the routes would refuse them anyway.
    pub role: Role,
    /// Where the apps are, when they are not where this is asked.
    pub apps_port: Option<u16>,
}

/// The page.
pub(crate) fn html(opened: &Opened) -> Response<Body> {
    let mut page = PAGE.to_owned();
    if opened.logout == Logout::Offered {
        page = page.replace(LOGOUT_PLACE, LOGOUT);
    }
    let mut about = String::new();
    if opened.role == Role::Read {
        about.push_str("<meta name=\"role\" content=\"read\">");
    }
    if let Some(port) = opened.apps_port {
        about.push_str(&format!("<meta name=\"apps-port\" content=\"{port}\">"));
    }
    let page = page.replace(ABOUT_PLACE, &about);
    let page = with(
        text("text/html; charset=utf-8", page),
        CACHE_CONTROL,
        "no-cache",
    );
    with(page, CONTENT_SECURITY_POLICY, POLICY)
}

/// How the page, and the form in front of it, look.
pub(crate) fn style(headers: &HeaderMap) -> Response<Body> {
    part(&STYLE, headers)
}

/// A part, unless the browser has it.
pub(crate) fn part(part: &'static Part, headers: &HeaderMap) -> Response<Body> {
    let tag = &TAGS[part.name];
    let mut response = if headers.get(IF_NONE_MATCH) == Some(tag) {
        let mut unchanged = Response::new(nothing());
        *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
        unchanged
    } else {
        text(part.content_type, part.content)
    };
    response.headers_mut().insert(ETAG, tag.clone());
    with(response, CACHE_CONTROL, "no-cache")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_its_places() {
        assert!(PAGE.contains(LOGOUT_PLACE) && PAGE.contains(ABOUT_PLACE));
    }

    #[test]
    fn all_parts_together_are_small() {
        let parts: usize = PARTS
            .iter()
            .chain([&STYLE])
            .map(|part| part.content.len())
            .sum();
        let all = parts + PAGE.len() + LOGOUT.len();
        assert!(all < BYTES_MAX, "{all} bytes");
    }

    #[test]
    fn the_page_brings_no_code_and_no_style_between_its_lines_and_asks_nobody_else() {
        for forbidden in [
            "style=", "onclick=", "<style", "http://", "https://", "<script>",
        ] {
            assert!(!PAGE.contains(forbidden), "{forbidden}");
        }
        // The name of a vocabulary is no address that is asked.
        let known = "http://www.w3.org/2000/svg";
        for part in PARTS.iter().chain([&STYLE]) {
            let content = part.content.replace(known, "");
            assert!(
                !content.contains("http://") && !content.contains("https://"),
                "{}",
                part.name
            );
            assert!(!content.contains("innerHTML"), "{}", part.name);
        }
    }

    #[test]
    fn a_module_asks_for_parts_that_there_are() {
        for part in &PARTS {
            for line in part
                .content
                .lines()
                .filter(|line| line.contains(" from \"./"))
            {
                let name = line
                    .split("from \"./")
                    .nth(1)
                    .and_then(|rest| rest.split('"').next());
                assert!(
                    name.and_then(Part::named).is_some(),
                    "{}: {line}",
                    part.name
                );
            }
        }
    }
}
