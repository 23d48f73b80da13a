//! Which question a path is, and how it may be asked.

use http::Method;

use crate::deploy::Label;
use crate::files::FileRoute;
use crate::keys::Role;
use crate::page::Part;
use crate::rollout::{Act, Rolling};

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// The page for people.
    Page,
    /// `/_`, from which relative links would miss.
    PageWithoutSlash,
    /// How it looks.
    Style,
    /// What else it is made of.
    Part(&'static Part),
    /// The form of the page that asks for the token.
    Login,
    /// The end of a login.
    Logout,
    /// The pools' numbers, in the form that is accepted.
    Metrics,
    /// The same for Prometheus.
    Prometheus,
    /// The pools' numbers with a line for each revision.
    Stats,
    /// The same again and again.
    Stream,
    /// The last lines of the log, and those that come.
    Logs,
    /// What is deployed.
    Deployments,
    /// The apps directory.
    Files(FileRoute),
    /// One version of one app.
    Version(Label),
    /// How one app's requests are spread.
    Rollout(Rolling),
}

/// What a request with some method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// It only reads.
    Reads,
    /// It changes something.
    Writes,
    /// Nothing that is answered; this would be.
    Otherwise(&'static str),
}

impl Route {
    /// Parses a raw path.
    pub(crate) fn parse(path: &str) -> Option<Route> {
        let path = path.strip_prefix("/_")?;
        if let Some(below) = path.strip_prefix("/deployments/") {
            return Some(match below {
                "list" => Route::Files(FileRoute::List),
                "mkdir" => Route::Files(FileRoute::MakeDir),
                "delete" => Route::Files(FileRoute::Delete),
                "rename" => Route::Files(FileRoute::Rename),
                "upload" => Route::Files(FileRoute::Upload),
                "download" => Route::Files(FileRoute::Download),
                below => match Rolling::parse(below) {
                    Some(rolling) => Route::Rollout(rolling),
                    None => Route::Version(Label::parse(below)?),
                },
            });
        }
        Some(match path {
            "" => Route::PageWithoutSlash,
            "/" => Route::Page,
            "/page.css" => Route::Style,
            "/login" => Route::Login,
            "/logout" => Route::Logout,
            "/metrics" => Route::Metrics,
            "/metrics.prom" => Route::Prometheus,
            "/stats" => Route::Stats,
            "/sse" => Route::Stream,
            "/logs" => Route::Logs,
            "/deployments" => Route::Deployments,
            part => Route::Part(Part::named(part.strip_prefix("/page/")?)?),
        })
    }

    /// Whether everybody is answered: the way in, and how it looks.
    pub(crate) fn is_public(&self) -> bool {
        matches!(self, Route::Login | Route::Style)
    }

    /// What a token has to be for, for this. Manifests may hold secrets of the apps, so whoever reads files must be
    /// trusted with what is served.
    pub(crate) fn role(&self, asked: Asked) -> Role {
        match self {
            Route::Files(_) => Role::Deploy,
            Route::Login | Route::Logout => Role::Read,
            _ if asked == Asked::Writes => Role::Deploy,
            _ => Role::Read,
        }
    }

    /// How it is asked.
    pub(crate) fn asked(&self, method: &Method) -> Asked {
        let (writes, allowed): (&[Method], _) = match self {
            Route::Login
            | Route::Logout
            | Route::Files(FileRoute::MakeDir | FileRoute::Rename | FileRoute::Upload) => {
                (&[Method::POST], "POST")
            }
            Route::Files(FileRoute::Delete) => (&[Method::DELETE], "DELETE"),
            Route::Version(_) => (&[Method::PUT, Method::DELETE], "PUT and DELETE"),
            Route::Rollout(Rolling { act, .. }) if *act != Act::Show => (&[Method::POST], "POST"),
            _ if matches!(*method, Method::GET | Method::HEAD) => return Asked::Reads,
            _ => (&[], "GET, HEAD"),
        };
        if writes.contains(method) {
            Asked::Writes
        } else {
            Asked::Otherwise(allowed)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_path_is_one_question_or_none() {
        for (path, expected) in [
            ("/_/", Some(Route::Page)),
            ("/_", Some(Route::PageWithoutSlash)),
            ("/_/metrics", Some(Route::Metrics)),
            ("/_/metrics.prom", Some(Route::Prometheus)),
            ("/_/deployments", Some(Route::Deployments)),
            ("/_/deployments/list", Some(Route::Files(FileRoute::List))),
            ("/_/deployments/", None),
            ("/_/deployments/lists", None),
            ("/_/metrics/", None),
            ("/_/Metrics", None),
            ("/__/", None),
            ("/_x", None),
            ("/metrics", None),
        ] {
            assert_eq!(Route::parse(path), expected, "{path}");
        }
        let version = Route::parse("/_/deployments/chat/1.0.0").unwrap();
        assert!(matches!(version, Route::Version(_)));
        let rollout = Route::parse("/_/deployments/@team/chat/promote").unwrap();
        assert!(matches!(rollout, Route::Rollout(_)));
    }

    #[test]
    fn what_writes_is_told_from_what_reads() {
        let asked = |path: &str, method| Route::parse(path).unwrap().asked(&method);
        assert_eq!(asked("/_/stats", Method::HEAD), Asked::Reads);
        assert_eq!(
            asked("/_/stats", Method::POST),
            Asked::Otherwise("GET, HEAD")
        );
        assert_eq!(asked("/_/deployments/list", Method::GET), Asked::Reads);
        assert_eq!(asked("/_/deployments/mkdir", Method::POST), Asked::Writes);
        assert_eq!(
            asked("/_/deployments/mkdir", Method::GET),
            Asked::Otherwise("POST")
        );
        assert_eq!(
            asked("/_/deployments/delete", Method::DELETE),
            Asked::Writes
        );
        assert_eq!(
            asked("/_/deployments/chat/1.0.0", Method::PUT),
            Asked::Writes
        );
        assert_eq!(
            asked("/_/deployments/chat/1.0.0", Method::GET),
            Asked::Otherwise("PUT and DELETE")
        );
        for act in ["promote", "canary", "rollback", "tag"] {
            let path = format!("/_/deployments/chat/{act}");
            assert_eq!(asked(&path, Method::POST), Asked::Writes);
            assert_eq!(asked(&path, Method::GET), Asked::Otherwise("POST"));
        }
        assert_eq!(
            asked("/_/deployments/chat/rollout", Method::GET),
            Asked::Reads
        );
    }
}
