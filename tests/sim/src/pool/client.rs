//! Somebody who asks once, and writes down what came of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty};
use rookery_pool::{AcquireError, Body, InvokeError, Pool, TunnelAnswer};
use rookery_routing::{Fallback, Selector};
use rookery_supervisor::Supervisor;
use tokio::time::{sleep, timeout};

use super::event::{App, ClientId, Event, Why};
use super::guest::Stage;
use super::plan::{ClientPlan, Work};

/// Nobody waits for longer than this, whatever happens: the simulation has to end.
const DAY: Duration = Duration::from_secs(3600);

/// The name of an app.
pub fn name(app: App) -> &'static str {
    match app {
        App::A => "a",
        App::B => "b",
    }
}

/// Comes, asks, and goes.
pub async fn come(stage: Arc<Stage>, supervisor: Arc<Supervisor>, id: ClientId, plan: ClientPlan) {
    sleep(plan.at).await;
    let table = supervisor.table();
    let found = table.resolve(name(plan.app), &Selector::None, Fallback::Highest);
    let revision = found.map(|found| Arc::clone(found.value));
    drop(table);
    let Some(revision) = revision else {
        return stage.trace.add(Event::Unserved(id, plan.app));
    };
    let pool = revision
        .pool
        .clone()
        .expect("the apps of a day have workers");
    sleep(plan.dallies).await;
    stage
        .trace
        .add(Event::Asked(id, revision.bundle.digest.0[0]));
    let stays = plan.leaves_after.unwrap_or(DAY);
    let asked = async {
        match plan.work {
            Work::Tunnel(lasts) => through(&stage, &pool, id, lasts).await,
            _ => ask(&pool, id).await,
        }
    };
    let event = timeout(stays, asked).await;
    stage.trace.add(event.unwrap_or(Event::Left(id)));
}

async fn ask(pool: &Arc<Pool>, id: ClientId) -> Event {
    let body: Body = Empty::<Bytes>::new()
        .map_err(|never| match never {})
        .boxed_unsync();
    let mut request = Request::new(body);
    *request.uri_mut() = uri(id);
    let response = match pool.request(request).await {
        Ok(response) => response,
        Err(error) => return Event::Failed(id, why(&error)),
    };
    let Ok(read) = response.into_body().collect().await else {
        return Event::Failed(id, Why::Fault);
    };
    let worker = String::from_utf8_lossy(&read.to_bytes()).parse();
    Event::Answered(id, worker.expect("workers answer with their number"))
}

async fn through(stage: &Stage, pool: &Arc<Pool>, id: ClientId, lasts: Duration) -> Event {
    let mut request = Request::new(());
    *request.uri_mut() = uri(id);
    let tunnel = match pool.tunnel(request).await {
        Ok(tunnel) => tunnel,
        Err(error) => return Event::Failed(id, why(&error)),
    };
    assert!(matches!(tunnel.answer, TunnelAnswer::Accepted { .. }));
    let _closes = Closes(stage, id);
    tokio::select! {
        biased;
        () = tunnel.hold.cut() => stage.trace.add(Event::Cut(id)),
        () = sleep(lasts) => {}
    }
    // Its worker is in the trace already, where it was opened.
    Event::Left(id)
}

/// Before the hold on the worker is dropped, the tunnel is closed.
struct Closes<'a>(&'a Stage, ClientId);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.0.trace.add(Event::Closed(self.1));
    }
}

fn uri(id: ClientId) -> Uri {
    let path = format!("/{id}");
    path.parse().expect("a number is a path")
}

fn why(error: &InvokeError) -> Why {
    match error {
        InvokeError::Acquire(AcquireError::QueueFull { .. }) => Why::Full,
        InvokeError::Acquire(AcquireError::QueueTimeout { .. }) => Why::Late,
        InvokeError::Acquire(AcquireError::Draining { .. }) => Why::Draining,
        InvokeError::Acquire(AcquireError::Spawn { .. }) => Why::NoStart,
        InvokeError::Fault { .. } => Why::Fault,
    }
}
