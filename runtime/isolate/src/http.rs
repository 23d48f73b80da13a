//! One request through a guest's `wasi:http/incoming-handler`.

use std::sync::Arc;

use http::header::HOST;
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use rookery_host::Outgoing;
use rookery_pool::{Body, Fault, Invocation, Reply, Verdict};
use wasmtime::component::Resource;
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Scheme};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;
use wasmtime_wasi_http::p2::types::{HostIncomingRequest, HostResponseOutparam};

use crate::epoch::Runner;
use crate::gate::{Gate, Wait};
use crate::instantiate::Isolate;
use crate::trap;

/// Answers once: either the guest does, or whoever sees it fail.
type SharedReply = Arc<Mutex<Option<Reply>>>;

/// The host's hand on the reply. The guest's is a resource that lives as long as its store: when the invocation is
/// dropped, whoever waits for the answer must not wait for that.
struct Held(SharedReply);

impl Held {
    fn fail(&self, fault: Fault) {
        if let Some(reply) = self.0.lock().take() {
            reply.fail(fault);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.lock().take();
    }
}

/// Runs the request to its end. The head goes out as soon as the guest has it.
pub(crate) async fn request(isolate: &mut Isolate, invocation: Invocation) -> Verdict {
    let Invocation {
        request,
        reply,
        deadline,
    } = invocation;
    let Some(proxy) = isolate.http.as_ref() else {
        let fault = Fault::Unsupported("HTTP requests");
        reply.fail(fault.clone());
        return Verdict::Fault(fault);
    };
    let reply = Held(Arc::new(Mutex::new(Some(reply))));
    isolate.sound = false;
    isolate.store.data_mut().begin_invocation(deadline);
    let handler = proxy.wasi_http_incoming_handler();
    let called = match resources(isolate.store.data_mut(), request, &reply.0) {
        Ok((request, out)) => {
            let runner = Runner::of(isolate.store.data());
            let call = handler.call_handle(&mut isolate.store, request, out);
            runner.run(call).await
        }
        Err(error) => Err(error),
    };
    isolate.store.data_mut().end_invocation();
    match called {
        Ok(()) => {
            isolate.sound = true;
            Verdict::Reusable
        }
        Err(error) => {
            let fault = trap::fault(isolate.store.data(), &error);
            reply.fail(fault.clone());
            Verdict::Fault(fault)
        }
    }
}

fn resources(
    state: &mut crate::state::State,
    request: Request<Body>,
    reply: &SharedReply,
) -> wasmtime::Result<(
    Resource<HostIncomingRequest>,
    Resource<HostResponseOutparam>,
)> {
    let scheme = match request.uri().scheme_str() {
        Some("https") => Scheme::Https,
        _ => Scheme::Http,
    };
    let request = named(request).map(|body| {
        body.map_err(|error| wasmtime_wasi_http::Error::InternalError(Some(error.to_string())))
    });
    let reply = Arc::clone(reply);
    let (outgoing, guest) = (state.outgoing.clone(), Arc::clone(&state.guest));
    let mut http = state.http();
    let request = http.new_incoming_request(scheme, request)?;
    let out = http.new_response_outparam_from_callback(move |answer| {
        let Some(reply) = reply.lock().take() else {
            return;
        };
        match outgoing.take() {
            None => respond(reply, answer, outgoing),
            Some(held) => guest.tasks().spawn("held answer", async move {
                if held.settle().await {
                    respond(reply, answer, outgoing);
                } else {
                    reply.fail(Fault::Lost);
                }
            }),
        }
    })?;
    Ok((request, out))
}

/// A client that asks nobody, or a host that is no text, asks us: that must not look like a fault of the guest.
fn named(mut request: Request<Body>) -> Request<Body> {
    if request.uri().authority().is_none() {
        let host = request.headers().get(HOST);
        if host.is_none_or(|host| host.to_str().is_err()) {
            let us = HeaderValue::from_static("localhost");
            request.headers_mut().insert(HOST, us);
        }
    }
    request
}

fn respond(
    reply: Reply,
    answer: Result<Response<HyperOutgoingBody>, ErrorCode>,
    outgoing: Outgoing,
) {
    match answer {
        // What comes before an answer is none, and 101 would have the client speak something else from here on.
        Ok(response) if response.status().is_informational() => {
            let status = response.status();
            reply.fail(Fault::Trap(format!(
                "it answered with {status}, which is no answer"
            )));
        }
        Ok(response) => reply.respond(response.map(|body| {
            let body = body.map_err(|error| format!("{error:?}").into());
            let waits_for = move || {
                let held = outgoing.piece()?;
                Some(Box::pin(held.settle()) as Wait)
            };
            Gate::new(body, waits_for).boxed_unsync()
        })),
        Err(code) => reply.fail(Fault::Trap(format!("it answered with the error {code:?}"))),
    }
}
