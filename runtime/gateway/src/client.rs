//! A client's socket, as HTTP writes to it.
//!
//! **Absent on purpose:** TLS; what ends it stands before the server.

mod together;

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

pub(crate) use together::AtOnce;
use together::Turn;
pub use together::{thread_rests, thread_wakes};

/// Up to so many bytes, copying the pieces together costs less than having the system look through a list of them.
const JOINED_BYTES_MAX: usize = 1024;

/// The socket.
pub(crate) struct ClientStream {
    tcp: TcpStream,
    at_once: AtOnce,
    turn: Turn,
}

impl ClientStream {
    /// The socket; what was there at once is written together with what others have.
    pub fn new(tcp: TcpStream, at_once: AtOnce) -> Self {
        let turn = Turn::default();
        ClientStream { tcp, at_once, turn }
    }

    pub fn into_inner(self) -> TcpStream {
        self.tcp
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let ClientStream { at_once, turn, .. } = self;
        turn.poll(cx, || at_once.take())
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_turn(cx));
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_turn(cx));
        let io = Pin::new(&mut self.tcp);
        let mut room = [0; JOINED_BYTES_MAX];
        match joined(pieces, &mut room) {
            Some(bytes) => io.poll_write(cx, bytes),
            None => io.poll_write_vectored(cx, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// The pieces as one, when they fit.
fn joined<'a>(pieces: &'a [IoSlice<'_>], room: &'a mut [u8; JOINED_BYTES_MAX]) -> Option<&'a [u8]> {
    if let [only] = pieces {
        return Some(only);
    }
    let mut length = 0;
    for piece in pieces {
        let rest = room[length..].get_mut(..piece.len())?;
        rest.copy_from_slice(piece);
        length += piece.len();
    }
    Some(&room[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn join(pieces: &[&[u8]]) -> Option<Vec<u8>> {
        let pieces: Vec<_> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        joined(&pieces, &mut [0; JOINED_BYTES_MAX]).map(<[u8]>::to_vec)
    }

    #[test]
    fn small_pieces_become_one_in_their_order() {
        let whole = join(&[b"HTTP/1.1 200 OK\r\n", b"", b"\r\n", b"hello"]);
        assert_eq!(whole.as_deref(), Some(&b"HTTP/1.1 200 OK\r\n\r\nhello"[..]));
        assert_eq!(join(&[]).as_deref(), Some(&b""[..]));
    }

    #[test]
    fn what_just_fits_is_joined_and_a_byte_more_is_not() {
        let (half, more) = ([1; JOINED_BYTES_MAX / 2], [2; JOINED_BYTES_MAX / 2 + 1]);
        assert_eq!(join(&[&half, &half]), Some(vec![1; JOINED_BYTES_MAX]));
        assert_eq!(join(&[&half, &more]), None);
    }

    #[test]
    fn one_piece_is_not_copied_however_long() {
        let long = [3; 4 * JOINED_BYTES_MAX];
        let pieces = [IoSlice::new(&long)];
        let mut room = [0; JOINED_BYTES_MAX];
        assert_eq!(
            joined(&pieces, &mut room).map(<[u8]>::as_ptr),
            Some(long.as_ptr())
        );
    }
}
