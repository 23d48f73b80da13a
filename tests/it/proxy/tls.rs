//! Upstreams behind TLS, with a certificate that nobody knows.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use rookery_tests::{Raw, Ws, within};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::stage::server;

/// A certificate for `localhost` that no root vouches for, and its key; both in PEM as well.
pub fn certificate() -> rcgen::CertifiedKey<rcgen::KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

/// Takes connections in TLS until the test ends, offers these protocols, and has each served.
pub async fn upstream<F, Fut>(protocols: &[&str], serve: F) -> SocketAddr
where
    F: Fn(Raw<TlsStream<TcpStream>>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let own = certificate();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (acceptor, serve) = (acceptor.clone(), Arc::clone(&serve));
            tokio::spawn(async move {
                // A client that does not believe us goes away here.
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(Raw::over(stream)).await;
                }
            });
        }
    });
    address
}

/// Buntime 59.
#[tokio::test]
async fn an_unknown_certificate_is_refused_unless_the_rule_says_otherwise() {
    let address = upstream(&["http/1.1"], async |mut connection| {
        while let Some(head) = connection.next_head().await {
            assert!(head.starts_with("GET "), "{head}");
            let answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret";
            connection.send(answer).await;
        }
    })
    .await;
    let target = format!("https://localhost:{}", address.port());
    let server = server(json!({
        "^/believed": { "target": target, "secure": false },
        "^/strict": { "target": target, "secure": true },
        "^/default": { "target": target },
    }))
    .await;
    for _ in 0..2 {
        // In this order and twice: what the first rule does must not leak into the others.
        let believed = server.get("/px/believed").await;
        assert_eq!((believed.status.as_u16(), believed.text()), (200, "secret"));
        for path in ["/px/strict", "/px/default"] {
            let refused = server.get(path).await;
            assert_eq!(refused.status, 502, "{path}");
            assert_eq!(refused.json()["code"], "UPSTREAM_UNREACHABLE");
        }
    }
    let log = server.log();
    let warned = log
        .lines()
        .filter(|line| line.contains("certificate is not verified"));
    assert_eq!(warned.count(), 1, "{log}");
}

#[tokio::test]
async fn a_websocket_goes_over_tls_without_http2() {
    // Offered both, a client of requests takes h2; a WebSocket must not.
    let address = upstream(&["h2", "http/1.1"], async |mut connection| {
        let head = connection.head().await;
        assert!(head.starts_with("GET /ws HTTP/1.1\r\n"), "{head}");
        let key = head
            .lines()
            .find_map(|line| line.strip_prefix("sec-websocket-key: "));
        let accept =
            tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.unwrap().as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        connection.send(answer).await;
        connection.send(b"\x81\x05hello").await;
        // Until the client leaves.
        connection.until_closed().await;
    })
    .await;
    let target = format!("wss://localhost:{}", address.port());
    let server = server(json!({ "^/": { "target": target, "secure": false } })).await;
    let mut ws = Ws::open(&server, "/px/ws").await;
    assert_eq!(within("hello", ws.hear()).await, "hello");
}
