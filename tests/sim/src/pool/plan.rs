//! A day of two apps, invented from a seed: their settings, their clients, what goes wrong, what is deployed.
//!
//! **Invariant:** everything that chance decides is decided here, before anything runs.

use std::time::Duration;

use rookery_bundle::{Manifest, TtlMode};

use super::event::{App, Build};
use crate::dice::Dice;

/// A day.
#[derive(Debug)]
pub struct Plan {
    /// How many workers may live.
    pub budget: usize,
    /// How long drains may take.
    pub grace: Duration,
    /// By the build's number.
    pub builds: Vec<BuildPlan>,
    /// Who comes, by the client's number.
    pub clients: Vec<ClientPlan>,
    /// What is put on disk, in order.
    pub deploys: Vec<Deploy>,
    /// When memory is short.
    pub pressures: Vec<Duration>,
    /// When a worker dies by itself, and which of those that live then.
    pub deaths: Vec<(Duration, u64)>,
    /// Starts, in the order in which they come; then again from the first.
    pub starts: Vec<StartPlan>,
    /// Whether it is a day on which both apps have more to do than they can, and nothing goes wrong.
    pub kind: Kind,
}

/// What kind of day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Anything happens.
    Eventful,
    /// Both apps want all of the budget at once.
    Rush,
}

/// A build.
#[derive(Debug)]
pub struct BuildPlan {
    /// Of which app.
    pub app: App,
    /// Its settings.
    pub settings: Settings,
    /// Whether it can be prepared.
    pub quality: Quality,
}

/// What a manifest says, and what kind of workers there are.
#[derive(Clone, Debug)]
pub struct Settings {
    /// As in a manifest.
    pub timeout: Duration,
    /// As in a manifest.
    pub ttl: Duration,
    /// As in a manifest.
    pub ttl_mode: TtlMode,
    /// As in a manifest.
    pub idle_timeout: Duration,
    /// As in a manifest.
    pub max_requests: u64,
    /// As in a manifest.
    pub workers: (u32, Option<u32>),
    /// As in a manifest.
    pub queue: (u32, Duration),
    /// As in a manifest.
    pub low_memory: bool,
    /// How many invocations a worker takes at once.
    pub at_once: usize,
    /// Whether workers hear notices, and how long that takes.
    pub hears: Option<Duration>,
}

/// What comes of preparing a build.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quality {
    /// It serves.
    Good,
    /// It is refused.
    Bad,
    /// It never comes to an end.
    Hangs,
}

/// What comes of a start.
#[derive(Clone, Copy, Debug)]
pub enum StartPlan {
    /// It runs after so long.
    After(Duration),
    /// It runs, and has ended by itself before anybody had it.
    Dies,
    /// It does not.
    Fails,
    /// It never comes to an end.
    Hangs,
}

/// Somebody who asks.
#[derive(Clone, Debug)]
pub struct ClientPlan {
    /// Whom.
    pub app: App,
    /// When.
    pub at: Duration,
    /// How long after it was sent to a build.
    pub dallies: Duration,
    /// What is done for it.
    pub work: Work,
    /// When it goes away, if it does.
    pub leaves_after: Option<Duration>,
}

/// What an invocation does.
#[derive(Clone, Copy, Debug)]
pub enum Work {
    /// Answers after so long.
    Answer(Duration),
    /// Answers at once and goes on for so long.
    Stream(Duration),
    /// Fails after so long.
    Fail(Duration),
    /// Answers after so long, and the worker is spent.
    Spend(Duration),
    /// Says nothing until the deadline.
    Hang,
    /// A connection in both directions, closed after so long.
    Tunnel(Duration),
}

/// What is on disk from now on: a build of each app, or nothing.
#[derive(Clone, Debug)]
pub struct Deploy {
    /// When.
    pub at: Duration,
    /// Of which app.
    pub app: App,
    /// Which build.
    pub build: Option<Build>,
}

impl Plan {
    /// The day of this seed.
    pub fn of(seed: u64) -> Plan {
        let mut dice = Dice::new(seed);
        match dice.happens(10) {
            true => rush(&mut dice),
            false => eventful(&mut dice),
        }
    }
}

impl Settings {
    /// A manifest that says so.
    pub fn write_into(&self, manifest: &mut Manifest) {
        manifest.timeout = self.timeout;
        manifest.ttl = self.ttl;
        manifest.ttl_mode = self.ttl_mode;
        manifest.idle_timeout = self.idle_timeout;
        manifest.max_requests = self.max_requests;
        (manifest.workers.min, manifest.workers.max) = self.workers;
        (manifest.queue.length, manifest.queue.timeout) = self.queue;
        manifest.low_memory = self.low_memory;
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn settings(dice: &mut Dice) -> Settings {
    let workers_max = dice.one_of(&[None, None, Some(1), Some(2), Some(3)]);
    let workers_min = match dice.happens(20) {
        true => workers_max.unwrap_or(2).min(2),
        false => 0,
    };
    Settings {
        timeout: dice.one_of(&[Duration::from_millis(200), secs(2)]),
        ttl: dice.one_of(&[Duration::ZERO, secs(1), secs(60), secs(60)]),
        ttl_mode: dice.one_of(&[TtlMode::Sliding, TtlMode::Sliding, TtlMode::Absolute]),
        idle_timeout: dice.one_of(&[secs(1), secs(5)]),
        max_requests: dice.within(1..=20),
        workers: (workers_min, workers_max),
        queue: (
            dice.one_of(&[0, 2, 5, 100]),
            dice.one_of(&[Duration::from_millis(100), secs(1), secs(10)]),
        ),
        low_memory: dice.happens(20),
        at_once: dice.one_of(&[1, 1, 2, 4]),
        hears: dice.one_of(&[None, Some(Duration::from_millis(1)), Some(secs(2))]),
    }
}

fn eventful(dice: &mut Dice) -> Plan {
    let mut builds = Vec::new();
    for app in [App::A, App::B] {
        builds.push(BuildPlan {
            app,
            settings: settings(dice),
            quality: Quality::Good,
        });
    }
    let length_ms = dice.within(500..=6_000);
    let mut deploys = Vec::new();
    for _ in 0..dice.within(0..=4) {
        let app = dice.one_of(&[App::A, App::B]);
        let build = (!dice.happens(15)).then(|| {
            builds.push(BuildPlan {
                app,
                settings: settings(dice),
                quality: dice.one_of(&[Quality::Good, Quality::Good, Quality::Bad, Quality::Hangs]),
            });
            Build::try_from(builds.len() - 1).expect("there are a handful of builds")
        });
        let at = dice.ms(0..=length_ms);
        deploys.push(Deploy { at, app, build });
    }
    deploys.sort_by_key(|deploy| deploy.at);
    let trouble = dice.one_of(&[0, 5, 25]);
    let clients = (0..dice.within(10..=60)).map(|_| client(dice, length_ms, trouble));
    let clients: Vec<ClientPlan> = clients.collect();
    let starts = (0..16).map(|_| start(dice, trouble)).collect();
    let some = |dice: &mut Dice, count| -> Vec<Duration> {
        let count = dice.within(0..=count);
        (0..count).map(|_| dice.ms(0..=length_ms)).collect()
    };
    let pressures = some(dice, 3);
    let deaths = some(dice, if trouble > 0 { 3 } else { 0 });
    Plan {
        budget: usize::try_from(dice.within(1..=6)).expect("six is a number"),
        grace: dice.one_of(&[secs(1), secs(3)]),
        builds,
        clients,
        deploys,
        pressures,
        deaths: deaths.into_iter().map(|at| (at, dice.roll())).collect(),
        starts,
        kind: Kind::Eventful,
    }
}

fn client(dice: &mut Dice, length_ms: u64, trouble: u64) -> ClientPlan {
    let takes = match dice.happens(10) {
        true => dice.ms(0..=1500),
        false => dice.ms(0..=60),
    };
    let work = match dice.within(0..=99) {
        _ if dice.happens(trouble) => {
            dice.one_of(&[Work::Fail(takes), Work::Spend(takes), Work::Hang])
        }
        0..=9 => Work::Stream(takes),
        10..=14 => Work::Tunnel(takes * 2),
        _ => Work::Answer(takes),
    };
    // Crowds rather than a steady trickle.
    let at = dice.within(0..=length_ms);
    let at = if dice.happens(50) { at / 500 * 500 } else { at };
    ClientPlan {
        app: dice.one_of(&[App::A, App::A, App::B]),
        at: Duration::from_millis(at),
        dallies: if dice.happens(20) {
            dice.ms(0..=150)
        } else {
            Duration::ZERO
        },
        work,
        leaves_after: dice.happens(trouble).then(|| dice.ms(0..=200)),
    }
}

fn start(dice: &mut Dice, trouble: u64) -> StartPlan {
    match dice.within(0..=99) {
        share if share < trouble => StartPlan::Fails,
        share if share < trouble + trouble / 10 => StartPlan::Hangs,
        share if share < trouble * 3 / 2 => StartPlan::Dies,
        _ => StartPlan::After(dice.ms(0..=30)),
    }
}

/// Both apps alike, each with a crowd that comes at once.
fn rush(dice: &mut Dice) -> Plan {
    let settings = Settings {
        timeout: secs(10),
        ttl: dice.one_of(&[Duration::ZERO, secs(60)]),
        ttl_mode: TtlMode::Sliding,
        idle_timeout: secs(60),
        max_requests: 1000,
        workers: (0, None),
        queue: (1000, secs(30)),
        low_memory: dice.happens(20),
        at_once: 1,
        hears: None,
    };
    let takes = dice.ms(5..=20);
    let crowds = [
        (App::A, dice.within(20..=150)),
        (App::B, dice.within(20..=40)),
    ];
    let clients = crowds.into_iter().flat_map(|(app, count)| {
        let client = ClientPlan {
            app,
            at: Duration::from_millis(100),
            dallies: Duration::ZERO,
            work: Work::Answer(takes),
            leaves_after: None,
        };
        (0..count).map(move |_| client.clone())
    });
    let builds = [App::A, App::B].map(|app| BuildPlan {
        app,
        settings: settings.clone(),
        quality: Quality::Good,
    });
    Plan {
        budget: usize::try_from(dice.within(1..=4)).expect("four is a number"),
        grace: secs(30),
        clients: clients.collect(),
        builds: builds.into(),
        deploys: Vec::new(),
        pressures: Vec::new(),
        deaths: Vec::new(),
        starts: vec![StartPlan::After(Duration::ZERO)],
        kind: Kind::Rush,
    }
}
