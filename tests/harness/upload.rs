//! A request's body that the test sends when it likes.

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::sync::mpsc;

use crate::http_client::Body;
use crate::within;

/// The test's end of it. The body ends when this is dropped.
pub struct Upload(mpsc::Sender<Bytes>);

impl Upload {
    pub(crate) fn new() -> (Upload, Body) {
        // One piece waits at most: the test goes on when the piece before it is on its way.
        let (sender, mut pieces) = mpsc::channel::<Bytes>(1);
        let frames = stream::poll_fn(move |cx| {
            let piece = pieces.poll_recv(cx);
            piece.map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
        });
        (Upload(sender), StreamBody::new(frames).boxed_unsync())
    }

    /// Sends a piece. False when nobody takes it any more.
    pub async fn send(&mut self, piece: impl Into<Bytes>) -> bool {
        let sent = self.0.send(piece.into());
        within("a piece is taken", sent).await.is_ok()
    }
}
