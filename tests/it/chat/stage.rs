//! The chat's server, a way to it that can be cut, and the chat's own client, in a pipe or in a terminal.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::num::NonZero;
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rookery_tests::{Apps, Bundle, Server, Ws, binary, build_bundles, until};
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Both versions, as `rookery build` makes them.
pub async fn server() -> Server {
    static BUILT: OnceLock<std::path::PathBuf> = OnceLock::new();
    let chat = BUILT.get_or_init(|| build_bundles("apps/chat"));
    let apps = Apps::new()
        .with("chat/1.0.0", Bundle::of_folder(&chat.join("1.0.0")))
        .with("chat/1.1.0", Bundle::of_folder(&chat.join("1.1.0")));
    Server::start(apps).await
}

/// A port that stays, before servers that come and go.
pub struct Way {
    port: SocketAddr,
    open: Option<JoinHandle<()>>,
}

impl Way {
    /// Leads to a server.
    pub async fn to(server: &Server) -> Way {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap();
        let open = Some(tokio::spawn(relay(listener, server.address())));
        Way { port, open }
    }

    /// Breaks every connection, and takes no new one.
    pub async fn cut(&mut self) {
        let open = self.open.take().unwrap();
        open.abort();
        assert!(open.await.unwrap_err().is_cancelled());
    }

    /// Leads to a server again, by the same port.
    pub async fn mend(&mut self, server: &Server) {
        let listener = TcpListener::bind(self.port).await.unwrap();
        self.open = Some(tokio::spawn(relay(listener, server.address())));
    }

    /// The chat's address at this end.
    pub fn url(&self, app: &str) -> String {
        format!("ws://{}/{app}/ws", self.port)
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        if let Some(open) = &self.open {
            open.abort();
        }
    }
}

/// Ends with all its connections.
async fn relay(listener: TcpListener, server: SocketAddr) {
    let mut connections = JoinSet::new();
    loop {
        let (mut near, _) = listener.accept().await.unwrap();
        connections.spawn(async move {
            // Either end may break it: that is what it is for.
            if let Ok(mut far) = TcpStream::connect(server).await {
                let _ = copy_bidirectional(&mut near, &mut far).await;
            }
        });
    }
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

    /// The payload of the next frame on a channel.
    pub async fn hear(&mut self, channel: &str) -> Value {
        loop {
            let mut frame = self.0.hear_json().await;
            if frame["channel"] == channel {
                return frame["payload"].take();
            }
        }
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

/// Runs the client with this on its standard input until it ends.
pub async fn pipe(arguments: &[&str], input: &'static [u8]) -> Output {
    let mut child = Command::new(binary("chat-client"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    });
    rookery_tests::within("the client ends", ended)
        .await
        .unwrap()
}

/// The client in a terminal.
pub struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
    /// How the terminal took keys before the client came.
    modes: String,
}

const ROWS: NonZero<u16> = NonZero::new(30).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(100).unwrap();

impl Terminal {
    /// Starts the client.
    pub fn open(arguments: &[&str]) -> Terminal {
        let size = PtySize {
            rows: ROWS.get(),
            cols: COLUMNS.get(),
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = native_pty_system().openpty(size).unwrap();
        let modes = modes(&*pair.master);
        let mut command = CommandBuilder::new(binary("chat-client"));
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let drawn = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                drawn.lock().unwrap().process(&bytes[..length]);
            }
        });
        Terminal {
            keys: pair.master.take_writer().unwrap(),
            master: pair.master,
            child,
            screen,
            modes,
        }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
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
