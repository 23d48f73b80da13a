//! What the checkers read: what was done to workers and clients, as these saw it themselves.

use rookery_pool::Notice;

/// Which build of an app; each has a pool of its own.
pub type Build = u8;
/// Which worker, over all builds.
pub type WorkerId = u32;
/// Which client; each asks once.
pub type ClientId = u32;

/// What is promised about the workers of a build.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Promise {
    /// How many invocations a worker has at once.
    pub at_once: usize,
    /// How many it has in its life.
    pub requests_max: u64,
    /// How many have a worker at once, over all of them.
    pub workers_max: usize,
    /// How long an invocation waits for its worker, in microseconds.
    pub queue_timeout_us: u64,
    /// After how long a worker is told that it is idle, in microseconds.
    pub idle_timeout_us: u64,
    /// How long a drain takes at most, in microseconds.
    pub grace_us: u64,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A build was prepared.
    Prepared(Build, Promise),
    /// A worker of a build is being started.
    Starting(WorkerId, Build),
    /// It runs.
    Started(WorkerId),
    /// It does not.
    NotStarted(WorkerId),
    /// It ended by itself.
    Died(WorkerId),
    /// It was dropped.
    Gone(WorkerId),
    /// There is one more that nobody asked for, or one less.
    Spare(Presence),
    /// It was told something.
    Told(WorkerId, Notice),
    /// A client asked this app and was sent to this build.
    Asked(ClientId, Build),
    /// A client found that nothing serves its app.
    Unserved(ClientId, App),
    /// A worker began with its invocation.
    Began(ClientId, WorkerId),
    /// The invocation has ended.
    Ended(ClientId, WorkerId, How),
    /// The client has read its answer, which says that this worker gave it.
    Answered(ClientId, WorkerId),
    /// The client was told that there is none.
    Failed(ClientId, Why),
    /// The client went away.
    Left(ClientId),
    /// The client has a connection in both directions.
    Opened(ClientId, WorkerId),
    /// And has closed it.
    Closed(ClientId),
    /// The client heard that its connection is about to be cut.
    Cut(ClientId),
    /// A build takes requests.
    Live(Build),
    /// A build is replaced.
    Draining(Build),
    /// A build has ended.
    Retired(Build),
    /// Whose build it is.
    Belongs(Build, App),
    /// A build of an app is put on disk, or all of it is taken away.
    OnDisk(App, Presence),
}

/// Which app.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum App {
    /// One.
    A,
    /// The other.
    B,
}

/// Whether something is there, such as a build on disk, good or bad.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// There is.
    Yes,
    /// There is not.
    No,
}

/// How an invocation ended, as its worker saw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// As it should.
    Well,
    /// The worker must not have another one.
    Spent,
    /// It failed.
    Fault,
    /// It was stopped.
    Stopped,
}

/// Why there was no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// The queue was full.
    Full,
    /// The wait was too long.
    Late,
    /// The build was being retired.
    Draining,
    /// No worker started.
    NoStart,
    /// The worker failed.
    Fault,
}
