//! Makes every part and hands it its neighbours.
//!
//! **Absent on purpose:** decisions. Nothing here looks at a request, a worker or a session.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rookery_admin::Admin;
use rookery_bundle::{BrokenManifest, Bundle, Kind};
use rookery_gateway::{Disclosure, Gateway, GatewayConfig, Internal, Neighbours, SideDoor};
use rookery_host::Services;
use rookery_hub::Hub;
use rookery_isolate::{CompileCache, EngineConfig, IsolateError, Isolates, Slots};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{Body, Budget, MemoryProbe, Policy, Pool, Prepare, Spawn, Totals};
use rookery_routing::Fallback;
use rookery_storage::{BucketLimits, Databases, SqlLimits, Stores};
use rookery_subprocess::{ProcessConfig, Processes};
use rookery_supervisor::{Kinds, MakePool, Prerelease, Supervisor, SupervisorConfig};
use rookery_upstream::{UpstreamConfig, Upstreams};
use tokio::net::TcpListener;

use crate::config::{Mode, ServerConfig, VersionFallback};
use crate::deploys::Rehearsals;
use crate::figures::Figures;
use crate::gate::{Asker, Gate};
use crate::side_door::{self, Elsewhere};
use crate::tokens;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which one.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The system does not say where we listen.
    #[error("cannot listen: {0}")]
    Listening(std::io::Error),
    /// The operator's routes have no thread.
    #[error("the operator's routes cannot be served: {0}")]
    SideDoor(std::io::Error),
    /// The wasm engine refused.
    #[error(transparent)]
    Isolate(#[from] IsolateError),
    /// The system lets nobody listen to its signals.
    #[error("cannot listen to signals: {0}")]
    Signals(std::io::Error),
}

/// How long the last writes may take when everybody else is done.
const CLOSE_GRACE: Duration = Duration::from_secs(10);

/// A server that runs.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where the operator's routes are, when they are not there.
    pub side_door: Option<side_door::Open>,
    /// What it serves.
    pub supervisor: Arc<Supervisor>,
    /// Ends it.
    pub shutdown: Shutdown,
    tasks: Tasks,
    databases: Arc<Databases>,
    config: ServerConfig,
}

/// Starts a server: the port is bound when this returns, the bundles follow.
///
/// # Errors
/// [`StartError`], before anything was served.
pub async fn start(config: ServerConfig) -> Result<Server, StartError> {
    rookery_subprocess::keep_secrets();
    let (tasks, shutdown) = (Tasks::new(), Shutdown::new());
    let listener = bind_front_door(&config).await?;
    let side_listener = config.admin_addr.map(bind_side_door).transpose()?;

    let hub = Hub::new(config.hub.clone(), &tasks, shutdown.clone());
    let budget = budget(&config, &tasks, &shutdown);
    let totals = Arc::new(Totals::default());
    let upstreams = Upstreams::new(UpstreamConfig::default(), &tasks, &shutdown);
    // They have tasks of their own: databases are closed when nobody writes any more.
    let databases =
        Databases::in_folder(config.data_dir.clone(), sql_limits(&config), &Tasks::new());
    let services = services(&hub, &databases);
    let asker = Asker::new(&budget, &tasks);
    let kinds = kinds(&config, services, &upstreams, &budget, &tasks, &shutdown)?;
    let kinds = gated(kinds, &asker);
    let supervisor = Supervisor::start(
        supervision(&config),
        kinds.clone(),
        pools(&budget, &totals, &tasks),
        &tasks,
        &shutdown,
    );
    let _ = asker.supervisor.set(Arc::downgrade(&supervisor));
    let figures = Arc::new(Figures {
        budget,
        totals,
        hub: Arc::clone(&hub),
        supervisor: Arc::clone(&supervisor),
        gateway: OnceLock::new(),
    });
    let stage = Rehearsals {
        kinds,
        supervisor: Arc::clone(&supervisor),
        figures: Arc::clone(&figures),
        runtime: tokio::runtime::Handle::current(),
        tasks: tasks.clone(),
        apps_port: apps_port(&listener, side_listener.is_some()),
    };
    let below = below(&config, stage, &tasks, &shutdown);
    let open = |listener| open_side_door(listener, &below, &config, &tasks, &shutdown);
    let side_door = side_listener.map(open).transpose()?;
    let leaving = Shutdown::new();
    let neighbours = Neighbours {
        upstreams,
        supervisor: Arc::clone(&supervisor),
        hub,
        internal: match side_door {
            Some(_) => Arc::new(Elsewhere),
            None => below,
        },
        leaving: leaving.clone(),
    };
    let gateway = Gateway::new(front_door(&config), neighbours, &tasks, &shutdown);
    let _ = figures.gateway.set(Arc::downgrade(&gateway));
    let address = gateway.listen(listener).map_err(StartError::Listening)?;
    let signals = crate::signal::listen(leaving, shutdown.clone()).map_err(StartError::Signals)?;
    tokio::spawn(signals);
    Ok(Server {
        address,
        side_door,
        supervisor,
        shutdown,
        tasks,
        databases,
        config,
    })
}

impl Server {
    /// Serves until the shutdown and then until everything is done, at most the grace. The names of what was not.
    pub async fn run(self) -> Vec<&'static str> {
        self.shutdown.requested().await;
        let mut undone = self.tasks.drain(self.config.drain_grace).await;
        if let Some(door) = self.side_door {
            door.close();
        }
        if !self.databases.close(CLOSE_GRACE).await {
            undone.push("databases");
        }
        undone
    }
}

fn budget(config: &ServerConfig, tasks: &Tasks, shutdown: &Shutdown) -> Arc<Budget> {
    let budget = Budget::new(config.pool_size as usize);
    budget.keep_swept(tasks, shutdown.clone());
    let memory = MemoryProbe::of_system(config.memory_bytes_max);
    budget.keep_relieved(memory, tasks, shutdown.clone());
    budget
}

fn sql_limits(config: &ServerConfig) -> SqlLimits {
    SqlLimits {
        database_bytes_max: config.database_bytes_max,
        ..SqlLimits::default()
    }
}

fn services(hub: &Arc<Hub>, databases: &Arc<Databases>) -> Services {
    Services {
        hub: Arc::clone(hub),
        stores: Arc::new(Stores::new(BucketLimits::default(), Arc::clone(databases))),
        environment: Arc::new(environment()),
    }
}

async fn bind_front_door(config: &ServerConfig) -> Result<TcpListener, StartError> {
    let address = SocketAddr::new(config.host, config.port);
    let listener = TcpListener::bind(address).await;
    listener.map_err(|source| StartError::Listen { address, source })
}

fn bind_side_door(address: SocketAddr) -> Result<std::net::TcpListener, StartError> {
    side_door::bind(address).map_err(|source| StartError::Listen { address, source })
}

fn open_side_door(
    listener: std::net::TcpListener,
    internal: &Arc<dyn Internal>,
    config: &ServerConfig,
    tasks: &Tasks,
    shutdown: &Shutdown,
) -> Result<side_door::Open, StartError> {
    let door = SideDoor {
        internal: Arc::clone(internal),
        config: front_door(config),
        tasks: tasks.clone(),
        shutdown: shutdown.clone(),
    };
    side_door::open(listener, door).map_err(StartError::SideDoor)
}

/// Where the apps are, for whoever asks at the side door.
fn apps_port(listener: &TcpListener, has_side_door: bool) -> Option<u16> {
    let address = listener.local_addr().ok().filter(|_| has_side_door);
    address.map(|address| address.port())
}

fn supervision(config: &ServerConfig) -> SupervisorConfig {
    let apps_dirs = match config.bundle {
        None => vec![config.apps_dir.clone()],
        Some(_) => Vec::new(),
    };
    SupervisorConfig {
        grace: config.drain_grace,
        // The front door decides when; this only bounds it.
        keep: config.session_keep + config.session_trial + config.drain_grace,
        prerelease: if config.prefer_prerelease {
            Prerelease::Equal
        } else {
            Prerelease::Last
        },
        broken_manifest: if config.lenient_manifests {
            BrokenManifest::PassedOver
        } else {
            BrokenManifest::Refused
        },
        variables: Arc::new(environment()),
        bundles: config.bundle.iter().cloned().collect(),
        ..SupervisorConfig::new(apps_dirs)
    }
}

fn kinds(
    config: &ServerConfig,
    services: Services,
    upstreams: &Arc<Upstreams>,
    budget: &Arc<Budget>,
    tasks: &Tasks,
    shutdown: &Shutdown,
) -> Result<Kinds, StartError> {
    let slots = Slots::new(&EngineConfig {
        isolates_max: config.pool_size,
        ..EngineConfig::default()
    })?;
    let cache = CompileCache::in_folder(&config.cache_dir);
    let isolates = Isolates::new(slots, cache, services.clone())?;
    isolates.keep_rested(budget.pressure(), tasks, shutdown.clone());
    let isolates: Arc<dyn Prepare> = Arc::new(isolates);
    let upstreams = Arc::clone(upstreams);
    let config = ProcessConfig::default();
    let processes = Processes::new(config, services, upstreams, budget, tasks, shutdown);
    let processes: Arc<dyn Prepare> = Arc::new(processes);
    Ok(HashMap::from([
        (Kind::Wasm, isolates),
        (Kind::Process, processes),
    ]))
}

/// Nothing gets traffic that did not pass the gate.
fn gated(kinds: Kinds, asker: &Arc<Asker>) -> Kinds {
    let gated = |(kind, prepare)| (kind, Gate::before(prepare, asker));
    kinds.into_iter().map(gated).collect()
}

/// What manifests may be granted. Our own settings are not for guests: the admin token is among them.
pub fn environment() -> BTreeMap<String, String> {
    let readable = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    readable
        .filter(|(name, _)| !name.starts_with("ROOKERY_"))
        .collect()
}

fn pools(budget: &Arc<Budget>, totals: &Arc<Totals>, tasks: &Tasks) -> MakePool {
    let (budget, totals, tasks) = (Arc::clone(budget), Arc::clone(totals), tasks.clone());
    Arc::new(move |bundle: &Arc<Bundle>, spawn: Arc<dyn Spawn>| {
        let policy = Policy::from_manifest(&bundle.manifest);
        Pool::new(bundle.label(), policy, spawn, &budget, &totals, &tasks)
    })
}

fn front_door(config: &ServerConfig) -> GatewayConfig {
    GatewayConfig {
        header_timeout: config.header_timeout,
        header_bytes_max: config.header_bytes_max,
        drain_grace: config.drain_grace,
        session_keep: config.session_keep,
        session_trial: config.session_trial,
        fallback: match config.version_fallback {
            VersionFallback::Highest => Fallback::Highest,
            VersionFallback::None => Fallback::None,
        },
        app_shell: config.app_shell.clone(),
        disclosure: match config.mode {
            Mode::Development => Disclosure::Shown,
            Mode::Production => Disclosure::Hidden,
        },
        ..GatewayConfig::default()
    }
}

/// What is below `/_/`.
fn below(
    config: &ServerConfig,
    stage: Rehearsals,
    tasks: &Tasks,
    shutdown: &Shutdown,
) -> Arc<dyn Internal> {
    let access = tokens::access(config, tasks, shutdown);
    let (source, stage) = (Arc::clone(&stage.figures), Arc::new(stage));
    let apps_dir = &config.apps_dir;
    let admin = Admin::new(access, source, apps_dir, stage, tasks, shutdown.clone());
    Arc::new(Below(admin))
}

/// The operator's routes, as the front door knows them.
struct Below(Arc<Admin>);

#[async_trait::async_trait]
impl Internal for Below {
    async fn serve(&self, request: http::Request<hyper::body::Incoming>) -> http::Response<Body> {
        self.0.serve(request).await
    }
}
