//! What a file is, by the extension of its name.
//!
//! The table holds what the web needs and what [`mime_guess`] says otherwise; the rest is asked there. Text is UTF-8.

use std::path::Path;

use http::HeaderValue;

/// HTML, the one type that this module treats differently from the others.
pub(super) const HTML: &str = "text/html; charset=utf-8";

const UNKNOWN: &str = "application/octet-stream";

/// The type of the file, for `Content-Type`.
pub(super) fn of(path: &Path) -> HeaderValue {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    if let Some(known) = known(&extension) {
        return HeaderValue::from_static(known);
    }
    let guessed = mime_guess::from_ext(&extension)
        .first_raw()
        .unwrap_or(UNKNOWN);
    if guessed.starts_with("text/") {
        HeaderValue::try_from(format!("{guessed}; charset=utf-8"))
            .unwrap_or(HeaderValue::from_static(UNKNOWN))
    } else {
        HeaderValue::from_static(guessed)
    }
}

fn known(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "html" | "htm" => HTML,
        "js" | "mjs" | "cjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "xml" => "application/xml",
        "svg" => "image/svg+xml",
        "ico" => "image/x-icon",
        "avif" => "image/avif",
        "webp" => "image/webp",
        "wasm" => "application/wasm",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_type() {
        for (name, expected) in [
            ("a.html", "text/html; charset=utf-8"),
            ("A.HTML", "text/html; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.mjs", "text/javascript; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.csv", "text/csv; charset=utf-8"),
            ("a.json", "application/json"),
            ("a.svg", "image/svg+xml"),
            ("a.wasm", "application/wasm"),
            ("a.webmanifest", "application/manifest+json"),
            ("a.woff2", "font/woff2"),
            ("a.png", "image/png"),
            ("a.mp4", "video/mp4"),
            ("a.pdf", "application/pdf"),
            ("a", "application/octet-stream"),
            ("a.nobody-knows", "application/octet-stream"),
        ] {
            assert_eq!(of(Path::new(name)), expected, "{name}");
        }
    }
}
