//! A WebSocket client that keeps to the protocol.

use futures_util::{SinkExt, StreamExt};
use http::{Request, Response, StatusCode};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::{Server, within};

const READ_BUFFER_BYTES: usize = 4 * 1024;

/// A handshake to be made.
pub struct Connect(Request<()>, std::net::SocketAddr);

/// An open session.
pub struct Ws(WebSocketStream<TcpStream>);

/// How the server ended a session. A connection that broke has no code: 1006.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed {
    /// The close code.
    pub code: u16,
    /// The reason.
    pub reason: String,
}

impl Connect {
    /// To a path of this server.
    pub fn to(server: &Server, path: &str) -> Connect {
        let url = format!("ws://{}{path}", server.address());
        Connect(url.into_client_request().unwrap(), server.address())
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Connect {
        self.0.headers_mut().append(name, value.parse().unwrap());
        self
    }

    /// Makes the handshake; gives the answer to it, too.
    pub async fn open(self) -> (Ws, Response<Option<Vec<u8>>>) {
        let path = self.0.uri().path().to_owned();
        let (ws, response) = self
            .handshake()
            .await
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        (ws, response)
    }

    /// Makes a handshake that the server is expected to refuse: with what status.
    pub async fn refused(self) -> StatusCode {
        match self.handshake().await {
            Ok(_) => panic!("the session was opened"),
            Err(Error::Http(response)) => response.status(),
            Err(error) => panic!("{error}"),
        }
    }

    async fn handshake(self) -> Result<(Ws, Response<Option<Vec<u8>>>), Error> {
        let stream = TcpStream::connect(self.1).await.unwrap();
        stream.set_nodelay(true).unwrap();
        // Thousands of sessions fit one process: the default would be 128 KiB for each.
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
        let handshake = client_async_with_config(self.0, stream, Some(config));
        let (ws, response) = within("the handshake", handshake).await?;
        Ok((Ws(ws), response))
    }
}

impl Ws {
    /// Opens a session on a path.
    pub async fn open(server: &Server, path: &str) -> Ws {
        Connect::to(server, path).open().await.0
    }

    /// Sends a text message.
    pub async fn say(&mut self, text: impl Into<String>) {
        self.send(Message::text(text.into())).await;
    }

    /// Sends JSON as a text message.
    pub async fn say_json(&mut self, value: Value) {
        self.say(value.to_string()).await;
    }

    /// Sends a message.
    pub async fn send(&mut self, message: Message) {
        within("the server takes a message", self.0.send(message))
            .await
            .unwrap();
    }

    /// Sends a text message and gives the text that comes next.
    pub async fn ask(&mut self, text: &str) -> String {
        self.say(text).await;
        self.hear().await
    }

    /// The next text message; nothing else may come before it.
    pub async fn hear(&mut self) -> String {
        match self.next().await {
            Message::Text(text) => text.to_string(),
            other => panic!("expected a text message, and there came {other:?}"),
        }
    }

    /// Sends a text message. False when the connection is gone.
    pub async fn try_say(&mut self, text: String) -> bool {
        let said = within("the server takes a message", self.0.send(text.into()));
        said.await.is_ok()
    }

    /// The next text message; `None` when the connection ended.
    pub async fn try_hear(&mut self) -> Option<String> {
        match within("a message", self.0.next()).await {
            Some(Ok(Message::Text(text))) => Some(text.to_string()),
            _ => None,
        }
    }

    /// The next text message as JSON.
    pub async fn hear_json(&mut self) -> Value {
        let text = self.hear().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The next message of any kind.
    pub async fn next(&mut self) -> Message {
        match within("a message", self.0.next()).await {
            Some(Ok(message)) => message,
            ended => panic!("expected a message, and the connection ended: {ended:?}"),
        }
    }

    /// Says goodbye.
    pub async fn close(&mut self, code: u16, reason: &str) {
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: reason.to_owned().into(),
        };
        self.0.close(Some(frame)).await.unwrap();
    }

    /// Takes what still comes, and how it ends.
    pub async fn ended(&mut self) -> Closed {
        let mut closed = Closed {
            code: 1006,
            reason: String::new(),
        };
        while let Some(Ok(message)) = within("the session ends", self.0.next()).await {
            if let Message::Close(frame) = message {
                closed = match frame {
                    Some(frame) => Closed {
                        code: frame.code.into(),
                        reason: frame.reason.to_string(),
                    },
                    None => Closed {
                        code: 1005,
                        reason: String::new(),
                    },
                };
            }
        }
        closed
    }

    /// Takes nothing else but the end: its code.
    pub async fn closed(&mut self) -> u16 {
        match self.next().await {
            Message::Close(frame) => frame.map_or(1005, |frame| frame.code.into()),
            other => panic!("expected the end, and there came {other:?}"),
        }
    }
}
