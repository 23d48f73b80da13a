//! Which coding of a file a client wants, by `Accept-Encoding` (RFC 9110 section 12.5.3).
//!
//! **Absent on purpose:** compressing. A file is sent compressed when the bundle brings it compressed.

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING};

/// A coding that a bundle may bring beside a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// `app.js.br`
    Brotli,
    /// `app.js.gz`
    Gzip,
}

impl Coding {
    /// The better one first: it wins when a client likes both alike.
    pub(super) const ALL: [Coding; 2] = [Coding::Brotli, Coding::Gzip];

    /// What is appended to the name of the file.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Coding::Brotli => ".br",
            Coding::Gzip => ".gz",
        }
    }

    /// Its name in `Content-Encoding`.
    pub(super) fn token(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Gzip => "gzip",
        }
    }
}

/// Chooses among the codings that are there. `None` is the file as it is, also when the client refuses even that:
/// an answer that it may not like is better than none.
pub(super) fn choose(headers: &HeaderMap, there: impl Fn(Coding) -> bool) -> Option<Coding> {
    let mut best = (None, weight(headers, "identity").unwrap_or(0));
    for coding in Coding::ALL
        .into_iter()
        .rev()
        .filter(|coding| there(*coding))
    {
        let weight = weight(headers, coding.token()).unwrap_or(0);
        if weight > 0 && weight >= best.1 {
            best = (Some(coding), weight);
        }
    }
    best.0
}

/// Whether the client wants a page: it names HTML, as browsers do when they navigate and scripts do not.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    listed(headers, ACCEPT)
        .any(|(range, weight)| range.eq_ignore_ascii_case("text/html") && weight > 0)
}

/// The weight of a coding, in thousandths: its own, else that of `*`. `None` when neither is listed.
fn weight(headers: &HeaderMap, token: &str) -> Option<u16> {
    let mut any = None;
    for (name, weight) in listed(headers, ACCEPT_ENCODING) {
        // RFC 9110 8.4.1.3 keeps the old name alive.
        let name = if name.eq_ignore_ascii_case("x-gzip") {
            "gzip"
        } else {
            name
        };
        if name.eq_ignore_ascii_case(token) {
            return Some(weight);
        }
        if name == "*" {
            any = Some(weight);
        }
    }
    // `*` does not make the plain file preferred; it only counts when it forbids.
    any.filter(|_| token != "identity")
}

/// The elements of a list header with their weights. One that cannot be read has the weight of one that is unwanted.
fn listed(headers: &HeaderMap, name: http::HeaderName) -> impl Iterator<Item = (&str, u16)> {
    let values = headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|element| {
        let mut parts = element.split(';').map(str::trim);
        let token = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")));
        (token, quality.map_or(1000, thousandths))
    })
}

fn thousandths(quality: &str) -> u16 {
    match quality.parse::<f32>() {
        Ok(quality) if (0.0..=1.0).contains(&quality) => (quality * 1000.0).round() as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::{HeaderName, HeaderValue};

    use super::Coding::{Brotli, Gzip};
    use super::*;

    fn one(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn the_coding_that_the_client_likes_best_wins() {
        for (accept, expected) in [
            ("gzip, deflate, br, zstd", Some(Brotli)),
            ("br;q=0.5, gzip", Some(Gzip)),
            ("br;q=0.5, gzip;q=0.5", Some(Brotli)),
            ("br;q=0, gzip;q=0", None),
            ("br;q=0.1", Some(Brotli)),
            ("gzip;q=0.4, identity;q=0.5", None),
            ("gzip;q=0.5, identity;q=0.5", Some(Gzip)),
            ("*", Some(Brotli)),
            ("*, br;q=0", Some(Gzip)),
            ("*;q=0", None),
            ("identity;q=0, gzip", Some(Gzip)),
            ("GZIP", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("br; q=1.0 , gzip; q=0.8", Some(Brotli)),
            ("br;q=oops, gzip;q=7", None),
            ("deflate", None),
            ("", None),
        ] {
            let headers = one(ACCEPT_ENCODING, accept);
            assert_eq!(choose(&headers, |_| true), expected, "{accept}");
        }
        assert_eq!(choose(&HeaderMap::new(), |_| true), None);
    }

    #[test]
    fn a_coding_that_is_not_there_is_not_chosen() {
        let headers = one(ACCEPT_ENCODING, "br, gzip");
        assert_eq!(choose(&headers, |coding| coding == Gzip), Some(Gzip));
        assert_eq!(choose(&headers, |_| false), None);
    }

    #[test]
    fn a_page_is_wanted_by_name() {
        for (accept, wanted) in [
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                true,
            ),
            ("application/json, text/HTML;q=0.1", true),
            ("text/html;q=0", false),
            ("*/*", false),
            ("application/json", false),
        ] {
            assert_eq!(wants_page(&one(ACCEPT, accept)), wanted, "{accept}");
        }
    }
}
