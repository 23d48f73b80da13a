//! The server's side of one test: what prepares bundles, and pools of their workers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use rookery_bundle::{AppName, Bundle, Expect, parse_version};
use rookery_host::Services;
use rookery_hub::Hub;
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{
    Body, Budget, Duplex, InvokeError, Policy, Pool, Prepare, Spawn, SpawnError, Totals,
    TunnelAnswer,
};
use rookery_storage::Stores;
use rookery_subprocess::{ProcessConfig, Processes};
use rookery_upstream::{UpstreamConfig, Upstreams};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The native server, which is the guard, too.
pub const FIXTURE: &str = env!("CARGO_BIN_EXE_process-fixture");

/// More than anything here takes on a machine that has much else to do.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct House {
    pub processes: Processes,
    pub tasks: Tasks,
    pub shutdown: Shutdown,
    pub totals: Arc<Totals>,
    pub budget: Arc<Budget>,
    folder: TempDir,
}

impl House {
    pub fn new() -> House {
        House::with(|_| ())
    }

    pub fn with(change: impl FnOnce(&mut ProcessConfig)) -> House {
        House::of(64, change)
    }

    /// One with room for so many workers.
    pub fn of(workers_max: usize, change: impl FnOnce(&mut ProcessConfig)) -> House {
        let (tasks, shutdown) = (Tasks::new(), Shutdown::new());
        let folder = TempDir::new().unwrap();
        let mut config = ProcessConfig {
            guard: FIXTURE.into(),
            folder: folder.path().to_owned(),
            ..ProcessConfig::default()
        };
        change(&mut config);
        let environment = [
            ("GRANTED", "yes"),
            ("UNGRANTED", "no"),
            ("ROOKERY_ADMIN_TOKEN", "secret"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let services = Services {
            hub: Hub::new(rookery_hub::HubConfig::default(), &tasks, shutdown.clone()),
            stores: Arc::new(Stores::default()),
            environment: Arc::new(environment.into()),
        };
        let upstreams = Upstreams::new(UpstreamConfig::default(), &tasks, &shutdown);
        let budget = Budget::new(workers_max);
        let processes = Processes::new(config, services, upstreams, &budget, &tasks, &shutdown);
        House {
            processes,
            tasks,
            shutdown,
            totals: Arc::default(),
            budget,
            folder,
        }
    }

    /// A bundle with this manifest; what the native server needs is filled in.
    pub fn bundle(&self, manifest: Value) -> Arc<Bundle> {
        let mut all = json!({"command": [FIXTURE, "serve"], "ttl": 600, "idleTimeout": 600, "workers": {"max": 1}});
        for (key, value) in manifest.as_object().unwrap() {
            all[key] = value.clone();
        }
        let dir = self.folder.path().join("bundle");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("worker.config.json"), all.to_string()).unwrap();
        let expect = Expect {
            name: AppName::parse("app").unwrap(),
            version: parse_version("1.2.3"),
        };
        Arc::new(rookery_bundle::open(&dir, expect).unwrap())
    }

    pub async fn prepare(&self, manifest: Value) -> Result<Arc<dyn Spawn>, SpawnError> {
        self.processes.prepare(self.bundle(manifest)).await
    }

    /// A pool of the bundle's workers.
    pub async fn pool(&self, manifest: Value) -> Arc<Pool> {
        self.pool_of(manifest, |spawn| spawn).await
    }

    /// The same, with something between the pool and its workers.
    pub async fn pool_of(
        &self,
        manifest: Value,
        between: impl FnOnce(Arc<dyn Spawn>) -> Arc<dyn Spawn>,
    ) -> Arc<Pool> {
        let bundle = self.bundle(manifest);
        let spawn = self.processes.prepare(Arc::clone(&bundle)).await.unwrap();
        let spawn = between(spawn);
        Pool::new(
            bundle.label(),
            Policy::from_manifest(&bundle.manifest),
            spawn,
            &self.budget,
            &self.totals,
            &self.tasks,
        )
    }

    /// Where the server's private folders are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folders of the workers that there are.
    pub fn workers(&self) -> Vec<PathBuf> {
        let roots = std::fs::read_dir(self.folder())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let roots = roots.filter(|path| path.join("lock").exists());
        let inside = roots.flat_map(|root| std::fs::read_dir(root).unwrap());
        inside
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
            .collect()
    }

    /// The processes that run for this house; their guards are left out.
    pub fn pids(&self) -> Vec<u32> {
        let home = format!("HOME={}", self.folder().display());
        let read = |pid: u32, file: &str| {
            let bytes = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| read(*pid, "environ").contains(&home))
            .filter(|pid| !read(*pid, "cmdline").contains("__"))
            .collect()
    }
}

pub fn get(path: &str) -> Request<Body> {
    let body = Empty::<Bytes>::new().map_err(|never| match never {});
    let mut request = Request::new(body.boxed_unsync());
    *request.uri_mut() = path.parse().unwrap();
    request
        .headers_mut()
        .insert("host", "localhost".parse().unwrap());
    request
}

pub async fn ask(pool: &Arc<Pool>, path: &str) -> Result<String, InvokeError> {
    let asked = tokio::time::timeout(PATIENCE, pool.request(get(path)));
    let response = asked.await.expect("nothing takes that long")?;
    Ok(text(response).await)
}

pub async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The handshake of a WebSocket.
pub fn handshake(path: &str) -> Request<()> {
    let mut handshake = get(path).map(|_| ());
    for (name, value) in [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
    ] {
        handshake.headers_mut().insert(name, value.parse().unwrap());
    }
    handshake
}

/// A tunnel to the server, which gives back what comes.
pub async fn echo(pool: &Arc<Pool>) -> Box<dyn Duplex> {
    let tunnel = pool.tunnel(handshake("/echo")).await.unwrap();
    let TunnelAnswer::Accepted { head, io } = tunnel.answer else {
        panic!("the server takes every handshake");
    };
    assert_eq!(head.status(), 101);
    io
}

/// Waits until it is so.
pub async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}");
}

/// Whether a process is there and no zombie.
pub fn is_running(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in parentheses, may have anything in it.
    let state = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .next();
    state.is_some_and(|state| state != "Z")
}

/// Whether the system knows it in any way: a zombie counts.
pub fn is_known(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

pub fn signal(pid: u32, name: &str) {
    let kill = format!("kill -{name} {pid}");
    let done = std::process::Command::new("/bin/sh")
        .args(["-c", &kill])
        .status();
    assert!(done.unwrap().success());
}

/// The process that started it.
pub fn parent(pid: u32) -> u32 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("PPid:"))
        .unwrap();
    line.trim().parse().unwrap()
}
