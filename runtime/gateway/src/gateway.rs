//! The front door and what it knows of the house.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use rookery_hub::Hub;
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::Body;
use rookery_supervisor::{RevisionId, Supervisor};
use rookery_upstream::Upstreams;
use tokio::net::TcpListener;

use crate::config::GatewayConfig;
use crate::listener;
use crate::proxy::RuleSnapshot;
use crate::sites::Sites;
use crate::trial::Moves;

/// Answers what is below `/_/`. The front door knows no more of it.
#[async_trait::async_trait]
pub trait Internal: Send + Sync {
    /// Answers one request. The client's address is in its extensions, as a `SocketAddr`.
    async fn serve(&self, request: http::Request<Incoming>) -> http::Response<Body>;

    /// Whether there is anything: the operator may have a door of his own.
    fn is_here(&self) -> bool {
        true
    }
}

/// The front door.
pub struct Gateway {
    pub(crate) config: GatewayConfig,
    pub(crate) supervisor: Arc<Supervisor>,
    pub(crate) sites: Arc<Sites>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) upstreams: Arc<Upstreams>,
    pub(crate) internal: Arc<dyn Internal>,
    pub(crate) leaving: Shutdown,
    pub(crate) tasks: Tasks,
    pub(crate) shutdown: Shutdown,
}

/// Whom the front door needs.
pub struct Neighbours {
    /// Knows the revisions.
    pub supervisor: Arc<Supervisor>,
    /// Holds the sessions.
    pub hub: Arc<Hub>,
    /// Asks other servers.
    pub upstreams: Arc<Upstreams>,
    /// Answers the operator.
    pub internal: Arc<dyn Internal>,
    /// Requested before the shutdown: from then on the server says that it is not ready, and still serves.
    pub leaving: Shutdown,
}

impl Gateway {
    /// A front door that follows the supervisor's table. Nobody can come in before [`Gateway::listen`].
    pub fn new(
        config: GatewayConfig,
        neighbours: Neighbours,
        tasks: &Tasks,
        shutdown: &Shutdown,
    ) -> Arc<Gateway> {
        let sites = Sites::new(&neighbours.supervisor, &config, tasks);
        tasks.spawn(
            "site table",
            Arc::clone(&sites).follow(Arc::clone(&neighbours.supervisor), shutdown.clone()),
        );
        Arc::new(Gateway {
            config,
            sites,
            supervisor: neighbours.supervisor,
            hub: neighbours.hub,
            upstreams: neighbours.upstreams,
            internal: neighbours.internal,
            leaving: neighbours.leaving,
            tasks: tasks.clone(),
            shutdown: shutdown.clone(),
        })
    }

    /// Every proxy rule that was asked, of the revisions that serve: by revision, then in the file's order. Copies each
    /// rule's histogram, 2 KiB, so it is for operators and not for requests.
    pub fn rules(&self) -> Vec<RuleSnapshot> {
        self.sites.rules()
    }

    /// How many sessions changed their revision, and how many went back.
    pub fn moves(&self) -> &Arc<Moves> {
        self.sites.moves()
    }

    /// How many sessions each revision that serves holds; those that hold none are left out.
    pub fn sessions(&self) -> HashMap<RevisionId, usize> {
        self.sites.sessions()
    }

    /// Lets clients in until the shutdown. Connections that are open then finish what they have, as tasks of their own.
    pub fn listen(self: &Arc<Self>, listener: TcpListener) -> std::io::Result<SocketAddr> {
        let address = listener.local_addr()?;
        self.tasks
            .spawn("listener", listener::run(Arc::clone(self), listener));
        Ok(address)
    }
}
