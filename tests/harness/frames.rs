//! WebSocket frames byte by byte (RFC 6455, 5.2), for what no client library would send.

use crate::{Raw, Server};

/// One frame of a client.
#[derive(Clone, Debug)]
pub struct Frame {
    /// FIN, the three reserved bits and the opcode.
    pub first: u8,
    /// What the frame says about its length; the payload's own when None.
    pub declared: Option<u64>,
    /// The masking key; None breaks the rule that clients mask.
    pub mask: Option<[u8; 4]>,
    /// The payload, not masked yet.
    pub payload: Vec<u8>,
}

/// A session over a bare connection.
pub struct RawSession(pub Raw);

impl Frame {
    /// A whole message, as a client should send it.
    pub fn whole(opcode: u8, payload: impl Into<Vec<u8>>) -> Frame {
        Frame {
            first: 0x80 | opcode,
            declared: None,
            mask: Some([1, 2, 3, 4]),
            payload: payload.into(),
        }
    }

    /// The frame's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![self.first];
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        let length = self.declared.unwrap_or(self.payload.len() as u64);
        match length {
            0..=125 => bytes.push(masked | length as u8),
            126..=0xffff => {
                bytes.push(masked | 126);
                bytes.extend_from_slice(&(length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(masked | 127);
                bytes.extend_from_slice(&length.to_be_bytes());
            }
        }
        let mask = self.mask.unwrap_or_default();
        if self.mask.is_some() {
            bytes.extend_from_slice(&mask);
        }
        let payload = self.payload.iter().zip(mask.iter().cycle());
        bytes.extend(payload.map(|(byte, mask)| byte ^ mask));
        bytes
    }
}

impl RawSession {
    /// Makes the handshake.
    pub async fn open(server: &Server, path: &str) -> RawSession {
        let mut raw = Raw::connect(server.address()).await;
        raw.send(format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            server.address()
        ))
        .await;
        let head = raw.head().await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        RawSession(raw)
    }

    /// Sends a frame.
    pub async fn send(&mut self, frame: Frame) {
        self.0.send(frame.encode()).await;
    }

    /// The server's next frame: its first byte and its payload; None when it closed.
    pub async fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let [first, length] = self.0.bytes(2).await.try_into().ok()?;
        assert_eq!(length & 0x80, 0, "a server does not mask");
        let length = match length {
            126 => {
                let length: [u8; 2] = self.0.bytes(2).await.try_into().ok()?;
                u16::from_be_bytes(length).into()
            }
            127 => {
                let length: [u8; 8] = self.0.bytes(8).await.try_into().ok()?;
                u64::from_be_bytes(length)
            }
            length => length.into(),
        };
        let length = usize::try_from(length).unwrap();
        let payload = self.0.bytes(length).await;
        (payload.len() == length).then_some((first, payload))
    }

    /// The code of the close frame that comes, whatever comes before it.
    pub async fn close_code(&mut self) -> u16 {
        while let Some((first, payload)) = self.next().await {
            if first == 0x88 {
                return payload
                    .get(..2)
                    .map_or(1005, |code| u16::from_be_bytes([code[0], code[1]]));
            }
        }
        1006
    }
}
