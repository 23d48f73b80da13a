//! The host: one version of an app in a namespace.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::world::{self, World};
use super::{Answer, Client, Request};
use crate::deliver::{Arrival, Event};
use crate::event::{Message, Opened, Payload};
use crate::session::SessionId;
use crate::sql::{SqlError, Value};
use crate::{App, Request as AppRequest};

/// Runs an app. A clone is the same host.
#[derive(Clone)]
pub struct Host {
    app: Rc<App>,
    pub(super) world: Rc<RefCell<World>>,
}

impl Host {
    /// The app in a namespace of its own.
    pub fn new(app: App) -> Host {
        Host {
            app: Rc::new(app),
            world: Rc::new(RefCell::new(World::new())),
        }
    }

    /// Another version of the app in the same namespace: it shares sessions, topics, bucket and clock.
    #[must_use]
    pub fn beside(&self, app: App) -> Host {
        Host {
            app: Rc::new(app),
            world: self.world.clone(),
        }
    }

    /// Grants a setting.
    #[must_use]
    pub fn with_setting(self, name: &str, value: &str) -> Host {
        let settings = &mut self.world.borrow_mut().settings;
        settings.insert(name.to_owned(), value.to_owned());
        self.clone()
    }

    /// Answers the app's statements: columns and rows, as many as a write is to have changed. `BEGIN`, `COMMIT` and
    /// `ROLLBACK` are asked, too, around the steps of a transaction.
    #[must_use]
    pub fn answer_sql(
        self,
        answers: impl FnMut(&str, &[Value]) -> Result<(Vec<String>, Vec<Vec<Value>>), SqlError>
        + 'static,
    ) -> Host {
        self.world.borrow_mut().sql = Some(Box::new(answers));
        self.clone()
    }

    /// Sends a request and reads the whole answer.
    pub fn request(&self, request: Request) -> Answer {
        let (method, target, incoming) = request.into_incoming();
        self.run(|| {
            let mut request = AppRequest::new(method, &target, incoming);
            Answer::collect(self.app.answer(&mut request))
        })
    }

    /// Opens a session on a path with or without a query.
    pub fn open(&self, target: &str) -> Client {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        self.open_with(Opened {
            path: path.to_owned(),
            raw_query: query.to_owned(),
            peer: "192.0.2.1".to_owned(),
            ..Opened::default()
        })
    }

    /// Opens a session as described.
    pub fn open_with(&self, opened: Opened) -> Client {
        let id = self.world.borrow_mut().attach_session();
        self.deliver(vec![(id, Event::Opened(opened))]);
        Client::new(self.clone(), id)
    }

    /// Delivers text messages as one batch: the attachments of all of them are those from before the first.
    pub fn batch(&self, messages: &[(&Client, &str)]) {
        let event = |(client, text): &(&Client, &str)| {
            let message = Message {
                payload: Payload::from(*text),
                redelivered: false,
            };
            (client.id(), Event::Message(message))
        };
        self.deliver(messages.iter().map(event).collect());
    }

    /// Moves the clock, runs each timer when its time has come, and tells subscribers who came and went.
    pub fn advance(&self, by: Duration) {
        let by_ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        let until_ms = self.world.borrow().now_ms.saturating_add(by_ms);
        loop {
            let news_ms = self.world.borrow().rosters.due_ms();
            let news_ms = news_ms.filter(|due| *due <= until_ms);
            let timer = self
                .world
                .borrow_mut()
                .take_timer(news_ms.unwrap_or(until_ms));
            match (timer, news_ms) {
                (Some((id, name, due)), _) => {
                    self.world.borrow_mut().now_ms = due;
                    self.deliver(vec![(id, Event::Timer(name))]);
                }
                (None, Some(due)) => self.world.borrow_mut().tell_news(due),
                (None, None) => break,
            }
        }
        self.world.borrow_mut().now_ms = until_ms;
    }

    /// Tells the app that it had nothing to do for its idle timeout.
    pub fn idle(&self) {
        self.run(|| self.app.idle());
    }

    /// Tells the app that its instance ends.
    pub fn terminate(&self) {
        self.run(|| self.app.terminate());
    }

    /// Runs code of the app that is neither a request nor an event, such as a repository's function.
    pub fn run<R>(&self, run: impl FnOnce() -> R) -> R {
        let _entered = world::enter(&self.world);
        run()
    }

    /// Lets the next swaps of the bucket lose against somebody who was faster.
    pub fn contend(&self, swaps: u32) {
        self.world.borrow_mut().store.rivals = swaps;
    }

    /// Every key of the bucket, sorted.
    pub fn keys(&self) -> Vec<String> {
        let world = self.world.borrow();
        world.store.keys().map(str::to_owned).collect()
    }

    /// What the app wrote to the log.
    pub fn log(&self) -> Vec<String> {
        self.world.borrow().log.clone()
    }

    /// Delivers events, and then the end of every session that they ended.
    pub(super) fn deliver(&self, events: Vec<(SessionId, Event)>) {
        let mut events = events;
        while !events.is_empty() {
            let batch = events.drain(..).map(|event| self.arrival(event)).collect();
            self.run(|| self.app.deliver(batch));
            let ended = self.world.borrow_mut().take_ended();
            events.extend(
                ended
                    .into_iter()
                    .map(|(id, closed)| (id, Event::Closed(closed))),
            );
        }
    }

    fn arrival(&self, (session, event): (SessionId, Event)) -> Arrival {
        let world = self.world.borrow();
        let known = world.sessions.get(&session);
        Arrival {
            session,
            attachment: known.map_or_else(Vec::new, |known| known.attachment.clone()),
            event,
        }
    }
}
