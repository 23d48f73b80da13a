//! The way of a question to its answer: known route → let in → asked as it may be, by who may → not from another site →
//! done.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::header::{ACCEPT, CONTENT_LENGTH};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::Body;
use rookery_telemetry::prometheus;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::access::{Access, Denied, Door};
use crate::audit::{Audit, Who};
use crate::body::Incoming;
use crate::deploy::{Deploys, Stage, Steps, Told};
use crate::folder::Folder;
use crate::interval::interval;
use crate::keys::Role;
use crate::logs::{self, Wanted};
use crate::page::{Logout, Opened};
use crate::query::Query;
use crate::refusal::Refusal;
use crate::rollout::{self, Rolling};
use crate::route::{Asked, Route};
use crate::seat::Seat;
use crate::source::Source;
use crate::stream::{Stream, View};
use crate::survey::Survey;
use crate::turns::Turns;
use crate::{files, login, metrics, origin, page, respond};

/// Answers what is below `/_/`.
pub struct Admin {
    door: Arc<Door>,
    source: Arc<dyn Source>,
    survey: Arc<Survey>,
    stream: Arc<Stream>,
    shutdown: Shutdown,
    apps_dir: PathBuf,
    deploys: Deploys,
    turns: Turns,
    tasks: Tasks,
}

impl Admin {
    /// Answers from `source` whom `access` lets in, and changes what lies in `apps_dir`. The streams end with `shutdown`.
    ///
    /// What an earlier server left half written in the apps directory is removed; that blocks on the disk.
    pub fn new(
        access: Access,
        source: Arc<dyn Source>,
        apps_dir: &Path,
        stage: Arc<dyn Stage>,
        tasks: &Tasks,
        shutdown: Shutdown,
    ) -> Arc<Admin> {
        Folder::sweep(apps_dir);
        let survey = Survey::new(source.clone(), tasks, shutdown.clone());
        let stream = Stream::new(Arc::clone(&survey), shutdown.clone());
        Arc::new(Admin {
            door: Arc::new(Door::new(access)),
            source,
            survey,
            stream,
            shutdown,
            apps_dir: apps_dir.to_owned(),
            deploys: Deploys::new(stage),
            turns: Turns::new(),
            tasks: tasks.clone(),
        })
    }

    /// Answers one request, whose path is `/_` or below. Where it comes from stands in its extensions, as a
    /// [`SocketAddr`].
    pub async fn serve<B: Incoming>(self: &Arc<Self>, request: Request<B>) -> Response<Body> {
        let is_head = request.method() == Method::HEAD;
        let mut response = self.answer(request).await;
        respond::decorate(&mut response);
        if is_head {
            without_body(&mut response);
        }
        response
    }

    async fn answer<B: Incoming>(self: &Arc<Self>, request: Request<B>) -> Response<Body> {
        let from = request.extensions().get::<SocketAddr>().copied();
        let route = Route::parse(request.uri().path());
        let is_public = route.as_ref().is_some_and(Route::is_public);
        let admitted = self.door.admit(request.uri(), request.headers(), from);
        let who = match admitted {
            Ok(who) => who,
            // A name that was made to lead here is nobody's way in.
            Err(Denied::ForeignHost) => return respond::unauthorized(Denied::ForeignHost),
            Err(_) if is_public => Who::Nobody,
            Err(denied) => return refuse(denied, route.as_ref(), request.headers()),
        };
        let Some(route) = route else {
            return respond::not_found(request.uri().path());
        };
        let asked = route.asked(request.method());
        match asked {
            Asked::Otherwise(allowed) => respond::method_not_allowed(allowed),
            Asked::Reads => match who.needs(route.role(asked)) {
                Ok(()) => self.read(route, request, &who).await,
                Err(refusal) => respond::refused(&refusal),
            },
            Asked::Writes => self.change(route, request, who, from).await,
        }
    }

    /// Changes something, as a task: a client that leaves in the middle of it leaves nothing half done and nothing out of
    /// the log.
    async fn change<B: Incoming>(
        self: &Arc<Self>,
        route: Route,
        request: Request<B>,
        who: Who,
        from: Option<SocketAddr>,
    ) -> Response<Body> {
        let (sender, answer) = oneshot::channel();
        let steps = Steps::of(request.method(), request.headers(), sender);
        let admin = Arc::clone(self);
        self.tasks.spawn("admin write", async move {
            let audit = Audit::of(&who, from, request.method(), request.uri().path());
            let told = Told {
                audit: &audit,
                steps: &steps,
            };
            match admin.write(route, request, &who, from, told).await {
                Ok((response, last)) => {
                    audit.write(response.status(), None);
                    steps.done(response, last);
                }
                Err(refusal) => {
                    if let Refusal::Disk(error) = &refusal {
                        tracing::error!(%error, "the apps directory cannot be changed");
                    }
                    audit.write(refusal.status(), Some(&refusal.to_string()));
                    steps.refused(&refusal);
                }
            }
        });
        answer.await.unwrap_or_else(|_panicked| {
            respond::refused(&Refusal::Disk(io::Error::other("the task ended")))
        })
    }

    async fn read<B: Incoming>(
        &self,
        route: Route,
        request: Request<B>,
        who: &Who,
    ) -> Response<Body> {
        match route {
            Route::Page => page::html(&Opened {
                logout: match self.door.is_locked() {
                    true => Logout::Offered,
                    false => Logout::NotNeeded,
                },
                role: match who.needs(Role::Deploy) {
                    Ok(()) => Role::Deploy,
                    Err(_) => Role::Read,
                },
                apps_port: self.deploys.apps_port(),
            }),
            Route::PageWithoutSlash => respond::redirect("/_/"),
            Route::Style => page::style(request.headers()),
            Route::Part(part) => page::part(part, request.headers()),
            Route::Metrics => self.metrics(request.headers()),
            Route::Prometheus => self.prometheus(),
            Route::Stats => respond::json(&self.survey.stats()),
            Route::Stream => self.stream(request.uri(), request.headers()),
            Route::Logs => self.logs(request.uri(), request.headers()),
            Route::Deployments => respond::json(&self.source.deployments()),
            Route::Files(route) => {
                let audit = Audit::of(&Who::Nobody, None, request.method(), "");
                let read = self.files(route, request, &audit).await;
                read.unwrap_or_else(|refusal| respond::refused(&refusal))
            }
            Route::Rollout(Rolling { app, .. }) => {
                let rollout = self.deploys.stage.rollout(&app);
                respond::json(&json!({ "app": app.as_str(), "rollout": rollout }))
            }
            Route::Login | Route::Logout | Route::Version(_) => {
                respond::not_found(request.uri().path())
            }
        }
    }

    /// What was done; and of a deploy what is told last to who heard the steps before.
    async fn write<B: Incoming>(
        &self,
        route: Route,
        request: Request<B>,
        who: &Who,
        from: Option<SocketAddr>,
        told: Told<'_>,
    ) -> Result<(Response<Body>, Option<Value>), Refusal> {
        who.needs(route.role(Asked::Writes))?;
        origin::check(who, request.uri(), request.headers())?;
        let audit = told.audit;
        let response = match route {
            Route::Login => login::log_in(&self.door, request, from, audit).await?,
            Route::Logout => login::log_out(&self.door, request.headers()),
            Route::Files(route) => self.files(route, request, audit).await?,
            Route::Version(label) => {
                let folder = Folder::of(&self.apps_dir).await?;
                if request.method() == Method::DELETE {
                    let query = Query::of(request.uri());
                    self.deploys.take_down(&label, folder, &query).await?
                } else {
                    let deploys = &self.deploys;
                    let put = deploys.put_up(label, folder, &self.turns, request, told);
                    let (status, shown) = put.await?;
                    let mut response = respond::json(&shown);
                    *response.status_mut() = status;
                    return Ok((response, Some(shown)));
                }
            }
            Route::Rollout(Rolling { app, act }) => {
                let (change, about) = rollout::read(act, request.into_body()).await?;
                audit.about(about);
                let rolled = self.deploys.stage.roll(&app, change).await;
                let rollout = rolled.map_err(Refusal::Rollout)?;
                respond::json(&json!({ "app": app.as_str(), "rollout": rollout }))
            }
            _ => respond::not_found(request.uri().path()),
        };
        Ok((response, None))
    }

    async fn files<B: Incoming>(
        &self,
        route: files::FileRoute,
        request: Request<B>,
        audit: &Audit,
    ) -> Result<Response<Body>, Refusal> {
        let folder = Folder::of(&self.apps_dir).await?;
        files::serve(route, &folder, &self.turns, request, audit).await
    }

    fn metrics(&self, headers: &HeaderMap) -> Response<Body> {
        let response = if metrics::wants_prometheus(headers) {
            self.prometheus()
        } else {
            respond::json(&self.source.pool().snapshot(self.source.surroundings()))
        };
        respond::with(response, http::header::VARY, "Accept")
    }

    fn prometheus(&self) -> Response<Body> {
        respond::text(
            prometheus::CONTENT_TYPE,
            metrics::prometheus(self.source.as_ref()),
        )
    }

    fn stream(&self, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
        let Some(every) = interval(uri.query()) else {
            let message = "interval is a number of milliseconds, or one with ms, s or m";
            return respond::error(StatusCode::BAD_REQUEST, "BAD_INTERVAL", message);
        };
        let view = match Query::of(uri).get("view") {
            Some("dashboard") => View::Dashboard,
            _ => View::Statistics,
        };
        match self.seat(headers) {
            Some(seat) => respond::events(self.stream.watch(view, every, seat)),
            None => respond::busy("Too many are watching"),
        }
    }

    /// A place for who asks with these headers, and was let in; `None` when too many have one.
    fn seat(&self, headers: &HeaderMap) -> Option<Seat> {
        self.stream.seat(&self.door, self.door.pass(headers)?)
    }

    fn logs(&self, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let query = Query::of(uri);
        let wanted = match Wanted::read(&query, header("last-event-id")) {
            Ok(wanted) => wanted,
            Err(message) => {
                return respond::error(StatusCode::BAD_REQUEST, "BAD_FILTER", message);
            }
        };
        let tail = self.source.log();
        let asks_events = header("accept").is_some_and(|kind| kind.contains("text/event-stream"));
        if !asks_events && !query.wishes("follow") {
            return respond::json(&logs::Shown::of(&wanted.take(&tail)));
        }
        match self.seat(headers) {
            Some(seat) => respond::events(logs::follow(tail, wanted, self.shutdown.clone(), seat)),
            None => respond::busy("Too many are watching"),
        }
    }
}

/// A browser that asks for the page gets the form, everybody else the error.
fn refuse(denied: Denied, route: Option<&Route>, headers: &HeaderMap) -> Response<Body> {
    let is_page = matches!(route, Some(Route::Page | Route::PageWithoutSlash));
    let accepted = headers.get(ACCEPT).map(HeaderValue::as_bytes);
    let is_browser = accepted.is_some_and(|value| value.starts_with(b"text/html"));
    if is_page && is_browser {
        respond::denied_with(denied, login::page(denied))
    } else {
        respond::unauthorized(denied)
    }
}

/// Keeps the length that the body would have had, if it has one.
fn without_body(response: &mut Response<Body>) {
    if let Some(len) = response.body().size_hint().exact() {
        response
            .headers_mut()
            .entry(CONTENT_LENGTH)
            .or_insert(HeaderValue::from(len));
    }
    *response.body_mut() = respond::nothing();
}
