//! The chat's own client with lines in and lines out, for as long as a test wants it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};

use rookery_tests::{binary, until, within};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The client, not started yet.
pub fn client(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary("chat-client"));
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs the client with this on its standard input until it ends.
pub async fn pipe(arguments: &[&str], input: &'static [u8]) -> Output {
    finish(client(arguments), input).await
}

/// The same with a command that was changed before.
pub async fn finish(mut command: Command, input: &'static [u8]) -> Output {
    let mut child = command.spawn().unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        // It may have ended before it read anything.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    });
    within("the client ends", ended).await.unwrap()
}

/// The client that says what happens in lines of JSON.
pub struct Speaker {
    child: Child,
    input: Option<ChildStdin>,
    events: UnboundedReceiver<Value>,
}

impl Speaker {
    /// Starts it, and waits until it is in the room.
    pub async fn join(url: &str, name: &str, room: &str) -> Speaker {
        let mut child = client(&["--url", url, "--user", name, "--room", room, "--json"])
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, events) = unbounded_channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take();
        let mut speaker = Speaker {
            child,
            input,
            events,
        };
        speaker.event("joined").await;
        speaker
    }

    /// Says a line, now or when it can.
    pub fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next event of a kind.
    pub async fn event(&mut self, kind: &str) -> Value {
        loop {
            let event = within("an event", self.events.recv()).await.unwrap();
            if event["event"] == kind {
                return event;
            }
        }
    }

    /// What is said from now on, up to this text.
    pub async fn texts_to(&mut self, last: &str) -> Vec<String> {
        let mut texts = Vec::new();
        loop {
            let message = self.event("message").await;
            let text = message["text"].as_str().unwrap().to_owned();
            let is_last = text == last;
            texts.push(text);
            if is_last {
                return texts;
            }
        }
    }

    /// Interrupts it as Ctrl-C does, and waits for the end.
    pub async fn interrupted(mut self) -> ExitStatus {
        let mut kill = Command::new("sh");
        kill.args(["-c", &format!("kill -INT {}", self.child.id())]);
        assert!(kill.status().unwrap().success());
        let child = &mut self.child;
        until("the client ends", async || child.try_wait().unwrap()).await
    }

    /// Ends the input, and waits for the end.
    pub async fn finished(mut self) -> ExitStatus {
        drop(self.input.take());
        let child = &mut self.child;
        until("the client ends", async || child.try_wait().unwrap()).await
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
