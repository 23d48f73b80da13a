//! One batch of session events through a guest's `rookery:app/sessions`.

use rookery_contract as contract;
use rookery_contract::EventKind;
use rookery_host::Effects;
use rookery_pool::{Deadline, Effect, EventsOutcome, Fault, Verdict};

use crate::bindings::exports::rookery::app::sessions as wit;
use crate::bindings::rookery::app::types::PayloadParam;
use crate::epoch::Runner;
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
            effect: Effect::None,
            verdict: Verdict::Fault(Fault::Unsupported("sessions")),
        };
    };
    isolate.sound = false;
    let state = isolate.store.data_mut();
    state.begin_invocation(deadline);
    state.effects = Effects::default();
    let lists: Vec<Lists<'_>> = events.iter().filter_map(Lists::of).collect();
    let mut next_lists = lists.iter();
    let events: Vec<wit::Event<'_>> = events
        .iter()
        .map(|event| lend(event, &mut next_lists))
        .collect();
    let runner = Runner::of(state);
    let guest = app.rookery_app_sessions();
    let called = runner
        .run(guest.call_handle(&mut isolate.store, &events))
        .await;
    isolate.sound = called.is_ok();
    let state = isolate.store.data_mut();
    state.end_invocation();
    EventsOutcome {
        began: state.effects.began(),
        effect: match state.effects.has_left() {
            true => Effect::Left,
            false => Effect::None,
        },
        verdict: match called {
            Ok(()) => Verdict::Reusable,
            Err(error) => Verdict::Fault(trap::fault(state, &error)),
        },
    }
}

/// What an opened session has several of, as the guest is lent it.
struct Lists<'a> {
    headers: Vec<(&'a str, &'a str)>,
    subprotocols: Vec<&'a str>,
}

impl<'a> Lists<'a> {
    /// `None` for every other event.
    fn of(event: &'a contract::Event) -> Option<Lists<'a>> {
        let EventKind::Opened(opened) = &event.kind else {
            return None;
        };
        let headers = opened.headers.iter();
        Some(Lists {
            headers: headers.map(|(name, value)| (&**name, &**value)).collect(),
            subprotocols: opened.subprotocols.iter().map(|one| &**one).collect(),
        })
    }
}

/// The event as the guest is lent it; takes the next lists if it is a session's opening.
fn lend<'a>(
    event: &'a contract::Event,
    lists: &mut impl Iterator<Item = &'a Lists<'a>>,
) -> wit::Event<'a> {
    let session = event.session.0;
    let attachment = &*event.attachment;
    match &event.kind {
        EventKind::Opened(opened) => {
            let lists = lists.next().expect("each opening has lists");
            wit::Event::Opened(wit::Opened {
                session,
                path: &opened.path,
                query: &opened.query,
                headers: &lists.headers,
                peer: &opened.peer,
                subprotocols: &lists.subprotocols,
            })
        }
        EventKind::Message {
            payload,
            redelivered,
        } => wit::Event::Message(wit::Message {
            session,
            attachment,
            payload: lent(payload),
            redelivered: *redelivered,
        }),
        EventKind::Timer { name } => wit::Event::Timer(wit::Timer {
            session,
            attachment,
            name,
        }),
        EventKind::Resumed { from_version } => wit::Event::Resumed(wit::Resumed {
            session,
            attachment,
            from_version,
        }),
        EventKind::Closed { code, reason } => wit::Event::Closed(wit::Closed {
            session,
            attachment,
            code: *code,
            reason,
        }),
    }
}

fn lent(payload: &contract::Payload) -> PayloadParam<'_> {
    match payload {
        contract::Payload::Text(text) => PayloadParam::Text(text),
        contract::Payload::Binary(bytes) => PayloadParam::Binary(bytes),
    }
}
