//! The course of one canary, look by look.
//!
//! **Invariant:** every visitor is sent by the server's own table, and every look is judged by the server's own course.

use std::fmt::Write as _;
use std::time::Duration;

use rookery_routing::{Fallback, Lot, Selector, Sessions, Share, Table, Weights};
use rookery_supervisor::rollout::{Counts, Course, LOOK_EVERY, Next, Side};
use rookery_telemetry::Histogram;
use semver::Version;

use super::plan::{Build, Plan};
use crate::dice::Dice;

/// What became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// It has everything.
    Promoted,
    /// It has nothing, for this reason.
    Reversed(String),
    /// Neither, in four times the time that it should take.
    Undecided,
}

/// What happened.
pub struct Lived {
    /// How it ended.
    pub end: End,
    /// The share of each step, and how many of the visitors in it the canary had.
    pub shares: Vec<(Share, u64, u64)>,
    /// How much went wrong on the canary before it ended.
    pub suffered: u64,
    /// Sessions that left the canary while it still had its share.
    pub deserters: u64,
    /// Sessions that are on the canary after its end.
    pub left_on_it: u64,
    /// How long after it became bad it ended.
    pub took: Duration,
}

impl Lived {
    /// For people.
    pub fn trace(&self) -> String {
        let mut trace = String::new();
        for (share, all, on_it) in &self.shares {
            let _ = writeln!(trace, "{share}: {on_it} of {all}");
        }
        let _ = writeln!(
            trace,
            "{:?}, {} suffered, {:?} after it became bad",
            self.end, self.suffered, self.took
        );
        trace
    }
}

/// The version of those who are no canary.
fn stable() -> Version {
    Version::new(1, 0, 0)
}

/// What one side did since the look before.
#[derive(Default)]
struct Seen {
    counts: Counts,
    times: Histogram,
}

impl Seen {
    fn take(&mut self) -> Side {
        let seen = std::mem::take(self);
        Side {
            counts: seen.counts,
            times: seen.times.snapshot(),
        }
    }
}

struct World<'p> {
    plan: &'p Plan,
    dice: Dice,
    table: Table<()>,
    canary: Seen,
    stable: Seen,
    sessions: Vec<(Lot, Version)>,
    now: Duration,
    lived: Lived,
}

/// Lives through it.
pub fn live(plan: &Plan) -> Lived {
    let mut dice = Dice::new(plan.seed.wrapping_mul(31));
    let mut canary = plan.canary.clone();
    let sessions = (0..plan.sessions).map(|_| (Lot::drawn(dice.roll()), stable()));
    let mut world = World {
        plan,
        sessions: sessions.collect(),
        dice,
        table: table(canary.share()),
        canary: Seen::default(),
        stable: Seen::default(),
        now: Duration::ZERO,
        lived: Lived {
            end: End::Undecided,
            shares: vec![(canary.share(), 0, 0)],
            suffered: 0,
            deserters: 0,
            left_on_it: 0,
            took: Duration::ZERO,
        },
    };
    let mut course = Course::begin(&canary, world.now);
    world.move_sessions();
    let at_most = 4 * world.usual();
    while world.now < at_most {
        world.now += LOOK_EVERY;
        world.pass();
        let (seen, others) = (world.canary.take(), world.stable.take());
        let share = match course.look(world.now, &seen, &others) {
            Next::Stay | Next::Hold(_) => continue,
            Next::Advance => {
                canary.step += 1;
                world.lived.shares.push((canary.share(), 0, 0));
                canary.share()
            }
            Next::Promote => {
                world.lived.end = End::Promoted;
                Share::WHOLE
            }
            Next::Reverse(reason) => {
                world.lived.end = End::Reversed(reason);
                world.lived.took = world.now.saturating_sub(world.bad_from());
                Share::NONE
            }
        };
        world.table = table(share);
        world.move_sessions();
        if world.lived.end != End::Undecided {
            break;
        }
    }
    let on_it = |(_, at): &&(Lot, Version)| *at == plan.canary.version;
    world.lived.left_on_it = world.sessions.iter().filter(on_it).count() as u64;
    world.lived
}

fn table(share: Share) -> Table<()> {
    let canary = Version::new(1, 1, 0);
    let weights = Weights::whole(stable()).with(&canary, share);
    let weights = weights.expect("there is a stable version to take the rest");
    let mut table = Table::builder();
    table
        .insert("app", stable(), ())
        .insert("app", canary, ())
        .roll("app", weights, Sessions::Follow);
    table.build()
}

impl World<'_> {
    /// How long it takes if nothing is wrong.
    fn usual(&self) -> Duration {
        let steps = u32::try_from(self.plan.canary.steps.len()).expect("there are a few");
        self.plan.canary.window * steps
    }

    fn bad_from(&self) -> Duration {
        match self.plan.build {
            Build::Late(_, part) => self.usual().mul_f64(part),
            _ => Duration::ZERO,
        }
    }

    /// What comes until the next look.
    fn pass(&mut self) {
        // Good and bad times, the same for both.
        let wave = (self.now.as_secs_f64() / 7.0).sin() / 2.0 + 0.5;
        let sway = 1.0 - self.plan.sway * wave;
        for _ in 0..self.arrivals(self.plan.requests) {
            self.request(sway);
        }
        for _ in 0..self.arrivals(self.plan.sessions) {
            self.event(sway);
        }
    }

    /// How many of so many in a second come in one look.
    fn arrivals(&mut self, per_second: u64) -> u64 {
        self.dice.within(0..=per_second / 2)
    }

    fn request(&mut self, sway: f64) {
        let lot = Lot::drawn(self.dice.roll());
        let led = self
            .table
            .resolve_for("app", &Selector::None, Fallback::None, || lot);
        let is_canary = *led.expect("the app is there").version == self.plan.canary.version;
        let (all, on_it) = self
            .lived
            .shares
            .last_mut()
            .map(|(_, all, on_it)| (all, on_it))
            .expect("there is a step");
        *all += 1;
        *on_it += u64::from(is_canary);
        let mut error_rate = self.plan.error_rate * sway;
        let mut us = self.plan.answer_us + self.dice.within(0..=self.plan.answer_us / 2);
        if self.dice.chance(0.02) {
            us *= self.dice.within(2..=6);
        }
        if is_canary {
            match self.plan.build {
                Build::Errors(rate) => error_rate += rate,
                Build::Late(rate, _) if self.now >= self.bad_from() => error_rate += rate,
                Build::Slow(times) => us = (us as f64 * times) as u64,
                Build::Alike | Build::Faults(_) | Build::Late(..) => {}
            }
        }
        let failed = self.dice.chance(error_rate);
        let side = if is_canary {
            &mut self.canary
        } else {
            &mut self.stable
        };
        side.counts.answers += 1;
        side.counts.errors += u64::from(failed);
        side.times.record(Duration::from_micros(us));
        self.lived.suffered += u64::from(failed && is_canary);
    }

    fn event(&mut self, sway: f64) {
        let at = self.dice.within(0..=self.plan.sessions - 1);
        let at = usize::try_from(at).expect("an index");
        let is_canary = self.sessions[at].1 == self.plan.canary.version;
        let mut fault_rate = self.plan.fault_rate * sway;
        if let (true, Build::Faults(rate)) = (is_canary, self.plan.build) {
            fault_rate += rate;
        }
        let failed = self.dice.chance(fault_rate);
        let side = if is_canary {
            &mut self.canary
        } else {
            &mut self.stable
        };
        side.counts.events += 1;
        side.counts.faults += u64::from(failed);
        side.counts.closes += u64::from(failed);
        self.lived.suffered += u64::from(failed && is_canary);
        if failed {
            // Its client comes again.
            let lot = Lot::drawn(self.dice.roll());
            let led = self
                .table
                .resolve_for("app", &Selector::None, Fallback::None, || lot);
            let version = led.expect("the app is there").version.clone();
            self.sessions[at] = (lot, version);
        }
    }

    /// Puts every session where the table says.
    fn move_sessions(&mut self) {
        let reversed = matches!(self.lived.end, End::Reversed(_));
        for (lot, at) in &mut self.sessions {
            let led = self
                .table
                .resolve_session("app", &Selector::None, Fallback::None, *lot, at);
            let version = led.expect("the app is there").version;
            let leaves = *at == self.plan.canary.version && *version != *at;
            self.lived.deserters += u64::from(leaves && !reversed);
            *at = version.clone();
        }
    }
}
