//! Claims about one client's socket, over a pipe, on a paused clock.
#![allow(clippy::unwrap_used)]

use futures_util::{SinkExt, StreamExt};
use proptest::prelude::*;
use rookery_bundle::Namespace;
use rookery_contract::{EventKind, SessionId};
use rookery_hub::{Attach, Batch, EventsDone, Hub, HubConfig, ReadyQueue, SessionLimits};
use rookery_lifecycle::{Shutdown, Tasks};
use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame as ClientClose;

use super::*;

mod endings;

struct Line {
    hub: Arc<Hub>,
    ready: Arc<ReadyQueue>,
    tasks: Tasks,
}

const LIMITS: WireLimits = WireLimits {
    message_bytes_max: 1024,
    idle_timeout: Duration::from_secs(60),
};

fn namespace() -> Namespace {
    Namespace::parse("test@1").unwrap()
}

impl Line {
    fn new() -> Line {
        let tasks = Tasks::new();
        Line {
            hub: Hub::new(HubConfig::default(), &tasks, Shutdown::new()),
            ready: ReadyQueue::new(),
            tasks,
        }
    }

    /// A session at one end of a pipe; the other end.
    fn connect(&self, early: &[u8], limits: WireLimits) -> DuplexStream {
        let (ours, theirs) = duplex(64 * 1024);
        let session = self.hub.attach(Attach {
            namespace: namespace(),
            ready: Arc::clone(&self.ready),
            opened: Default::default(),
            limits: SessionLimits {
                outbox_bytes: 4096,
                inbox_events: 2,
                ..SessionLimits::default()
            },
        });
        let wire = Wire::new(ours, early, limits);
        self.tasks.spawn("session", async move {
            wire.converse(session).await;
        });
        theirs
    }

    async fn client(&self) -> WebSocketStream<DuplexStream> {
        WebSocketStream::from_raw_socket(self.connect(&[], LIMITS), Role::Client, None).await
    }

    /// The next event, which stands.
    async fn event(&self) -> EventKind {
        let batch: Batch = self.ready.take(1).await.unwrap();
        let kind = batch.events()[0].kind.clone();
        self.ready.finish(batch, EventsDone::All);
        kind
    }

    async fn opened(&self) {
        assert!(matches!(self.event().await, EventKind::Opened(_)));
    }
}

fn closed(kind: EventKind) -> (u16, String) {
    match kind {
        EventKind::Closed { code, reason } => (code, reason.to_string()),
        other => panic!("not closed but {other:?}"),
    }
}

fn text(kind: EventKind) -> String {
    match kind {
        EventKind::Message {
            payload: Payload::Text(text),
            ..
        } => text.to_string(),
        other => panic!("not a text but {other:?}"),
    }
}

/// The code of the close frame that ends what a client reads.
async fn close_code(client: &mut WebSocketStream<DuplexStream>) -> u16 {
    loop {
        match client.next().await.unwrap().unwrap() {
            Message::Close(frame) => return frame.unwrap().code.into(),
            _ => continue,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn messages_become_events_in_order() {
    let line = Line::new();
    let mut client = line.client().await;
    line.opened().await;
    client.send(Message::text("one")).await.unwrap();
    client.send(Message::binary(vec![2])).await.unwrap();
    assert_eq!(text(line.event().await), "one");
    let second = line.event().await;
    let payload = Payload::Binary(Bytes::from_static(&[2]));
    assert_eq!(
        second,
        EventKind::Message {
            payload,
            redelivered: false
        }
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_with_the_handshake_is_read() {
    let line = Line::new();
    // A masked text frame, "Hello": RFC 6455, 5.7.
    let early = [
        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    let _theirs = line.connect(&early, LIMITS);
    line.opened().await;
    assert_eq!(text(line.event().await), "Hello");
}

#[tokio::test(start_paused = true)]
async fn a_full_inbox_stops_the_reading_and_loses_nothing() {
    let line = Line::new();
    let mut client = line.client().await;
    line.opened().await;
    for number in 0..50 {
        client
            .send(Message::text(number.to_string()))
            .await
            .unwrap();
    }
    for number in 0..50 {
        assert_eq!(text(line.event().await), number.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_is_answered_and_told_to_the_guest() {
    let line = Line::new();
    let mut client = line.client().await;
    line.opened().await;
    let frame = ClientClose {
        code: 4321.into(),
        reason: "bye".into(),
    };
    client.close(Some(frame)).await.unwrap();
    assert_eq!(close_code(&mut client).await, 4321);
    assert_eq!(closed(line.event().await), (4321, "bye".into()));
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_is_told_as_1006() {
    let line = Line::new();
    let client = line.client().await;
    line.opened().await;
    drop(client);
    assert_eq!(closed(line.event().await), (1006, String::new()));
}

#[tokio::test(start_paused = true)]
async fn pings_are_answered_between_messages() {
    let line = Line::new();
    let mut client = line.client().await;
    line.opened().await;
    client
        .send(Message::Ping(Bytes::from_static(b"are you there")))
        .await
        .unwrap();
    let pong = client.next().await.unwrap().unwrap();
    assert_eq!(pong, Message::Pong(Bytes::from_static(b"are you there")));
}

#[tokio::test(start_paused = true)]
async fn broken_rules_are_answered_with_their_code() {
    let unmasked: &[u8] = &[0x81, 0x01, b'x'];
    let reserved_bit: &[u8] = &[0xc1, 0x80, 0, 0, 0, 0];
    let reserved_opcode: &[u8] = &[0x83, 0x80, 0, 0, 0, 0];
    let bad_utf8: &[u8] = &[0x81, 0x81, 0, 0, 0, 0, 0xff];
    let long_ping: &[u8] = &[&[0x89, 0xfe, 0, 126, 0, 0, 0, 0][..], &[0; 126]].concat();
    let too_big: &[u8] = &[0x82, 0xfe, 0x04, 0x01, 0, 0, 0, 0];
    let lone_continuation: &[u8] = &[0x80, 0x80, 0, 0, 0, 0];
    let rows = [
        (unmasked, 1002),
        (reserved_bit, 1002),
        (reserved_opcode, 1002),
        (long_ping, 1002),
        (lone_continuation, 1002),
        (bad_utf8, 1007),
        (too_big, 1009),
    ];
    for (bytes, code) in rows {
        let line = Line::new();
        let mut theirs = line.connect(&[], LIMITS);
        line.opened().await;
        theirs.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        theirs.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer[0], 0x88, "{bytes:?} is answered by a close frame");
        assert_eq!(
            u16::from_be_bytes([answer[2], answer[3]]),
            code,
            "{bytes:?}"
        );
        assert_eq!(closed(line.event().await).0, code, "{bytes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_pinged_and_then_closed() {
    let line = Line::new();
    let mut theirs = line.connect(&[], LIMITS);
    line.opened().await;
    let began = Instant::now();
    let mut ping = [0; 2];
    theirs.read_exact(&mut ping).await.unwrap();
    assert_eq!((ping, began.elapsed().as_secs()), ([0x89, 0], 30));
    let mut rest = Vec::new();
    theirs.read_to_end(&mut rest).await.unwrap();
    assert_eq!(u16::from_be_bytes([rest[2], rest[3]]), close::IDLE.code);
    assert_eq!(closed(line.event().await).0, close::IDLE.code);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_stays() {
    let line = Line::new();
    let mut client = line.client().await;
    line.opened().await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(600) {
        let ping = client.next().await.unwrap().unwrap();
        assert!(matches!(ping, Message::Ping(_)), "{ping:?}");
        client.flush().await.unwrap();
    }
    client.send(Message::text("still here")).await.unwrap();
    assert_eq!(text(line.event().await), "still here");
}

/// An app that takes long to listen is not the client's silence.
#[tokio::test(start_paused = true)]
async fn a_client_that_nobody_listens_to_is_not_idle() {
    let line = Line::new();
    let mut client = line.client().await;
    line.opened().await;
    for number in 0..10 {
        let text = Message::text(number.to_string());
        client.send(text).await.unwrap();
    }
    tokio::time::sleep(10 * LIMITS.idle_timeout).await;
    for number in 0..10 {
        assert_eq!(text(line.event().await), number.to_string());
    }
}

/// Pings are for who is silent: a phone must not be woken for nothing.
#[tokio::test(start_paused = true)]
async fn a_client_that_talks_is_not_pinged() {
    let line = Line::new();
    let mut client = line.client().await;
    line.opened().await;
    for number in 0..60 {
        client
            .send(Message::text(number.to_string()))
            .await
            .unwrap();
        assert_eq!(text(line.event().await), number.to_string());
        let said = tokio::time::timeout(Duration::from_secs(10), client.next()).await;
        assert!(said.is_err(), "{said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_cut_off() {
    let line = Line::new();
    let mut theirs = line.connect(&[], LIMITS);
    line.opened().await;
    let mut publisher = line.hub.publisher(&namespace());
    let session = SessionId(1);
    let chunk = Payload::Binary(Bytes::from(vec![0; 4000]));
    while publisher.send(session, &chunk) == rookery_contract::SendStatus::Queued {
        tokio::task::yield_now().await;
    }
    assert_eq!(closed(line.event().await).0, close::SLOW_CONSUMER.code);
    // The pipe still holds what was written before; behind it there is nothing more.
    let mut rest = Vec::new();
    theirs.read_to_end(&mut rest).await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever bytes a client sends, the session ends with a close that the guest hears of.
    #[test]
    fn no_bytes_break_the_wire(bytes in prop::collection::vec(any::<u8>(), 0..600), early in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let line = Line::new();
            let mut theirs = line.connect(if early { &bytes } else { &[] }, LIMITS);
            line.opened().await;
            if !early {
                theirs.write_all(&bytes).await.ok();
            }
            theirs.shutdown().await.ok();
            loop {
                if let EventKind::Closed { .. } = line.event().await {
                    break;
                }
            }
        });
    }
}
