//! A process that runs: what its handles know of it, and the task that sees it through to its end.
//!
//! **Invariant:** when the last handle is dropped the process is asked to end, and within the grace it has ended, with its
//! whole group; its folder and its connections go with it.
//! **Absent on purpose:** requests (`worker.rs`), and how it came to run (`start.rs`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use rookery_host::{Guest, Stream};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::Fault;
use rookery_upstream::{Target, Upstreams};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, interval, sleep, timeout};

use crate::control::Control;
use crate::folders::Folder;
use crate::kin;
use crate::launch::{Guard, Launched, Order};
use crate::output::{self, LastWords};

/// How long somebody who was sent here takes to ask, at most.
const ARRIVE_WITHIN: Duration = Duration::from_millis(200);

/// How much longer than its grace a guard may take.
const GUARD_WITHIN: Duration = Duration::from_secs(2);

/// A process that answers, as long as somebody holds it.
pub(crate) struct Process {
    state: Arc<State>,
    target: Target,
    upstreams: Arc<Upstreams>,
    /// Where it hears notices, if it does.
    control: Option<Mutex<Control>>,
    /// When it last had work, for the whole revision.
    used: Arc<AtomicU64>,
    // Dropping it asks the process to end.
    _life: Life,
}

/// What is known of a process from its start on.
pub(crate) struct State {
    pub pid: u32,
    /// How it ended, once it did.
    ended: watch::Sender<Option<Arc<str>>>,
    /// It must not have anything any more.
    retired: AtomicBool,
    /// Exchanges under way.
    flights: AtomicUsize,
    /// How often it answered.
    answers: AtomicU64,
    /// It used more than this memory, in bytes, and was ended for it; 0 when it did not.
    overdrawn: AtomicU64,
    pub last_words: LastWords,
}

/// Asks the process to end when it is dropped.
pub(crate) struct Life(Shutdown);

impl Drop for Life {
    fn drop(&mut self) {
        self.0.request();
    }
}

/// What bounds a process while it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub memory_bytes: u64,
    pub processes_max: usize,
    pub measure_every: Duration,
    pub stop_grace: Duration,
}

/// What the task that sees a process through works with.
pub(crate) struct Keeper {
    pub folder: Folder,
    pub bounds: Bounds,
    /// How long all processes of the revision computed, in microseconds; each adds its own once a second.
    pub computed: Arc<AtomicU64>,
    pub guest: Arc<Guest>,
    pub tasks: Tasks,
    pub shutdown: Shutdown,
}

impl State {
    fn new(pid: u32) -> Arc<State> {
        Arc::new(State {
            pid,
            ended: watch::Sender::new(None),
            retired: AtomicBool::new(false),
            flights: AtomicUsize::new(0),
            answers: AtomicU64::new(0),
            overdrawn: AtomicU64::new(0),
            last_words: LastWords::default(),
        })
    }

    /// Waits for its end; how it ended.
    pub async fn ended(&self) -> Arc<str> {
        let mut ended = self.ended.subscribe();
        let how = ended.wait_for(Option::is_some).await;
        // The sender is this state's own, so it is there.
        how.ok().and_then(|how| how.clone()).unwrap_or_default()
    }
}

impl Process {
    /// A process that is ready.
    pub fn new(
        state: Arc<State>,
        life: Life,
        (upstreams, target): (Arc<Upstreams>, Target),
        control: Option<Control>,
        used: Arc<AtomicU64>,
    ) -> Arc<Process> {
        Arc::new(Process {
            state,
            target,
            upstreams,
            control: control.map(Mutex::new),
            used,
            _life: life,
        })
    }

    /// Where it answers.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The connections to it, among others.
    pub fn upstreams(&self) -> &Upstreams {
        &self.upstreams
    }

    /// Whether it runs and may have work.
    pub fn is_alive(&self) -> bool {
        !self.state.retired.load(Ordering::Acquire) && self.state.ended.borrow().is_none()
    }

    /// Takes it out of use. It ends when those who hold it are done.
    pub fn retire(&self) {
        self.state.retired.store(true, Ordering::Release);
    }

    /// Something is under way until this is dropped.
    pub fn flight(&self) -> Flight {
        self.state.flights.fetch_add(1, Ordering::AcqRel);
        self.used.store(seconds_now(), Ordering::Relaxed);
        Flight(Arc::clone(&self.state))
    }

    /// How often it answered so far.
    pub fn answers(&self) -> u64 {
        self.state.answers.load(Ordering::Relaxed)
    }

    /// It answered somebody.
    pub fn answered(&self) {
        self.state.answers.fetch_add(1, Ordering::Relaxed);
    }

    /// What became of it, if it ends within this time.
    pub async fn fault_within(&self, wait: Duration) -> Option<Fault> {
        let how = timeout(wait, self.state.ended()).await.ok()?;
        let overdrawn = self.state.overdrawn.load(Ordering::Relaxed);
        Some(match overdrawn {
            0 => Fault::Gone(format!("process {} ended: {how}", self.state.pid)),
            bytes => Fault::Memory(bytes),
        })
    }

    /// Waits for its end.
    pub async fn ended(&self) {
        self.state.ended().await;
    }

    /// Where it hears notices, if it does.
    pub fn control(&self) -> Option<&Mutex<Control>> {
        self.control.as_ref()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.upstreams.forget(&self.target);
    }
}

/// One exchange or tunnel that is under way. It is over when this is dropped.
pub(crate) struct Flight(Arc<State>);

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.flights.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Seconds on a clock that everybody in this process shares. It begins at 1: 0 stands for never.
pub(crate) fn seconds_now() -> u64 {
    static ORIGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    1 + ORIGIN.get_or_init(Instant::now).elapsed().as_secs()
}

impl Keeper {
    /// Keeps a program that was started until its end, in a task of its own: its output, its bounds, its end.
    pub fn keep(self, launched: Launched) -> (Arc<State>, Life) {
        let state = State::new(launched.pid);
        let stop = Shutdown::new();
        let life = Life(stop.clone());
        let (guest, words) = (&self.guest, &state.last_words);
        self.tasks.spawn(
            "process output",
            output::follow(
                launched.stdout,
                Arc::clone(guest),
                launched.pid,
                Stream::Stdout,
                words.clone(),
            ),
        );
        self.tasks.spawn(
            "process output",
            output::follow(
                launched.stderr,
                Arc::clone(guest),
                launched.pid,
                Stream::Stderr,
                words.clone(),
            ),
        );
        let (tasks, kept) = (self.tasks.clone(), Arc::clone(&state));
        tasks.spawn("process", async move {
            self.see_through(&kept, launched.guard, stop).await;
        });
        (state, life)
    }

    async fn see_through(self, state: &State, mut guard: Guard, stop: Shutdown) {
        let (app, pid) = (self.guest.bundle().label(), state.pid);
        match self.is_brief() {
            true => tracing::debug!(app, pid, "a process started"),
            false => tracing::info!(app, pid, "a process started"),
        }
        let (mut how, was_asked) = self.watch(state, &mut guard, &stop).await;
        if how.is_none() && was_asked {
            let within = self.bounds.stop_grace + GUARD_WITHIN;
            guard.order(Order::Stop).await;
            how = timeout(within, guard.ended()).await.ok().flatten();
        }
        // The guard died, or does not do its work: what is left of the group is ended from here.
        let how = how.unwrap_or_else(|| {
            kill_group(pid);
            "its guard ended first".to_owned()
        });
        let is_expected = was_asked || state.retired.load(Ordering::Acquire);
        match is_expected && state.overdrawn.load(Ordering::Relaxed) == 0 {
            // With one for each request these would be a line for each request.
            true if self.is_brief() => tracing::debug!(app, pid, how, "a process ended"),
            true => tracing::info!(app, pid, how, "a process ended"),
            false => tracing::warn!(app, pid, how, "a process ended by itself"),
        }
        state.ended.send_replace(Some(how.into()));
        let _ = timeout(GUARD_WITHIN, guard.reap()).await;
        drop(guard);
        // A folder full of files takes its time.
        let _ = tokio::task::spawn_blocking(move || drop(self.folder)).await;
    }

    /// Whether it is to serve a single request.
    fn is_brief(&self) -> bool {
        self.guest.bundle().manifest.ttl.is_zero()
    }

    /// Watches until it ended, and says how, or until it is to end.
    async fn watch(
        &self,
        state: &State,
        guard: &mut Guard,
        stop: &Shutdown,
    ) -> (Option<String>, bool) {
        let mut measure = interval(self.bounds.measure_every);
        let mut computed = Duration::ZERO;
        let mut left_alone = std::pin::pin!(self.left_alone(state));
        loop {
            tokio::select! {
                how = guard.ended() => return (how, false),
                () = stop.requested() => return (None, true),
                () = &mut left_alone => {
                    state.retired.store(true, Ordering::Release);
                    return (None, true);
                }
                _ = measure.tick() => {
                    let family = kin::family(state.pid);
                    self.add_computed(&family, &mut computed);
                    if self.is_overdrawn(state, &family) {
                        guard.order(Order::Kill).await;
                    }
                }
            }
        }
    }

    /// The server is about to end and nobody uses the process any more.
    async fn left_alone(&self, state: &State) {
        self.shutdown.requested().await;
        let idle = || state.flights.load(Ordering::Acquire) == 0;
        loop {
            let was_idle = idle();
            sleep(ARRIVE_WITHIN).await;
            if was_idle && idle() {
                return;
            }
        }
    }

    fn add_computed(&self, family: &[u32], before: &mut Duration) {
        let now = kin::cpu_time(family);
        let more = now.saturating_sub(*before).as_micros();
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        self.computed.fetch_add(more, Ordering::Relaxed);
        *before = now;
    }

    /// Whether it uses more than it may. Then it must not have anything any more.
    fn is_overdrawn(&self, state: &State, family: &[u32]) -> bool {
        let (memory, members) = (kin::memory_bytes(family), family.len());
        let bounds = &self.bounds;
        if memory <= bounds.memory_bytes && members <= bounds.processes_max {
            return false;
        }
        let (app, pid, allowed) = (self.guest.bundle().label(), state.pid, bounds.memory_bytes);
        tracing::warn!(
            app,
            pid,
            memory,
            allowed,
            members,
            "a process uses too much and is ended"
        );
        state.retired.store(true, Ordering::Release);
        if memory > bounds.memory_bytes {
            state
                .overdrawn
                .store(bounds.memory_bytes, Ordering::Relaxed);
        }
        true
    }
}

fn kill_group(pid: u32) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
}
