//! Bytes in both directions, until both sides are done or one is gone.
//!
//! **Invariant:** what the client reads is a stream of whole frames, and the last whole one is a close frame, unless the
//! upstream died within a frame: then it ends there, which no client takes for a message.
//! **Invariant:** an idle tunnel holds no buffer.

use std::future::{Future, poll_fn};
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use crate::tunnel::frames::Frames;

/// How much is read at once, and so how much may wait for the other side.
pub const BUFFER_BYTES: usize = 16 * 1024;
/// How long one side may go on after the other has ended.
pub const CLOSE_GRACE: Duration = Duration::from_secs(5);

/// What a client is told when its tunnel ends for a reason that the upstream did not give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Close {
    /// The close code (RFC 6455, 7.4.1).
    pub code: u16,
    /// In ASCII, at most 123 bytes; more is left out.
    pub reason: &'static str,
}

/// The upstream is gone and did not say goodbye.
const DIED: Close = Close {
    code: 1011,
    reason: "the upstream is gone",
};

/// How a tunnel ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// Both sides were done.
    Done,
    /// The client was gone.
    ClientGone,
    /// The upstream was gone without a close frame.
    UpstreamGone,
    /// We were asked to end it.
    Stopped,
}

/// Lets the system find out that a silent client is gone.
pub fn keep_alive(client: &TcpStream) {
    crate::dial::keep_alive(client);
}

/// Copies until the end. When `stop` is ready, the client is told what it says, between two frames of the upstream.
/// Ends at most [`CLOSE_GRACE`] after one side has ended or `stop` was ready.
pub async fn run<C, U>(client: C, upstream: U, stop: impl Future<Output = Close>) -> Ended
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    let mut stop = std::pin::pin!(stop);
    let mut relay = Relay {
        client,
        upstream,
        up: Half::default(),
        down: Half::default(),
        frames: Frames::new(),
        ending: Ending::No,
        grace: None,
    };
    poll_fn(|cx| {
        if relay.ending == Ending::No
            && let Poll::Ready(close) = stop.as_mut().poll(cx)
        {
            relay.stop(close);
        }
        relay.poll(cx)
    })
    .await
}

struct Relay<C, U> {
    client: C,
    upstream: U,
    /// From the client.
    up: Half,
    /// To the client.
    down: Half,
    frames: Frames,
    ending: Ending,
    grace: Option<Pin<Box<Sleep>>>,
}

/// Whether the end of the client's stream is ours to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ending {
    No,
    /// At the end of the frame that has begun.
    Soon(Close, Ended),
    /// What we had to say is written or waits to be; nothing of the upstream's follows.
    Said(Ended),
}

/// One direction.
#[derive(Default)]
struct Half {
    /// What was read and is not written.
    waiting: Vec<u8>,
    written: usize,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    Open,
    /// Nothing more comes; what waits is written, and then the end.
    Ending,
    Ended,
}

/// What came of reading.
enum Read {
    Bytes,
    End,
}

impl Half {
    /// Writes what waits.
    fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        while self.written < self.waiting.len() {
            let count = ready!(Pin::new(&mut *to).poll_write(cx, &self.waiting[self.written..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
        }
        if !self.waiting.is_empty() {
            self.waiting = Vec::new();
            self.written = 0;
        }
        Pin::new(to).poll_flush(cx)
    }

    /// Writes what waits, and the end after it.
    fn poll_end(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx, to))?;
        ready!(Pin::new(to).poll_shutdown(cx))?;
        self.state = State::Ended;
        Poll::Ready(Ok(()))
    }

    /// Takes bytes that were just read: writes them at once as far as that goes, and keeps the rest.
    fn take(&mut self, cx: &mut Context<'_>, bytes: &[u8], to: &mut (impl AsyncWrite + Unpin)) {
        let written = match Pin::new(to).poll_write(cx, bytes) {
            Poll::Ready(Ok(count)) => count,
            // What is wrong shows again when the rest is written.
            Poll::Ready(Err(_)) | Poll::Pending => 0,
        };
        self.waiting.extend_from_slice(&bytes[written..]);
    }
}

fn poll_read(
    cx: &mut Context<'_>,
    from: &mut (impl AsyncRead + Unpin),
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<Read>> {
    ready!(Pin::new(from).poll_read(cx, buffer))?;
    let nothing = buffer.filled().is_empty();
    Poll::Ready(Ok(if nothing { Read::End } else { Read::Bytes }))
}

impl<C, U> Relay<C, U>
where
    C: AsyncRead + AsyncWrite + Unpin,
    U: AsyncRead + AsyncWrite + Unpin,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        let up = self.poll_up(cx);
        let down = self.poll_down(cx);
        match (up, down) {
            (Poll::Ready(Err(Gone::Client)), _) | (_, Poll::Ready(Err(Gone::Client))) => {
                return Poll::Ready(self.ended(Ended::ClientGone));
            }
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => {
                return Poll::Ready(self.ended(Ended::Done));
            }
            _ => {}
        }
        if self.up.state == State::Open
            && self.down.state == State::Open
            && self.ending == Ending::No
        {
            return Poll::Pending;
        }
        let grace = self
            .grace
            .get_or_insert_with(|| Box::pin(sleep(CLOSE_GRACE)));
        ready!(grace.as_mut().poll(cx));
        Poll::Ready(self.ended(Ended::Done))
    }

    fn ended(&self, otherwise: Ended) -> Ended {
        match self.ending {
            Ending::No => otherwise,
            Ending::Soon(_, why) | Ending::Said(why) => why,
        }
    }

    /// We end it.
    fn stop(&mut self, close: Close) {
        if self.down.state == State::Open && !self.frames.closed() {
            self.ending = Ending::Soon(close, Ended::Stopped);
        } else {
            self.ending = Ending::Said(Ended::Stopped);
        }
        self.say();
    }

    /// Says why it ends, as soon as that is possible.
    fn say(&mut self) {
        if let Ending::Soon(close, why) = self.ending
            && self.frames.between()
        {
            self.down.waiting.extend_from_slice(&encode(close));
            self.down.state = State::Ending;
            self.ending = Ending::Said(why);
        }
    }

    fn poll_up(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        let mut room = [MaybeUninit::uninit(); BUFFER_BYTES];
        loop {
            if self.up.state == State::Ended {
                return Poll::Ready(Ok(()));
            }
            if self.up.state == State::Ending {
                if ready!(self.up.poll_end(cx, &mut self.upstream)).is_err() {
                    self.up.state = State::Ended;
                }
                continue;
            }
            if ready!(self.up.poll_flush(cx, &mut self.upstream)).is_err() {
                // The other direction finds out what the upstream said last; nothing is sent there any more.
                self.up.state = State::Ended;
                continue;
            }
            let mut buffer = ReadBuf::uninit(&mut room);
            match ready!(poll_read(cx, &mut self.client, &mut buffer)) {
                Ok(Read::Bytes) => self.up.take(cx, buffer.filled(), &mut self.upstream),
                Ok(Read::End) => self.up.state = State::Ending,
                Err(_) => return Poll::Ready(Err(Gone::Client)),
            }
        }
    }

    fn poll_down(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        let mut room = [MaybeUninit::uninit(); BUFFER_BYTES];
        loop {
            match self.down.state {
                State::Ended => return Poll::Ready(Ok(())),
                State::Ending => {
                    let ended = ready!(self.down.poll_end(cx, &mut self.client));
                    ended.map_err(|_| Gone::Client)?;
                    continue;
                }
                State::Open => {}
            }
            let flushed = ready!(self.down.poll_flush(cx, &mut self.client));
            flushed.map_err(|_| Gone::Client)?;
            let mut buffer = ReadBuf::uninit(&mut room);
            match ready!(poll_read(cx, &mut self.upstream, &mut buffer)) {
                Ok(Read::Bytes) => self.pass(cx, buffer.filled()),
                Ok(Read::End) | Err(_) => self.upstream_ended(),
            }
        }
    }

    /// Passes on what the upstream said; when we are about to end it, only to the end of its frame.
    fn pass(&mut self, cx: &mut Context<'_>, bytes: &[u8]) {
        let passed = match self.ending {
            Ending::No => {
                self.frames.pass(bytes);
                bytes.len()
            }
            Ending::Soon(..) => self.frames.pass_to_end(bytes),
            Ending::Said(_) => 0,
        };
        self.down.take(cx, &bytes[..passed], &mut self.client);
        self.say();
    }

    fn upstream_ended(&mut self) {
        self.down.state = State::Ending;
        if self.frames.closed() || self.ending != Ending::No {
            return;
        }
        if self.frames.between() {
            self.ending = Ending::Soon(DIED, Ended::UpstreamGone);
            self.say();
        } else {
            self.ending = Ending::Said(Ended::UpstreamGone);
        }
    }
}

/// Who is gone.
enum Gone {
    Client,
}

/// A close frame as a server sends it.
fn encode(close: Close) -> Vec<u8> {
    let reason = &close.reason.as_bytes()[..close.reason.len().min(123)];
    let mut frame = vec![0x88, 2 + reason.len() as u8];
    frame.extend_from_slice(&close.code.to_be_bytes());
    frame.extend_from_slice(reason);
    frame
}

#[cfg(test)]
mod tests;
