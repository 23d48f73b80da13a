//! How a socket is left, when all is written that will be.
//!
//! **Invariant:** the client has its time to read a close frame. A socket that is closed with something unread in it
//! takes back what was written last, so what a client still sends after it broke a rule is read, and forgotten.
//! **Absent on purpose:** a deadline. Whoever leaves has one.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

/// How much of what nobody wants is read at once.
const WASTE_BYTES: usize = 4096;

/// What is left to do with a socket when its client's side ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Nothing: it takes no close frame any more.
    Nothing,
    /// It may take our close frame.
    Close,
    /// It may take our close frame, and the client may still be sending.
    CloseAndWaste,
}

/// Ends our side, and reads what is still sent until the client ends its own.
pub(super) async fn hang_up<Io: AsyncRead + AsyncWrite + Unpin>(
    io: &mut Io,
    left: Left,
) -> io::Result<()> {
    io.shutdown().await?;
    if left == Left::CloseAndWaste {
        poll_fn(|cx| poll_waste(io, cx)).await?;
    }
    Ok(())
}

fn poll_waste<Io: AsyncRead + Unpin>(io: &mut Io, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    // Not in the future, which every idle session has room for.
    let mut waste = [MaybeUninit::uninit(); WASTE_BYTES];
    loop {
        let mut buffer = ReadBuf::uninit(&mut waste);
        std::task::ready!(Pin::new(&mut *io).poll_read(cx, &mut buffer))?;
        if buffer.filled().is_empty() {
            return Poll::Ready(Ok(()));
        }
    }
}
