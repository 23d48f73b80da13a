//! A batch of events, one after the other.
//!
//! **Invariant:** a session that occurs twice in a batch sees its own changes. The host hands out the attachments as
//! they were when the batch began.

use crate::event::{Closed, Message, Opened};
use crate::session::{AttachError, On, Session, SessionId};
use crate::topic::TopicError;
use crate::{App, Error, log, seam};

/// RFC 6455, 7.4.1: the server met a condition that keeps it from going on.
const INTERNAL_ERROR: u16 = 1011;

pub(crate) struct Arrival {
    pub(crate) session: SessionId,
    pub(crate) attachment: Vec<u8>,
    pub(crate) event: Event,
}

pub(crate) enum Event {
    Opened(Opened),
    Message(Message),
    Timer(String),
    Resumed(String),
    Closed(Closed),
}

impl App {
    pub(crate) fn deliver(&self, batch: Vec<Arrival>) {
        // A batch has 64 events at most, and most change nothing: a walk beats a map.
        let mut changes: Vec<(SessionId, Vec<u8>)> = Vec::new();
        for (index, arrival) in (0u32..).zip(batch) {
            seam::hub::begin(index);
            let earlier = changes.iter().position(|(id, _)| *id == arrival.session);
            let attachment = match earlier {
                Some(at) => changes.swap_remove(at).1,
                None => arrival.attachment,
            };
            let mut session = Session::new(arrival.session, attachment);
            session.changed = earlier.is_some();
            if let Err(error) = self.dispatch(&mut session, &arrival.event) {
                fail(&session, &error);
            }
            if session.changed {
                changes.push((session.id(), session.into_attachment()));
            }
        }
    }

    fn dispatch(&self, session: &mut Session, event: &Event) -> Result<(), Error> {
        fn run<E: ?Sized>(handler: &On<E>, session: &mut Session, event: &E) -> Result<(), Error> {
            match handler {
                Some(handler) => handler(session, event),
                None => Ok(()),
            }
        }
        let handlers = &self.handlers;
        match event {
            Event::Opened(opened) => run(&handlers.open, session, opened),
            Event::Message(message) => run(&handlers.message, session, message),
            Event::Timer(name) => run(&handlers.timer, session, name.as_str()),
            Event::Resumed(version) => run(&handlers.resume, session, version.as_str()),
            Event::Closed(closed) => run(&handlers.close, session, closed),
        }
    }
}

fn fail(session: &Session, error: &Error) {
    let left = error.source_as() == Some(&TopicError::Gone)
        || error.source_as() == Some(&AttachError::Gone);
    let level = if left {
        log::Level::Debug
    } else {
        log::Level::Error
    };
    log::write(level, format_args!("session {}: {error:?}", session.id()));
    session.close(INTERNAL_ERROR, "Internal server error");
}
