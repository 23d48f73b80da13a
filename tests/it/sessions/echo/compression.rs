//! permessage-deflate (RFC 7692) is offered by every browser, and declined.

use rookery_tests::{Connect, Frame, Ws};

use super::{TEXT, broken, reserved, server};

const OFFERS: [&str; 5] = [
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    "permessage-deflate; server_max_window_bits=8, permessage-deflate",
    "x-webkit-deflate-frame, permessage-deflate; client_max_window_bits=15",
];

#[tokio::test]
async fn a_client_that_offers_compression_is_served_without() {
    let server = server().await;
    for offer in OFFERS {
        let connect = Connect::to(&server, "/echo/ws").header("sec-websocket-extensions", offer);
        let (mut ws, response) = connect.open().await;
        assert!(
            !response.headers().contains_key("sec-websocket-extensions"),
            "{offer}"
        );
        let text = "compressible ".repeat(1_000);
        assert_eq!(ws.ask(&text).await, text);
    }
    let mut without = Ws::open(&server, "/echo/ws").await;
    assert_eq!(without.ask("plain").await, "plain");
}

/// What was declined must not be used all the same.
#[tokio::test]
async fn a_compressed_message_closes_with_1002() {
    let server = server().await;
    let hello = Frame::whole(TEXT, "hello");
    broken(&server, &[hello], &[reserved(TEXT, 0b100, "\u{0}")], 1002).await;
}
