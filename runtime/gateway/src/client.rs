//! A client's socket, as HTTP writes to it.
//!
//! **Absent on purpose:** TLS; what ends it stands before the server.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Up to so many bytes, copying the pieces together costs less than having the system look through a list of them.
const JOINED_BYTES_MAX: usize = 1024;

/// The socket.
pub(crate) struct ClientStream(pub TcpStream);

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let io = Pin::new(&mut self.0);
        let mut room = [0; JOINED_BYTES_MAX];
        match joined(pieces, &mut room) {
            Some(bytes) => io.poll_write(cx, bytes),
            None => io.poll_write_vectored(cx, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
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
