//! Workers that do with the hub what their clients say, and write down what is done to them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rookery_bundle::Bundle;
use rookery_contract::{
    Event as Told, EventKind, Position, PublishOptions, Retention, SessionId, WhenSlow,
};
use rookery_hub::{Hub, Publisher};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{
    Deadline, Effect, EventsOutcome, Fault, Invocation, Prepare, Spawn, SpawnError, Verdict, Worker,
};
use tokio::time::{Instant, sleep};

use super::event::{Event, Place, Publication, Topic, WorkerId, WriteId};
use super::front::{Front, item};
use super::plan::{AGAIN, Act, BatchPlan, Deed, Fall, Plan, Quality, StartPlan, To, Write};
use super::speech;
use crate::trace::Trace;

/// What the topic that keeps keeps.
pub const KEPT: Retention = Retention {
    messages: 20,
    seconds: 60,
};

/// What all workers and clients of a day share.
pub struct Stage {
    pub trace: Trace<Event>,
    pub hub: Arc<Hub>,
    pub morning: Instant,
    /// From now on everybody reads.
    pub hurry: Shutdown,
    /// The day is over.
    pub evening: Shutdown,
    tasks: Tasks,
    pub deeds: Vec<Deed>,
    qualities: Vec<Quality>,
    batches: Vec<BatchPlan>,
    starts: Vec<StartPlan>,
    falls: Vec<Fall>,
    fallen: AtomicUsize,
    given: AtomicUsize,
    started: AtomicUsize,
    written: AtomicU32,
    /// Epochs as the hub gave them, in the order in which they were first seen.
    epochs: Mutex<Vec<u64>>,
}

impl Stage {
    pub fn new(plan: &Plan, hub: &Arc<Hub>, tasks: &Tasks) -> Arc<Stage> {
        Arc::new(Stage {
            trace: Trace::begin(),
            hub: Arc::clone(hub),
            morning: Instant::now(),
            hurry: Shutdown::new(),
            evening: Shutdown::new(),
            tasks: tasks.clone(),
            deeds: plan.deeds.clone(),
            qualities: plan.builds.iter().map(|build| build.quality).collect(),
            batches: plan.batches.clone(),
            starts: plan.starts.clone(),
            falls: plan.falls.clone(),
            fallen: AtomicUsize::new(0),
            given: AtomicUsize::new(0),
            started: AtomicUsize::new(0),
            written: AtomicU32::new(0),
            epochs: Mutex::default(),
        })
    }

    /// A place whose epoch is counted from 1: the hub draws where it begins, which no seed decides.
    fn place(&self, position: Position) -> Place {
        let mut epochs = self.epochs.lock();
        let known = epochs.iter().position(|epoch| *epoch == position.epoch);
        let at = known.unwrap_or_else(|| {
            epochs.push(position.epoch);
            epochs.len() - 1
        });
        (at as u64 + 1, position.offset)
    }

    /// The position of a place.
    fn position(&self, (epoch, offset): Place) -> Position {
        let at = usize::try_from(epoch).unwrap_or_default().checked_sub(1);
        let epoch = at.and_then(|at| self.epochs.lock().get(at).copied());
        Position {
            epoch: epoch.unwrap_or_default(),
            offset,
        }
    }

    /// What becomes of the next session that a guest died of.
    pub fn fall(&self) -> Fall {
        let nth = self.fallen.fetch_add(1, Ordering::Relaxed);
        self.falls[nth % self.falls.len()]
    }

    /// What is done about something that was said.
    pub fn deed(&self, said: u32) -> Deed {
        let at = usize::try_from(said % AGAIN).expect("a number is an index");
        self.deeds[at]
    }
}

/// Prepares builds of the day.
pub struct Kitchen(pub Arc<Stage>);

#[async_trait::async_trait]
impl Prepare for Kitchen {
    async fn prepare(&self, bundle: Arc<Bundle>) -> Result<Arc<dyn Spawn>, SpawnError> {
        sleep(Duration::from_millis(20)).await;
        match self.0.qualities[usize::from(bundle.digest.0[0])] {
            Quality::Good => Ok(Arc::new(SimSpawn(Arc::clone(&self.0)))),
            Quality::Bad => Err(SpawnError::new("it does not compile")),
        }
    }
}

struct SimSpawn(Arc<Stage>);

#[async_trait::async_trait]
impl Spawn for SimSpawn {
    async fn spawn(&self) -> Result<Box<dyn Worker>, SpawnError> {
        let nth = self.0.started.fetch_add(1, Ordering::Relaxed);
        match self.0.starts[nth % self.0.starts.len()] {
            StartPlan::After(delay) => sleep(delay).await,
            StartPlan::Fails => return Err(SpawnError::new("it was told not to")),
        }
        Ok(Box::new(SimWorker {
            stage: Arc::clone(&self.0),
            id: WorkerId::try_from(nth).expect("a day has few workers"),
        }))
    }

    fn serves_sessions(&self) -> bool {
        true
    }
}

struct SimWorker {
    stage: Arc<Stage>,
    id: WorkerId,
}

#[async_trait::async_trait]
impl Worker for SimWorker {
    async fn request(&mut self, _: Invocation) -> Verdict {
        Verdict::Fault(Fault::Unsupported("requests"))
    }

    async fn events(&mut self, events: &[Told], deadline: Deadline) -> EventsOutcome {
        let items: Vec<_> = events.iter().map(item).collect();
        let trace = &self.stage.trace;
        trace.add(Event::Given(self.id, items.clone()));
        let nth = self.stage.given.fetch_add(1, Ordering::Relaxed);
        let (began, effect) = (Mutex::new(None), Mutex::new(Effect::None));
        let ended = match self.stage.batches[nth % self.stage.batches.len()] {
            BatchPlan::DiesFirst => Err(Dead),
            BatchPlan::Plain => tokio::select! {
                biased;
                ended = self.work(events, &began, &effect) => ended,
                () = deadline.passed() => Err(Dead),
            },
        };
        let (began, effect) = (*began.lock(), *effect.lock());
        let verdict = match ended {
            Ok(()) => {
                trace.add(Event::Returned(self.id));
                Verdict::Reusable
            }
            Err(Dead) => {
                let culprit = began.map(|index: usize| (items[index].session, items[index].what));
                if effect == Effect::None && culprit.is_some() {
                    trace.add(Event::Traceless(self.id));
                }
                trace.add(Event::Died(self.id, culprit));
                Verdict::Fault(Fault::Trap("as planned".into()))
            }
        };
        EventsOutcome {
            began,
            effect,
            verdict,
        }
    }
}

/// The worker is.
struct Dead;

impl SimWorker {
    async fn work(
        &self,
        events: &[Told],
        began: &Mutex<Option<usize>>,
        effect: &Mutex<Effect>,
    ) -> Result<(), Dead> {
        let mut hands = Hands {
            stage: &self.stage,
            publisher: self.stage.hub.publisher(&Front::namespace()),
            writes: Vec::new(),
        };
        for (index, event) in events.iter().enumerate() {
            (*began.lock(), *effect.lock()) = (Some(index), Effect::None);
            let item = item(event);
            self.stage
                .trace
                .add(Event::Began(self.id, item.session, item.what));
            match &event.kind {
                EventKind::Message { payload, .. } => {
                    let text = String::from_utf8_lossy(payload.as_bytes()).into_owned();
                    hands.answer(event.session, &text, effect).await?;
                }
                EventKind::Timer { name } => hands.reply(event.session, number(name), 0),
                EventKind::Opened(_) | EventKind::Resumed { .. } | EventKind::Closed { .. } => {}
            }
        }
        Ok(())
    }
}

/// What one invocation does.
struct Hands<'a> {
    stage: &'a Stage,
    publisher: Publisher,
    /// What it wrote so far.
    writes: Vec<WriteId>,
}

impl Hands<'_> {
    async fn answer(
        &mut self,
        session: SessionId,
        text: &str,
        effect: &Mutex<Effect>,
    ) -> Result<(), Dead> {
        let said = number(text);
        let deed = self.stage.deed(said);
        if !deed.takes.is_zero() {
            self.publisher.flush();
            sleep(deed.takes).await;
        }
        if !matches!(deed.act, Act::Trap | Act::Hang) {
            *effect.lock() = Effect::Left;
        }
        self.write(deed.writes);
        let (id, trace) = (session.0, &self.stage.trace);
        match deed.act {
            Act::Publish(topic, bytes, key, to) => {
                self.publish(session, said, (topic, bytes, key, to))
            }
            Act::Answer(bytes) => self.reply(session, said, bytes),
            Act::Join(topic) => self.join(session, topic),
            Act::Leave(topic) => {
                trace.add(Event::Unsubscribed(id, topic));
                self.publisher.unsubscribe(session, speech::name(topic));
            }
            Act::Recover => self.recover(session, text),
            Act::Track(about) => {
                let about = format!("mood {about}").replace(' ', "-");
                let topic = speech::name(Topic::Talk);
                if self.publisher.track(session, topic, &about).is_ok() {
                    trace.add(Event::Tracked(id, about, self.writes.clone()));
                }
            }
            Act::Untrack => {
                self.publisher.untrack(session, speech::name(Topic::Talk));
                trace.add(Event::Untracked(id));
            }
            Act::List => {
                let roster = self.publisher.list(speech::name(Topic::Talk), None, 100);
                trace.add(Event::Listed(id));
                self.publisher.send(session, &speech::list(&roster));
            }
            Act::Timer(after) => {
                let due = self.stage.morning.elapsed() + after;
                let due_us = u64::try_from(due.as_micros()).expect("a day is short");
                let set = self.publisher.set_timer(session, &said.to_string(), after);
                if set.is_ok() {
                    trace.add(Event::TimerSet(id, said, due_us));
                }
            }
            Act::Dismiss => {
                trace.add(Event::Dismissed(id, 4000));
                self.publisher.close(session, 4000, "enough");
            }
            Act::Trap => return Err(Dead),
            Act::Spill => {
                self.reply(session, said, 40);
                return Err(Dead);
            }
            Act::Hang => {
                self.publisher.flush();
                std::future::pending().await
            }
        }
        Ok(())
    }

    /// What is said from now on waits until it is known what became of the write.
    fn write(&mut self, write: Write) {
        let (after, is_kept) = match write {
            Write::No => return,
            Write::Kept(after) => (after, true),
            Write::Lost(after) => (after, false),
        };
        let id = self.stage.written.fetch_add(1, Ordering::Relaxed);
        self.writes.push(id);
        let (keeper, trace) = (self.publisher.hold(), self.stage.trace.clone());
        self.stage.tasks.spawn("write", async move {
            sleep(after).await;
            if is_kept {
                trace.add(Event::Kept(id));
                keeper.keep();
            } else {
                trace.add(Event::Lost(id));
                keeper.lose();
            }
        });
    }

    fn publish(&mut self, session: SessionId, said: u32, what: (Topic, usize, u8, To)) {
        let (topic, bytes, key, to) = what;
        // Who counts what it heard of the topic that keeps must hear all of it.
        let except = match (to, topic) {
            (To::All, _) | (_, Topic::Kept) => None,
            (To::Others, _) => Some(session),
        };
        let options = PublishOptions {
            except,
            history: (topic == Topic::Kept).then_some(KEPT),
            idempotency_key: None,
            when_slow: match topic {
                Topic::Talk | Topic::Kept => WhenSlow::Close,
                Topic::Cursor => WhenSlow::DropOldest,
                Topic::Price => WhenSlow::Conflate(key.to_string()),
            },
        };
        let message = speech::message(said, bytes);
        let published = self
            .publisher
            .publish(speech::name(topic), &message, &options);
        if let Ok(at) = published {
            self.stage.trace.add(Event::Published(Publication {
                topic,
                said,
                place: self.stage.place(at),
                key: (topic == Topic::Price).then_some(key),
                except: except.map(|session| session.0),
                writes: self.writes.clone(),
            }));
        }
    }

    fn reply(&mut self, session: SessionId, said: u32, bytes: usize) {
        let trace = &self.stage.trace;
        trace.add(Event::Answered(said, self.writes.clone()));
        self.publisher.send(session, &speech::answer(said, bytes));
    }

    fn join(&mut self, session: SessionId, topic: Topic) {
        if let Ok(at) = self.publisher.subscribe(session, speech::name(topic)) {
            let place = self.stage.place(at);
            let trace = &self.stage.trace;
            trace.add(Event::Subscribed(session.0, topic, place));
            self.publisher.send(session, &speech::joined(topic, place));
        }
    }

    fn recover(&mut self, session: SessionId, text: &str) {
        let mut words = text.split(' ').skip(1);
        let mut next = || -> u64 { words.next().map_or(0, |word| word.parse().unwrap_or(0)) };
        let since = (next(), next());
        let page =
            self.publisher
                .recover(speech::name(Topic::Kept), self.stage.position(since), 1_000);
        let found = page.ok().map(|page| {
            let said = page
                .messages
                .iter()
                .map(|(_, payload)| speech::said_in(payload));
            (said.collect::<Vec<_>>(), self.stage.place(page.position))
        });
        let trace = &self.stage.trace;
        trace.add(Event::Recovered(session.0, since, found.clone()));
        self.publisher
            .send(session, &speech::page(since, found.as_ref()));
    }
}

/// What a text begins with.
fn number(text: &str) -> u32 {
    let number = text.split(' ').next().and_then(|word| word.parse().ok());
    number.expect("clients say numbers")
}
