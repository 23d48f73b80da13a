//! What `worker.config.json` says, with every default filled in.
//!
//! **Invariant:** durations are durations, sizes are bytes, and every value is within the bounds of `fields`.
//! **Absent on purpose:** what the operator allows and what is on disk: paths are as the author wrote them.

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use rookery_proxy_rules::RuleSpec;
use semver::Version;
use serde_json::Map;

use crate::fields;
use crate::grants::{Grants, TopicGrant};
use crate::job::Job;
use crate::name::{AppName, Namespace};
use crate::object::{self, Notes, Object};

/// The author's description of a bundle.
#[derive(Clone, PartialEq, Debug)]
pub struct Manifest {
    /// The app's name, when the manifest says it too.
    pub name: Option<AppName>,
    /// The version, when the manifest says it.
    pub version: Option<Version>,
    /// The file to serve or run, relative to the bundle; None searches for one.
    pub entrypoint: Option<String>,
    /// How long a request may take.
    pub timeout: Duration,
    /// How long a worker is kept; zero gives each request its own.
    pub ttl: Duration,
    /// What `ttl` counts from.
    pub ttl_mode: TtlMode,
    /// How long a worker may be without work.
    pub idle_timeout: Duration,
    /// How many requests a worker answers before it is replaced.
    pub max_requests: u64,
    /// Whether a process should prefer little memory over speed.
    pub low_memory: bool,
    /// Requests that go to another server, in order; the first match wins.
    pub proxy: Vec<RuleSpec>,
    /// A folder that the host serves before it asks a worker, relative to the bundle.
    pub static_dir: Option<String>,
    /// A process to run instead of an entrypoint: program and arguments, never empty.
    pub command: Option<Vec<String>>,
    /// What runs a script.
    pub runtime: Option<RuntimeKind>,
    /// What a process is kept away from.
    pub isolation: Isolation,
    /// How many workers.
    pub workers: Workers,
    /// How many requests one process is given at a time.
    pub concurrency: u32,
    /// Requests that wait for a worker.
    pub queue: Queue,
    /// An isolate's memory at most, in bytes.
    pub memory: u64,
    /// A process' memory at most, with all that it starts, in bytes.
    pub process_memory: u64,
    /// A request's body at most, in bytes.
    pub max_body_size: u64,
    /// Where the host answers for the worker's health.
    pub health: Health,
    /// Whether HTML gets a `<base href>` for the prefix that it is served under.
    pub inject_base: bool,
    /// Whether a navigation to a path without a file gets the index.
    pub spa_fallback: bool,
    /// Headers of every response, in order.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whose data; None is `app@major`.
    pub namespace: Option<Namespace>,
    /// The SQL database.
    pub database: Database,
    /// The permissions that are asked for.
    pub grants: Grants,
    /// Limits of WebSocket sessions.
    pub sessions: Sessions,
    /// What runs on a schedule.
    pub jobs: Vec<Job>,
}

impl Manifest {
    /// Reads every key, in the order in which the schema shows them.
    pub(crate) fn read(o: &mut Object) -> Self {
        o.get(&fields::SCHEMA);
        let memory;
        Self {
            name: o.get(&fields::NAME),
            version: o.get(&fields::VERSION),
            entrypoint: o.get(&fields::ENTRYPOINT),
            static_dir: o.get(&fields::STATIC),
            command: o.get(&fields::COMMAND),
            runtime: o.get(&fields::RUNTIME),
            isolation: o.get_or(&fields::ISOLATION),
            proxy: o.get(&fields::PROXY).unwrap_or_default(),
            headers: o.get(&fields::HEADERS).unwrap_or_default(),
            inject_base: o.get_or(&fields::INJECT_BASE),
            spa_fallback: o.get_or(&fields::SPA_FALLBACK),
            health: o.get_or(&fields::HEALTH),
            timeout: o.get_or(&fields::TIMEOUT),
            ttl: o.get_or(&fields::TTL),
            ttl_mode: o.get_or(&fields::TTL_MODE),
            idle_timeout: o.get_or(&fields::IDLE_TIMEOUT),
            max_requests: o.get_or(&fields::MAX_REQUESTS),
            low_memory: o.get_or(&fields::LOW_MEMORY),
            workers: o.section("workers", "How many workers the app has.", Workers::read),
            concurrency: o.get_or(&fields::CONCURRENCY),
            queue: o.section("queue", "Requests that wait for a worker.", Queue::read),
            memory: {
                memory = o.get(&fields::MEMORY);
                memory.unwrap_or(fields::ISOLATE_MEMORY)
            },
            process_memory: memory.unwrap_or(fields::PROCESS_MEMORY),
            max_body_size: o.get_or(&fields::MAX_BODY_SIZE),
            namespace: o.get(&fields::NAMESPACE),
            database: o.section("database", "The SQL database.", Database::read),
            grants: o.section(
                "grants",
                "The permissions that the app asks for.",
                Grants::read,
            ),
            sessions: o.section("sessions", "Limits of WebSocket sessions.", Sessions::read),
            jobs: o.sections(
                "jobs",
                "What runs on a schedule. Takes effect in a later release.",
                fields::JOBS_MAX,
                Job::read,
            ),
        }
    }
}

impl Default for Manifest {
    /// What a bundle without a manifest has.
    fn default() -> Self {
        object::read(&Map::new(), &mut Notes::default(), Self::read)
    }
}

/// What a worker's time to live counts from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TtlMode {
    /// Its last request.
    Sliding,
    /// Its start.
    Absolute,
}

/// What runs a script.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RuntimeKind {
    /// Bun.
    Bun,
    /// Deno.
    Deno,
    /// Node.js.
    Node,
}

/// What a process is kept away from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Isolation {
    /// From the server's environment and from other workers' folders.
    Standard,
    /// Also from all files but its bundle's, its own and the system's programs, and from every network.
    Strict,
}

/// How many workers a revision has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Workers {
    /// Kept ready without a request.
    pub min: u32,
    /// At the same time; None leaves it to the pool. At least `min`, and at least 1.
    pub max: Option<u32>,
}

/// Requests that wait for a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Queue {
    /// How many; zero refuses when no worker is free.
    pub length: u32,
    /// For how long.
    pub timeout: Duration,
}

impl Workers {
    fn read(o: &mut Object) -> Self {
        Self {
            min: o.get_or(&fields::WORKERS_MIN),
            max: o.get(&fields::WORKERS_MAX),
        }
    }
}

impl Queue {
    fn read(o: &mut Object) -> Self {
        Self {
            length: o.get_or(&fields::QUEUE_LENGTH),
            timeout: o.get_or(&fields::QUEUE_TIMEOUT),
        }
    }
}

/// Where the host answers for the worker's health.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Health {
    /// On this path below the app; starts with `/`.
    Path(Cow<'static, str>),
    /// Nowhere: the path is the app's own.
    Off,
}

/// The SQL database of the app.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Database {
    /// `sqlite:`, `postgres:` or text with `${NAME}`; None is an embedded SQLite file of the namespace.
    pub url: Option<String>,
    /// Where keys and values are kept.
    pub keys: KeysIn,
}

/// Where an app's keys and values are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum KeysIn {
    /// In the server's memory: gone when it ends.
    #[default]
    Memory,
    /// In the database of the namespace.
    Database,
}

impl Health {
    /// Where Buntime has it.
    pub(crate) const DEFAULT: Self = Self::Path(Cow::Borrowed("/health"));
}

impl Database {
    fn read(o: &mut Object) -> Self {
        Self {
            url: o.get(&fields::DATABASE_URL),
            keys: o.get_or(&fields::DATABASE_KEYS),
        }
    }
}

/// Limits of one WebSocket session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sessions {
    /// Bytes that may wait for a client before it is closed for being slow.
    pub outbox: u64,
    /// How long a client may be silent, pongs counted, before it is closed.
    pub idle_timeout: Duration,
    /// The largest message that a client may send, in bytes.
    pub max_message_size: u64,
    /// Topics whose oldest waiting messages may be dropped for a client that does not keep up.
    pub drop_oldest: TopicGrant,
    /// What a topic keeps at most for those who come back.
    pub history: History,
}

/// What a topic keeps at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct History {
    /// So many messages.
    pub messages: u32,
    /// None older than this.
    pub age: Duration,
}

impl Sessions {
    fn read(o: &mut Object) -> Self {
        Self {
            outbox: o.get_or(&fields::OUTBOX),
            idle_timeout: o.get_or(&fields::SESSION_IDLE_TIMEOUT),
            max_message_size: o.get_or(&fields::MAX_MESSAGE_SIZE),
            drop_oldest: o.get_or(&fields::DROP_OLDEST),
            history: o.section(
                "history",
                "What a topic keeps at most for those who come back.",
                History::read,
            ),
        }
    }
}

impl History {
    fn read(o: &mut Object) -> Self {
        Self {
            messages: o.get_or(&fields::HISTORY_MESSAGES),
            age: o.get_or(&fields::HISTORY_AGE),
        }
    }
}
