//! A bare connection, for what no client library would send.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::within;

/// A connection to the server, or one that a test took as a server.
pub struct Raw<Io = TcpStream> {
    stream: Io,
    /// Read, and not taken yet.
    waiting: Vec<u8>,
}

impl Raw {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Raw {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Raw::over(stream)
    }

    /// Sends these bytes and gives all that comes until the server closes.
    pub async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
        let mut raw = Raw::connect(address).await;
        raw.send(bytes).await;
        let answer = raw.until_closed().await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Raw<Io> {
    /// A connection that is there already.
    pub fn over(stream: Io) -> Raw<Io> {
        Raw {
            stream,
            waiting: Vec::new(),
        }
    }

    /// Sends these bytes. That the server has closed is for the next read to tell.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = within(
            "the server takes bytes",
            self.stream.write_all(bytes.as_ref()),
        )
        .await;
    }

    /// A message's head, to its empty line.
    pub async fn head(&mut self) -> String {
        self.next_head().await.unwrap_or_else(|| {
            let waiting = String::from_utf8_lossy(&self.waiting);
            panic!("closed within a head: {waiting:?}")
        })
    }

    /// The same; None when the other side closed before its end.
    pub async fn next_head(&mut self) -> Option<String> {
        let end = loop {
            if let Some(at) = find(&self.waiting, b"\r\n\r\n") {
                break at + 4;
            }
            if !self.more().await {
                return None;
            }
        };
        let head = self.waiting.drain(..end).collect();
        Some(String::from_utf8(head).unwrap())
    }

    /// The data of one chunk of a chunked body; empty for the last one, whose trailers are still to come.
    pub async fn chunk(&mut self) -> Vec<u8> {
        let size = loop {
            if let Some(at) = find(&self.waiting, b"\r\n") {
                let line: Vec<u8> = self.waiting.drain(..at + 2).collect();
                let line = String::from_utf8(line).unwrap();
                break usize::from_str_radix(line.trim(), 16).unwrap();
            }
            assert!(self.more().await, "closed within a chunk");
        };
        let data = self.bytes(size).await;
        if size > 0 {
            assert_eq!(self.bytes(2).await, b"\r\n");
        }
        data
    }

    /// Exactly so many bytes, or fewer when the server closed before.
    pub async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.waiting.len() < count && self.more().await {}
        let count = count.min(self.waiting.len());
        self.waiting.drain(..count).collect()
    }

    /// All that comes until the server closes.
    pub async fn until_closed(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.waiting)
    }

    /// Reads on. False when the server closed, by whatever means.
    async fn more(&mut self) -> bool {
        match within(
            "the server answers or closes",
            self.stream.read_buf(&mut self.waiting),
        )
        .await
        {
            Ok(count) => count > 0,
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
