//! The statistics, at once and then at every tick, as server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! **Invariant:** an event is made when the connection takes it. A viewer that is slow gets fewer events, all of them
//! true when they are sent, and nothing piles up.
//! **Absent on purpose:** a task. Dropping the body ends the stream, and the request for shutdown ends it too.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use parking_lot::Mutex;
use rookery_lifecycle::Shutdown;
use rookery_pool::{Body, BodyError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::source::{Source, Stats};

/// How many may watch at once.
pub const VIEWERS_MAX: usize = 256;

/// How long an event is the newest: the viewers of one moment share it, so that many cost as much as one.
pub const SHARED_FOR: Duration = Duration::from_millis(50);

/// What all viewers watch.
pub(crate) struct Stream {
    source: Arc<dyn Source>,
    newest: Mutex<Option<(Instant, Bytes)>>,
    seats: Arc<Semaphore>,
    shutdown: Shutdown,
}

/// One who watches.
struct Viewer {
    stream: Arc<Stream>,
    ticks: Interval,
    _seat: OwnedSemaphorePermit,
}

impl Stream {
    pub(crate) fn new(source: Arc<dyn Source>, shutdown: Shutdown) -> Arc<Stream> {
        Arc::new(Stream {
            source,
            newest: Mutex::new(None),
            seats: Arc::new(Semaphore::new(VIEWERS_MAX)),
            shutdown,
        })
    }

    /// One more viewer, or `None` when there are too many.
    pub(crate) fn watch(self: &Arc<Self>, every: Duration) -> Option<Body> {
        let seat = self.seats.clone().try_acquire_owned().ok()?;
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let viewer = Viewer {
            stream: self.clone(),
            ticks,
            _seat: seat,
        };
        Some(StreamBody::new(stream::unfold(viewer, Viewer::step)).boxed_unsync())
    }

    /// The newest event. The lock is held while it is made, so that others who want one take this one.
    fn event(&self) -> Result<Bytes, BodyError> {
        let mut newest = self.newest.lock();
        let now = Instant::now();
        if let Some((made, event)) = newest.as_ref()
            && now.duration_since(*made) < SHARED_FOR
        {
            return Ok(event.clone());
        }
        let json = serde_json::to_string(&Stats::of(self.source.as_ref()))?;
        let event = Bytes::from(format!("data: {json}\n\n"));
        *newest = Some((now, event.clone()));
        Ok(event)
    }
}

impl Viewer {
    async fn step(mut self) -> Option<(Result<Frame<Bytes>, BodyError>, Viewer)> {
        let (shutdown, ticks) = (&self.stream.shutdown, &mut self.ticks);
        tokio::select! {
            biased;
            () = shutdown.requested() => return None,
            _ = ticks.tick() => {}
        }
        Some((self.stream.event().map(Frame::data), self))
    }
}
