//! `rookery:app/sessions`, in.

use super::SessionEvent;
use super::generated::rookery::app::types::PayloadResult;
use crate::App;
use crate::deliver::{Arrival, Event};
use crate::event::{Closed, Message, Opened, Payload};
use crate::session::SessionId;

/// Hands a batch to the app.
pub fn deliver(app: &App, events: Vec<SessionEvent>) {
    app.deliver(events.into_iter().map(arrival).collect());
}

fn arrival(event: SessionEvent) -> Arrival {
    let (session, attachment, event) = match event {
        SessionEvent::Opened(it) => {
            let opened = Opened {
                path: it.path,
                raw_query: it.query,
                headers: it.headers,
                peer: it.peer,
                subprotocols: it.subprotocols,
            };
            (it.session, Vec::new(), Event::Opened(opened))
        }
        SessionEvent::Message(it) => {
            let message = Message {
                payload: payload(it.payload),
                redelivered: it.redelivered,
            };
            (it.session, it.attachment, Event::Message(message))
        }
        SessionEvent::Timer(it) => (it.session, it.attachment, Event::Timer(it.name)),
        SessionEvent::Resumed(it) => (it.session, it.attachment, Event::Resumed(it.from_version)),
        SessionEvent::Closed(it) => {
            let closed = Closed {
                code: it.code,
                reason: it.reason,
            };
            (it.session, it.attachment, Event::Closed(closed))
        }
    };
    Arrival {
        session: SessionId(session),
        attachment,
        event,
    }
}

pub(super) fn payload(payload: PayloadResult) -> Payload {
    match payload {
        PayloadResult::Text(text) => Payload::Text(text),
        PayloadResult::Binary(bytes) => Payload::Binary(bytes),
    }
}
