//! The connections to one target: those that rest, the one that many share, and how many there may be.
//!
//! **Invariant:** a connection holds one of the target's places from before it is dialled until it is closed; none rests
//! while somebody waits for a place.
//! **Invariant:** while it is not known what a target speaks, or when it is HTTP/2, one dial goes on at a time: a
//! hundred requests that come at once share one HTTP/2 connection.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use http::Request;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use rookery_lifecycle::{Tasks, Waiting};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::body::Body;
use crate::config::UpstreamConfig;
use crate::dial::{Deadline, Spoken, dial};
use crate::error::UpstreamError;
use crate::fields;
use crate::stream::Stream;
use crate::target::Target;
use crate::tls::{Inside, Tls};
use crate::wire::{Asked, Wire};

/// The largest head of an answer, in bytes.
pub(crate) const HEAD_BYTES_MAX: usize = 128 * 1024;

/// One target's connections.
pub(crate) struct Origin {
    target: Target,
    config: UpstreamConfig,
    places: Arc<Semaphore>,
    /// How many wait for a place.
    waiting: AtomicUsize,
    resting: Mutex<Resting>,
    shared: Mutex<Option<Shared>>,
    speaks: AtomicU8,
    dialling: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Resting {
    closed: bool,
    /// The one that was used last stands last, and is used first, so that those that are not needed grow old.
    wires: Vec<(Instant, Wire)>,
}

/// The HTTP/2 connection that requests share.
struct Shared {
    line: http2::SendRequest<Body>,
    used: Instant,
}

/// What a request is sent over.
pub(crate) enum Line {
    Own(Wire),
    Shared(http2::SendRequest<Body>),
}

/// Where a line came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Age {
    New,
    /// It rested, so the target may have closed it in the very moment in which it is used.
    Used,
}

const UNKNOWN: u8 = 0;
const HTTP1: u8 = 1;
const HTTP2: u8 = 2;

impl Origin {
    pub fn new(target: Target, config: &UpstreamConfig) -> Self {
        // Without TLS nobody negotiates.
        let speaks = match target {
            Target::Tls { .. } => UNKNOWN,
            Target::Tcp { .. } | Target::Unix(_) => HTTP1,
        };
        Origin {
            target,
            places: Arc::new(Semaphore::new(config.connections_max)),
            waiting: AtomicUsize::new(0),
            config: config.clone(),
            resting: Mutex::default(),
            shared: Mutex::default(),
            speaks: AtomicU8::new(speaks),
            dialling: tokio::sync::Mutex::default(),
        }
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// A line to send one request over, for somebody who found none that [rested](Origin::rested), or none that did.
    pub async fn line(
        &self,
        tls: &Tls,
        tasks: &Tasks,
        deadline: Deadline,
    ) -> Result<(Line, Age), UpstreamError> {
        if self.speaks.load(Ordering::Relaxed) == HTTP1 {
            return Ok((self.open(tls, tasks, deadline).await?, Age::New));
        }
        let Ok(_turn) = timeout_at(deadline.instant(), self.dialling.lock()).await else {
            return Err(deadline.missed(&self.target));
        };
        // Whoever had the turn before may have brought a line for everybody.
        if let Some(line) = self.rested() {
            return Ok((line, Age::Used));
        }
        Ok((self.open(tls, tasks, deadline).await?, Age::New))
    }

    /// Takes a line that could be used when it came to rest.
    pub fn rested(&self) -> Option<Line> {
        if self.speaks.load(Ordering::Relaxed) == HTTP2 {
            let mut shared = self.shared.lock();
            shared.take_if(|shared| shared.line.is_closed());
            return shared.as_mut().map(|shared| {
                shared.used = Instant::now();
                Line::Shared(shared.line.clone())
            });
        }
        // Whether its peer hung up meanwhile is seen by whoever asks over it, before anything of the request is written.
        let (_, wire) = self.resting.lock().wires.pop()?;
        Some(Line::Own(wire))
    }

    /// Puts a wire back whose exchange is over; one that cannot take another one is closed, and so is one whose place
    /// somebody waits for.
    pub fn rest(&self, mut wire: Wire) {
        // Mostly the end of the answer came with the rest of it. That a peer hung up since then shows when it is asked for.
        if !wire.was_ready() && !wire.is_ready() {
            return;
        }
        let mut resting = self.resting.lock();
        let room = resting.wires.len() < self.config.idle_max;
        if room && !resting.closed && !self.is_wanted() {
            resting.wires.push((Instant::now(), wire));
        }
    }

    /// Whether somebody waits for a place.
    pub fn is_wanted(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// Whether something rests that can be used at once.
    #[cfg(test)]
    pub fn is_ready(&self) -> bool {
        let mut resting = self.resting.lock();
        resting.wires.iter_mut().any(|(_, wire)| wire.is_ready())
    }

    /// Whether every place is taken.
    #[cfg(test)]
    pub fn is_full(&self) -> bool {
        self.places.available_permits() == 0
    }

    /// Lets go of what rested for too long. Whether anything is left.
    pub fn sweep(&self, now: Instant) -> bool {
        let idle_timeout = self.config.idle_timeout;
        // Its streams hold it as well, so only those that come later have to dial.
        self.shared
            .lock()
            .take_if(|shared| now.duration_since(shared.used) >= idle_timeout);
        let mut resting = self.resting.lock();
        resting.wires.retain_mut(|(since, wire)| {
            now.duration_since(*since) < idle_timeout && wire.is_ready()
        });
        !resting.wires.is_empty() || self.places.available_permits() < self.config.connections_max
    }

    /// Lets go of everything that rests, now and from now on. What is in use is used to its end.
    pub fn close(&self) {
        let mut resting = self.resting.lock();
        resting.closed = true;
        resting.wires.clear();
        drop(resting);
        *self.shared.lock() = None;
    }

    async fn open(
        &self,
        tls: &Tls,
        tasks: &Tasks,
        deadline: Deadline,
    ) -> Result<Line, UpstreamError> {
        let place = self.place(deadline).await?;
        let (stream, spoken) = dial(&self.target, tls, Inside::Requests, deadline).await?;
        match spoken {
            Spoken::Http1 => {
                self.speaks.store(HTTP1, Ordering::Relaxed);
                Ok(Line::Own(Wire::over(stream, &self.target, place).await?))
            }
            Spoken::Http2 => {
                let line = self.share(stream, tasks, place).await?;
                self.speaks.store(HTTP2, Ordering::Relaxed);
                Ok(Line::Shared(line))
            }
        }
    }

    async fn place(&self, deadline: Deadline) -> Result<OwnedSemaphorePermit, UpstreamError> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let _wanted = Waiting::one(&self.waiting);
        // It may have come to rest before it could know that somebody waits.
        let rested = self.resting.lock().wires.pop();
        drop(rested);
        let waiting = Arc::clone(&self.places).acquire_owned();
        match timeout_at(deadline.instant(), waiting).await {
            Ok(Ok(place)) => Ok(place),
            // The semaphore is never closed.
            Ok(Err(_)) | Err(_) => Err(UpstreamError::Saturated {
                target: self.target.to_string(),
                max: self.config.connections_max,
            }),
        }
    }

    async fn share(
        &self,
        stream: Stream,
        tasks: &Tasks,
        place: OwnedSemaphorePermit,
    ) -> Result<http2::SendRequest<Body>, UpstreamError> {
        // Its streams are part of the connection's task in all but name: they end with it.
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .adaptive_window(true)
            .keep_alive_interval(self.config.idle_timeout)
            .keep_alive_timeout(self.config.idle_timeout)
            .max_header_list_size(HEAD_BYTES_MAX as u32);
        let (line, connection) = builder
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|source| broken(&self.target, source))?;
        tasks.spawn("upstream connection", async move {
            ended(connection.await);
            drop(place);
        });
        if !self.resting.lock().closed {
            *self.shared.lock() = Some(Shared {
                line: line.clone(),
                used: Instant::now(),
            });
        }
        Ok(line)
    }
}

impl Line {
    /// Hands over a request, in the form that the line's protocol wants; the future waits for the head of its answer.
    pub fn ask(
        &mut self,
        mut request: Request<Body>,
        target: &Target,
    ) -> Pin<Box<dyn Future<Output = Asked> + Send + '_>> {
        match self {
            Line::Own(wire) => {
                fields::for_http1(&mut request, target);
                Box::pin(wire.ask(request))
            }
            Line::Shared(line) => {
                fields::for_http2(&mut request, target);
                Box::pin(line.try_send_request(request))
            }
        }
    }
}

/// Begins to speak HTTP/1.1 over a stream that is about to change over to something else. The place is held while HTTP is
/// spoken.
pub(crate) async fn handshake<P: Send + 'static>(
    target: &Target,
    stream: Stream,
    tasks: &Tasks,
    place: P,
) -> Result<http1::SendRequest<Body>, UpstreamError> {
    let (line, connection) = http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|source| broken(target, source))?;
    tasks.spawn("upstream connection", async move {
        ended(connection.with_upgrades().await);
        drop(place);
    });
    Ok(line)
}

pub(crate) fn broken(target: &Target, source: hyper::Error) -> UpstreamError {
    UpstreamError::Broken {
        target: target.to_string(),
        source,
    }
}

/// Whoever used the connection heard of it; this is for whoever looks for a reason.
pub(crate) fn ended(outcome: hyper::Result<()>) {
    if let Err(error) = outcome {
        tracing::debug!(reason = %error, "a connection to an upstream ended early");
    }
}
