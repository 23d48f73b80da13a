//! The connection: made, read, written and closed.
//!
//! **Invariant:** every wait has an end, and dropping [`Link::next`] half-way loses nothing.

use std::pin::Pin;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use url::Url;

use crate::model::Event;

const CONNECT_MAX: Duration = Duration::from_secs(10);
const SEND_MAX: Duration = Duration::from_secs(10);
const CLOSE_MAX: Duration = Duration::from_secs(2);
/// A page of a hundred of the longest messages is well below it.
const FRAME_BYTES_MAX: usize = 16 << 20;
/// With this code the chat says that it does not listen at a path.
const NO_SUCH_PATH: u16 = 4404;

type Ws = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Connecting = Pin<Box<dyn Future<Output = Result<Ws, Event>>>>;

/// A connection, or the way to one.
pub struct Link {
    url: Url,
    state: State,
}

enum State {
    Down,
    Connecting(Connecting),
    Up(Box<Ws>),
}

impl Link {
    /// Not connected yet.
    pub fn to(url: Url) -> Link {
        Link {
            url,
            state: State::Down,
        }
    }

    /// Begins to connect.
    pub fn connect(&mut self) {
        self.state = State::Connecting(Box::pin(connect(self.url.clone())));
    }

    /// What happens next. Nothing does while it is down.
    pub async fn next(&mut self) -> Event {
        let event = match &mut self.state {
            State::Down => std::future::pending().await,
            State::Connecting(connecting) => match connecting.await {
                Ok(ws) => {
                    self.state = State::Up(Box::new(ws));
                    return Event::Up;
                }
                Err(event) => event,
            },
            State::Up(ws) => match ws.next().await {
                Some(Ok(Message::Text(text))) => return Event::Frame(text.to_string()),
                // A pong, or a ping of the server: it is there.
                Some(Ok(message)) if !message.is_close() => return Event::Frame(String::new()),
                Some(Ok(Message::Close(Some(frame)))) => closed(&frame),
                Some(Err(error)) => Event::Down(error.to_string()),
                _ => Event::Down("closed".to_owned()),
            },
        };
        self.state = State::Down;
        event
    }

    /// Sends a frame. A connection that does not take it will say so by ending.
    pub async fn send(&mut self, frame: String) -> Option<Event> {
        self.put(Message::text(frame)).await
    }

    /// Asks the other end whether it is there.
    pub async fn ping(&mut self) -> Option<Event> {
        self.put(Message::Ping(Bytes::new())).await
    }

    async fn put(&mut self, message: Message) -> Option<Event> {
        let State::Up(ws) = &mut self.state else {
            return None;
        };
        let why = match timeout(SEND_MAX, ws.send(message)).await {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the server takes nothing".to_owned(),
        };
        self.state = State::Down;
        Some(Event::Down(why))
    }

    /// Gives the connection up.
    pub fn drop_connection(&mut self) {
        self.state = State::Down;
    }

    /// Says goodbye, and waits a little for the answer, so that what was sent before has arrived.
    pub async fn close(&mut self) {
        if let State::Up(ws) = &mut self.state {
            let goodbye = async {
                ws.send(Message::Close(None)).await?;
                while ws.next().await.transpose()?.is_some() {}
                Ok::<(), Error>(())
            };
            // It is over either way.
            let _ = timeout(CLOSE_MAX, goodbye).await;
        }
        self.state = State::Down;
    }
}

fn closed(frame: &CloseFrame) -> Event {
    match u16::from(frame.code) {
        NO_SUCH_PATH => Event::Refused(frame.reason.to_string()),
        code => Event::Down(format!("closed with {code}")),
    }
}

async fn connect(url: Url) -> Result<Ws, Event> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let connect = connect_async_with_config(url.as_str(), Some(config), true);
    match timeout(CONNECT_MAX, connect).await {
        Ok(Ok((ws, _))) => Ok(ws),
        // Other answers pass: a server that drains says 503, a proxy before one that starts 502.
        Ok(Err(Error::Http(answer)))
            if answer.status().is_client_error() && answer.status() != 429 =>
        {
            Err(Event::Refused(answer.status().to_string()))
        }
        Ok(Err(error)) => Err(Event::Down(error.to_string())),
        Err(_) => Err(Event::Down("no answer".to_owned())),
    }
}
