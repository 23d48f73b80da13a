//! Which question a path is.

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The page for people.
    Page,
    /// `/_`, from which relative links would miss.
    PageWithoutSlash,
    /// What the page runs.
    Script,
    /// How it looks.
    Style,
    /// The pools' numbers, in the form that is accepted.
    Metrics,
    /// The same for Prometheus.
    Prometheus,
    /// The pools' numbers with a line for each revision.
    Stats,
    /// The same again and again.
    Stream,
    /// What is deployed.
    Deployments,
}

impl Route {
    /// Parses a raw path.
    pub(crate) fn parse(path: &str) -> Option<Route> {
        Some(match path.strip_prefix("/_")? {
            "" => Route::PageWithoutSlash,
            "/" => Route::Page,
            "/page.js" => Route::Script,
            "/page.css" => Route::Style,
            "/metrics" => Route::Metrics,
            "/metrics.prom" => Route::Prometheus,
            "/stats" => Route::Stats,
            "/sse" => Route::Stream,
            "/deployments" => Route::Deployments,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_question_or_none() {
        for (path, expected) in [
            ("/_/", Some(Route::Page)),
            ("/_", Some(Route::PageWithoutSlash)),
            ("/_/metrics", Some(Route::Metrics)),
            ("/_/metrics.prom", Some(Route::Prometheus)),
            ("/_/metrics/", None),
            ("/_/Metrics", None),
            ("/__/", None),
            ("/_x", None),
            ("/metrics", None),
        ] {
            assert_eq!(Route::parse(path), expected, "{path}");
        }
    }
}
