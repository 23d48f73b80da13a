//! Connections in both directions through a worker: the handshake is an invocation, what follows is not.
//!
//! **Invariant:** an open tunnel keeps its worker from being retired as idle and from being evicted, and takes no turn.
//! **Absent on purpose:** a bound. Each tunnel belongs to a client's connection, which the gateway bounds.

use std::sync::Arc;

use http::Request;
use tokio::time::Instant;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::Pool;
use crate::deadline::Deadline;
use crate::error::InvokeError;
use crate::lease::Lease;
use crate::run::AGAIN_MAX;
use crate::shelf::Out;
use crate::tunnel::{TunnelAnswer, Unopened};
use crate::worker::{Fault, Verdict};

/// What a worker said to a handshake, and the hold on the worker.
pub struct PoolTunnel {
    /// What it said.
    pub answer: TunnelAnswer,
    /// To be kept until the tunnel is closed, or the answer's body was read.
    pub hold: TunnelHold,
}

/// Keeps a worker for a tunnel until it is dropped, and knows when the tunnel has to end.
pub struct TunnelHold {
    pool: Arc<Pool>,
    number: u64,
    worker: Option<Arc<()>>,
    _token: TaskTrackerToken,
}

impl Pool {
    /// Whether its workers open connections in both directions.
    pub fn serves_tunnels(&self) -> bool {
        self.spawn.serves_tunnels()
    }

    /// Opens a connection in both directions through a worker. The handshake counts as an invocation and has its
    /// deadline. One that its worker saw nothing of, because that was at its end, is given to another one.
    pub async fn tunnel(self: &Arc<Self>, request: Request<()>) -> Result<PoolTunnel, InvokeError> {
        if !self.serves_tunnels() {
            return Err(self.fault(Fault::Unsupported("connections in both directions")));
        }
        let asked = Instant::now();
        self.stats.requested();
        let lease = self.acquire().await?;
        let deadline = Deadline::after(self.policy.timeout);
        let mut opened = self.open(lease, request, &deadline).await;
        for _ in 0..AGAIN_MAX {
            let Err(unopened) = &mut opened else { break };
            let Some(request) = unopened.unseen.take() else {
                break;
            };
            let Some(lease) = self.acquire_within(&deadline).await else {
                break;
            };
            opened = self.open(lease?, *request, &deadline).await;
        }
        self.stats.answered(asked.elapsed());
        opened.map_err(|unopened| self.fault(unopened.fault))
    }

    async fn open(
        self: &Arc<Self>,
        mut lease: Lease,
        request: Request<()>,
        deadline: &Deadline,
    ) -> Result<PoolTunnel, Unopened> {
        match lease.worker().tunnel(request, deadline.clone()).await {
            Ok(answer) => {
                let (number, worker) = lease.keep();
                let hold = TunnelHold::new(self, number, worker);
                lease.finish(&Verdict::Reusable);
                Ok(PoolTunnel { answer, hold })
            }
            Err(unopened) => {
                lease.finish(&unopened.verdict);
                Err(unopened)
            }
        }
    }
}

impl TunnelHold {
    fn new(pool: &Arc<Pool>, number: u64, worker: Option<Arc<()>>) -> TunnelHold {
        pool.stats.tunnels.incr();
        TunnelHold {
            pool: Arc::clone(pool),
            number,
            worker,
            _token: pool.tunnels.token(),
        }
    }

    /// Ends when the revision is being retired. The tunnel may go on until it is [cut](TunnelHold::cut).
    pub async fn draining(&self) {
        self.pool.draining.requested().await;
    }

    /// Ends when the tunnel has to be closed: the grace of the drain is nearly over, and the worker ends with it, a
    /// second later at most.
    pub async fn cut(&self) {
        self.pool.cutting.requested().await;
    }
}

impl Drop for TunnelHold {
    fn drop(&mut self) {
        // First, so that the shelf sees a worker that is free.
        drop(self.worker.take());
        let mut out = Out::default();
        let mut shelf = self.pool.shelf.lock();
        shelf.tunnel_ended(self.number, Instant::now(), &mut out);
        drop(shelf);
        self.pool.stats.tunnels.decr();
        self.pool.let_go(out);
        self.pool.give_way_if_wanted();
    }
}
