//! Whatever bytes a client sends, the server lives, and so do its neighbours.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rookery_tests::{Apps, Bundle, Frame, RawSession, Server, Ws, kitchen, within};

const CASES: u32 = 96;

/// What a client may send after its handshake.
#[derive(Clone, Debug)]
enum Noise {
    /// Anything at all.
    Bytes(Vec<u8>),
    /// A frame that is odd in any of its parts, or in none.
    Frame(Frame),
}

fn frame() -> impl Strategy<Value = Frame> {
    let opcode = prop_oneof![4 => 0_u8..=2, 2 => 8_u8..=10, 1 => any::<u8>()];
    let first = (opcode, prop_oneof![4 => Just(0x80_u8), 1 => Just(0)]);
    let declared = prop_oneof![6 => Just(None), 1 => any::<u64>().prop_map(Some)];
    let payload = prop_oneof![
        vec(any::<u8>(), 0..300),
        "[a-z ]{0,40}".prop_map(String::into_bytes)
    ];
    let mask = prop_oneof![9 => any::<[u8; 4]>().prop_map(Some), 1 => Just(None)];
    (first, declared, payload, mask).prop_map(|((opcode, fin), declared, payload, mask)| Frame {
        first: opcode | fin,
        declared,
        mask,
        payload,
    })
}

fn noise() -> impl Strategy<Value = Vec<Noise>> {
    let one = prop_oneof![
        1 => vec(any::<u8>(), 0..200).prop_map(Noise::Bytes),
        4 => frame().prop_map(Noise::Frame),
    ];
    vec(one, 1..12)
}

impl Noise {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Noise::Bytes(bytes) => bytes.clone(),
            Noise::Frame(frame) => frame.encode(),
        }
    }
}

#[test]
fn no_frames_harm_the_server_or_a_neighbour() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (server, neighbour) = runtime.block_on(async {
        let server =
            Server::start(Apps::new().with("kitchen/1.0.0", Bundle::component(kitchen()))).await;
        let neighbour = Ws::open(&server, "/kitchen/ws").await;
        (server, tokio::sync::Mutex::new(neighbour))
    });
    // Failing cases are printed and shrunk; a file of them would belong to whoever's machine found them.
    let config = Config {
        failure_persistence: None,
        ..Config::with_cases(CASES)
    };
    let ran = TestRunner::new(config).run(&noise(), |noise| {
        runtime.block_on(async {
            let mut session = RawSession::open(&server, "/kitchen/ws").await;
            for one in &noise {
                session.0.send(one.bytes()).await;
            }
            drop(session);
            let mut neighbour = within("the neighbour is free", neighbour.lock()).await;
            prop_assert_eq!(neighbour.ask("echo here").await, "here");
            prop_assert_eq!(server.get("/kitchen/hello").await.status.as_u16(), 200);
            Ok(())
        })
    });
    ran.unwrap_or_else(|failed| panic!("{failed}"));
    assert!(
        !server.log().contains("panicked at runtime"),
        "the server panicked"
    );
}
