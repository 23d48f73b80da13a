//! Upstreams that do as a test says, and bundles with rules that lead to them.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use rookery_tests::{Apps, Bundle, Options, Raw, Server, within};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Takes connections until the test ends, and has each served.
pub async fn upstream<F, Fut>(serve: F) -> SocketAddr
where
    F: Fn(Raw) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(serve(Raw::<TcpStream>::over(stream)));
        }
    });
    address
}

/// Nobody listens here.
pub async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// A server whose one app `px` has these rules.
pub async fn server(rules: Value) -> Server {
    server_with(json!({ "proxy": rules })).await
}

/// A server whose one app `px` has this manifest and nothing else.
pub async fn server_with(manifest: Value) -> Server {
    let bundle = Bundle::empty().manifest(manifest);
    Server::start_with(Apps::new().with("px/1.0.0", bundle), Options::new()).await
}

/// A server that sends everything below `/px/` to one upstream.
pub async fn server_for(address: SocketAddr) -> Server {
    server(json!({ "^/": { "target": format!("http://{address}") } })).await
}

/// What an upstream saw: the head of a request.
#[derive(Debug)]
pub struct Seen {
    pub by: &'static str,
    pub path: String,
    fields: Vec<(String, String)>,
}

impl Seen {
    pub fn parse(by: &'static str, head: &str) -> Seen {
        let mut lines = head.trim_end().split("\r\n");
        let path = lines.next().unwrap().split(' ').nth(1).unwrap().to_owned();
        let fields = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        });
        Seen {
            by,
            path,
            fields: fields.collect(),
        }
    }

    /// All values of a field.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let all = self.fields.iter().filter(|(field, _)| field == name);
        all.map(|(_, value)| value.as_str()).collect()
    }
}

/// Tells what it sees, answers every request with 200 and its name, and accepts every WebSocket.
pub async fn record<Io: AsyncRead + AsyncWrite + Unpin>(
    by: &'static str,
    mut connection: Raw<Io>,
    tell: mpsc::UnboundedSender<Seen>,
) {
    while let Some(head) = connection.next_head().await {
        let seen = Seen::parse(by, &head);
        let length = seen
            .all("content-length")
            .first()
            .map_or(0, |length| length.parse().unwrap());
        connection.bytes(length).await;
        let key = seen
            .all("sec-websocket-key")
            .first()
            .map(ToString::to_string);
        let answer = match key {
            Some(key) => format!(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Accept: for {key}\r\n\r\n"
            ),
            None => format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{by}",
                by.len()
            ),
        };
        // Before the answer, so that whoever has the answer finds it told.
        let _ = tell.send(seen);
        connection.send(answer).await;
    }
}

/// An upstream that records, and what it recorded.
pub async fn recorder() -> (SocketAddr, mpsc::UnboundedReceiver<Seen>) {
    let (tell, told) = mpsc::unbounded_channel();
    let tell = Arc::new(tell);
    let address = upstream(move |connection| record("a", connection, (*tell).clone())).await;
    (address, told)
}

/// What was recorded next.
pub async fn next(told: &mut mpsc::UnboundedReceiver<Seen>) -> Seen {
    within("the upstream is asked", told.recv()).await.unwrap()
}
