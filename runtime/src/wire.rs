//! Makes every part and hands it its neighbours.
//!
//! **Absent on purpose:** decisions. Nothing here looks at a request, a worker or a session.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use rookery_admin::{Access, Admin, Token};
use rookery_bundle::{BrokenManifest, Bundle, Kind};
use rookery_gateway::{Disclosure, Gateway, GatewayConfig, Internal, Neighbours};
use rookery_host::Services;
use rookery_hub::Hub;
use rookery_isolate::{CompileCache, EngineConfig, IsolateError, Isolates, Slots};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{Body, Budget, Policy, Pool, Prepare, Spawn, Totals};
use rookery_routing::Fallback;
use rookery_storage::Stores;
use rookery_supervisor::{Kinds, MakePool, Prerelease, Supervisor, SupervisorConfig};
use rookery_upstream::{UpstreamConfig, Upstreams};
use tokio::net::TcpListener;

use crate::config::{Mode, ServerConfig, VersionFallback};
use crate::figures::Figures;

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
    /// The wasm engine refused.
    #[error(transparent)]
    Isolate(#[from] IsolateError),
    /// The system lets nobody listen to its signals.
    #[error("cannot listen to signals: {0}")]
    Signals(std::io::Error),
}

/// A server that runs.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it serves.
    pub supervisor: Arc<Supervisor>,
    /// Ends it.
    pub shutdown: Shutdown,
    tasks: Tasks,
    config: ServerConfig,
}

/// Starts a server: the port is bound when this returns, the bundles follow.
///
/// # Errors
/// [`StartError`], before anything was served.
pub async fn start(config: ServerConfig) -> Result<Server, StartError> {
    let (tasks, shutdown) = (Tasks::new(), Shutdown::new());
    let address = SocketAddr::new(config.host, config.port);
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|source| StartError::Listen { address, source })?;

    let hub = Hub::new(config.hub.clone(), &tasks, shutdown.clone());
    let budget = Budget::new(config.pool_size as usize);
    budget.keep_swept(&tasks, shutdown.clone());
    let totals = Arc::new(Totals::default());
    let supervisor = Supervisor::start(
        supervision(&config),
        kinds(&config, &hub, &tasks, &shutdown)?,
        pools(&budget, &totals, &tasks),
        &tasks,
        &shutdown,
    );
    let figures = Arc::new(Figures {
        budget,
        totals,
        hub: Arc::clone(&hub),
        supervisor: Arc::clone(&supervisor),
        gateway: OnceLock::new(),
    });
    let access = match &config.admin_token {
        Some(token) => Access::Token(Token::new(token.expose())),
        None => Access::Open,
    };
    let admin = Admin::new(access, Arc::clone(&figures) as _, shutdown.clone());
    let leaving = Shutdown::new();
    let upstreams = Upstreams::new(UpstreamConfig::default(), &tasks, &shutdown);
    let neighbours = Neighbours {
        upstreams,
        supervisor: Arc::clone(&supervisor),
        hub,
        internal: Arc::new(Below(admin)),
        leaving: leaving.clone(),
    };
    let gateway = Gateway::new(front_door(&config), neighbours, &tasks, &shutdown);
    let _ = figures.gateway.set(Arc::downgrade(&gateway));
    let address = gateway
        .listen(listener)
        .map_err(|source| StartError::Listen { address, source })?;
    let signals = crate::signal::listen(leaving, shutdown.clone()).map_err(StartError::Signals)?;
    tokio::spawn(signals);
    Ok(Server {
        address,
        supervisor,
        shutdown,
        tasks,
        config,
    })
}

impl Server {
    /// Serves until the shutdown and then until everything is done, at most the grace. The names of what was not.
    pub async fn run(self) -> Vec<&'static str> {
        self.shutdown.requested().await;
        self.tasks.drain(self.config.drain_grace).await
    }
}

fn supervision(config: &ServerConfig) -> SupervisorConfig {
    SupervisorConfig {
        grace: config.drain_grace,
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
        ..SupervisorConfig::new(vec![config.apps_dir.clone()])
    }
}

fn kinds(
    config: &ServerConfig,
    hub: &Arc<Hub>,
    tasks: &Tasks,
    shutdown: &Shutdown,
) -> Result<Kinds, IsolateError> {
    let services = Services {
        hub: Arc::clone(hub),
        stores: Arc::new(Stores::default()),
        environment: Arc::new(environment()),
    };
    let slots = Slots::new(&EngineConfig {
        isolates_max: config.pool_size,
        ..EngineConfig::default()
    })?;
    let cache = CompileCache::in_folder(&config.cache_dir);
    let isolates = Isolates::new(slots, cache, services)?;
    isolates.keep_rested(tasks, shutdown.clone());
    let isolates: Arc<dyn Prepare> = Arc::new(isolates);
    Ok(HashMap::from([(Kind::Wasm, isolates)]))
}

/// What manifests may be granted. Our own settings are not for guests: the admin token is among them.
fn environment() -> BTreeMap<String, String> {
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

/// The operator's routes, as the front door knows them.
struct Below(Arc<Admin>);

#[async_trait::async_trait]
impl Internal for Below {
    async fn serve(&self, request: http::Request<hyper::body::Incoming>) -> http::Response<Body> {
        self.0.serve(request).await
    }
}
