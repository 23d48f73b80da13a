//! The chat's server, somebody with a plain client, and the chat's own client in a terminal.

use std::io::{Read, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rookery_tests::{Apps, Bundle, Server, Ws, binary, build_bundles, until};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// Both versions, as `rookery build` makes them.
pub async fn server() -> Server {
    static BUILT: OnceLock<std::path::PathBuf> = OnceLock::new();
    let chat = BUILT.get_or_init(|| build_bundles("apps/chat"));
    let apps = Apps::new()
        .with("chat/1.0.0", Bundle::of_folder(&chat.join("1.0.0")))
        .with("chat/1.1.0", Bundle::of_folder(&chat.join("1.1.0")));
    Server::start(apps).await
}

/// The address of a version of the chat.
pub fn url(server: &Server, app: &str) -> String {
    format!("ws://{}/{app}/ws", server.address())
}

/// Somebody with a client of the first protocol and nothing else.
pub struct Plain(Ws);

impl Plain {
    /// Joins a room.
    pub async fn join(server: &Server, name: &str, room: &str) -> Plain {
        let mut plain = Plain(Ws::open(server, "/chat@1/ws").await);
        plain
            .ask("room.join", json!({"roomId": room, "username": name}))
            .await;
        plain.hear("room.joined").await;
        plain
    }

    async fn ask(&mut self, channel: &str, payload: Value) {
        let frame = json!({"type": "publish", "channel": channel, "payload": payload});
        self.0.say_json(frame).await;
    }

    /// Says something, and waits until everybody has heard it.
    pub async fn say(&mut self, room: &str, text: &str) {
        self.ask("message.send", json!({"roomId": room, "text": text}))
            .await;
        self.hear_text(text).await;
    }

    /// Wants to be seen as this.
    pub async fn be(&mut self, status: &str) {
        self.ask("presence.update", json!({"status": status})).await;
    }

    /// Is seen typing.
    pub async fn begin_typing(&mut self, room: &str) {
        self.ask("typing.start", json!({"roomId": room})).await;
    }

    /// What somebody wants to be seen as next.
    pub async fn presence_of(&mut self, name: &str) -> String {
        loop {
            let seen = self.hear("presence.update").await;
            // One without a time is of somebody who came.
            if seen["username"] == name && !seen["lastSeen"].is_null() {
                return seen["status"].as_str().unwrap().to_owned();
            }
        }
    }

    /// The payload of the next frame on a channel.
    pub async fn hear(&mut self, channel: &str) -> Value {
        loop {
            let mut frame: Value = match self.0.next().await {
                Message::Text(text) => serde_json::from_str(&text).unwrap(),
                // Who says nothing for a minute is asked whether he is there; the library answers.
                Message::Ping(_) => continue,
                other => panic!("expected {channel}, and there came {other:?}"),
            };
            if frame["channel"] == channel {
                return frame["payload"].take();
            }
        }
    }

    /// What is said from now on, up to this text.
    pub async fn texts_to(&mut self, last: &str) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.last().is_none_or(|text| text != last) {
            let said = self.hear("message.received").await;
            texts.push(said["text"].as_str().unwrap().to_owned());
        }
        texts
    }

    /// Waits for a text: who said it.
    pub async fn hear_text(&mut self, text: &str) -> String {
        loop {
            let said = self.hear("message.received").await;
            if said["text"] == text {
                return said["username"].as_str().unwrap().to_owned();
            }
        }
    }
}

/// The client in a terminal.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
    /// All that the client ever sent to it.
    sent: Arc<Mutex<Vec<u8>>>,
    /// How the terminal took keys before the client came.
    modes: String,
}

const ROWS: NonZero<u16> = NonZero::new(30).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(100).unwrap();

impl Terminal {
    /// Starts the client, and waits until it is in the room.
    pub async fn join(url: &str, name: &str, room: &str) -> Terminal {
        let terminal = Terminal::open(&["--url", url, "--user", name, "--room", room]);
        terminal.sees("· connected").await;
        terminal
    }

    /// Starts the client.
    pub fn open(arguments: &[&str]) -> Terminal {
        Terminal::run(&binary("chat-client"), arguments)
    }

    /// Starts any program.
    pub fn run(program: &Path, arguments: &[&str]) -> Terminal {
        let pair = native_pty_system().openpty(size(ROWS, COLUMNS)).unwrap();
        let modes = modes(&*pair.master);
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env_remove("ROOKERY_ADMIN_TOKEN");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let drawn = Arc::clone(&screen);
        let sent = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&sent);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                kept.lock().unwrap().extend_from_slice(&bytes[..length]);
                drawn.lock().unwrap().process(&bytes[..length]);
            }
        });
        Terminal {
            keys: pair.master.take_writer().unwrap(),
            master: pair.master,
            child,
            screen,
            sent,
            modes,
        }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let id = self.child.process_id().unwrap().to_string();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args(["-s", name, &id]).status().unwrap().success());
    }

    /// What stands on the screen now. What was written does not tell: a client sends only what changes, in pieces.
    fn shown(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until this stands in a row of the screen.
    pub async fn sees(&self, text: &str) {
        until(&format!("the terminal shows {text}"), async || {
            self.shown().contains(text).then_some(())
        })
        .await;
    }

    /// The words that begin like this, in their order on the screen.
    pub fn texts(&self, start: &str) -> Vec<String> {
        let shown = self.shown();
        let words = shown.split_whitespace();
        words
            .filter(|word| word.starts_with(start))
            .map(str::to_owned)
            .collect()
    }

    /// Waits until this stands nowhere on the screen.
    pub async fn sees_no(&self, text: &str) {
        until(&format!("the terminal hides {text}"), async || {
            (!self.shown().contains(text)).then_some(())
        })
        .await;
    }

    /// Makes it another size.
    pub fn resize(&self, rows: NonZero<u16>, columns: NonZero<u16>) {
        self.screen
            .lock()
            .unwrap()
            .screen_mut()
            .set_size(rows, columns);
        self.master.resize(size(rows, columns)).unwrap();
    }

    /// Presses keys that end it: the exit code.
    pub async fn press_and_end(&mut self, keys: &str) -> u32 {
        self.press(keys);
        self.ended().await
    }

    /// Whether the client ever sent it this.
    pub fn was_sent(&self, bytes: &str) -> bool {
        let (sent, bytes) = (self.sent.lock().unwrap(), bytes.as_bytes());
        sent.windows(bytes.len()).any(|window| window == bytes)
    }

    /// Waits for its end: the exit code.
    pub async fn ended(&mut self) -> u32 {
        let child = &mut self.child;
        until("the client ends", async || child.try_wait().unwrap())
            .await
            .exit_code()
    }

    /// Waits until the terminal is as it was before the client came: its screen, its cursor, and how it takes keys.
    pub async fn is_restored(&self) {
        until("the screen is given back", async || {
            let parser = self.screen.lock().unwrap();
            let screen = parser.screen();
            (!screen.alternate_screen() && !screen.hide_cursor()).then_some(())
        })
        .await;
        assert_eq!(modes(&*self.master), self.modes);
    }

    /// Whether it takes keys otherwise than before the client came.
    pub fn is_taken(&self) -> bool {
        modes(&*self.master) != self.modes
    }
}

fn size(rows: NonZero<u16>, columns: NonZero<u16>) -> PtySize {
    PtySize {
        rows: rows.get(),
        cols: columns.get(),
        pixel_width: 0,
        pixel_height: 0,
    }
}

fn modes(terminal: &dyn MasterPty) -> String {
    format!("{:?}", terminal.get_termios().unwrap())
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the terminal\n{}\n---", self.shown());
        }
    }
}
