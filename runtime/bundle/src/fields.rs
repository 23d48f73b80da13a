//! Every key of `worker.config.json`: its name, what it takes, its default and what it is for.
//!
//! The texts are the ones of the JSON Schema, so they are written for the author of an app. A key whose effect comes
//! with a later release says so there.

use std::time::Duration;

use crate::entrypoint;
use crate::grants::{self, HostPattern, Topics};
use crate::job::{self, Schedule};
use crate::manifest::{Health, Isolation, KeysIn, RuntimeKind, TtlMode};
use crate::name::{AppName, Namespace};
use crate::object::{Defaulted, Field, field};
use crate::shape::{Bytes, Choice, Count, Flag, List, Seconds, Switch, Text};
use crate::values::{self, Command, HealthPath, ResponseHeaders, Rules};
use crate::version;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The most scheduled jobs of one bundle.
pub(crate) const JOBS_MAX: usize = 256;
/// The most entries of one list of grants.
const GRANTS_MAX: usize = 256;

// What the bundle is.

pub(crate) const SCHEMA: Field<Text<()>> = field(
    "$schema",
    Text(|_| Ok(())),
    "Where an editor finds this schema; the server ignores it.",
);
pub(crate) const NAME: Field<Text<AppName>> = field(
    "name",
    Text(values::app_name),
    "The app's name. Optional; must be what the folder says.",
);
pub(crate) const VERSION: Field<Text<semver::Version>> = field(
    "version",
    Text(version::from_manifest),
    "The bundle's version, such as 1.2.0 or 2.0.0-rc.1. Needed when the folder's name has none and package.json \
     neither; otherwise it must be what the folder says.",
);

// What it serves.

pub(crate) const ENTRYPOINT: Field<Text<String>> = field(
    "entrypoint",
    Text(entrypoint::bundle_path),
    "The file to serve (.html), to run as an isolate (.wasm) or as a script (.ts, .js, .mjs), relative to the \
     bundle. Default: the first of index.html, index.wasm, app.wasm, index.ts, index.js, index.mjs.",
);
pub(crate) const STATIC: Field<Text<String>> = field(
    "static",
    Text(entrypoint::bundle_path),
    "A folder, relative to the bundle, whose files the server answers with before it asks a worker.",
);
pub(crate) const COMMAND: Field<Command> = field(
    "command",
    Command,
    "A process to run instead of an entrypoint; it listens on $PORT or $SOCKET. A list, or one string that is split \
     as a shell splits words, without a shell.",
);
pub(crate) const RUNTIME: Field<Choice<RuntimeKind>> = field(
    "runtime",
    Choice(&[
        ("bun", RuntimeKind::Bun),
        ("deno", RuntimeKind::Deno),
        ("node", RuntimeKind::Node),
    ]),
    "What runs a script. Default: the first of bun, deno and node on the server's PATH.",
);
pub(crate) const ISOLATION: Defaulted<Choice<Isolation>> = field(
    "isolation",
    Choice(&[
        ("standard", Isolation::Standard),
        ("strict", Isolation::Strict),
    ]),
    "strict keeps a process from all files but its bundle's, its own and the system's programs, and from every network; \
     a server whose system cannot do that refuses the bundle. An isolate is always kept so.",
)
.or(Isolation::Standard);
pub(crate) const PROXY: Field<Rules> = field(
    "proxy",
    Rules,
    "Paths that go to another server: an object of JavaScript regex and rule, or a list of rules with a pattern. The \
     first match in the file's order wins, before static files and workers. Takes effect in a later release.",
);
pub(crate) const HEADERS: Field<ResponseHeaders> = field(
    "headers",
    ResponseHeaders,
    "Headers that every response gets.",
);
pub(crate) const INJECT_BASE: Defaulted<Flag> = field(
    "injectBase",
    Flag,
    "Put a <base href> for the app's path prefix into HTML that has none, so that relative links work under it.",
)
.or(true);
pub(crate) const SPA_FALLBACK: Defaulted<Flag> = field(
    "spaFallback",
    Flag,
    "Answer a browser's navigation to a path without a file with the index page.",
)
.or(true);
pub(crate) const HEALTH: Defaulted<HealthPath> = field(
    "health",
    HealthPath,
    "The path, below the app, on which the server answers 200 OK while the app's worker is alive; false leaves the \
     path to the app.",
)
.or(Health::DEFAULT);

// How its workers live.

pub(crate) const TIMEOUT: Defaulted<Seconds> = field(
    "timeout",
    Seconds(MILLISECOND..=DAY),
    "How long a request may take.",
)
.or_zero(Duration::from_secs(30));
pub(crate) const TTL: Defaulted<Seconds> = field(
    "ttl",
    Seconds(Duration::ZERO..=Duration::from_secs(30 * 24 * 60 * 60)),
    "How long a worker is kept. 0 gives every request a fresh worker.",
)
.or(Duration::ZERO);
pub(crate) const TTL_MODE: Defaulted<Choice<TtlMode>> = field(
    "ttlMode",
    Choice(&[
        ("sliding", TtlMode::Sliding),
        ("absolute", TtlMode::Absolute),
    ]),
    "Whether ttl counts from the worker's last request (sliding) or from its start (absolute).",
)
.or(TtlMode::Sliding);
pub(crate) const IDLE_TIMEOUT: Defaulted<Seconds> = field(
    "idleTimeout",
    Seconds(MILLISECOND..=Duration::from_secs(30 * 24 * 60 * 60)),
    "How long a kept worker may be without work before it is retired.",
)
.or_zero(MINUTE);
pub(crate) const MAX_REQUESTS: Defaulted<Count<u64>> = field(
    "maxRequests",
    Count(1..=1_000_000_000),
    "How many requests a kept worker answers before a new one takes its place. Above 8 each worker's own limit is up \
     to an eighth lower, so that those started together are not replaced together.",
)
.or_zero(1000);
pub(crate) const LOW_MEMORY: Defaulted<Switch> = field(
    "lowMemory",
    Switch,
    "Prefer little memory over speed: bun --smol, node --optimize-for-size, no process that is started before it is \
     needed, and for isolates no memory that is kept for the next one.",
)
.or(false);
pub(crate) const WORKERS_MIN: Defaulted<Count<u32>> = field(
    "min",
    Count(0..=10_000),
    "Workers that are kept ready without a request, as far as the server's pool has room for them.",
)
.or(0);
pub(crate) const WORKERS_MAX: Field<Count<u32>> = field(
    "max",
    Count(1..=10_000),
    "Workers at the same time. Default: what the server's pool has.",
);
pub(crate) const CONCURRENCY: Defaulted<Count<u32>> = field(
    "concurrency",
    Count(1..=10_000),
    "Requests that one process is given at a time, unless ttl is 0; an isolate always has one.",
)
.or(64);
pub(crate) const QUEUE_LENGTH: Defaulted<Count<u32>> = field(
    "length",
    Count(0..=1_000_000),
    "Requests that may wait for a worker; the next one is answered 503 with Retry-After. 0 never waits.",
)
.or(1000);
pub(crate) const QUEUE_TIMEOUT: Defaulted<Seconds> = field(
    "timeout",
    Seconds(MILLISECOND..=DAY),
    "How long a request waits for a worker before it is answered 503.",
)
.or(Duration::from_secs(10));
pub(crate) const MEMORY: Field<Bytes> = field(
    "memory",
    Bytes(MIB..=64 * GIB),
    "The memory of one worker at most: of an isolate (default 64mb, and no more than the server allows), or of a process \
     with all that it starts (default 1gb).",
);
pub(crate) const ISOLATE_MEMORY: u64 = 64 * MIB;
pub(crate) const PROCESS_MEMORY: u64 = GIB;
pub(crate) const MAX_BODY_SIZE: Defaulted<Bytes> = field(
    "maxBodySize",
    Bytes(0..=64 * GIB),
    "A request's body at most; a larger one is answered 413.",
)
.or(128 * MIB);

// What it shares and may do.

pub(crate) const NAMESPACE: Field<Text<Namespace>> = field(
    "namespace",
    Text(values::namespace),
    "Whose storage, topics and presence the app works on. Default: the app and its major version, such as chat@1.",
);
pub(crate) const DATABASE_URL: Field<Text<String>> = field(
    "url",
    Text(values::database_url),
    "sqlite:NAME is a file of the namespace, sqlite::memory: none at all. Default: sqlite:data.db. postgres:, postgresql: \
     and text with ${NAME} take effect in a later release.",
);
pub(crate) const DATABASE_KEYS: Defaulted<Choice<KeysIn>> = field(
    "keys",
    Choice(&[("memory", KeysIn::Memory), ("database", KeysIn::Database)]),
    "Where keys and values (wasi:keyvalue) are kept: in the server's memory, which ends with it, or in the database.",
)
.or(KeysIn::Memory);
pub(crate) const GRANTS_HOSTS: Field<List<Text<HostPattern>>> = field(
    "hosts",
    List {
        item: Text(HostPattern::parse),
        items_max: GRANTS_MAX,
    },
    "Hosts that the app may send requests to: host, host:port, *.host or *. Default: none. Takes effect in a later \
     release.",
);
pub(crate) const GRANTS_ENV: Field<List<Text<String>>> = field(
    "env",
    List {
        item: Text(grants::variable),
        items_max: GRANTS_MAX,
    },
    "Names of the operator's environment variables that the app may read. Default: none.",
);
pub(crate) const GRANTS_TOPICS: Defaulted<Topics> = field(
    "topics",
    Topics { items_max: GRANTS_MAX },
    "Topics of its namespace that the app may use: true for all, false for none, or a list of names; a * at the end \
     stands for any rest.",
)
.or(grants::TopicGrant::All);
pub(crate) const GRANTS_JOBS: Defaulted<Flag> = field(
    "jobs",
    Flag,
    "Whether the app's jobs may run. Takes effect in a later release.",
)
.or(true);
pub(crate) const OUTBOX: Defaulted<Bytes> = field(
    "outbox",
    Bytes(4 * KIB..=64 * MIB),
    "Bytes that may wait for a client; one that falls further behind is closed and told to come back.",
)
.or(MIB);
pub(crate) const SESSION_IDLE_TIMEOUT: Defaulted<Seconds> = field(
    "idleTimeout",
    Seconds(SECOND..=DAY),
    "How long a client may be silent, answers to pings counted, before it is closed.",
)
.or_zero(Duration::from_secs(120));
pub(crate) const MAX_MESSAGE_SIZE: Defaulted<Bytes> = field(
    "maxMessageSize",
    Bytes(1..=64 * MIB),
    "The largest message that a client may send; a larger one closes it with 1009.",
)
.or(MIB);
pub(crate) const DROP_OLDEST: Defaulted<Topics> = field(
    "dropOldest",
    Topics { items_max: GRANTS_MAX },
    "Topics whose oldest waiting messages are dropped where a client does not keep up, rather than the client being \
     closed: true for all, false for none, or a list of names; a * at the end stands for any rest.",
)
.or(grants::TopicGrant::NONE);
pub(crate) const HISTORY_MESSAGES: Defaulted<Count<u32>> = field(
    "messages",
    Count(0..=1_000_000),
    "Messages that a topic keeps at most for recovery, whatever a publication asks for.",
)
.or(1000);
pub(crate) const HISTORY_AGE: Defaulted<Seconds> = field(
    "age",
    Seconds(Duration::ZERO..=Duration::from_secs(30 * 24 * 60 * 60)),
    "How long a topic keeps a message at most, whatever a publication asks for.",
)
.or(Duration::from_secs(60 * 60));

// What runs on a schedule.

pub(crate) const JOB_NAME: Field<Text<String>> = field(
    "name",
    Text(job::name),
    "The job's name, given to the app: letters, digits, \".\", \"_\" and \"-\".",
);
pub(crate) const JOB_SCHEDULE: Field<Text<Schedule>> = field(
    "schedule",
    Text(Schedule::parse),
    "Five cron fields in UTC (minute, hour, day, month, weekday); @yearly, @monthly, @weekly, @daily, @hourly or \
     @reboot; or rate(5 minutes).",
);
