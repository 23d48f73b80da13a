//! What a handler may return.

use serde::Serialize;

use crate::{Error, Response};

/// Turns what a handler returned into a response, or into the error that the app answers with.
pub trait IntoResponse {
    /// The response.
    fn into_response(self) -> Result<Response, Error>;
}

/// Answers with JSON.
pub struct Json<T>(pub T);

impl IntoResponse for Response {
    fn into_response(self) -> Result<Response, Error> {
        Ok(self)
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Result<Response, Error> {
        Err(self)
    }
}

/// 204.
impl IntoResponse for () {
    fn into_response(self) -> Result<Response, Error> {
        Ok(Response::new(204))
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Result<Response, Error> {
        Ok(Response::text(self))
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Result<Response, Error> {
        Ok(Response::text(self))
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Result<Response, Error> {
        Ok(Response::bytes("application/octet-stream", self))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Result<Response, Error> {
        Response::json(&self.0)
    }
}

/// Any of these with another status.
impl<T: IntoResponse> IntoResponse for (u16, T) {
    fn into_response(self) -> Result<Response, Error> {
        Ok(self.1.into_response()?.with_status(self.0))
    }
}

/// 404 when there is nothing.
impl<T: IntoResponse> IntoResponse for Option<T> {
    fn into_response(self) -> Result<Response, Error> {
        match self {
            Some(value) => value.into_response(),
            None => Err(Error::not_found("Not found")),
        }
    }
}

impl<T: IntoResponse, E: Into<Error>> IntoResponse for Result<T, E> {
    fn into_response(self) -> Result<Response, Error> {
        self.map_err(Into::into)?.into_response()
    }
}
