//! The binary, serving the bundles of one test.

use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::log::Log;
use crate::place::{rookery, search_path, target_dir};
use crate::{Answer, Apps, Call, until};

/// What every variable begins with that the server reads.
const OURS: &str = "ROOKERY_";
/// The other variables that it reads: a developer's shell must not change what a test proves.
const ALSO_READ: [&str; 7] = [
    "APPS_DIR",
    "HOST",
    "PORT",
    "POOL_SIZE",
    "APP_SHELL",
    "RUST_LOG",
    "NODE_ENV",
];

/// What a test wants of its server.
#[derive(Clone, Debug)]
pub struct Options {
    command: &'static str,
    /// The place of the one bundle, for the command that serves one.
    place: Option<&'static str>,
    settings: Vec<(String, String)>,
    log_reader: LogReader,
}

/// Who reads the server's log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LogReader {
    Test,
    Nobody,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            command: "serve",
            place: None,
            settings: Vec::new(),
            log_reader: LogReader::Test,
        }
    }
}

impl Options {
    /// As `rookery serve` is by default.
    pub fn new() -> Options {
        Options::default()
    }

    /// As `rookery up`, which builds the bundles first and again when their sources change.
    pub fn up() -> Options {
        Options {
            command: "up",
            ..Options::default()
        }
    }

    /// As `rookery dev`, which serves the bundle in this place alone.
    pub fn dev(place: &'static str) -> Options {
        Options {
            command: "dev",
            place: Some(place),
            ..Options::default()
        }
    }

    /// As `rookery serve` whose log goes into a pipe that nobody reads any more.
    pub fn unheard() -> Options {
        Options {
            log_reader: LogReader::Nobody,
            ..Options::default()
        }
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn set(mut self, variable: &str, value: impl ToString) -> Options {
        self.settings.push((variable.to_owned(), value.to_string()));
        self
    }
}

/// A server that lives as long as this.
pub struct Server {
    child: Child,
    log: Log,
    address: SocketAddr,
    apps: Apps,
}

impl Server {
    /// Serves these bundles; all of them are live or refused when this returns.
    pub async fn start(apps: Apps) -> Server {
        Server::start_with(apps, Options::new()).await
    }

    /// The same with settings.
    pub async fn start_with(apps: Apps, options: Options) -> Server {
        let mut command = command(&apps, &options);
        if options.log_reader == LogReader::Nobody {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            command.stderr(writer);
        }
        let mut child = command.spawn().unwrap();
        let log = Log::default();
        log.follow(child.stdout.take().unwrap());
        if let Some(stderr) = child.stderr.take() {
            log.follow(stderr);
        }
        let mut server = Server {
            child,
            log,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            apps,
        };
        server.address = server.listening().await;
        let server = server;
        until("the server is ready", async || {
            let answer = server.call("GET", "/ready").try_send().await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
        server
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its bundles.
    pub fn apps(&self) -> &Apps {
        &self.apps
    }

    /// Asks for a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path).send().await
    }

    /// A request to be made.
    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.address, method, path)
    }

    /// The same at another door of it.
    pub fn call_at(&self, address: SocketAddr, method: &str, path: &str) -> Call {
        Call::new(address, method, path)
    }

    /// Ends it, if it has not, and serves what it served once more.
    pub async fn again(mut self, options: Options) -> Server {
        let apps = std::mem::take(&mut self.apps);
        drop(self);
        Server::start_with(apps, options).await
    }

    /// What the system knows it by.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it said so far.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// The most memory that it ever had in use, in bytes.
    pub fn memory_peak_bytes(&self) -> u64 {
        self.status_bytes("VmHWM:")
    }

    /// The memory that it has in use now, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.status_bytes("VmRSS:")
    }

    /// The memory that it has in use now and shares with nobody, without files, in bytes.
    pub fn memory_anonymous_bytes(&self) -> u64 {
        self.status_bytes("RssAnon:")
    }

    /// A line of what the system says about the process.
    fn status_bytes(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let value = status.lines().find_map(|line| line.strip_prefix(field));
        let kib = value.unwrap().trim().strip_suffix(" kB").unwrap();
        kib.parse::<u64>().unwrap() * 1024
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for its end.
    pub async fn exited(&mut self) -> ExitStatus {
        let child = &mut self.child;
        until("the server ends", async || child.try_wait().unwrap()).await
    }

    async fn listening(&mut self) -> SocketAddr {
        let (log, child) = (&self.log, &mut self.child);
        until("the server listens", async || {
            let found = log.find(|line| {
                // `serve` says it in a line for programs, `up` in a list for people.
                let (_, url) = line.split_once("http://")?;
                url.split(['/', ' ']).next()?.trim().parse().ok()
            });
            // It may have said why it ended after we looked, so the log is printed from drop, not from here.
            if found.is_none()
                && let Some(status) = child.try_wait().unwrap()
            {
                panic!("the server did not start: {status}");
            }
            found
        })
        .await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the server's log\n{}\n---", self.log.text());
        }
    }
}

fn command(apps: &Apps, options: &Options) -> Command {
    let mut command = Command::new(rookery());
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with(OURS) || ALSO_READ.contains(&name))
        {
            command.env_remove(name);
        }
    }
    command.arg(options.command);
    match options.place {
        Some(place) => command.arg(apps.path(place)),
        None => command.arg("--apps-dir").arg(apps.dir()),
    };
    command
        // Compiling a guest anew for each test would be most of their time. The cache is keyed by content.
        .arg("--cache-dir")
        .arg(target_dir().join("test-cache"))
        .args(["--port", "0", "--log-format", "plain"])
        .env("PATH", search_path())
        .envs(options.settings.iter().map(|(name, value)| (name, value)))
        // No settings file here.
        .current_dir(apps.outside())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
