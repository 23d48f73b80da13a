//! Why a handler did not answer as asked: what the client reads, and what the log reads.
//!
//! **Invariant:** a source's text reaches the log and never the client.

use std::borrow::Cow;
use std::fmt;

/// A failed request, or a failed event of a session.
///
/// Any standard error turns into one with `?`: status 500, code `INTERNAL`, and its text in the log only. An app that
/// wants another answer for an error of its own looks for it in [`App::on_error`](crate::App::on_error) with
/// [`Error::source_as`], or makes an `Error` where it knows better.
pub struct Error(Box<Inner>);

struct Inner {
    status: u16,
    code: Cow<'static, str>,
    message: Cow<'static, str>,
    allow: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error with this status, a code for programs and a message for people.
    pub fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Error {
        Error(Box::new(Inner {
            status,
            code: code.into(),
            message: message.into(),
            allow: None,
            source: None,
        }))
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(400, "BAD_REQUEST", message)
    }

    /// 401: the client has to say who it is.
    pub fn unauthorized(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(401, "UNAUTHORIZED", message)
    }

    /// 403: the client may not do this.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(403, "FORBIDDEN", message)
    }

    /// 404: there is no such thing.
    pub fn not_found(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(404, "NOT_FOUND", message)
    }

    /// 409: it contradicts what is there.
    pub fn conflict(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(409, "CONFLICT", message)
    }

    /// 422: understood, but the values are not acceptable.
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
        Error::new(422, "VALIDATION_ERROR", message)
    }

    /// 500 with a cause that only the log shows.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::new(500, "INTERNAL", "Internal server error").caused_by(source)
    }

    pub(crate) fn method_not_allowed(allow: String) -> Error {
        let mut error = Error::new(405, "METHOD_NOT_ALLOWED", "Method not allowed");
        error.0.allow = Some(allow);
        error
    }

    pub(crate) fn too_large() -> Error {
        Error::new(413, "PAYLOAD_TOO_LARGE", "The body is too large")
    }

    /// The same error with its cause, for the log.
    #[must_use]
    pub fn caused_by(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The code for programs.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The message for people.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The value of `Allow`, when the path exists and the method does not.
    pub fn allow(&self) -> Option<&str> {
        self.0.allow.as_deref()
    }

    /// The cause, when it is a `T`.
    pub fn source_as<T: std::error::Error + 'static>(&self) -> Option<&T> {
        self.0.source.as_deref()?.downcast_ref()
    }

    /// The message and the whole chain of causes, for the log.
    pub fn chain(&self) -> String {
        let mut text = self.0.message.to_string();
        let mut next = self
            .0
            .source
            .as_deref()
            .map(|source| source as &dyn std::error::Error);
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        text
    }
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(source: E) -> Error {
        Error::internal(source)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status(), self.code(), self.chain())
    }
}
