//! What the dashboard is told, in events of four kinds over one connection: browsers open six to a server at most.
//!
//! - `apps`: what is deployed: the apps that changed, or all of them to who missed the change before;
//! - `history`: the past, to who comes;
//! - `log`: new lines, when there are some;
//! - without a name, at every tick: the numbers. Of revisions, those that changed since the tick before; all of them for
//!   who missed that one.
//!
//! **Invariant:** what several viewers are told at one tick is written as bytes once, however many they are.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::Mutex;
use rookery_pool::BodyError;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::logs;
use crate::revision::RevisionSnapshot;
use crate::stream::SHARED_FOR;
use crate::survey::Survey;

/// How many lines of the log somebody gets who comes.
const LINES_FIRST: usize = 200;
/// How many lines one tick brings at most; of more, the newest.
const LINES_MAX: usize = 400;

/// Makes the events.
pub(crate) struct Board {
    survey: Arc<Survey>,
    newest: Mutex<Option<Arc<Told>>>,
}

/// What a viewer has been told already.
#[derive(Default)]
pub(crate) struct Seen {
    /// The number of the tick, from 1.
    tick: u64,
    /// The number of the apps, from 1.
    apps: u64,
    log: u64,
}

/// One tick.
struct Told {
    made: Instant,
    number: u64,
    revisions: Vec<RevisionSnapshot>,
    /// Against the tick before.
    changes: Bytes,
    whole: OnceLock<Bytes>,
    apps: Apps,
    /// Lines from behind the first number to the second.
    lines: (u64, u64, Option<Bytes>),
}

/// What is deployed, as it was at some tick.
#[derive(Clone)]
struct Apps {
    /// Grows when something changed.
    number: u64,
    value: Arc<Value>,
    /// Against the number before.
    changes: Bytes,
    whole: Arc<OnceLock<Bytes>>,
}

impl Board {
    pub(crate) fn new(survey: Arc<Survey>) -> Board {
        Board {
            survey,
            newest: Mutex::new(None),
        }
    }

    /// The events that bring a viewer up to now.
    pub(crate) fn tell(&self, seen: &mut Seen) -> Result<Vec<Bytes>, BodyError> {
        let told = self.newest()?;
        let mut events = Vec::new();
        let apps = &told.apps;
        if seen.apps > 0 && seen.apps + 1 == apps.number {
            events.push(apps.changes.clone());
        } else if seen.apps != apps.number {
            events.push(apps.whole()?);
        }
        seen.apps = apps.number;
        if seen.tick == 0 {
            let history = self.survey.history.json();
            events.push(Bytes::from(format!("event: history\ndata: {history}\n\n")));
            let lines = self.lines(0, told.lines.1, LINES_FIRST)?;
            events.extend(lines);
        } else if seen.log == told.lines.0 {
            events.extend(told.lines.2.clone());
        } else if seen.log < told.lines.1 {
            events.extend(self.lines(seen.log, told.lines.1, LINES_MAX)?);
        }
        seen.log = told.lines.1;
        if seen.tick > 0 && seen.tick + 1 == told.number {
            events.push(told.changes.clone());
        } else {
            events.push(self.whole(&told)?);
        }
        seen.tick = told.number;
        Ok(events)
    }

    /// The tick of now. The lock is held while it is made, so that others who want one take this one.
    fn newest(&self) -> Result<Arc<Told>, BodyError> {
        let mut newest = self.newest.lock();
        let now = Instant::now();
        if let Some(told) = newest.as_ref()
            && now.duration_since(told.made) < SHARED_FOR
        {
            return Ok(Arc::clone(told));
        }
        let before = newest.as_deref();
        let revisions = self.survey.revisions();
        let known = before.map_or(&[][..], |before| &before.revisions);
        let changes = event(None, &self.survey.changes(known, &revisions))?;
        let apps = self.survey.source().apps();
        let apps = match before {
            Some(before) if *before.apps.value == apps => before.apps.clone(),
            before => Apps::after(before.map(|before| &before.apps), apps)?,
        };
        let after = before.map_or(0, |before| before.lines.1);
        let until = self.survey.source().log().newest();
        let told = Arc::new(Told {
            made: now,
            number: before.map_or(1, |before| before.number + 1),
            revisions,
            changes,
            whole: OnceLock::new(),
            apps,
            lines: (after, until, self.lines(after, until, LINES_MAX)?),
        });
        *newest = Some(Arc::clone(&told));
        Ok(told)
    }

    fn whole(&self, told: &Told) -> Result<Bytes, BodyError> {
        if let Some(whole) = told.whole.get() {
            return Ok(whole.clone());
        }
        let whole = event(None, &self.survey.whole(&told.revisions))?;
        Ok(told.whole.get_or_init(|| whole).clone())
    }

    /// An event with the lines behind one number up to another; none when there are none.
    fn lines(&self, after: u64, until: u64, limit: usize) -> Result<Option<Bytes>, BodyError> {
        let log = self.survey.source().log();
        let taken = log.take(after, limit, |line| line.number <= until);
        if taken.lines.is_empty() {
            return Ok(None);
        }
        event(Some("log"), &logs::Shown::of(&taken)).map(Some)
    }
}

impl Apps {
    fn after(before: Option<&Apps>, value: Value) -> Result<Apps, BodyError> {
        let known = before
            .map(|before| by_name(&before.value))
            .unwrap_or_default();
        let now = by_name(&value);
        let changed = now
            .iter()
            .filter(|(name, app)| known.get(*name) != Some(app));
        let changed: Vec<&Value> = changed.map(|(_, app)| *app).collect();
        let gone = known.keys().filter(|name| !now.contains_key(*name));
        let gone: Vec<&&str> = gone.collect();
        let changes = event(
            Some("apps"),
            &json!({ "whole": false, "apps": changed, "gone": gone, "reports": value["reports"] }),
        )?;
        Ok(Apps {
            number: before.map_or(1, |before| before.number + 1),
            value: Arc::new(value),
            changes,
            whole: Arc::default(),
        })
    }

    fn whole(&self) -> Result<Bytes, BodyError> {
        if let Some(whole) = self.whole.get() {
            return Ok(whole.clone());
        }
        let (apps, reports) = (&self.value["apps"], &self.value["reports"]);
        let whole = json!({ "whole": true, "apps": apps, "gone": [], "reports": reports });
        let whole = event(Some("apps"), &whole)?;
        Ok(self.whole.get_or_init(|| whole).clone())
    }
}

fn by_name(value: &Value) -> BTreeMap<&str, &Value> {
    let apps = value["apps"].as_array().into_iter().flatten();
    apps.filter_map(|app| Some((app["name"].as_str()?, app)))
        .collect()
}

fn event(name: Option<&str>, value: &impl Serialize) -> Result<Bytes, BodyError> {
    let json = serde_json::to_string(value)?;
    Ok(Bytes::from(match name {
        Some(name) => format!("event: {name}\ndata: {json}\n\n"),
        None => format!("data: {json}\n\n"),
    }))
}
