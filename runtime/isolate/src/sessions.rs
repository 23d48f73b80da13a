//! One batch of session events through a guest's `rookery:app/sessions`.

use rookery_contract as contract;
use rookery_contract::EventKind;
use rookery_pool::{Deadline, EventsOutcome, Fault, Verdict};

use crate::bindings::exports::rookery::app::sessions as wit;
use crate::epoch::Runner;
use crate::hub::outward;
use crate::instantiate::Isolate;
use crate::trap;

/// Runs the batch. Whatever the guest published reaches its subscribers before this ends.
pub(crate) async fn events(
    isolate: &mut Isolate,
    events: &[contract::Event],
    deadline: Deadline,
) -> EventsOutcome {
    let Some(app) = isolate.sessions.as_ref() else {
        return EventsOutcome {
            began: None,
            verdict: Verdict::Fault(Fault::Unsupported("sessions")),
        };
    };
    isolate.sound = false;
    let state = isolate.store.data_mut();
    state.deadline = deadline;
    state.began = None;
    let events: Vec<wit::Event> = events.iter().map(event).collect();
    let runner = Runner::of(state);
    let guest = app.rookery_app_sessions();
    let called = runner
        .run(guest.call_handle(&mut isolate.store, &events))
        .await;
    isolate.sound = called.is_ok();
    let state = isolate.store.data_mut();
    state.end_invocation();
    EventsOutcome {
        began: state.began,
        verdict: match called {
            Ok(()) => Verdict::Reusable,
            Err(error) => Verdict::Fault(trap::fault(state, &error)),
        },
    }
}

fn event(event: &contract::Event) -> wit::Event {
    let session = event.session.0;
    let attachment = event.attachment.to_vec();
    match &event.kind {
        EventKind::Opened(opened) => wit::Event::Opened(wit::Opened {
            session,
            path: opened.path.clone(),
            query: opened.query.clone(),
            headers: opened.headers.clone(),
            peer: opened.peer.clone(),
            subprotocols: opened.subprotocols.clone(),
        }),
        EventKind::Message {
            payload,
            redelivered,
        } => wit::Event::Message(wit::Message {
            session,
            attachment,
            payload: outward(payload),
            redelivered: *redelivered,
        }),
        EventKind::Timer { name } => wit::Event::Timer(wit::Timer {
            session,
            attachment,
            name: name.to_string(),
        }),
        EventKind::Resumed { from_version } => wit::Event::Resumed(wit::Resumed {
            session,
            attachment,
            from_version: from_version.to_string(),
        }),
        EventKind::Closed { code, reason } => wit::Event::Closed(wit::Closed {
            session,
            attachment,
            code: *code,
            reason: reason.to_string(),
        }),
    }
}
