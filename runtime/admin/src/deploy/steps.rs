//! A deploy's steps, told while they happen to whoever asked for them.
//!
//! A client that accepts `application/x-ndjson` gets an object a line, one that accepts `text/event-stream` the same
//! objects as events. The head of the answer goes out with the first step, when all of the archive was received: what is
//! refused before is answered as to everybody else.
//!
//! **Invariant:** the last line says how it ended: `live`, `published`, `unchanged` or `refused`.
//! **Absent on purpose:** waiting. A client that does not read its steps holds up no deploy.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, Method, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use parking_lot::Mutex;
use rookery_pool::{Body, BodyError, Milestone, Watch};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::refusal::Refusal;
use crate::respond;

/// How many lines may wait for a client. There are about ten steps; a line too many is lost.
const LINES_MAX: usize = 32;

/// How lines are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// `{…}\n`, <https://github.com/ndjson/ndjson-spec>.
    Lines,
    /// `data: {…}\n\n`, as the HTML standard has it (9.2).
    Events,
}

/// Where the steps go, and the answer after them.
#[derive(Clone)]
pub(crate) struct Steps {
    form: Option<Form>,
    state: Arc<Mutex<State>>,
}

enum State {
    /// Nothing was said yet.
    Silent(oneshot::Sender<Response<Body>>),
    /// The head is out.
    Telling(mpsc::Sender<Bytes>),
    /// Everything was said.
    Over,
}

/// What a deploy has come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// All of the archive is there.
    Received {
        /// Its size.
        bytes: u64,
    },
    /// It is files now.
    Unpacked {
        /// How many.
        files: usize,
        /// All of them together.
        bytes: u64,
    },
    /// The manifest says nothing wrong.
    Manifest {
        /// What it says that may be.
        warnings: Vec<String>,
    },
    /// There is something to serve.
    Entrypoint {
        /// `static`, `wasm` or `process`.
        kind: &'static str,
    },
    /// Its preparation has come so far.
    Prepared(Milestone),
}

impl Steps {
    /// Tells those who asked for it, and answers `reply` in the end.
    pub fn of(
        method: &Method,
        headers: &HeaderMap,
        reply: oneshot::Sender<Response<Body>>,
    ) -> Steps {
        let accepted = headers.get_all(ACCEPT).into_iter();
        let mut accepted = accepted
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|range| range.split(';').next().unwrap_or_default().trim());
        let form = accepted.find_map(|range| match range {
            "application/x-ndjson" => Some(Form::Lines),
            "text/event-stream" => Some(Form::Events),
            _ => None,
        });
        Steps {
            form: form.filter(|_| method == Method::PUT),
            state: Arc::new(Mutex::new(State::Silent(reply))),
        }
    }

    /// Tells a step.
    pub fn tell(&self, step: &Step) {
        let Some(form) = self.form else { return };
        let mut state = self.state.lock();
        if let State::Silent(_) = &*state {
            let (sender, receiver) = mpsc::channel(LINES_MAX);
            let State::Silent(reply) = std::mem::replace(&mut *state, State::Telling(sender))
            else {
                return;
            };
            // The client may have left.
            let _ = reply.send(head(form, receiver));
        }
        write(&state, form, &step.shown());
    }

    /// Answers, with the whole answer or with the last line of one that has begun.
    pub fn done(&self, response: Response<Body>, last: Option<Value>) {
        let state = std::mem::replace(&mut *self.state.lock(), State::Over);
        match (state, self.form, last) {
            (State::Silent(reply), ..) => {
                let _ = reply.send(response);
            }
            (state, Some(form), Some(last)) => write(&state, form, &ended(last)),
            _ => {}
        }
    }

    /// The same for what was refused.
    pub fn refused(&self, refusal: &Refusal) {
        let last = json!({
            "state": "refused",
            "status": refusal.status().as_u16(),
            "code": refusal.code(),
            "error": refusal.to_string(),
            "reasons": refusal.reasons(),
        });
        self.done(respond::refused(refusal), Some(last));
    }
}

impl Watch for Steps {
    fn reached(&self, milestone: Milestone) {
        self.tell(&Step::Prepared(milestone));
    }
}

impl Step {
    fn shown(&self) -> Value {
        match self {
            Step::Received { bytes } => json!({ "step": "received", "bytes": bytes }),
            Step::Unpacked { files, bytes } => {
                json!({ "step": "unpacked", "files": files, "bytes": bytes })
            }
            Step::Manifest { warnings } => json!({ "step": "manifest", "warnings": warnings }),
            Step::Entrypoint { kind } => json!({ "step": "entrypoint", "kind": kind }),
            Step::Prepared(milestone) => prepared(milestone),
        }
    }
}

fn prepared(milestone: &Milestone) -> Value {
    match milestone {
        Milestone::Compiled { took } => json!({ "step": "compiled", "ms": millis(*took) }),
        Milestone::Checked { serves } => json!({ "step": "world", "serves": serves }),
        Milestone::Migrated { ran } => json!({ "step": "migrations", "ran": ran }),
        Milestone::Healthy { answer, took } => {
            let answer = answer.as_ref();
            json!({
                "step": "health",
                "path": answer.map(|answer| answer.path.as_str()),
                "status": answer.map(|answer| answer.status),
                "ms": millis(*took),
            })
        }
    }
}

/// With a fraction: what takes less than a millisecond took some time, too.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// The last line: the answer, called a step like those before it.
fn ended(answer: Value) -> Value {
    let mut line = json!({ "step": answer["state"] });
    if let (Some(line), Value::Object(answer)) = (line.as_object_mut(), answer) {
        line.extend(answer);
    }
    line
}

fn write(state: &State, form: Form, line: &Value) {
    let State::Telling(sender) = state else {
        return;
    };
    let line = match form {
        Form::Lines => format!("{line}\n"),
        Form::Events => format!("data: {line}\n\n"),
    };
    // Nobody reads them any more, or not as fast as they come: the deploy goes on.
    let _ = sender.try_send(Bytes::from(line));
}

fn head(form: Form, mut lines: mpsc::Receiver<Bytes>) -> Response<Body> {
    let lines = stream::poll_fn(move |cx| {
        let line = lines.poll_recv(cx);
        line.map(|line| line.map(|line| Ok::<_, BodyError>(Frame::data(line))))
    });
    let body = StreamBody::new(lines).boxed_unsync();
    let content_type = match form {
        Form::Lines => "application/x-ndjson",
        Form::Events => "text/event-stream",
    };
    let response = respond::with(Response::new(body), CONTENT_TYPE, content_type);
    let response = respond::with(response, CACHE_CONTROL, "no-store");
    // nginx would collect the lines until its buffer is full.
    respond::with(response, HeaderName::from_static("x-accel-buffering"), "no")
}
