//! For tests: guests in the text format, in slots of their own, called through `rookery:app/life`.
//!
//! Its functions take nothing and give nothing, so a guest in the text format is short. What the guests find out they
//! tell through `rookery:test/report`, which exists here alone.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rookery_bundle::{AppName, Bundle, Expect};
use rookery_host::{Guest, Services};
use rookery_hub::{Hub, HubConfig};
use rookery_lifecycle::{Shutdown, Tasks};
use rookery_pool::{Deadline, Notice};
use rookery_storage::Stores;
use tempfile::TempDir;
use wasmtime::component::Component;

use crate::bindings::attentive::AttentiveIndices;
use crate::cpu::CpuTime;
use crate::engine::{EngineConfig, Slots, Thrift};
use crate::instantiate::{Isolate, instantiate};
use crate::life;
use crate::link::{Linked, linker};

/// Slots, and what guests in them reported.
pub(crate) struct House {
    pub slots: Slots,
    pub guest: Arc<Guest>,
    pub cpu: Arc<CpuTime>,
    /// Two numbers of each call of `report`, and what `on_report` gave.
    pub reports: Arc<Mutex<Vec<(u32, u32, u64)>>>,
    thrift: Thrift,
    on_report: fn() -> u64,
    _folder: TempDir,
}

impl House {
    /// So many slots, and nobody in them.
    pub fn of(isolates_max: u32, thrift: Thrift) -> House {
        let folder = tempfile::tempdir().unwrap();
        let config = EngineConfig {
            isolates_max,
            memory_bytes_max: 64 << 20,
        };
        House {
            slots: Slots::new(&config).unwrap(),
            guest: guest(&folder),
            cpu: Arc::default(),
            reports: Arc::default(),
            thrift,
            on_report: || 0,
            _folder: folder,
        }
    }

    /// What the host does, on the guest's stack, at each report.
    pub fn on_report(self, on_report: fn() -> u64) -> House {
        House { on_report, ..self }
    }

    /// A guest whose core module is this, with exports `idle` and `terminate`. It may import `report` from `host`.
    pub fn linked(&self, module: &str) -> Linked {
        let engine = self.slots.engine(self.thrift).unwrap();
        let mut linker = linker(&engine).unwrap();
        let (reports, on_report) = (Arc::clone(&self.reports), self.on_report);
        linker
            .instance("rookery:test/report")
            .unwrap()
            .func_wrap("report", move |_store, (a, b): (u32, u32)| {
                reports.lock().push((a, b, on_report()));
                Ok(())
            })
            .unwrap();
        let component = Component::new(&engine, component(module)).unwrap();
        let pre = linker.instantiate_pre(&component).unwrap();
        Linked {
            http: None,
            sessions: None,
            life: Some(AttentiveIndices::new(&pre).unwrap()),
            pre,
        }
    }

    /// A new isolate of it.
    pub async fn start(&self, linked: &Linked) -> Isolate {
        let started = instantiate(&self.slots, linked, &self.guest, &self.cpu);
        started.await.unwrap()
    }

    /// What was reported since the last look.
    pub fn take_reports(&self) -> Vec<(u32, u32, u64)> {
        std::mem::take(&mut self.reports.lock())
    }
}

/// Tells an isolate that it is idle; whether it lived through that.
pub(crate) async fn idle(isolate: &mut Isolate, timeout: Duration) -> bool {
    life::tell(isolate, Notice::Idle, Deadline::after(timeout)).await;
    isolate.sound
}

/// Tells an isolate that it ends; whether it lived through that.
pub(crate) async fn terminate(isolate: &mut Isolate, timeout: Duration) -> bool {
    life::tell(isolate, Notice::Terminate, Deadline::after(timeout)).await;
    isolate.sound
}

/// A component around a core module.
fn component(module: &str) -> Vec<u8> {
    let text = format!(
        r#"
        (component
          (import "rookery:test/report" (instance $report
            (export "report" (func (param "a" u32) (param "b" u32)))))
          (core func $lowered (canon lower (func $report "report")))
          (core instance $host (export "report" (func $lowered)))
          (core module $m {module})
          (core instance $i (instantiate $m (with "host" (instance $host))))
          (func $idle (canon lift (core func $i "idle")))
          (func $terminate (canon lift (core func $i "terminate")))
          (instance $life (export "idle" (func $idle)) (export "terminate" (func $terminate)))
          (export "rookery:app/life@1.0.0" (instance $life)))
        "#
    );
    wat::parse_str(text).unwrap()
}

fn guest(folder: &TempDir) -> Arc<Guest> {
    let dir = folder.path().join("test");
    std::fs::create_dir(&dir).unwrap();
    std::fs::write(dir.join("worker.config.json"), r#"{"version": "1.0.0"}"#).unwrap();
    std::fs::write(dir.join("app.wasm"), "not looked at").unwrap();
    let expect = Expect {
        name: AppName::parse("test").unwrap(),
        version: None,
    };
    let bundle: Bundle = rookery_bundle::open(&dir, expect).unwrap();
    let services = Services {
        hub: Hub::new(HubConfig::default(), &Tasks::new(), Shutdown::new()),
        stores: Arc::new(Stores::default()),
        environment: Arc::new(BTreeMap::new()),
    };
    Guest::new(Arc::new(bundle), &services)
}
