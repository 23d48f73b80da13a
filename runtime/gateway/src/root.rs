//! What the server says for itself: whether it is ready, and which apps it has.

use std::fmt::Write as _;

use http::header::{ACCEPT, CONTENT_SECURITY_POLICY};
use http::{HeaderValue, Request, Response, StatusCode};
use rookery_pool::Body;

use crate::gateway::Gateway;
use crate::respond::text;

/// Whether the server should be sent requests: after the first look at the bundles, and until it is leaving.
pub(crate) fn ready(gateway: &Gateway) -> Response<Body> {
    let plain = "text/plain; charset=utf-8";
    if gateway.leaving.is_requested() || gateway.shutdown.is_requested() {
        return text(StatusCode::SERVICE_UNAVAILABLE, plain, "draining\n");
    }
    if !gateway.supervisor.ready() {
        return text(StatusCode::SERVICE_UNAVAILABLE, plain, "starting\n");
    }
    text(StatusCode::OK, plain, "ready\n")
}

/// The apps and their versions: a page for browsers, lines for the others.
pub(crate) fn index<B>(gateway: &Gateway, request: &Request<B>) -> Response<Body> {
    let accept = request.headers().get(ACCEPT);
    let wants_html =
        accept.is_some_and(|accept| accept.as_bytes().windows(9).any(|w| w == b"text/html"));
    let table = gateway.sites.table();
    let apps = table.apps().map(|app| {
        let versions = table.versions(app).map(|(version, _)| version.to_string());
        (app.to_owned(), versions.collect())
    });
    let mut apps: Vec<(String, Vec<String>)> = apps.collect();
    apps.sort();
    if !wants_html {
        return text(StatusCode::OK, "text/plain; charset=utf-8", lines(&apps));
    }
    let dashboard = match gateway.internal.is_here() {
        true => Dashboard::Here,
        false => Dashboard::Elsewhere,
    };
    let page = page(&apps, dashboard);
    let mut response = text(StatusCode::OK, "text/html; charset=utf-8", page);
    response.headers_mut().insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'"),
    );
    response
}

/// Whether a page may lead to the operator's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dashboard {
    Here,
    Elsewhere,
}

fn lines(apps: &[(String, Vec<String>)]) -> String {
    let mut lines = format!("Rookery v{}\n", env!("CARGO_PKG_VERSION"));
    for (name, versions) in apps {
        let _ = writeln!(lines, "/{name}/ {}", versions.join(" "));
    }
    lines
}

/// Names and versions are of a grammar without characters that HTML would read as its own.
fn page(apps: &[(String, Vec<String>)], dashboard: Dashboard) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Rookery</title>\n<h1>Rookery</h1>\n",
    );
    if apps.is_empty() {
        page.push_str("<p>No app is live. <code>rookery new hello</code> makes one.</p>\n");
    }
    page.push_str("<ul>\n");
    for (name, versions) in apps {
        let _ = write!(page, "<li><a href=\"/{name}/\">{name}</a>:");
        for version in versions {
            let _ = write!(page, " <a href=\"/{name}@{version}/\">{version}</a>");
        }
        page.push_str("</li>\n");
    }
    page.push_str("</ul>\n");
    if dashboard == Dashboard::Here {
        page.push_str("<p><a href=\"/_/\">Dashboard</a></p>\n");
    }
    page.push_str("</html>\n");
    page
}
