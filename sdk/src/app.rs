//! An app: what it answers and what it does when something happens on a session.
//!
//! **Invariant:** building one costs a push and at most one allocation a route, since a fresh isolate builds it anew.

use crate::life::Notices;
use crate::response::HeadOnly;
use crate::route::{Handler, Routes};
use crate::session::Handlers;
use crate::{
    Closed, Error, IntoResponse, Message, Method, Opened, Outcome, Request, Response, Session, log,
};

type ErrorMap = Box<dyn Fn(&Request, Error) -> Response>;

/// An app under construction, and then in use.
#[derive(Default)]
pub struct App {
    routes: Routes,
    fallback: Option<Handler>,
    error_map: Option<ErrorMap>,
    pub(crate) handlers: Handlers,
    pub(crate) notices: Notices,
}

impl App {
    /// An app that answers 404 to everything and ignores its sessions.
    pub fn new() -> App {
        App::default()
    }

    /// Answers `method` on a pattern: `/literal`, `/:parameter` and, at the end, `/*rest`.
    #[must_use]
    pub fn route<R: IntoResponse>(
        mut self,
        method: Method,
        pattern: &'static str,
        handler: impl Fn(&mut Request) -> R + 'static,
    ) -> App {
        self.routes.add(
            method,
            pattern,
            Box::new(move |request| handler(request).into_response()),
        );
        self
    }

    /// Answers `GET`, and `HEAD` with the same head.
    #[must_use]
    pub fn get<R: IntoResponse>(
        self,
        pattern: &'static str,
        handler: impl Fn(&mut Request) -> R + 'static,
    ) -> App {
        self.route(Method::Get, pattern, handler)
    }

    /// Answers `POST`.
    #[must_use]
    pub fn post<R: IntoResponse>(
        self,
        pattern: &'static str,
        handler: impl Fn(&mut Request) -> R + 'static,
    ) -> App {
        self.route(Method::Post, pattern, handler)
    }

    /// Answers `PUT`.
    #[must_use]
    pub fn put<R: IntoResponse>(
        self,
        pattern: &'static str,
        handler: impl Fn(&mut Request) -> R + 'static,
    ) -> App {
        self.route(Method::Put, pattern, handler)
    }

    /// Answers `PATCH`.
    #[must_use]
    pub fn patch<R: IntoResponse>(
        self,
        pattern: &'static str,
        handler: impl Fn(&mut Request) -> R + 'static,
    ) -> App {
        self.route(Method::Patch, pattern, handler)
    }

    /// Answers `DELETE`.
    #[must_use]
    pub fn delete<R: IntoResponse>(
        self,
        pattern: &'static str,
        handler: impl Fn(&mut Request) -> R + 'static,
    ) -> App {
        self.route(Method::Delete, pattern, handler)
    }

    /// Answers whatever no pattern matches, in place of 404.
    #[must_use]
    pub fn fallback<R: IntoResponse>(
        mut self,
        handler: impl Fn(&mut Request) -> R + 'static,
    ) -> App {
        self.fallback = Some(Box::new(move |request| handler(request).into_response()));
        self
    }

    /// Makes every error of the app a response, those of the router too; by default `{"error", "code"}`.
    #[must_use]
    pub fn on_error(mut self, map: impl Fn(&Request, Error) -> Response + 'static) -> App {
        self.error_map = Some(Box::new(map));
        self
    }

    /// A client connected. Closing the session here, with a code from 4000 to 4999, refuses it.
    #[must_use]
    pub fn on_open<O: Outcome>(
        mut self,
        handler: impl Fn(&mut Session, &Opened) -> O + 'static,
    ) -> App {
        self.handlers.open = Some(Box::new(move |session, opened| {
            handler(session, opened).into_outcome()
        }));
        self
    }

    /// A client sent a message.
    #[must_use]
    pub fn on_message<O: Outcome>(
        mut self,
        handler: impl Fn(&mut Session, &Message) -> O + 'static,
    ) -> App {
        self.handlers.message = Some(Box::new(move |session, message| {
            handler(session, message).into_outcome()
        }));
        self
    }

    /// A timer of this name ran out.
    #[must_use]
    pub fn on_timer<O: Outcome>(
        mut self,
        handler: impl Fn(&mut Session, &str) -> O + 'static,
    ) -> App {
        self.handlers.timer = Some(Box::new(move |session, name| {
            handler(session, name).into_outcome()
        }));
        self
    }

    /// Another version of the app, the one named, served the session until now.
    #[must_use]
    pub fn on_resume<O: Outcome>(
        mut self,
        handler: impl Fn(&mut Session, &str) -> O + 'static,
    ) -> App {
        self.handlers.resume = Some(Box::new(move |session, version| {
            handler(session, version).into_outcome()
        }));
        self
    }

    /// The client is gone. Nothing can be sent to it any more.
    #[must_use]
    pub fn on_close<O: Outcome>(
        mut self,
        handler: impl Fn(&mut Session, &Closed) -> O + 'static,
    ) -> App {
        self.handlers.close = Some(Box::new(move |session, closed| {
            handler(session, closed).into_outcome()
        }));
        self
    }

    /// The whole way of a request.
    pub(crate) fn answer(&self, request: &mut Request) -> Response {
        let head_only = (*request.method() == Method::Head).then_some(HeadOnly);
        self.run(request)
            .unwrap_or_else(|error| self.respond_to(request, error))
            .finish(head_only)
    }

    fn run(&self, request: &mut Request) -> Result<Response, Error> {
        match self.routes.find(request.method(), request.path())? {
            Some((handler, params)) => {
                request.params = params;
                handler(request)
            }
            None => match &self.fallback {
                Some(handler) => handler(request),
                None => Err(Error::not_found("Not found")),
            },
        }
    }

    fn respond_to(&self, request: &Request, error: Error) -> Response {
        if error.status() >= 500 {
            log::write(
                log::Level::Error,
                format_args!("{} {}: {error:?}", request.method(), request.path()),
            );
        }
        match &self.error_map {
            Some(map) => map(request, error),
            None => Response::from_error(&error, request.header("x-request-id")),
        }
    }
}

#[cfg(test)]
mod tests;
