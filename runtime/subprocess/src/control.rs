//! The socket on which a script's process says that it is ready, and hears notices. `shim/PROTOCOL.md` has the words.

use std::io;

use rookery_pool::Notice;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixListener;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use crate::error::StartError;
use crate::folders::Folder;

/// The longest line.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// A script's process, listening.
pub(crate) struct Control {
    lines: BufReader<OwnedReadHalf>,
    write: OwnedWriteHalf,
}

/// Listens where the process will connect to.
pub(crate) fn listen(folder: &Folder) -> Result<UnixListener, StartError> {
    UnixListener::bind(folder.control_socket()).map_err(StartError::Folder)
}

/// Waits until the process says that it is ready, or why it never will be. For ever, if it says neither.
pub(crate) async fn ready(listener: &UnixListener) -> Result<Control, StartError> {
    let Ok(mut control) = accept(listener).await else {
        return std::future::pending().await;
    };
    while let Some(message) = control.message().await {
        match (kind(&message), message["reason"].as_str()) {
            ("ready", _) => return Ok(control),
            ("failed", reason) => {
                let reason = reason.unwrap_or("it does not say why").to_owned();
                return Err(StartError::Failed { reason });
            }
            _ => {}
        }
    }
    // It is about to end; its guard will say how.
    std::future::pending().await
}

async fn accept(listener: &UnixListener) -> io::Result<Control> {
    let (stream, _) = listener.accept().await?;
    let (read, write) = stream.into_split();
    Ok(Control {
        lines: BufReader::new(read),
        write,
    })
}

fn kind(message: &Value) -> &str {
    message["type"].as_str().unwrap_or_default()
}

impl Control {
    /// The next message; `None` at the end. What is no message is passed over.
    async fn message(&mut self) -> Option<Value> {
        loop {
            let mut line = Vec::new();
            let mut limited = (&mut self.lines).take(LINE_BYTES_MAX);
            if limited.read_until(b'\n', &mut line).await.ok()? == 0 {
                return None;
            }
            if let Ok(message) = serde_json::from_slice(&line) {
                return Some(message);
            }
        }
    }

    /// Tells the process, and waits until it has heard: its hook returned, or it is gone.
    pub async fn tell(&mut self, notice: Notice) {
        let name = match notice {
            Notice::Idle => "idle",
            Notice::Terminate => "terminate",
        };
        let mut line = json!({"type": "notice", "name": name}).to_string();
        line.push('\n');
        if self.write.write_all(line.as_bytes()).await.is_err() {
            return;
        }
        while let Some(message) = self.message().await {
            // After `terminate` nothing is said: it ends.
            if kind(&message) == "noticed" && message["name"] == name {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio::net::UnixStream;

    use super::*;
    use crate::folders::Folders;

    async fn says(text: &str) -> Result<Control, StartError> {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folders::new(parent.path()).unwrap().folder().unwrap();
        let listener = listen(&folder).unwrap();
        let mut process = UnixStream::connect(folder.control_socket()).await.unwrap();
        process.write_all(text.as_bytes()).await.unwrap();
        ready(&listener).await
    }

    #[tokio::test]
    async fn a_process_says_that_it_is_ready_or_why_not() {
        assert!(
            says("no json\n{\"type\":\"later\"}\n{\"type\":\"ready\"}\n")
                .await
                .is_ok()
        );
        let failed = says("{\"type\":\"failed\",\"reason\":\"no default export\"}\n").await;
        let reason = failed.map(drop).unwrap_err().to_string();
        assert_eq!(reason, "the app cannot start: no default export");
        assert!(says("{\"type\":\"failed\"}\n").await.is_err());
    }

    #[tokio::test]
    async fn a_notice_is_waited_for_until_it_was_heard_or_the_process_is_gone() {
        let (server, process) = UnixStream::pair().unwrap();
        let (read, write) = server.into_split();
        let mut control = Control {
            lines: BufReader::new(read),
            write,
        };
        let (read, mut write) = process.into_split();
        let mut heard = BufReader::new(read).lines();
        let telling = tokio::spawn(async move {
            control.tell(Notice::Idle).await;
            control.tell(Notice::Terminate).await;
        });
        let first = heard.next_line().await.unwrap().unwrap();
        assert_eq!(first, r#"{"type":"notice","name":"idle"}"#);
        let answer = b"{\"type\":\"noticed\",\"name\":\"other\"}\n{\"type\":\"noticed\",\"name\":\"idle\"}\n";
        write.write_all(answer).await.unwrap();
        let second = heard.next_line().await.unwrap().unwrap();
        assert_eq!(second, r#"{"type":"notice","name":"terminate"}"#);
        drop((write, heard));
        telling.await.unwrap();
    }
}
