//! The operator's own door: a listener, a thread and a runtime for what is below `/_/`, so that it answers while the
//! apps keep every thread of theirs busy.
//!
//! **Invariant:** where there is a side door, the front door knows nothing below `/_/`.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use http::{Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use rookery_gateway::{Internal, SideDoor};
use rookery_lifecycle::Shutdown;
use rookery_pool::Body;
use tokio::runtime::Builder;

/// How long what blocks may still take when everything else is done.
const BLOCKED_MAX: Duration = Duration::from_millis(200);

/// A door that is open.
pub struct Open {
    /// Where.
    pub address: SocketAddr,
    thread: JoinHandle<()>,
    over: Shutdown,
}

/// Binds it. Nobody comes in before [`open`].
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Lets clients in, on a thread of its own.
pub fn open(listener: TcpListener, door: SideDoor) -> io::Result<Open> {
    let address = listener.local_addr()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let over = Shutdown::new();
    let until = over.clone();
    let serve = move || {
        runtime.block_on(async {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => door.listen(listener),
                Err(error) => tracing::error!(%error, "the operator's routes are not served"),
            }
            until.requested().await;
        });
        runtime.shutdown_timeout(BLOCKED_MAX);
    };
    let thread = std::thread::Builder::new().name("admin".to_owned());
    let thread = thread.spawn(serve)?;
    Ok(Open {
        address,
        thread,
        over,
    })
}

impl Open {
    /// Ends the thread, once its tasks are drained. Blocks for a moment.
    pub fn close(self) {
        self.over.request();
        if self.thread.join().is_err() {
            tracing::error!("the thread of the operator's routes panicked");
        }
    }
}

/// What the front door answers below `/_/` where there is a side door.
pub struct Elsewhere;

#[async_trait::async_trait]
impl Internal for Elsewhere {
    async fn serve(&self, request: http::Request<hyper::body::Incoming>) -> Response<Body> {
        let message = format!("Nothing is at {}", request.uri().path());
        let body = serde_json::json!({ "error": message, "code": "NOT_FOUND" });
        let body = Full::from(body.to_string()).map_err(|never| match never {});
        let mut response = Response::new(body.boxed_unsync());
        *response.status_mut() = StatusCode::NOT_FOUND;
        let json = header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }

    fn is_here(&self) -> bool {
        false
    }
}
