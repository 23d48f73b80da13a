//! The socket as tungstenite sees it: it reads from it, and what it writes of its own accord goes to the outbox.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

use crate::ws::foresight::Foresight;

/// One look at the socket, within one poll.
pub(super) struct Tap<'a, 'b, Io> {
    pub io: &'a mut Io,
    pub cx: &'a mut Context<'b>,
    /// Pongs, as frames.
    pub replies: &'a mut Vec<u8>,
    /// Is shown all that is read.
    pub foresight: &'a mut Foresight,
}

impl<Io: AsyncRead + Unpin> Read for Tap<'_, '_, Io> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        match Pin::new(&mut *self.io).poll_read(self.cx, &mut buffer) {
            Poll::Ready(Ok(())) => {
                self.foresight.follow(buffer.filled());
                Ok(buffer.filled().len())
            }
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl<Io> Write for Tap<'_, '_, Io> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.replies.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
