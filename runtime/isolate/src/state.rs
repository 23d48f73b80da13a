//! What the host keeps for one isolate.

use std::sync::Arc;

use http::{Request, Response};
use rookery_host::{Effects, Guest, GuestHub, GuestSql, Outgoing};
use rookery_pool::Deadline;
use rookery_storage::SqlError;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::cpu::CpuTime;
use crate::epoch::Turn;
use crate::limits::Limits;

/// How many host resources (streams, bodies, headers …) a guest may hold at once.
const RESOURCES_MAX: usize = 10_000;

/// The host's side of one isolate.
pub(crate) struct State {
    pub guest: Arc<Guest>,
    pub limits: Limits,
    /// The deadline of the invocation that runs, or ran last.
    pub deadline: Deadline,
    /// The right to compute for one more epoch; see [`Slots::long_runs`](crate::engine::Slots::long_runs).
    pub turn: Turn,
    /// What all guests of the revision computed.
    pub cpu: Arc<CpuTime>,
    /// What the events of a batch left outside of the guest.
    pub effects: Effects,
    pub table: ResourceTable,
    /// What the invocation says, and what it waits for.
    pub outgoing: Outgoing,
    hub: Option<GuestHub>,
    sql: Option<GuestSql>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
}

impl State {
    pub fn new(
        guest: Arc<Guest>,
        limits: Limits,
        deadline: Deadline,
        wasi: WasiCtx,
        cpu: Arc<CpuTime>,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        let outgoing = Outgoing::new(guest.tasks());
        State {
            guest,
            limits,
            deadline,
            turn: Turn::default(),
            cpu,
            effects: Effects::default(),
            table,
            outgoing,
            hub: None,
            sql: None,
            wasi,
            http: WasiHttpCtx::new(),
            hooks: Hooks,
        }
    }

    /// Sessions and topics, for the invocation that runs.
    pub fn hub(&mut self) -> &mut GuestHub {
        self.hub.get_or_insert_with(|| self.guest.hub())
    }

    /// The same for what others may notice.
    pub fn hub_to_change(&mut self) -> &mut GuestHub {
        self.effects.note();
        self.hub()
    }

    /// The database for the invocation that runs, and the hub that holds what is said of what it writes.
    pub async fn database(&mut self) -> Result<(&mut GuestSql, &mut GuestHub), SqlError> {
        if self.sql.is_none() {
            self.sql = Some(self.guest.sql(&self.outgoing).await?);
        }
        let hub = self.hub.get_or_insert_with(|| self.guest.hub());
        let sql = self.sql.as_mut().expect("it was opened just before");
        Ok((sql, hub))
    }

    /// Begins an invocation.
    pub fn begin_invocation(&mut self, deadline: Deadline) {
        self.deadline = deadline;
        self.limits.begin();
    }

    /// Ends the invocation: what it published goes out.
    pub fn end_invocation(&mut self) {
        self.hub = None;
        self.sql = None;
        self.outgoing.finish();
        self.turn.end();
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.hooks,
        }
    }
}

/// How `wasi:http` behaves here.
///
/// **Absent on purpose:** requests to other servers. `grants.hosts` is checked when a manifest is read; the door that
/// honours it is not there yet, so every request is denied.
struct Hooks;

/// The end of an exchange with another server, or why it failed.
type Ending = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        _request: Request<WasiBody>,
        _options: Option<RequestOptions>,
        _ending: Ending,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Ending), Error>> + Send> {
        Box::new(async { Err(Error::HttpRequestDenied) })
    }
}
