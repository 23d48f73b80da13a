//! The statistics, at once and then at every tick, as server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! **Invariant:** an event is made when a connection takes it. A viewer that is slow gets fewer events, all of them
//! true when they are sent, and nothing piles up.
//! **Invariant:** the ticks of all viewers with one interval fall together, and an event is written as bytes once for all
//! of them: many viewers cost as much as one, but for their sockets.
//! **Absent on purpose:** a task. Dropping the body ends the stream, and the request for shutdown ends it too.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use parking_lot::Mutex;
use rookery_lifecycle::Shutdown;
use rookery_pool::{Body, BodyError};
use tokio::sync::Semaphore;
use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::access::{Door, Pass};
use crate::dashboard::{Board, Seen};
use crate::seat::Seat;
use crate::survey::Survey;

/// How many may watch at once.
pub const VIEWERS_MAX: usize = 256;

/// How long an event is the newest: the viewers of one moment share it, so that many cost as much as one.
pub const SHARED_FOR: Duration = Duration::from_millis(50);

/// What a viewer wants to see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum View {
    /// The statistics, as Buntime shows them.
    Statistics,
    /// What the dashboard draws: what changed, apps, history and log.
    Dashboard,
}

/// What all viewers watch.
pub(crate) struct Stream {
    survey: Arc<Survey>,
    board: Board,
    newest: Mutex<Option<(Instant, Bytes)>>,
    born: Instant,
    seats: Arc<Semaphore>,
    shutdown: Shutdown,
}

/// One who watches.
struct Viewer {
    stream: Arc<Stream>,
    ticks: Interval,
    is_first: bool,
    sees: Sees,
    /// Events of the last tick that the connection has not taken.
    pending: VecDeque<Bytes>,
    seat: Seat,
}

enum Sees {
    Statistics,
    Dashboard(Seen),
}

impl Stream {
    pub(crate) fn new(survey: Arc<Survey>, shutdown: Shutdown) -> Arc<Stream> {
        Arc::new(Stream {
            board: Board::new(Arc::clone(&survey)),
            survey,
            newest: Mutex::new(None),
            born: Instant::now(),
            seats: Arc::new(Semaphore::new(VIEWERS_MAX)),
            shutdown,
        })
    }

    /// A seat among those who watch, or `None` when there are too many.
    pub(crate) fn seat(&self, door: &Arc<Door>, pass: Pass) -> Option<Seat> {
        let permit = self.seats.clone().try_acquire_owned().ok()?;
        Some(Seat::new(door, pass, permit))
    }

    /// One more viewer.
    pub(crate) fn watch(self: &Arc<Self>, view: View, every: Duration, seat: Seat) -> Body {
        let viewer = Viewer {
            ticks: self.ticks(every),
            stream: self.clone(),
            is_first: true,
            sees: match view {
                View::Statistics => Sees::Statistics,
                View::Dashboard => Sees::Dashboard(Seen::default()),
            },
            pending: VecDeque::new(),
            seat,
        };
        StreamBody::new(stream::unfold(viewer, Viewer::step)).boxed_unsync()
    }

    /// Ticks that fall together with those of everybody who has this interval.
    fn ticks(&self, every: Duration) -> Interval {
        let now = Instant::now();
        let age = now.duration_since(self.born).as_nanos();
        let since_tick = age % every.as_nanos().max(1);
        let since_tick = Duration::from_nanos(u64::try_from(since_tick).unwrap_or_default());
        let mut ticks = tokio::time::interval_at(now + every - since_tick, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks
    }

    /// The newest statistics. The lock is held while they are made, so that others who want them take these.
    fn statistics(&self) -> Result<Bytes, BodyError> {
        let mut newest = self.newest.lock();
        let now = Instant::now();
        if let Some((made, event)) = newest.as_ref()
            && now.duration_since(*made) < SHARED_FOR
        {
            return Ok(event.clone());
        }
        let json = serde_json::to_string(&self.survey.stats())?;
        let event = Bytes::from(format!("data: {json}\n\n"));
        *newest = Some((now, event.clone()));
        Ok(event)
    }
}

impl Viewer {
    async fn step(mut self) -> Option<(Result<Frame<Bytes>, BodyError>, Viewer)> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some((Ok(Frame::data(event)), self));
            }
            let (shutdown, ticks) = (&self.stream.shutdown, &mut self.ticks);
            tokio::select! {
                biased;
                () = shutdown.requested() => return None,
                () = std::future::ready(()), if self.is_first => {}
                _ = ticks.tick() => {}
            }
            self.is_first = false;
            if !self.seat.is_good() {
                return None;
            }
            let told = match &mut self.sees {
                Sees::Statistics => self.stream.statistics().map(|event| vec![event]),
                Sees::Dashboard(seen) => self.stream.board.tell(seen),
            };
            match told {
                Ok(events) => self.pending.extend(events),
                Err(error) => return Some((Err(error), self)),
            }
        }
    }
}
