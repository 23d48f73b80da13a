//! One client's socket: frames in, the outbox out, until one side ends it.
//!
//! **Invariant:** only the outbox writes to the socket, pongs and close frames included, so frames never mix.
//! **Invariant:** while the inbox is full nothing is read: a client that talks faster than its app listens is slowed
//! down by TCP.
//! **Absent on purpose:** guests. This ends where the inbox begins.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use bytestring::ByteString;
use rookery_contract::Payload;
use rookery_hub::close::{self, CloseCode, CloseFrame};
use rookery_hub::{Attached, Session, frame};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, Sleep, sleep};
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig, WebSocketContext};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::ws::foresight::Foresight;
use crate::ws::parting::{Left, hang_up};
use crate::ws::tap::Tap;

/// Enough for a chat message; a longer one grows the buffer for its time. The default would be 128 KiB a connection.
const READ_BUFFER_BYTES: usize = 1024;
/// How many chunks one vectored write takes.
const CHUNKS_PER_WRITE: usize = 64;
/// How many messages one client may send before others on the thread get their turn.
const MESSAGES_PER_TURN: usize = 64;
/// How long a close frame may take to be written, answered, and read by whoever broke a rule.
const CLOSE_GRACE: Duration = Duration::from_secs(5);
/// How a connection that ended without a close frame is told to the guest (RFC 6455, 7.1.5).
const ABNORMAL: u16 = 1006;

/// What the manifest bounds.
pub(super) struct WireLimits {
    /// The largest message that is read, in bytes.
    pub message_bytes_max: usize,
    /// How long a client may be silent; it is pinged at half of it. Zero is for ever.
    pub idle_timeout: Duration,
}

/// One client's socket.
pub(super) struct Wire<Io> {
    io: Io,
    protocol: WebSocketContext,
    foresight: Foresight,
    writing: VecDeque<Bytes>,
    reading: Reading,
    written: Written,
    idle: Idle,
    timer: Pin<Box<Sleep>>,
}

/// What still comes from the client.
enum Reading {
    Messages,
    /// It said that it is done, or the protocol is broken: nothing more is read.
    Ended(End),
}

/// How the client's side ended.
struct End {
    code: u16,
    reason: ByteString,
    left: Left,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Frames,
    /// The last frames are on their way, and the client has its grace to take them.
    Last,
    /// Our close frame is in the socket.
    Close,
}

struct Idle {
    half: Duration,
    heard: bool,
    pinged: bool,
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Wire<Io> {
    /// A wire whose client already sent `early`.
    pub fn new(io: Io, early: &[u8], limits: WireLimits) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(limits.message_bytes_max))
            .max_frame_size(Some(limits.message_bytes_max));
        let half = limits.idle_timeout / 2;
        let mut foresight = Foresight::default();
        foresight.follow(early);
        Wire {
            io,
            foresight,
            protocol: WebSocketContext::from_partially_read(
                early.to_vec(),
                Role::Server,
                Some(config),
            ),
            writing: VecDeque::new(),
            reading: Reading::Messages,
            written: Written::Frames,
            idle: Idle {
                half,
                heard: false,
                pinged: false,
            },
            timer: Box::pin(sleep(half)),
        }
    }

    /// Serves the session until the socket is done with, and detaches it.
    #[allow(
        clippy::manual_async_fn,
        reason = "an async function has room for its arguments twice, and this is what an idle session is made of"
    )]
    pub fn converse(mut self, session: Attached) -> impl Future<Output = ()> {
        async move {
            let end = poll_fn(|cx| self.poll(cx, &session)).await;
            session.detach(end.code, &end.reason);
            let _ = tokio::time::timeout(CLOSE_GRACE, hang_up(&mut self.io, end.left)).await;
        }
    }

    /// Tells a client that it came too late.
    pub async fn refuse(mut self, why: CloseCode) {
        let bytes = frame::close(&CloseFrame::from(why));
        let said = async {
            self.io.write_all(&bytes).await?;
            hang_up(&mut self.io, Left::CloseAndWaste).await
        };
        let _ = tokio::time::timeout(CLOSE_GRACE, said).await;
    }

    fn poll(&mut self, cx: &mut Context<'_>, session: &Arc<Session>) -> Poll<End> {
        if self.poll_read(cx, session).is_ready() {
            // Others get their turn; we come back at once.
            cx.waker().wake_by_ref();
        }
        if let Poll::Ready(Err(_)) = self.poll_write(cx, session) {
            return Poll::Ready(self.end(session));
        }
        let closed = self.written == Written::Close;
        if let Reading::Ended(end) = &self.reading
            && (closed || end.left == Left::Nothing)
        {
            return Poll::Ready(self.end(session));
        }
        if self.poll_timer(cx, session).is_ready() {
            return Poll::Ready(self.end(session));
        }
        Poll::Pending
    }

    /// Reads what is there. Ready when there may be more than one turn's worth.
    fn poll_read(&mut self, cx: &mut Context<'_>, session: &Arc<Session>) -> Poll<()> {
        let mut replies = Vec::new();
        let mut turn = Poll::Pending;
        for count in 1.. {
            if !matches!(self.reading, Reading::Messages) {
                break;
            }
            if session.poll_inbox_room(cx).is_pending() {
                // Nobody listens to the client, which is not its silence.
                self.idle.heard = true;
                break;
            }
            let mut tap = Tap {
                io: &mut self.io,
                cx,
                replies: &mut replies,
                foresight: &mut self.foresight,
            };
            match self.protocol.read(&mut tap) {
                Ok(message) => self.take(message, session),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    // All that is whole was taken; what is left cannot become a message.
                    if self.foresight.is_condemned() {
                        self.stop(1007, "invalid UTF-8", session);
                    }
                    break;
                }
                Err(error) => self.give_up(error, session),
            }
            self.idle.heard = true;
            if count == MESSAGES_PER_TURN {
                turn = Poll::Ready(());
                break;
            }
        }
        if !replies.is_empty() {
            session.push_control(Bytes::from(replies));
        }
        turn
    }

    fn take(&mut self, message: Message, session: &Arc<Session>) {
        let payload = match message {
            Message::Text(text) => match ByteString::try_from(Bytes::from(text)) {
                Ok(text) => Payload::Text(text),
                Err(_) => return self.stop(1007, "invalid UTF-8", session),
            },
            Message::Binary(bytes) => Payload::Binary(bytes),
            Message::Close(frame) => {
                let (code, reason) = match &frame {
                    Some(frame) => (u16::from(frame.code), frame.reason.as_str()),
                    // What a close frame without a code means to whom it is told (7.1.5).
                    None => (1005, ""),
                };
                session.close(CloseFrame::new(code, reason));
                self.reading = Reading::Ended(End {
                    code,
                    reason: reason.into(),
                    left: Left::Close,
                });
                return;
            }
            // Pongs are answered by the protocol, and an answer to our ping was heard.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return,
        };
        session.push_message(payload);
    }

    fn give_up(&mut self, error: Error, session: &Arc<Session>) {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { .. }) => {
                self.stop(close::TOO_BIG.code, close::TOO_BIG.reason, session);
            }
            Error::Utf8(_) => self.stop(1007, "invalid UTF-8", session),
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)
            | Error::Io(_)
            | Error::ConnectionClosed
            | Error::AlreadyClosed => {
                self.reading = Reading::Ended(End {
                    code: ABNORMAL,
                    reason: ByteString::new(),
                    left: Left::Nothing,
                });
            }
            error => self.stop(1002, &error.to_string(), session),
        }
    }

    /// The client broke a rule: says so, and hears nothing more of it.
    fn stop(&mut self, code: u16, reason: &str, session: &Arc<Session>) {
        session.close(CloseFrame::new(code, reason));
        self.reading = Reading::Ended(End {
            code,
            reason: reason.into(),
            left: Left::CloseAndWaste,
        });
    }

    /// Writes what waits, as much as the socket takes.
    fn poll_write(&mut self, cx: &mut Context<'_>, session: &Session) -> Poll<io::Result<()>> {
        while self.written != Written::Close {
            if self.writing.is_empty() {
                std::task::ready!(session.poll_outbox(cx));
                if session.take_chunks(&mut self.writing, CHUNKS_PER_WRITE) == 0 {
                    self.written = Written::Close;
                    self.timer.as_mut().reset(Instant::now() + CLOSE_GRACE);
                    break;
                }
            }
            let mut slices = [IoSlice::new(&[]); CHUNKS_PER_WRITE];
            let count = self.writing.len().min(CHUNKS_PER_WRITE);
            for (slice, chunk) in slices.iter_mut().zip(&self.writing) {
                *slice = IoSlice::new(chunk);
            }
            let io = Pin::new(&mut self.io);
            let written = match &slices[..count] {
                // Nearly always, and cheaper for the system.
                [slice] => io.poll_write(cx, slice),
                slices => io.poll_write_vectored(cx, slices),
            };
            match written {
                Poll::Ready(Ok(0)) => {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                Poll::Ready(Ok(written)) => self.advance(written),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    // A client that does not read any more does not get for ever to take its close frame.
                    if session.poll_closing(cx).is_ready() && self.written == Written::Frames {
                        self.written = Written::Last;
                        self.timer.as_mut().reset(Instant::now() + CLOSE_GRACE);
                    }
                    return Poll::Pending;
                }
            }
        }
        Poll::Pending
    }

    fn advance(&mut self, mut written: usize) {
        while written > 0
            && let Some(first) = self.writing.front_mut()
        {
            let step = written.min(first.len());
            first.advance(step);
            written -= step;
            if first.is_empty() {
                self.writing.pop_front();
            }
        }
        if self.writing.is_empty() && self.writing.capacity() > CHUNKS_PER_WRITE / 16 {
            self.writing = VecDeque::new();
        }
    }

    /// Ready when the client was given up.
    fn poll_timer(&mut self, cx: &mut Context<'_>, session: &Session) -> Poll<()> {
        let is_closing = self.written != Written::Frames;
        if self.idle.half.is_zero() && !is_closing {
            return Poll::Pending;
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            if is_closing {
                return Poll::Ready(());
            }
            if session.closing().is_some() {
                // What comes before the close frame waits for a write to be durable. That is not the client's fault.
                self.timer.as_mut().reset(Instant::now() + CLOSE_GRACE);
                continue;
            }
            if std::mem::take(&mut self.idle.heard) {
                self.idle.pinged = false;
            } else if self.idle.pinged {
                session.close(close::IDLE);
                self.timer.as_mut().reset(Instant::now() + CLOSE_GRACE);
                continue;
            } else {
                self.idle.pinged = true;
                session.push_control(frame::ping(&[]));
            }
            self.timer.as_mut().reset(Instant::now() + self.idle.half);
        }
        Poll::Pending
    }

    /// How it ended, for the guest.
    fn end(&mut self, session: &Session) -> End {
        if let Reading::Ended(end) = std::mem::replace(&mut self.reading, Reading::Messages) {
            return end;
        }
        let (code, reason) = match session.closing() {
            Some(frame) => (frame.code(), frame.reason().clone()),
            None => (ABNORMAL, ByteString::new()),
        };
        End {
            code,
            reason,
            left: Left::Nothing,
        }
    }
}

#[cfg(test)]
mod tests;
