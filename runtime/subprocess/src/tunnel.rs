//! A tunnel to a process, which is something under way until it is dropped: a server that is about to end waits for it.
//!
//! **Absent on purpose:** holding the process. A tunnel outlives the handle that opened it, not the process.

use std::io::Result;
use std::pin::Pin;
use std::task::{Context, Poll};

use rookery_upstream::tunnel::TunnelIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::process::Flight;

/// Bytes in both directions.
pub(crate) struct Tunnel {
    pub io: TunnelIo,
    pub _flight: Flight,
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, bytes)
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
