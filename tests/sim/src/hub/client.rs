//! Somebody who talks, listens at a pace of his own, and comes back when the close code says so.

use std::collections::VecDeque;
use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes};
use parking_lot::Mutex;
use rookery_contract::Payload;
use rookery_hub::close::{Advice, advice};
use rookery_hub::{Received, Session};
use tokio::time::{Instant, sleep, sleep_until};

use super::event::{ClientId, Event, Heard, Pace, Place, Said, Topic};
use super::front::Front;
use super::guest::Stage;
use super::plan::{AGAIN, Act, ClientPlan};
use super::speech::{Ear, Frame};

/// How long a close frame may take to be read.
const CLOSE_GRACE: Duration = Duration::from_secs(5);
/// Before somebody comes back.
const PAUSE: Duration = Duration::from_millis(40);
/// How many chunks the writer takes at once.
const CHUNKS: usize = 64;
/// Nobody reads faster.
const ALL: usize = 1 << 20;

struct Client {
    stage: Arc<Stage>,
    plan: ClientPlan,
    /// What it says next, of what it does not say on coming.
    next: AtomicUsize,
    /// Where it is on the topic that keeps.
    place: Mutex<Place>,
    times: Said,
}

/// How a connection ended.
enum End {
    /// The client read a close frame, and did not close itself.
    Closed(u16),
    /// It did not read it in time.
    Cut(u16),
    /// The client's own doing.
    Left,
}

/// Comes, and stays for as long as there is a day.
pub async fn come(stage: Arc<Stage>, front: Arc<Front>, id: ClientId, plan: ClientPlan) {
    let mut client = Client {
        stage: Arc::clone(&stage),
        next: AtomicUsize::new(0),
        place: Mutex::default(),
        times: 0,
        plan,
    };
    sleep_until(stage.morning + client.plan.at).await;
    while !stage.evening.is_requested() {
        let attached = front.attach(client.plan.outbox_bytes);
        let session = Arc::clone(attached.session());
        let sid = session.id().0;
        stage.trace.add(Event::Connected(id, sid, client.pace()));
        let end = tokio::select! {
            biased;
            () = stage.evening.requested() => End::Left,
            () = client.breaks() => End::Left,
            end = client.listen(&session) => end,
            () = client.talk(&session) => End::Left,
        };
        front.leave(&session);
        let (code, is_back) = match end {
            End::Closed(code) | End::Cut(code) => (code, advice(code) != Advice::Stay),
            End::Left => (1006, false),
        };
        stage.trace.add(Event::Gone(sid, code));
        attached.detach(code, "");
        if !is_back {
            return;
        }
        sleep(PAUSE).await;
        client.times += 1;
    }
}

impl Client {
    fn pace(&self) -> Pace {
        if self.plan.bytes_per_ms >= ALL {
            Pace::Quick
        } else {
            Pace::Slow
        }
    }

    async fn breaks(&self) {
        match self.plan.leaves {
            Some(at) => sleep_until(self.stage.morning + at).await,
            None => pending().await,
        }
    }

    async fn talk(&self, session: &Arc<Session>) {
        for said in &self.plan.greetings {
            self.say(session, said + self.times * AGAIN).await;
        }
        while let Some((at, said)) = self.plan.says.get(self.next.load(Ordering::Relaxed)) {
            sleep_until(self.stage.morning + *at).await;
            self.next.fetch_add(1, Ordering::Relaxed);
            self.say(session, *said).await;
        }
        pending().await
    }

    async fn say(&self, session: &Arc<Session>, said: Said) {
        session.inbox_room().await;
        let text = match self.stage.deed(said).act {
            Act::Recover => {
                let (epoch, offset) = *self.place.lock();
                format!("{said} {epoch} {offset}")
            }
            _ => said.to_string(),
        };
        let received = session.push_message(Payload::Text(text.into()));
        if received == Received::Queued {
            let id = session.id().0;
            self.stage.trace.add(Event::Said(id, said));
        }
    }

    /// Reads until the end. What it has not read lies in the pipe, and the frame at its front may be there in part.
    async fn listen(&self, session: &Arc<Session>) -> End {
        let (mut pipe, mut ear) = (VecDeque::<Bytes>::new(), Ear::default());
        let mut cut_at = None;
        loop {
            if pipe.is_empty() {
                poll_fn(|cx| session.poll_outbox(cx)).await;
                if session.take_chunks(&mut pipe, CHUNKS) == 0 {
                    return End::Cut(session.closing().map_or(1006, |frame| frame.code()));
                }
            }
            let mut budget = self.budget(session, &mut cut_at).await;
            if cut_at.is_some_and(|at| Instant::now() >= at) {
                return End::Cut(session.closing().map_or(1006, |frame| frame.code()));
            }
            while budget > 0
                && let Some(first) = pipe.front_mut()
            {
                let step = budget.min(first.len());
                ear.take(&first[..step]);
                first.advance(step);
                budget -= step;
                if first.is_empty() {
                    pipe.pop_front();
                }
            }
            while let Some(frame) = ear.next() {
                match frame {
                    Frame::Text(heard) => self.hear(session, heard),
                    Frame::Close(code) => {
                        let id = session.id().0;
                        self.stage.trace.add(Event::Closed(id, code));
                        return End::Closed(code);
                    }
                }
            }
        }
    }

    /// Waits until it takes something, and says how much.
    async fn budget(&self, session: &Session, cut_at: &mut Option<Instant>) -> usize {
        let hurry = &self.stage.hurry;
        if hurry.is_requested() || self.pace() == Pace::Quick {
            return ALL;
        }
        let now = self.stage.morning.elapsed();
        let stall = self
            .plan
            .stall
            .filter(|(at, lasts)| (*at..*at + *lasts).contains(&now));
        let until = match stall {
            Some((at, lasts)) => self.stage.morning + at + lasts,
            None => Instant::now() + Duration::from_millis(1),
        };
        if session.closing().is_some() {
            cut_at.get_or_insert(Instant::now() + CLOSE_GRACE);
        }
        tokio::select! {
            biased;
            () = hurry.requested() => ALL,
            () = poll_fn(|cx| session.poll_closing(cx)), if cut_at.is_none() => {
                *cut_at = Some(Instant::now() + CLOSE_GRACE);
                0
            }
            () = sleep_until(until.min(cut_at.unwrap_or(until))) => match stall {
                Some(_) => 0,
                None => self.plan.bytes_per_ms,
            },
        }
    }

    fn hear(&self, session: &Session, heard: Heard) {
        let mut place = self.place.lock();
        match &heard {
            Heard::Joined(Topic::Kept, at) => *place = *at,
            Heard::Message(said) => {
                let act = self.stage.deed(*said).act;
                if matches!(act, Act::Publish(Topic::Kept, ..)) {
                    place.1 += 1;
                }
            }
            _ => {}
        }
        let id = session.id().0;
        self.stage.trace.add(Event::Heard(id, heard));
    }
}
