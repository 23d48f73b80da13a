//! From a revision to a process that can answer.
//!
//! **Invariant:** what does not come to answer is ended before its failure is told: whatever was started is held by
//! something that ends it when it is dropped.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rookery_bundle::{Entry, Isolation};
use rookery_host::Guest;
use rookery_upstream::Target;
use tokio::time::timeout;

use crate::confine::{Confinement, Strict};
use crate::control;
use crate::environment::{self, Environment, environment, set};
use crate::error::StartError;
use crate::folders::Folder;
use crate::guard::Orders;
use crate::house::House;
use crate::keeper::{Bounds, Keeper};
use crate::launch::launch;
use crate::process::{Life, Process, State};
use crate::ready::{self, Doors};
use crate::runtimes::on_path;
use crate::shim;

/// How often a server is started whose port somebody else took first.
const PORTS_MAX: usize = 3;

/// A revision, as far as starting its processes goes.
pub(crate) struct Recipe {
    pub house: Arc<House>,
    pub guest: Arc<Guest>,
    /// When the revision last had work.
    pub used: Arc<AtomicU64>,
    /// How long its processes computed, in microseconds.
    pub computed: Arc<AtomicU64>,
}

/// A process that runs and may not answer yet.
struct Running {
    state: Arc<State>,
    life: Life,
    /// The id of its guard.
    guard: Option<u32>,
}

impl Recipe {
    /// Starts a process and waits until it answers.
    pub async fn start(&self) -> Result<Arc<Process>, StartError> {
        match &self.guest.bundle().entry {
            Entry::Script { path } => self.start_script(path).await,
            Entry::Command { argv } => self.start_command(argv).await,
            _ => unreachable!("only scripts and commands are prepared"),
        }
    }

    async fn start_script(&self, entrypoint: &Path) -> Result<Arc<Process>, StartError> {
        let folder = self.house.folder()?;
        let (folder, argv) = self.script(folder, entrypoint).await?;
        let environment = self.environment(&folder, Some(entrypoint));
        let listener = control::listen(&folder)?;
        let target = Target::Unix(folder.http_socket().into());
        let running = self.run(folder, argv, &environment).await?;
        let control = self.first(&running, control::ready(&listener)).await?;
        Ok(self.process(running, target, Some(control)))
    }

    /// What is done with files and a program that says its version: off the threads that serve.
    async fn script(
        &self,
        folder: Folder,
        entrypoint: &Path,
    ) -> Result<(Folder, Vec<OsString>), StartError> {
        let (house, guest) = (Arc::clone(&self.house), Arc::clone(&self.guest));
        let entrypoint = entrypoint.to_owned();
        let written = tokio::task::spawn_blocking(move || {
            let bundle = guest.bundle();
            let runtime = house.runtime_for(bundle)?;
            let start = shim::Start {
                app_dir: &bundle.dir,
                entrypoint: &entrypoint,
                worker_id: &environment::worker_id(&guest, &folder),
                base_path: &environment::base_path(&guest),
                terminate_ms: house.config.stop_grace.as_millis(),
            };
            let main = shim::write(&folder, &start).map_err(StartError::Folder)?;
            let argv = runtime.argv(&main, bundle, &entrypoint)?;
            Ok((folder, argv))
        });
        written.await.map_err(|_| StartError::ShuttingDown)?
    }

    async fn start_command(&self, argv: &[String]) -> Result<Arc<Process>, StartError> {
        let mut tried = 1;
        loop {
            match self.start_server(argv).await {
                Err(StartError::PortTaken { .. }) if tried < PORTS_MAX => tried += 1,
                started => return started,
            }
        }
    }

    async fn start_server(&self, argv: &[String]) -> Result<Arc<Process>, StartError> {
        let folder = self.house.folder()?;
        let walled = self.guest.bundle().manifest.isolation == Isolation::Strict;
        let doors = Doors {
            // Behind walls loopback is another one, where nobody could knock.
            port: (!walled).then(ready::free_port).transpose()?,
            socket: folder.http_socket(),
        };
        let mut environment = self.environment(&folder, None);
        if let Some(port) = doors.port {
            set(&mut environment, "PORT", port.to_string());
            set(&mut environment, "HOST", "127.0.0.1");
        }
        set(&mut environment, "SOCKET", &doors.socket);
        let argv = argv.iter().map(OsString::from).collect();
        let running = self.run(folder, argv, &environment).await?;
        let upstreams = Arc::clone(&self.house.upstreams);
        let health = &self.guest.bundle().manifest.health;
        let ids = (running.state.pid, running.guard);
        let ready = ready::ready(&upstreams, &doors, ids, health);
        let target = self.first(&running, ready).await?;
        Ok(self.process(running, target, None))
    }

    fn environment(&self, folder: &Folder, entrypoint: Option<&Path>) -> Environment {
        environment(&self.guest, folder, &self.house.config.path, entrypoint)
    }

    async fn run(
        &self,
        folder: Folder,
        argv: Vec<OsString>,
        environment: &Environment,
    ) -> Result<Running, StartError> {
        let (house, bundle) = (&self.house, self.guest.bundle());
        if house.shutdown.is_requested() {
            return Err(StartError::ShuttingDown);
        }
        let config = &house.config;
        let orders = Orders {
            confinement: self.confinement(Some(&folder), argv.first()),
            grace: config.stop_grace,
            argv,
        };
        let launched = launch(&config.guard, &orders, &bundle.dir, environment).await?;
        let keeper = Keeper {
            folder,
            bounds: Bounds {
                memory_bytes: bundle.manifest.process_memory,
                processes_max: config.processes_max,
                measure_every: config.measure_every,
                stop_grace: config.stop_grace,
            },
            computed: Arc::clone(&self.computed),
            guest: Arc::clone(&self.guest),
            tasks: house.tasks.clone(),
            shutdown: house.shutdown.clone(),
        };
        let guard = launched.guard.id();
        let (state, life) = keeper.keep(launched);
        Ok(Running { state, life, guard })
    }

    /// What the revision's processes may use; the folder is absent when there is no process to be, only to be tried.
    pub fn confinement(&self, folder: Option<&Folder>, program: Option<&OsString>) -> Confinement {
        let (config, bundle) = (&self.house.config, self.guest.bundle());
        let strict = (bundle.manifest.isolation == Isolation::Strict).then(|| Strict {
            read: [bundle.dir.clone()]
                .into_iter()
                .chain(program.and_then(|program| program_file(program, &config.path)))
                .collect(),
            write: folder
                .iter()
                .map(|folder| folder.path().to_owned())
                .collect(),
        });
        Confinement {
            files_max: config.files_max,
            processes_max: config.user_processes_max,
            strict,
        }
    }

    /// What the future gives, unless the process ends before, or takes too long.
    async fn first<T>(
        &self,
        running: &Running,
        ready: impl Future<Output = Result<T, StartError>>,
    ) -> Result<T, StartError> {
        let state = &running.state;
        let after = self.house.config.start_timeout;
        let ready = async {
            tokio::select! {
                biased;
                ready = ready => ready,
                how = state.ended() => Err(StartError::Ended {
                    how: how.to_string(),
                    said: state.last_words.complete().await,
                }),
            }
        };
        timeout(after, ready).await.unwrap_or_else(|_elapsed| {
            let said = state.last_words.text();
            Err(StartError::NotReady { after, said })
        })
    }

    fn process(
        &self,
        running: Running,
        target: Target,
        control: Option<control::Control>,
    ) -> Arc<Process> {
        let upstream = self.house.upstreams.upstream(&target);
        let Running { state, life, .. } = running;
        Process::new(state, life, upstream, control, Arc::clone(&self.used))
    }
}

/// The file of a program, with links followed, so that a wall around files has a gate for it.
fn program_file(program: &OsString, path: &OsStr) -> Option<PathBuf> {
    let program = Path::new(program);
    let found = match program.components().count() {
        1 => on_path(program.to_str()?, path)?,
        _ => program.to_owned(),
    };
    found.canonicalize().ok()
}
