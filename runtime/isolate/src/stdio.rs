//! A guest's standard output and error, as lines of the log.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use parking_lot::Mutex;
use rookery_host::{Guest, LineSplitter, Stream};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// How much a guest may write in one call.
const WRITE_BYTES_MAX: usize = 64 * 1024;

/// One of a guest's streams. Every handle that the guest opens writes to the same lines.
#[derive(Clone)]
pub(crate) struct GuestStream(Arc<Inner>);

struct Inner {
    guest: Arc<Guest>,
    stream: Stream,
    lines: Mutex<LineSplitter>,
}

impl GuestStream {
    pub fn new(guest: &Arc<Guest>, stream: Stream) -> Self {
        GuestStream(Arc::new(Inner {
            guest: Arc::clone(guest),
            stream,
            lines: Mutex::default(),
        }))
    }

    fn push(&self, bytes: &[u8]) {
        let inner = &*self.0;
        inner
            .lines
            .lock()
            .push(bytes, |line| inner.guest.log(inner.stream, line));
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let (guest, stream) = (&self.guest, self.stream);
        self.lines.get_mut().finish(|line| guest.log(stream, line));
    }
}

impl IsTerminal for GuestStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for GuestStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[async_trait::async_trait]
impl Pollable for GuestStream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for GuestStream {
    fn poll_write(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
