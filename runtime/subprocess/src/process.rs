//! A process that runs: what its handles know of it and of its end.
//!
//! **Invariant:** when the last handle is dropped the process is asked to end, and its connections go with it.
//! **Absent on purpose:** requests (`worker.rs`), how it came to run (`start.rs`), and who sees it through (`keeper.rs`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use rookery_lifecycle::Shutdown;
use rookery_pool::Fault;
use rookery_upstream::Upstream;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, timeout};

use crate::control::Control;
use crate::output::LastWords;

/// A process that answers, as long as somebody holds it.
pub(crate) struct Process {
    state: Arc<State>,
    /// The connections to it, which go with it.
    upstream: Upstream,
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
    /// What it and its children had of memory when they were last measured; 0 before that.
    memory_bytes: AtomicU64,
    pub last_words: LastWords,
}

/// Asks the process to end when it is dropped.
pub(crate) struct Life(Shutdown);

impl Life {
    /// One that raises this flag.
    pub fn of(stop: Shutdown) -> Life {
        Life(stop)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.request();
    }
}

impl State {
    /// One that has just started.
    pub fn new(pid: u32) -> Arc<State> {
        Arc::new(State {
            pid,
            ended: watch::Sender::new(None),
            retired: AtomicBool::new(false),
            flights: AtomicUsize::new(0),
            answers: AtomicU64::new(0),
            overdrawn: AtomicU64::new(0),
            memory_bytes: AtomicU64::new(0),
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

    /// It ended like this.
    pub fn end(&self, how: String) {
        self.ended.send_replace(Some(how.into()));
    }

    /// It gets no further work.
    pub fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// Whether it gets no further work.
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// Whether nothing is under way.
    pub fn is_unused(&self) -> bool {
        self.flights.load(Ordering::Acquire) == 0
    }

    /// It and its children have so many bytes of memory now.
    pub fn measured(&self, memory_bytes: u64) {
        self.memory_bytes.store(memory_bytes, Ordering::Relaxed);
    }

    /// It used more than these bytes of memory, and is ended for it.
    pub fn overdraw(&self, memory_bytes: u64) {
        self.overdrawn.store(memory_bytes, Ordering::Relaxed);
    }

    /// How much memory it was allowed, if it used more.
    pub fn overdrawn(&self) -> Option<u64> {
        let bytes = self.overdrawn.load(Ordering::Relaxed);
        (bytes > 0).then_some(bytes)
    }
}

impl Process {
    /// A process that is ready.
    pub fn new(
        state: Arc<State>,
        life: Life,
        upstream: Upstream,
        control: Option<Control>,
        used: Arc<AtomicU64>,
    ) -> Arc<Process> {
        Arc::new(Process {
            state,
            upstream,
            control: control.map(Mutex::new),
            used,
            _life: life,
        })
    }

    /// The connections to it.
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// Whether it runs and may have work.
    pub fn is_alive(&self) -> bool {
        !self.state.is_retired() && self.state.ended.borrow().is_none()
    }

    /// What the system knows it by.
    pub fn pid(&self) -> u32 {
        self.state.pid
    }

    /// What it and its children had of memory when they were last measured, in bytes; `None` before that.
    pub fn memory_bytes(&self) -> Option<u64> {
        let bytes = self.state.memory_bytes.load(Ordering::Relaxed);
        (bytes > 0).then_some(bytes)
    }

    /// Takes it out of use. It ends when those who hold it are done.
    pub fn retire(&self) {
        self.state.retire();
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
        Some(match self.state.overdrawn() {
            // Without its id: what processes fail of one after the other is one kind of fault.
            None => Fault::Gone(format!("its process ended: {how}")),
            Some(bytes) => Fault::Memory(bytes),
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
