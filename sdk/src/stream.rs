//! Bodies in pieces, in and out.
//!
//! **Invariant:** a piece is on its way when `send` returns; nothing is collected for later.

use std::io;

/// Where a request's body comes from.
pub(crate) trait Source {
    /// The next piece, never empty; None at the end.
    fn chunk(&mut self) -> io::Result<Option<Vec<u8>>>;
}

/// Where a response's body goes.
pub(crate) trait Sink {
    /// Waits until the host takes the bytes.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// A request's body, read as it arrives. It may move into a streamed response.
pub struct BodyReader {
    source: Option<Box<dyn Source>>,
    /// What a `read` into a smaller buffer left over.
    rest: Vec<u8>,
    rest_at: usize,
}

impl BodyReader {
    pub(crate) fn new(source: Option<Box<dyn Source>>) -> BodyReader {
        BodyReader {
            source,
            rest: Vec::new(),
            rest_at: 0,
        }
    }

    /// The next piece as it came; None at the end. Waits for the client.
    pub fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.rest_at < self.rest.len() {
            let rest = self.rest.split_off(self.rest_at);
            self.rest_at = self.rest.len();
            return Ok(Some(rest));
        }
        match &mut self.source {
            Some(source) => source.chunk(),
            None => Ok(None),
        }
    }
}

impl io::Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest_at >= self.rest.len() {
            match self.chunk()? {
                Some(chunk) => (self.rest, self.rest_at) = (chunk, 0),
                None => return Ok(0),
            }
        }
        let waiting = &self.rest[self.rest_at..];
        let count = waiting.len().min(buffer.len());
        buffer[..count].copy_from_slice(&waiting[..count]);
        self.rest_at += count;
        Ok(count)
    }
}

/// A response's body, written as it is made.
pub struct BodyWriter<'a> {
    sink: &'a mut dyn Sink,
}

impl<'a> BodyWriter<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink) -> BodyWriter<'a> {
        BodyWriter { sink }
    }

    /// Sends a piece to the client. An error means that it is gone.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.sink.send(bytes.as_ref())
    }
}

impl io::Write for BodyWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.send(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
