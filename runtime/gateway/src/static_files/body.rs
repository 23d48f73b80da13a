//! Pieces as a streaming body.
//!
//! **Invariant:** at most one chunk of a file is in memory, and it is read when the client has taken the one before.
//! So a client that goes away stops the reading with the body that it drops.

use std::collections::VecDeque;
use std::io::{self, SeekFrom};

use bytes::{Bytes, BytesMut};
use futures_util::{TryStreamExt, stream};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use rookery_pool::{Body, BodyError};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::pieces::Piece;

/// How much of a file is read at a time.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;

/// Nothing.
pub(super) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Bytes at hand.
pub(super) fn full(bytes: Bytes) -> Body {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// The pieces one after the other. `file` is what the pieces on disk are read from.
pub(super) fn stream(pieces: Vec<Piece>, file: Option<File>) -> Body {
    if let [Piece::Memory(bytes)] = pieces.as_slice() {
        return full(bytes.clone());
    }
    let reading = Reading {
        pieces: pieces.into(),
        file,
        position: None,
    };
    let chunks = stream::try_unfold(reading, Reading::step);
    StreamBody::new(chunks.map_ok(Frame::data).map_err(BodyError::from)).boxed_unsync()
}

struct Reading {
    pieces: VecDeque<Piece>,
    file: Option<File>,
    /// Where the file stands; `None` before the first reading.
    position: Option<u64>,
}

impl Reading {
    async fn step(mut self) -> io::Result<Option<(Bytes, Reading)>> {
        let range = match self.pieces.pop_front() {
            None => return Ok(None),
            Some(Piece::Memory(bytes)) => return Ok(Some((bytes, self))),
            Some(Piece::Disk(range)) => range,
        };
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        if self.position != Some(range.start) {
            file.seek(SeekFrom::Start(range.start)).await?;
        }
        let wanted = (range.end - range.start).min(CHUNK_BYTES as u64);
        let mut chunk = BytesMut::with_capacity(wanted as usize);
        if file.take(wanted).read_buf(&mut chunk).await? == 0 {
            // It shrank since its length was announced. Ending early would look complete to an HTTP/1.0 client.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let position = range.start + chunk.len() as u64;
        self.position = Some(position);
        if position < range.end {
            self.pieces.push_front(Piece::Disk(position..range.end));
        }
        Ok(Some((chunk.freeze(), self)))
    }
}
