//! The WebSocket protocol group by group, as the Autobahn suite has them, against the example that the suite is run
//! against: every message comes back as it came.

mod closing;
mod compression;
mod fragments;
mod framing;
mod opcodes;
mod text;

use std::sync::OnceLock;

use rookery_tests::{Apps, Bundle, Frame, RawSession, Server, build_bundles};

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
/// A frame that ends its message.
const FIN: u8 = 0x80;

async fn server() -> Server {
    static BUNDLE: OnceLock<Bundle> = OnceLock::new();
    let bundle = BUNDLE.get_or_init(|| Bundle::of_folder(&build_bundles("examples/echo")));
    Server::start(Apps::new().with("echo/1.0.0", bundle.clone())).await
}

async fn session(server: &Server) -> RawSession {
    RawSession::open(server, "/echo/ws").await
}

/// A frame that does not end its message.
fn part(opcode: u8, payload: impl Into<Vec<u8>>) -> Frame {
    let mut frame = Frame::whole(opcode, payload);
    frame.first &= !FIN;
    frame
}

/// A whole message with these reserved bits set.
fn reserved(opcode: u8, bits: u8, payload: &str) -> Frame {
    let mut frame = Frame::whole(opcode, payload);
    frame.first |= bits << 4;
    frame
}

/// A message in parts of so many bytes.
fn parts(opcode: u8, payload: &[u8], bytes: usize) -> Vec<Frame> {
    let count = payload.len().div_ceil(bytes).max(1);
    let pieces = (0..count).map(|nth| {
        let end = payload.len().min((nth + 1) * bytes);
        payload[nth * bytes..end].to_vec()
    });
    let frames = pieces.enumerate().map(|(nth, piece)| {
        let opcode = if nth == 0 { opcode } else { CONTINUATION };
        let last = nth + 1 == count;
        if last {
            Frame::whole(opcode, piece)
        } else {
            part(opcode, piece)
        }
    });
    frames.collect()
}

/// Sends these frames on a session of their own; what comes back until the server is done, a close frame last.
async fn talk(server: &Server, frames: &[Frame]) -> Vec<(u8, Vec<u8>)> {
    let mut session = session(server).await;
    let bytes: Vec<u8> = frames.iter().flat_map(Frame::encode).collect();
    session.0.send(bytes).await;
    let mut heard = Vec::new();
    while let Some(frame) = session.next().await {
        heard.push(frame);
    }
    heard
}

/// Sends frames that break a rule behind what is said before, which still comes back, and expects this code.
async fn broken(server: &Server, before: &[Frame], breach: &[Frame], code: u16) {
    // What follows a breach is not heard: there is no pong.
    let after = [Frame::whole(PING, "after")];
    let frames = [before, breach, &after].concat();
    let mut heard = talk(server, &frames).await;
    let (first, close) = heard.pop().expect("a close frame");
    let told = (
        first,
        close
            .get(..2)
            .map(|code| u16::from_be_bytes([code[0], code[1]])),
    );
    assert_eq!(told, (FIN | CLOSE, Some(code)), "{breach:?}");
    // What came before may still be with the app when the breach ends the session; nothing else may come.
    let said = before
        .iter()
        .map(|frame| (frame.first, frame.payload.clone()));
    let mut said = said.collect::<Vec<_>>().into_iter();
    for one in heard {
        assert!(said.any(|said| said == one), "{breach:?}: {one:?}");
    }
}

/// Sends frames that break no rule, then a goodbye, and expects these messages and the goodbye back.
async fn sound(server: &Server, frames: &[Frame], expected: &[(u8, &[u8])]) {
    let mut session = session(server).await;
    for frame in frames {
        session.send(frame.clone()).await;
    }
    for (opcode, payload) in expected {
        let (first, heard) = session.next().await.expect("an answer");
        assert_eq!(first, FIN | opcode, "{frames:?}");
        // A diff of 16 MiB would say nothing.
        assert!(
            heard == *payload,
            "{} bytes came of {}",
            heard.len(),
            payload.len()
        );
    }
    session
        .send(Frame::whole(CLOSE, 1000_u16.to_be_bytes()))
        .await;
    let goodbye = (FIN | CLOSE, 1000_u16.to_be_bytes().to_vec());
    assert_eq!(session.next().await, Some(goodbye));
    assert_eq!(session.next().await, None);
}
