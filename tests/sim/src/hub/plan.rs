//! A day of talkers, invented from a seed: who comes, what they say, how they read, what goes wrong, what is deployed.
//!
//! **Invariant:** everything that chance decides is decided here, before anything runs.

use std::time::Duration;

use super::event::{Said, TOPICS, Topic};
use crate::dice::Dice;

/// What a client says when it comes back has its number and so much more for each time.
pub const AGAIN: Said = 100_000;

/// A day.
#[derive(Debug)]
pub struct Plan {
    /// Everything that clients say, by its number. What they say on coming is among it.
    pub deeds: Vec<Deed>,
    /// Who comes.
    pub clients: Vec<ClientPlan>,
    /// Builds of the app, all of the same data.
    pub builds: Vec<BuildPlan>,
    /// When which build is put on disk; the first is there in the morning.
    pub deploys: Vec<(Duration, u8)>,
    /// What comes of the batches of a build's workers, in the order in which they are given; then again from the first.
    pub batches: Vec<BatchPlan>,
    /// Where the sessions are that guests died of, in the order in which they do; then again from the first.
    pub falls: Vec<Fall>,
    /// Starts, in the order in which they come; then again from the first.
    pub starts: Vec<StartPlan>,
    /// How many workers may live.
    pub budget: usize,
    /// When nobody says anything any more.
    pub length: Duration,
}

/// A build.
#[derive(Debug)]
pub struct BuildPlan {
    /// How long a worker lives without work.
    pub ttl: Duration,
    /// How many workers it may have.
    pub workers_max: u32,
    /// How long a batch may take.
    pub timeout: Duration,
    /// Whether it can be prepared.
    pub quality: Quality,
}

/// What comes of preparing a build.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quality {
    /// It serves.
    Good,
    /// It is refused.
    Bad,
}

/// What comes of a start.
#[derive(Clone, Copy, Debug)]
pub enum StartPlan {
    /// It runs after so long.
    After(Duration),
    /// It does not.
    Fails,
}

/// What comes of a batch, besides what is in it.
#[derive(Clone, Copy, Debug)]
pub enum BatchPlan {
    /// Nothing.
    Plain,
    /// Its worker dies before it begins.
    DiesFirst,
}

/// What becomes of a session that a guest died of.
#[derive(Clone, Copy, Debug)]
pub enum Fall {
    /// It is where it was.
    Stays,
    /// It goes to the other place of its build.
    GoesBack,
}

/// Somebody who comes.
#[derive(Clone, Debug)]
pub struct ClientPlan {
    /// When.
    pub at: Duration,
    /// How many bytes it takes a millisecond.
    pub bytes_per_ms: usize,
    /// When it takes none, and for how long.
    pub stall: Option<(Duration, Duration)>,
    /// Bytes that may wait for it.
    pub outbox_bytes: usize,
    /// Said on every connection, at once.
    pub greetings: Vec<Said>,
    /// When it says what.
    pub says: Vec<(Duration, Said)>,
    /// When its connection breaks, if it does.
    pub leaves: Option<Duration>,
}

/// What a guest does about a message.
#[derive(Clone, Copy, Debug)]
pub struct Deed {
    /// How long that takes.
    pub takes: Duration,
    /// What it writes before.
    pub writes: Write,
    /// What it does.
    pub act: Act,
}

/// A write, and what becomes of it.
#[derive(Clone, Copy, Debug)]
pub enum Write {
    /// None.
    No,
    /// Durable after so long.
    Kept(Duration),
    /// Lost after so long.
    Lost(Duration),
}

/// What a guest does.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// Publishes so many bytes about this key, to everybody or to everybody else.
    Publish(Topic, usize, u8, To),
    /// Answers with so many bytes.
    Answer(usize),
    /// Lets the session join.
    Join(Topic),
    /// Lets it leave.
    Leave(Topic),
    /// Tells what was missed.
    Recover,
    /// Makes it present.
    Track(u8),
    /// Ends that.
    Untrack,
    /// Tells who is present.
    List,
    /// Sets a timer.
    Timer(Duration),
    /// Closes the session.
    Dismiss,
    /// Dies.
    Trap,
    /// Answers, and dies.
    Spill,
    /// Never comes to an end.
    Hang,
}

/// Who gets a publication.
#[derive(Clone, Copy, Debug)]
pub enum To {
    /// All.
    All,
    /// All but who said it.
    Others,
}

impl Plan {
    /// The day of this seed.
    pub fn of(seed: u64) -> Plan {
        let mut dice = Dice::new(seed);
        let dice = &mut dice;
        let length_ms = dice.within(300..=3_000);
        let trouble = dice.one_of(&[0, 3, 10]);
        let mut deeds = Vec::new();
        let clients = dice.within(2..=9);
        let clients = (0..clients)
            .map(|_| client(dice, &mut deeds, length_ms, trouble))
            .collect();
        let mut builds = vec![build(dice, Quality::Good)];
        let mut deploys = Vec::new();
        for number in 1..=dice.one_of(&[0, 0, 1, 2, 4]) {
            let quality = dice.one_of(&[Quality::Good, Quality::Good, Quality::Bad]);
            builds.push(build(dice, quality));
            deploys.push((dice.ms(50..=length_ms), number));
        }
        deploys.sort();
        Plan {
            deeds,
            clients,
            builds,
            deploys,
            batches: (0..16)
                .map(|_| match dice.happens(trouble / 2) {
                    true => BatchPlan::DiesFirst,
                    false => BatchPlan::Plain,
                })
                .collect(),
            falls: (0..8)
                .map(|_| dice.one_of(&[Fall::Stays, Fall::GoesBack, Fall::GoesBack]))
                .collect(),
            starts: (0..8)
                .map(|_| match dice.happens(trouble) {
                    true => StartPlan::Fails,
                    false => StartPlan::After(dice.ms(0..=20)),
                })
                .collect(),
            budget: usize::try_from(dice.within(1..=4)).expect("four is a number"),
            length: Duration::from_millis(length_ms),
        }
    }
}

fn build(dice: &mut Dice, quality: Quality) -> BuildPlan {
    BuildPlan {
        ttl: dice.one_of(&[0, 1, 60]).secs(),
        workers_max: dice.one_of(&[1, 2, 3]),
        timeout: Duration::from_millis(dice.one_of(&[300, 1_000])),
        quality,
    }
}

fn client(dice: &mut Dice, deeds: &mut Vec<Deed>, length_ms: u64, trouble: u64) -> ClientPlan {
    let mut add = |deed: Deed| {
        deeds.push(deed);
        Said::try_from(deeds.len() - 1).expect("a day has few words")
    };
    let mut greetings = Vec::new();
    for topic in TOPICS {
        if dice.happens(75) {
            greetings.push(add(simply(Act::Join(topic))));
        }
        if topic == Topic::Kept {
            greetings.push(add(simply(Act::Recover)));
        }
    }
    if dice.happens(70) {
        greetings.push(add(simply(Act::Track(0))));
    }
    greetings.push(add(simply(Act::List)));
    let at_ms = dice.within(0..=length_ms / 2);
    let bursts = dice.happens(30);
    let says = (0..dice.within(0..=25)).map(|_| {
        let at = dice.within(at_ms..=length_ms);
        let at = if bursts { at / 200 * 200 } else { at };
        (Duration::from_millis(at), add(deed(dice, trouble)))
    });
    let mut says: Vec<(Duration, Said)> = says.collect();
    says.sort();
    let is_quick = dice.happens(50);
    let (bytes_per_ms, outbox_bytes) = match is_quick {
        true => (1 << 20, 1 << 24),
        false => (
            dice.one_of(&[20, 100, 1_000]),
            dice.one_of(&[2_000, 6_000, 20_000]),
        ),
    };
    ClientPlan {
        at: Duration::from_millis(at_ms),
        bytes_per_ms,
        stall: (!is_quick && dice.happens(60))
            .then(|| (dice.ms(0..=length_ms), dice.ms(100..=1_500))),
        outbox_bytes,
        greetings,
        says,
        leaves: dice.happens(15).then(|| dice.ms(at_ms..=length_ms)),
    }
}

fn simply(act: Act) -> Deed {
    Deed {
        takes: Duration::ZERO,
        writes: Write::No,
        act,
    }
}

fn deed(dice: &mut Dice, trouble: u64) -> Deed {
    let length = match dice.within(0..=19) {
        0 => 70_000,
        1..=3 => 3_000,
        _ => usize::try_from(dice.within(10..=400)).expect("it is small"),
    };
    let to = dice.one_of(&[To::All, To::All, To::Others]);
    let topic = dice.one_of(&TOPICS);
    let act = match dice.within(0..=99) {
        _ if dice.happens(trouble) => {
            dice.one_of(&[Act::Trap, Act::Trap, Act::Hang, Act::Spill, Act::Dismiss])
        }
        0..=59 => Act::Publish(topic, length, dice.one_of(&[1, 2, 3]), to),
        60..=74 => Act::Answer(length),
        75..=78 => Act::Join(topic),
        79..=81 => Act::Leave(topic),
        82..=86 => Act::Track(dice.one_of(&[1, 2])),
        87..=89 => Act::Untrack,
        90..=92 => Act::List,
        93..=94 => Act::Recover,
        _ => Act::Timer(dice.ms(0..=400)),
    };
    let speaks = matches!(
        act,
        Act::Publish(..) | Act::Answer(_) | Act::Recover | Act::List
    );
    let writes = match dice.within(0..=99) {
        0..=11 if speaks => Write::Kept(dice.ms(1..=60)),
        12..=13 if speaks && trouble > 0 => Write::Lost(dice.ms(1..=60)),
        _ => Write::No,
    };
    Deed {
        takes: if dice.happens(25) {
            dice.ms(1..=8)
        } else {
            Duration::ZERO
        },
        writes,
        act,
    }
}

/// Whole seconds.
trait Secs {
    fn secs(self) -> Duration;
}

impl Secs for u64 {
    fn secs(self) -> Duration {
        Duration::from_secs(self)
    }
}
