//! A request's body, within its bounds.
//!
//! **Invariant:** a body that is too long or too slow ends with an error, and what was read of it is never taken for the
//! whole.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, TryStreamExt, stream};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use rookery_pool::BodyError;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use crate::refusal::Refusal;

/// How long a client may send nothing.
const STALL: Duration = Duration::from_secs(30);
/// How long it may send in all.
const WHOLE: Duration = Duration::from_secs(15 * 60);
/// The largest body that is read into memory: a path and a name.
const SMALL_BYTES_MAX: u64 = 16 << 10;

/// What the front door hands over.
pub trait Incoming:
    http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + Unpin + 'static
{
}

impl<B> Incoming for B where
    B: http_body::Body<Data = Bytes, Error: Into<BodyError>> + Send + Unpin + 'static
{
}

/// A body as pieces.
pub(crate) struct Pieces<B> {
    body: B,
    limit: u64,
    left: u64,
    until: Instant,
    fate: Fate,
}

/// Why the pieces ended early, for who reads them through another one's parser, which would call it its own error.
#[derive(Clone, Default)]
pub(crate) struct Fate(Arc<Mutex<Option<Refusal>>>);

/// The pieces ended early.
#[derive(Debug, thiserror::Error)]
#[error("the request's body ended early")]
pub(crate) struct Ended;

impl Fate {
    /// Why they ended early, or else what the parser says.
    pub fn or(&self, other: Refusal) -> Refusal {
        self.0.lock().take().unwrap_or(other)
    }

    fn end(&self, refusal: Refusal) -> Ended {
        *self.0.lock() = Some(refusal);
        Ended
    }
}

impl<B: Incoming> Pieces<B> {
    /// At most `limit` bytes of a body.
    pub fn new(body: B, limit: u64) -> Pieces<B> {
        Pieces {
            body,
            limit,
            left: limit,
            until: Instant::now() + WHOLE,
            fate: Fate::default(),
        }
    }

    /// Learns why they ended early.
    pub fn fate(&self) -> Fate {
        self.fate.clone()
    }

    /// The next one.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Ended> {
        // What says that it is too long need not come.
        if self.body.size_hint().lower() > self.left {
            return Err(self.fate.end(Refusal::TooLarge(self.limit)));
        }
        loop {
            let deadline = self.until.min(Instant::now() + STALL);
            let frame = timeout_at(deadline, self.body.frame()).await;
            let frame = match frame.map_err(|_| self.fate.end(Refusal::TooSlow))? {
                None => return Ok(None),
                Some(frame) => frame.map_err(|error| {
                    let error: BodyError = error.into();
                    self.fate.end(Refusal::BrokenOff(error.to_string()))
                })?,
            };
            // Trailers are no piece.
            let Ok(piece) = frame.into_data() else {
                continue;
            };
            let left = self.left.checked_sub(piece.len() as u64);
            self.left = left.ok_or_else(|| self.fate.end(Refusal::TooLarge(self.limit)))?;
            return Ok(Some(piece));
        }
    }

    /// For who takes streams.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Ended>> + Send + 'static {
        stream::try_unfold(self, |mut pieces| async move {
            let piece = pieces.next().await?;
            Ok(piece.map(|piece| (piece, pieces)))
        })
    }
}

/// A whole body, if it is a small one.
pub(crate) async fn read_small<B: Incoming>(body: B) -> Result<Bytes, Refusal> {
    let pieces = Pieces::new(body, SMALL_BYTES_MAX);
    let fate = pieces.fate();
    let mut pieces = pin!(pieces.into_stream());
    let mut whole = BytesMut::new();
    loop {
        match pieces.try_next().await {
            Ok(Some(piece)) => whole.extend_from_slice(&piece),
            Ok(None) => return Ok(whole.freeze()),
            Err(Ended) => return Err(fate.or(Refusal::TooSlow)),
        }
    }
}

/// A small body as JSON. One that is empty has no fields.
pub(crate) async fn read_json<T: DeserializeOwned + Default>(
    body: impl Incoming,
) -> Result<T, Refusal> {
    let bytes = read_small(body).await?;
    if bytes.is_empty() {
        return Ok(T::default());
    }
    let read = serde_json::from_slice(&bytes);
    read.map_err(|error| Refusal::Malformed(format!("the body is not the expected JSON: {error}")))
}
