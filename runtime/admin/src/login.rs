//! Logins of browsers: the page that asks for the token, and the cookies that stand for it afterwards.
//!
//! **Invariant:** a cookie holds a secret that the server drew, never the token; the server keeps only its digest.
//! **Invariant:** a login ends after [`LIFE`], when its owner logs out, when [`LOGINS_MAX`] newer ones came, when its token
//! is not good any more, and with the process.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use parking_lot::Mutex;
use rookery_pool::Body;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::access::{Denied, Door};
use crate::audit::Audit;
use crate::body::{Incoming, read_small};
use crate::keys::{Key, Keys, Role};
use crate::origin::{self, Scheme};
use crate::refusal::Refusal;
use crate::respond;

/// How many browsers are logged in at most. One more ends the oldest.
pub const LOGINS_MAX: usize = 64;
/// How long a login lasts.
pub const LIFE: Duration = Duration::from_hours(12);

const NAME: &str = "rookery_login";
const SECRET_BYTES: usize = 32;

/// The page needs its style, and its form goes to this server alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// Who is logged in, by the digest of each secret.
#[derive(Default)]
pub(crate) struct Logins(Mutex<HashMap<LoginId, Login>>);

/// Tells a login from others, and is no way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LoginId([u8; 32]);

/// A login.
struct Login {
    until: Instant,
    /// What it was bought with.
    key: Key,
}

impl Logins {
    /// A new one; its secret.
    fn open(&self, key: Key) -> Result<String, getrandom::Error> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes)?;
        let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let now = Instant::now();
        let mut logins = self.0.lock();
        logins.retain(|_, login| login.until > now);
        if logins.len() >= LOGINS_MAX
            && let Some(oldest) = logins.iter().min_by_key(|(_, login)| login.until)
        {
            let oldest = *oldest.0;
            logins.remove(&oldest);
        }
        let until = now + LIFE;
        logins.insert(digest(&secret), Login { until, key });
        Ok(secret)
    }

    /// Whose login these headers have, and what it may now. A login is looked up by its digest, so how long that takes
    /// says nothing about any secret; it is good as long as its token is.
    pub fn holder(&self, headers: &HeaderMap, keys: &Keys) -> Option<(Arc<str>, Role)> {
        self.find(headers, keys)
            .and_then(|login| self.still(login, keys))
    }

    /// Which login these headers have, if it is good.
    pub fn find(&self, headers: &HeaderMap, keys: &Keys) -> Option<LoginId> {
        let mut logins = secrets(headers).map(digest);
        logins.find(|login| self.still(*login, keys).is_some())
    }

    /// Whose a login is, and what it may now; `None` when it is over.
    pub fn still(&self, login: LoginId, keys: &Keys) -> Option<(Arc<str>, Role)> {
        let logins = self.0.lock();
        let login = logins.get(&login)?;
        let is_over = login.until <= Instant::now();
        let role = keys.still(&login.key).filter(|_| !is_over)?;
        Some((Arc::clone(&login.key.name), role))
    }

    fn close(&self, headers: &HeaderMap) {
        let mut logins = self.0.lock();
        for secret in secrets(headers) {
            logins.remove(&digest(secret));
        }
    }
}

fn digest(secret: &str) -> LoginId {
    LoginId(Sha256::digest(secret).into())
}

fn secrets(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(COOKIE).into_iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(|line| line.split(';'));
    cookies.filter_map(|cookie| {
        let (name, value) = cookie.trim().split_once('=')?;
        (name == NAME).then_some(value)
    })
}

/// The page that asks for the token. What is wrong is said in it.
pub(crate) fn page(denied: Denied) -> Response<Body> {
    let remark = match denied {
        Denied::NoToken | Denied::ForeignHost => String::new(),
        Denied::WrongToken => remark("That is not the admin token."),
        Denied::TooMany { .. } => remark("Too many wrong tokens. Wait a little, then try again."),
    };
    let html = include_str!("page/login.html").replace("<!-- remark -->", &remark);
    let response = respond::text("text/html; charset=utf-8", html);
    let response = respond::with(response, CONTENT_SECURITY_POLICY, POLICY);
    respond::with(response, CACHE_CONTROL, "no-store")
}

fn remark(text: &str) -> String {
    format!("<p role=\"alert\">{text}</p>")
}

/// Takes the form: back to the page with a cookie, or the form again.
pub(crate) async fn log_in<B: Incoming>(
    door: &Door,
    request: Request<B>,
    from: Option<SocketAddr>,
    audit: &Audit,
) -> Result<Response<Body>, Refusal> {
    let scheme = origin::scheme(request.headers());
    let form = read_small(request.into_body()).await?;
    let mut fields = form_urlencoded::parse(&form);
    let token = fields.find(|(name, _)| name == "token");
    let Some((_, token)) = token.filter(|(_, token)| !token.is_empty()) else {
        return Ok(respond::denied_with(Denied::NoToken, page(Denied::NoToken)));
    };
    let key = match door.judge(token.as_bytes(), from) {
        Ok(key) => key,
        Err(denied) => return Ok(respond::denied_with(denied, page(denied))),
    };
    audit.about(format_args!("token {}", key.name));
    let secret = door.logins.open(key);
    let secret = secret.map_err(|error| Refusal::Disk(std::io::Error::other(error)))?;
    Ok(back(&cookie(&secret, LIFE, scheme)))
}

/// Ends the login of these headers.
pub(crate) fn log_out(door: &Door, headers: &HeaderMap) -> Response<Body> {
    door.logins.close(headers);
    back(&cookie("", Duration::ZERO, origin::scheme(headers)))
}

/// For nobody but this server's operator's routes, for no script, and for no request that another site begins.
fn cookie(secret: &str, life: Duration, scheme: Scheme) -> String {
    let secure = match scheme {
        Scheme::Https => "; Secure",
        Scheme::Http => "",
    };
    let seconds = life.as_secs();
    format!("{NAME}={secret}; Path=/_/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

fn back(cookie: &str) -> Response<Body> {
    let mut response = respond::with(Response::new(respond::nothing()), LOCATION, "/_/");
    *response.status_mut() = StatusCode::SEE_OTHER;
    let cookie = HeaderValue::try_from(cookie).expect("a cookie of hex digits is ASCII");
    response.headers_mut().insert(SET_COOKIE, cookie);
    response
}
